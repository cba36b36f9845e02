"""Does a segmenter gain? The same study of networks that draw masks."""
