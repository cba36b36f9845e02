"""What a folder says of its images: by its levels of folders, its masks, its tables."""
