"""Time series: several channels of numbers over steps in time."""
