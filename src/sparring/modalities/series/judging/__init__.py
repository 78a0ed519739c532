"""Metrics of series as pure functions."""
