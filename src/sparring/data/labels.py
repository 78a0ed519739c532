"""Labels as they are stored, in any type, and the classes that they name."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparring.text import printable

Classes: TypeAlias = tuple[NDArray[np.int64], tuple[str, ...]]
"""Class numbers, (count,), and the names of the classes."""
NO_LABELS, SOME_LABELS = "--labels false (labels=False in Python)", "--labels true (labels=True in Python)"
"""Choices of the user, as messages name them."""
MAX_DIGITS = 4000
"""Digits of a number in a name that count for its order."""
MAX_SINGLES = 0.5
"""Share of the classes that may have a single sample."""
FRACTION = re.compile(r"-?[0-9]*\.[0-9]*[1-9][0-9]*(e[-+]?[0-9]+)?", re.IGNORECASE)
"""Number with a fraction, written out."""


class NotClasses(ValueError):
    """Values that cannot name classes; the message is a noun phrase that says what they are."""


def natural_order(name: str) -> list[tuple[int, int, str]]:
    """Return a key by which names sort as people count: 1, 2, 10, 20 and a2, a10."""
    parts = re.split(r"([0-9]+)", name)
    # Numbers sort before text; equal numbers, such as 7 and 07, by their digits.
    return [(0, int(part[:MAX_DIGITS]), part) if part[:1].isdigit() else (1, 0, part) for part in parts if part]


def listed(names: Iterable[str], limit: int = 5) -> str:
    """Return names in natural order for a sentence: "a, b and 3 more"."""
    ordered = sorted(names, key=natural_order)
    more = f" and {len(ordered) - limit} more" if len(ordered) > limit else ""
    return ", ".join(printable(name) for name in ordered[:limit]) + more


def class_name(text: str) -> str:
    """Return the name of a class: one printable line, with composed characters (NFC), without spaces around it."""
    return unicodedata.normalize("NFC", printable(text)).strip()


def number_classes(names: Sequence[str]) -> Classes:
    """Number the classes that occur, in natural order.

    Args:
        names: name of the class of each sample.
    """
    numbers = all(re.fullmatch(r"-?[0-9]{1,18}", name) for name in names)
    classes = tuple(sorted(set(names), key=int) if numbers else sorted(set(names), key=natural_order))
    position = {name: index for index, name in enumerate(classes)}
    return np.array([position[name] for name in names], dtype=np.int64), classes


def singles(names: Sequence[str]) -> str:
    """Return "3 of 4" where most of more than two classes have a single sample, as captions and numbers of files do.

    Args:
        names: name of the class of each sample.
    """
    sizes = Counter(names)
    single = sum(size == 1 for size in sizes.values())
    return f"{single:,} of {len(sizes):,}" if len(sizes) > 2 and single > len(sizes) * MAX_SINGLES else ""


def label_text(value: Any) -> str | None:
    """Return the name of the class that a stored label stands for: "3" for 3 and 3.0, "True"; None if it is missing.

    Raises:
        NotClasses: the label is a number with a fraction, or several labels.
    """
    if isinstance(value, list | tuple | np.ndarray):
        return _single(list(value))
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float):
        if not value.is_integer():
            raise NotClasses(f"numbers with a fraction, such as {value:g}")
        value = int(value)
    if isinstance(value, Mapping):
        raise NotClasses("values of several fields")
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
    if FRACTION.fullmatch(text.strip()):
        raise NotClasses(f"numbers with a fraction, such as {text.strip()[:20]}")
    # Tables often store whole numbers as 3.0.
    whole = re.fullmatch(r"\s*(-?[0-9]+)\.0+\s*", text)
    return class_name(whole[1] if whole else text) or None


def _single(values: list[Any]) -> str | None:
    """Return the label in a list of one, or the position of the only 1 among zeros."""
    if len(values) <= 1:
        return label_text(values[0]) if values else None
    if all(isinstance(one, int | float) and one in (0, 1) for one in values) and sum(values) == 1:
        return str(values.index(1))
    raise NotClasses(f"several labels for each sample, such as {printable(str(values[:3]))[:60]}")
