"""Tables of anybody's making that say something of images: read in any shape, matched to files, understood."""
