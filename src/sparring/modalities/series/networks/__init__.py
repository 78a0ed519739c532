"""Networks for series."""
