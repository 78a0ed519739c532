"""Texts that were read once: their tokens, and facts about them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sparring.arguments import option
from sparring.data.documents import CODE, TUNES, Column, Documents, read_documents
from sparring.data.facts import Facts
from sparring.data.reading import Reading
from sparring.data.sequences import PROMPT, SOURCE
from sparring.data.sequences.coding import SourceCoding, TokenCoding, coding_of
from sparring.data.sequences.rows import (
    FlatTokens,
    TokenRows,
    TokenSurvey,
    distinct,
    encoded,
    fingerprint,
    flat_tokens,
    like_classes,
    spread,
)
from sparring.data.text_pairs import are_pairs, has_columns, read_pairs
from sparring.data.words import IDEOGRAPHS, Kind, Tokeniser, fit
from sparring.errors import SparringError
from sparring.text import number_of
from sparring.tokens import END, SPECIAL

TEXT = "text"
"""Kind of the column of a table that holds the texts; that of sources is ``SOURCE``."""
MAX_LENGTH, PIECE, MAX_TUNE = 256, 128, 512
"""Tokens of a line at most, of the pieces that documents are cut into, and of a tune, unless a length is given."""
USUAL_SHARE, MAX_EXCESS = 0.99, 4
"""Share of texts whose length is usual, and how many times that the longest may have."""
SHORT = 32
"""Characters of a text below which its units are characters, rather than words."""
SOME = 2000
"""Texts by which units are chosen."""
SEVERAL = 3
"""Words of a sentence from which the units of pairs are words."""
LEAST = 2
"""Occurrences of a word of the vocabulary of sources."""


def survey_texts(source: str, reading: Reading, like: Facts | None) -> TokenSurvey:
    """Read texts; see ``data.documents`` for the sources.

    Args:
        source: the path.
        reading: choices of the user.
        like: facts of other texts, whose tokeniser and length these get.

    Raises:
        SparringError: there is none, or a choice does not fit.
    """
    found = _read(Path(source), reading)
    coding, flat = _coding(found, reading) if like is None else (coding_of(like), None)
    rows = encoded(found, coding, flat)
    rows, classes = like_classes(rows, found.classes, like)
    facts = Facts(
        source=source,
        modality="text",
        count=len(rows.tokens),
        shape=(coding.length,),
        fingerprint=fingerprint(rows, coding),
        classes=classes,
        offers=(PROMPT,) if rows.sources is None else (SOURCE, PROMPT),
        coding=coding.as_json() if like is None else like.coding,
        details=_details(found, coding, rows),
        remarks=(*found.remarks, *rows.remarks),
        reading=reading.as_json(),
    )
    return TokenSurvey(facts, rows)


def _read(path: Path, reading: Reading) -> Documents:
    """Read texts, or pairs of texts where two columns are named or found.

    Raises:
        SparringError: a column is of another kind, or two are of one kind; or classes of pairs are asked for.
    """
    columns = reading.columns or {}
    by_kind = {kind: name for name, kind in columns.items()}
    other = next((name for name, kind in columns.items() if kind not in (SOURCE, TEXT)), "")
    if other or len(by_kind) < len(columns):
        raise SparringError(
            found=f"the column {other!r} of the kind {columns[other]!r}" if other else "two columns of one kind",
            expected=f"a column of the kind {TEXT!r}, and one of the kind {SOURCE!r} in pairs",
            remedy=f"give {option('columns', f'NAME={TEXT}')}, and {option('labels', 'NAME')} for classes",
        )
    if (SOURCE in by_kind and has_columns(path)) or are_pairs(path):
        if isinstance(reading.labels, str):
            raise SparringError(
                found=f"{option('labels', reading.labels)} for pairs of texts",
                expected="texts alone: pairs have no classes",
                remedy="leave it out",
            )
        return read_pairs(path, by_kind.get(SOURCE), by_kind.get(TEXT))
    labels = reading.labels if isinstance(reading.labels, str) else None
    return read_documents(path, Column(by_kind.get(TEXT), labels), with_labels=reading.labels is not False)


def _coding(found: Documents, reading: Reading) -> tuple[TokenCoding, FlatTokens]:
    """Choose units and length by the texts, or take those that were given; return their tokens, too."""
    given: Kind | None = reading.tokens  # type: ignore[assignment]
    kind = given or (_kind(found) if found.sources is None else _kind_of_side(found.texts))
    tokeniser = fit(kind, found.texts)
    flat = flat_tokens(tokeniser, found.texts)
    longest = int(flat.lengths.max())
    most = PIECE if found.whole else MAX_TUNE if found.suffix in TUNES else MAX_LENGTH
    if kind in ("characters", "bytes") and found.whole:
        most *= 2
    # A few texts that are far longer than all others would make every batch as long.
    usual = int(np.quantile(flat.lengths, USUAL_SHARE, method="nearest"))
    length = reading.window or min(longest, most, MAX_EXCESS * usual)
    has_end = bool(flat.lengths.min() < length)
    coding = TokenCoding(
        tokeniser=tokeniser,
        length=length,
        has_end=has_end,
        mean_tokens=float((flat.lengths + has_end).clip(max=length).mean()),
        suffix=found.suffix,
        lines=not found.multiline,
        source=None if found.sources is None else _source_coding(found.sources, found.columns, given),
    )
    return coding, flat


def _source_coding(texts: Sequence[str], columns: tuple[str, ...], given: Kind | None) -> SourceCoding:
    """Choose units and length of sources. Units that occur once stand for all that are unknown."""
    tokeniser = fit(given or _kind_of_side(texts), texts, least=LEAST)
    longest = max(len(tokeniser.encode(text)) for text in texts)
    return SourceCoding(tokeniser, min(longest, MAX_LENGTH), (columns[0], columns[1]))


def _kind(found: Documents) -> Kind:
    """Return characters for code, tunes, short texts and those without spaces, and words for others."""
    some = found.texts[:: max(1, len(found.texts) // SOME)]
    if found.suffix in (*CODE, *TUNES) or float(np.median([len(text) for text in some])) < SHORT:
        return "characters"
    return "characters" if _mostly_ideographs(some) else "words"


def _kind_of_side(texts: Sequence[str]) -> Kind:
    """Return words for sentences of several, and characters for single words and for texts without spaces."""
    some = texts[:: max(1, len(texts) // SOME)]
    several = float(np.median([len(text.split()) for text in some])) >= SEVERAL
    return "words" if several and not _mostly_ideographs(some) else "characters"


def _mostly_ideographs(texts: Sequence[str]) -> bool:
    letters = Counter(character for text in texts for character in text[:1000] if not character.isspace())
    ideographs = sum(count for one, count in letters.items() if any(low <= one <= high for low, high in _RANGES))
    return 2 * ideographs > sum(letters.values())


_RANGES = tuple((IDEOGRAPHS[at], IDEOGRAPHS[at + 2]) for at in range(0, len(IDEOGRAPHS), 3) if at + 2 < len(IDEOGRAPHS))
"""First and last character of each range of ideographs."""


def _details(found: Documents, coding: TokenCoding, rows: TokenRows) -> dict[str, Any]:
    """Return what `sparring inspect` says of texts."""
    tokens = rows.tokens
    lengths = (tokens != END).sum(1)
    repeated = len(tokens) - 1 - int(distinct(tokens).max())
    longest = int(lengths.max())
    kind = "tokens" if coding.tokeniser.kind == "pairs" else coding.tokeniser.kind
    most = "at most " if int(lengths.min()) < longest else ""
    details: dict[str, Any] = {"samples": f"{number_of(len(tokens), 'text')} of {most}{longest} {kind}"}
    if coding.source is not None and rows.sources is not None:
        details["samples"] = f"{number_of(len(tokens), 'pair')} of texts"
        details["pairs"] = f"{coding.source.columns[0]} → {coding.source.columns[1]}"
        details["tokens of sources"] = _units(coding.source.tokeniser)
        details["tokens of a source"] = spread((rows.sources != END).sum(1))
    details |= {
        "tokens": _units(coding.tokeniser),
        "tokens of a text": spread(lengths),
        "texts that occur twice": f"{repeated:,} of {len(tokens):,}" if repeated else "none",
    }
    if found.whole:
        details["files"] = f"{len(found.texts):,} ({coding.suffix})"
    return details


def _units(tokeniser: Tokeniser) -> str:
    return f"{tokeniser.kind}, {tokeniser.size - SPECIAL:,} different"
