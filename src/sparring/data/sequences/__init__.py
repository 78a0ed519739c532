"""Sequences of tokens as data: texts, and whatever else is written as text."""

PROMPT, SOURCE = "prompt", "source"
"""Names of conditions in ``View.condition`` and ``Facts.offers``; this file imports no torch, so that recipes can."""
