"""Raw files → one packed dataset."""
