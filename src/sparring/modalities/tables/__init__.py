"""Tables: rows of numbers, categories and dates, some of which are missing."""
