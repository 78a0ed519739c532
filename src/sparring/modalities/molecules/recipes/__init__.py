"""Recipes for molecules."""
