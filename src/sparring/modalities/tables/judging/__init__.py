"""Metrics of tables: pure functions of real and generated rows, and of their columns."""
