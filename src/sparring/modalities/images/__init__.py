"""Images: (channels, height, width) in [-1, 1]."""
