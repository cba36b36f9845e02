"""A packed dataset → a trained run → images."""
