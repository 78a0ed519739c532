"""Networks for text alone; those on all kinds of tokens are in ``layers.tokens``."""
