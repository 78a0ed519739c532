"""Identifiers: recognising them, and making new ones of the same form."""

import math
import random
import re
import string
from collections.abc import Sequence

COUNTED = "counted"
"""Form of identifiers that end with a rising number: new ones go on counting."""
KEY = re.compile(r"[^\s]*[0-9][^\s]*")
LAST_NUMBER = re.compile(r"^(.*?)([0-9]+)([^0-9]*)$", re.DOTALL)
HEXADECIMAL = re.compile(r"[0-9a-f-]+|[0-9A-F-]+")
MIN_HEXADECIMAL = 8
"""Characters from which digits and letters of a hexadecimal identifier count alike."""
LONG_ENOUGH = 12
"""Letters and digits of an identifier from which there are so many that new ones differ from those of the data."""
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

    Counted ones come after all of the data. Others are like the example and differ from it; since the others of the
    data are not stored with a model, they differ from these only in all likelihood, or by a number at their end.

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
    return _like(example, range(first, first + count))


def _like(example: str, numbers: range) -> list[str]:
    """Return texts in which the letters and digits of an example are other ones; all differ from it and one another.

    Text n spells (e + factor · (n + 1)) mod size, where e is what the example spells, and size the number of texts of
    its form. The factor has no common divisor with the size, so equal texts are that many numbers apart.
    """
    alphabets = [_alphabet(character, example) for character in example]
    size = math.prod(map(len, alphabets))
    draw, factor = random.Random(example), 0
    while math.gcd(factor, size) != 1:
        factor = draw.randrange(size)
    spelt = 0
    for character, letters in zip(example, alphabets, strict=True):
        spelt = spelt * len(letters) + letters.index(character)

    # Short forms have few texts, which the data may have, too: a number makes them unique.
    is_short = sum(map(str.isalnum, example)) < LONG_ENOUGH
    texts = [_spelling((spelt + factor * (number + 1)) % size, alphabets) for number in numbers]
    return [f"{text}-{number + 1}" if is_short else text for text, number in zip(texts, numbers, strict=True)]


def _alphabet(character: str, example: str) -> str:
    """Return what may take the place of a character of an example: letters or digits; itself for anything else."""
    lower, upper = string.ascii_lowercase, string.ascii_uppercase
    if HEXADECIMAL.fullmatch(example) and any(map(str.isalpha, example)):
        lower, upper = "abcdef", "ABCDEF"
        if len(example) >= MIN_HEXADECIMAL and character in string.digits + lower + upper:
            # Digits and letters of hexadecimal identifiers take the places of one another.
            return string.digits + (upper if example.upper() == example else lower)
    return next((letters for letters in (string.digits, lower, upper) if character in letters), character)


def _spelling(number: int, alphabets: Sequence[str]) -> str:
    """Return a number whose digits, the last one least, are characters of the alphabets."""
    characters = list[str]()
    for letters in reversed(alphabets):
        number, place = divmod(number, len(letters))
        characters.append(letters[place])
    return "".join(reversed(characters))
