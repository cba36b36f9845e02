"""How `prepare` makes a dataset: which images, in which split, as which squares, packed and described."""
