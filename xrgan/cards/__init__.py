"""What xrgan knows of a run and its data, written for readers: model card, datasheet, scorecard, checklist."""
