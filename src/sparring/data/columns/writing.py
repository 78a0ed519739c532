"""Tables of text as CSV files that this program reads back as the same cells."""

import csv
import io
from collections.abc import Sequence

READ_OTHERWISE = ("#", "sep=")
"""Starts of a heading that would be taken for a comment or for the choice of a separator, were it not quoted."""


def csv_bytes(header: Sequence[str], columns: Sequence[Sequence[str]], *, decimal_comma: bool = False) -> bytes:
    """Return a table as the content of a CSV file.

    Args:
        header: names of the columns.
        columns: cells of each column.
        decimal_comma: whether numbers have a decimal comma, so that semicolons separate columns.
    """
    text = io.StringIO()
    delimiter = ";" if decimal_comma else ","
    plain = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    quoted = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    (quoted if header[0].startswith(READ_OTHERWISE) else plain).writerow(header)
    for row in zip(*columns, strict=True):
        # A row of empty cells alone would be taken for a blank line, and a carriage return for its end.
        joined = "".join(row)
        (quoted if not joined or "\r" in joined else plain).writerow(row)
    return text.getvalue().encode("utf-8", "backslashreplace")
