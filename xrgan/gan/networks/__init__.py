"""The networks: one file per model, and the registry that knows them by name."""
