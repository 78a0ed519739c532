"""Texts that were read once: their tokens, and facts about them."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.arguments import option
from sparring.data.documents import CODE, Column, Documents, read_documents
from sparring.data.facts import Facts
from sparring.data.reading import Reading
from sparring.data.sequences import PROMPT
from sparring.data.sequences.coding import TokenCoding, coding_of
from sparring.data.sequences.rows import TokenSurvey, encoded, fingerprint, like_classes
from sparring.data.words import IDEOGRAPHS, Kind, fit
from sparring.errors import SparringError
from sparring.tokens import END, SPECIAL

TEXT = "text"
"""Kind of the column of a table that holds the texts."""
MAX_LENGTH, PIECE = 256, 128
"""Tokens of a line at most, and of the pieces that documents are cut into, unless a length is given."""
SHORT = 32
"""Characters of a text below which its units are characters, rather than words."""
SOME = 2000
"""Texts by which units are chosen."""


def survey_texts(source: str, reading: Reading, like: Facts | None) -> TokenSurvey:
    """Read texts; see ``data.documents`` for the sources.

    Args:
        source: the path.
        reading: choices of the user.
        like: facts of other texts, whose tokeniser and length these get.

    Raises:
        SparringError: there is none, or a choice does not fit.
    """
    found = read_documents(Path(source), _chosen_columns(reading), with_labels=reading.labels is not False)
    coding = _coding(found, reading) if like is None else coding_of(like)
    rows = encoded(found, coding)
    classes = found.classes
    if like is not None:
        numbers, classes = like_classes(rows.labels, classes, like.classes)
        rows = replace(rows, labels=numbers)
    facts = Facts(
        source=source,
        modality="text",
        count=len(rows.tokens),
        shape=(coding.length,),
        fingerprint=fingerprint(rows, coding),
        classes=classes,
        offers=(PROMPT,),
        coding=coding.as_json() if like is None else like.coding,
        details=_details(found, coding, rows.tokens),
        remarks=(*found.remarks, *rows.remarks),
        reading=reading.as_json(),
    )
    return TokenSurvey(facts, rows)


def _chosen_columns(reading: Reading) -> Column:
    """Return the columns of texts and of their classes.

    Raises:
        SparringError: a column is of another kind, or two are of texts.
    """
    columns = reading.columns or {}
    other = next((name for name, kind in columns.items() if kind != TEXT), "")
    if other or len(columns) > 1:
        raise SparringError(
            found=f"the column {other!r} of the kind {columns[other]!r}" if other else "two columns of texts",
            expected=f"one column of the kind {TEXT!r}",
            remedy=f"give {option('columns', f'NAME={TEXT}')}, and {option('labels', 'NAME')} for classes",
        )
    labels = reading.labels if isinstance(reading.labels, str) else None
    return Column(next(iter(columns), None), labels)


def _coding(found: Documents, reading: Reading) -> TokenCoding:
    """Choose units and length by the texts, or take those that were given."""
    kind: Kind = reading.tokens or _kind(found)  # type: ignore[assignment]
    tokeniser = fit(kind, found.texts)
    lengths = [len(tokeniser.encode(text)) for text in found.texts]
    longest = max(lengths)
    most = PIECE if found.whole else MAX_LENGTH
    if kind in ("characters", "bytes") and found.whole:
        most *= 2
    length = reading.window or min(longest, most)
    inside = [min(one, length) for one in lengths]
    has_end = min(inside) < length
    return TokenCoding(
        tokeniser=tokeniser,
        length=length,
        has_end=has_end,
        mean_tokens=float(np.mean([min(one + has_end, length) for one in inside])),
        suffix=found.suffix,
        lines=not found.whole,
    )


def _kind(found: Documents) -> Kind:
    """Return characters for code, for short texts and for those without spaces, and words for others."""
    some = found.texts[:: max(1, len(found.texts) // SOME)]
    if found.suffix in CODE or float(np.median([len(text) for text in some])) < SHORT:
        return "characters"
    letters = Counter(character for text in some for character in text[:1000] if not character.isspace())
    ideographs = sum(count for one, count in letters.items() if any(low <= one <= high for low, high in _RANGES))
    return "characters" if 2 * ideographs > sum(letters.values()) else "words"


_RANGES = tuple((IDEOGRAPHS[at], IDEOGRAPHS[at + 2]) for at in range(0, len(IDEOGRAPHS), 3) if at + 2 < len(IDEOGRAPHS))
"""First and last character of each range of ideographs."""


def _details(found: Documents, coding: TokenCoding, tokens: NDArray[Any]) -> dict[str, Any]:
    """Return what `sparring inspect` says of texts."""
    lengths = (tokens != END).sum(1)
    counts = Counter(row.tobytes() for row in tokens)
    repeated = len(tokens) - len(counts)
    low, middle, high = (int(one) for one in np.quantile(lengths, (0.0, 0.5, 1.0), method="nearest"))
    details: dict[str, Any] = {
        "tokens": f"{coding.tokeniser.kind}, {coding.tokeniser.size - SPECIAL:,} different",
        "tokens of a text": f"{low} to {high}, half of them at most {middle}" if low < high else str(low),
        "texts that occur twice": f"{repeated:,} of {len(tokens):,}" if repeated else "none",
    }
    if found.whole:
        details["files"] = f"{len(found.texts):,} ({coding.suffix})"
    return details
