"""Do the synthetic X-rays help? A classifier trained without and with them, scored on the same untouched test split."""
