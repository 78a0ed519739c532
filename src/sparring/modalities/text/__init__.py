"""Text: lines, documents and source code as tokens."""
