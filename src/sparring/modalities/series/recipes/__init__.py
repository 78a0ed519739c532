"""Recipes for series."""
