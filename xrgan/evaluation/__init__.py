"""Two sets of images → scores that say what they can't say."""
