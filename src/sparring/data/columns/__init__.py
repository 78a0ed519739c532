"""Columns of tables and of series as numbers: numbers and dates in many forms, and texts by their place."""
