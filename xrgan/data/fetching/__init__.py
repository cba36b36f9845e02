"""How `fetch` brings a source here: what was asked for, Kaggle's client, archives that can't be trusted, folders."""
