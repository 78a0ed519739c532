"""Identifiers: recognising them, and making new ones of the same form."""

import random
import re
import string
from collections.abc import Sequence

COUNTED = "counted"
"""Form of identifiers that end with a rising number: new ones go on counting."""
KEY = re.compile(r"[^\s]*[0-9][^\s]*")
LAST_NUMBER = re.compile(r"^(.*?)([0-9]+)([^0-9]*)$", re.DOTALL)
HEXADECIMAL = re.compile(r"[0-9a-f-]+|[0-9A-F-]+")
MAX_LENGTH = 64
"""Characters of an identifier."""
MAX_DIGITS = 18
"""Digits of the number with which identifiers are counted."""


def are_keys(texts: Sequence[str]) -> bool:
    """Return whether unique texts look like identifiers: short, without spaces, with digits."""
    return all(len(text) <= MAX_LENGTH and KEY.fullmatch(text) for text in texts)


def form_of(texts: Sequence[str]) -> str:
    """Return ``COUNTED`` for identifiers that differ in one number at their end, "" for others."""
    found = [LAST_NUMBER.match(text) for text in texts]
    frames = {(match[1], match[3]) for match in found if match}
    counted = all(found) and len(frames) == 1 and all(len(match[2]) <= MAX_DIGITS for match in found if match)
    return COUNTED if counted else ""


def example_of(texts: Sequence[str]) -> str:
    """Return the last identifier of a column, in the order of its numbers; new ones come after it."""

    def order(text: str) -> tuple[int, str]:
        match = LAST_NUMBER.match(text)
        return (int(match[2][-MAX_DIGITS:]) if match else -1, text)

    return max(texts, key=order, default="")


def new_keys(example: str, form: str, count: int, *, first: int = 0) -> list[str]:
    """Make unique identifiers.

    Args:
        example: the last identifier of the data.
        form: its form; see ``form_of``.
        count: number of identifiers.
        first: number of the first one; others of one example have other numbers.
    """
    match = LAST_NUMBER.match(example)
    if form == COUNTED and match and len(match[2]) <= MAX_DIGITS:
        start, width = int(match[2]) + 1 + first, len(match[2])
        return [f"{match[1]}{number:0{width}d}{match[3]}" for number in range(start, start + count)]
    if not example:
        return [str(number) for number in range(first + 1, first + count + 1)]
    return [_like(example, number) for number in range(first, first + count)]


def _like(example: str, number: int) -> str:
    """Return a text in which each letter and digit of an example is redrawn by a generator that ``number`` seeds."""
    draw = random.Random(f"{example}\n{number}")
    lower, upper = string.ascii_lowercase, string.ascii_uppercase
    if HEXADECIMAL.fullmatch(example):
        lower, upper = "abcdef", "ABCDEF"
    classes = (string.digits, lower, upper)
    drawn = []
    for character in example:
        one = next((letters for letters in classes if character in letters), "")
        if one and len(example) >= 8:
            # Digits and letters of hexadecimal identifiers take the places of one another.
            one = one if lower != "abcdef" else string.digits + (upper if example.upper() == example else lower)
        drawn.append(draw.choice(one) if one else character)
    text = "".join(drawn)
    # Short forms have few values: the number makes them unique.
    return text if sum(character.isalnum() for character in example) >= 12 else f"{text}-{number + 1}"
