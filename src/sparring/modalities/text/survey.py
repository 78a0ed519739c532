"""Texts that were read once: their tokens, and facts about them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sparring.arguments import option
from sparring.data.dataset import Dataset, Split, hold_out, split_rows
from sparring.data.documents import CODE, Column, Documents, read_documents
from sparring.data.facts import Facts
from sparring.data.reading import Reading
from sparring.data.view import View
from sparring.data.words import IDEOGRAPHS, Kind, Tokeniser, fit
from sparring.errors import SparringError
from sparring.flow import Batch
from sparring.modalities.text.coding import TextCoding, coding_of
from sparring.randomness import RandomStream
from sparring.text import number_of
from sparring.tokens import END, SPECIAL, UNKNOWN, no_prompt

TEXT = "text"
"""Kind of the column of a table that holds the texts."""
PROMPT = "prompt"
"""Name of the condition in ``View.condition`` and ``Facts.offers``."""
MAX_LENGTH, PIECE = 256, 128
"""Tokens of a line at most, and of the pieces that documents are cut into, unless a length is given."""
SHORT = 32
"""Characters of a text below which its units are characters, rather than words."""
SOME = 2000
"""Texts by which units are chosen."""


@final
@dataclass(frozen=True)
class TextSurvey:
    """Texts that were read once.

    Args:
        facts: facts about them.
        tokens: (count, length).
        labels: class numbers, (count,), or None.
        names: of each text.
    """

    facts: Facts
    tokens: NDArray[Any]
    labels: NDArray[np.int64] | None
    names: Sequence[str]

    def whole(self, view: View) -> Dataset:
        """Return all texts in order."""
        labels = self.labels if self.labels is not None and self.facts.classes else None
        return Dataset(self.tokens, labels, read=with_prompt if view.condition else without_prompt)

    def prepare(self, view: View, *, seed: int = 0) -> Split:
        """Split the texts; equal ones are all for training or all held out.

        Raises:
            SparringError: the view is not that of the texts, or there are fewer than two different ones.
        """
        require_shape(self.facts, view)
        data = self.whole(view)
        groups = self._groups()
        if groups.max() == 0:
            raise SparringError(
                found=f"one distinct text in {self.facts.source}", expected="at least two", remedy="give more texts"
            )
        if groups.max() + 1 == len(groups):
            return split_rows(data, self.facts, seed)
        train, _ = hold_out(int(groups.max()) + 1, seed)
        in_train = np.isin(groups, train)
        return Split(data.subset(np.flatnonzero(in_train)), data.subset(np.flatnonzero(~in_train)), self.facts)

    def _groups(self) -> NDArray[np.int64]:
        """Return the number of the distinct text of each row."""
        seen = dict[bytes, int]()
        content = (row.tobytes() for row in self.tokens)
        return np.array([seen.setdefault(one, len(seen)) for one in content], dtype=np.int64)


def with_prompt(stored: Batch, random: RandomStream | None = None) -> Batch:
    """Return stored texts with prompts of which nothing is known but the class."""
    tokens = stored.real.long()
    prompt = no_prompt(len(tokens), tokens.shape[1], tokens.device)
    prompt = prompt if stored.label is None else prompt._replace(label=stored.label)
    return Batch(tokens, prompt, stored.label)


def without_prompt(stored: Batch, random: RandomStream | None = None) -> Batch:
    """Return stored texts without prompts."""
    return Batch(stored.real.long(), None, stored.label)


def require_shape(facts: Facts, view: View) -> None:
    """Refuse texts of another length than a model has.

    Raises:
        SparringError: they have one.
    """
    if facts.shape != view.shape:
        raise SparringError(
            found=f"texts of {facts.shape[0]} tokens",
            expected=f"texts of {view.shape[0]} tokens",
            remedy=f"read them with {option('window', view.shape[0])}",
        )


def survey_texts(source: str, reading: Reading, like: Facts | None) -> TextSurvey:
    """Read texts; see ``data.documents`` for the sources.

    Args:
        source: the path.
        reading: choices of the user.
        like: facts of other texts, whose tokeniser and length these get.

    Raises:
        SparringError: there is none, or a choice does not fit.
    """
    labels = reading.labels
    column = _chosen_columns(reading)
    found = read_documents(Path(source), column, with_labels=labels is not False)
    coding = _coding(found, reading) if like is None else coding_of(like)
    tokens, remarks = _encoded(found, coding)
    tokens_, labels_, names, pieces = tokens
    classes, numbers = found.classes, labels_
    if like is not None and like.classes and classes != like.classes:
        numbers, classes = _like_classes(numbers, classes, like.classes)
    facts = Facts(
        source=source,
        modality="text",
        count=len(tokens_),
        shape=(coding.length,),
        fingerprint=_fingerprint(tokens_, coding, numbers),
        classes=classes,
        offers=(PROMPT,),
        coding=coding.as_json() if like is None else like.coding,
        details=_details(found, coding, tokens_, pieces),
        remarks=(*found.remarks, *remarks),
        reading=reading.as_json(),
    )
    return TextSurvey(facts, tokens_, numbers, names)


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


def _coding(found: Documents, reading: Reading) -> TextCoding:
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
    return TextCoding(
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


def _encoded(found: Documents, coding: TextCoding) -> tuple[tuple[Any, ...], list[str]]:
    """Return tokens, labels, names and the number of pieces, and remarks about what was cut or is unknown."""
    encode, length = coding.tokeniser.encode, coding.length
    if not found.whole:
        cut, remarks = 0, list[str]()
        rows = np.full((len(found.texts), length), END, dtype=_integer(coding.tokeniser))
        for row, text in zip(rows, found.texts, strict=True):
            tokens = encode(text)
            cut += len(tokens) > length
            row[: len(tokens)] = tokens[:length]
        if cut:
            longer = f"{number_of(cut, 'text')} of {len(rows):,} are longer than {length} tokens: the rest is cut off."
            remarks.append(f"{longer} --window gives another number.")
        if unknown := int((rows == UNKNOWN).sum()):
            remarks.append(f"{number_of(unknown, 'token')} are not in the vocabulary, and are not learned.")
        return (rows, found.labels, found.names, 0), remarks
    pieces, labels, names = list[list[int]](), list[int](), list[str]()
    for number, text in enumerate(found.texts):
        tokens = encode(text)
        parts = [tokens[start : start + length] for start in range(0, len(tokens), length)]
        pieces += parts
        labels += [-1 if found.labels is None else int(found.labels[number])] * len(parts)
        names += [found.names[number]] * len(parts)
    rows = np.full((len(pieces), length), END, dtype=_integer(coding.tokeniser))
    for row, piece in zip(rows, pieces, strict=True):
        row[: len(piece)] = piece
    numbers = None if found.labels is None else np.array(labels, dtype=np.int64)
    remarks = []
    if len(pieces) > len(found.texts):
        remarks.append(
            f"Cut {number_of(len(found.texts), 'file')} into {len(pieces):,} pieces of at most {length} tokens."
        )
    return (rows, numbers, names, len(pieces)), remarks


def _integer(tokeniser: Tokeniser) -> type[np.signedinteger[Any]]:
    """Return the smallest type of integers that holds the tokens."""
    return np.int16 if tokeniser.size < 2**15 else np.int32


def _like_classes(
    numbers: NDArray[np.int64] | None, classes: tuple[str, ...], wanted: tuple[str, ...]
) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Return labels by the numbers of other data with the same classes; none where a class is not among them."""
    if numbers is None or not set(classes) <= set(wanted):
        return None, ()
    order = np.array([wanted.index(name) for name in classes], dtype=np.int64)
    return np.where(numbers >= 0, order[numbers.clip(0)], -1), wanted


def _fingerprint(tokens: NDArray[Any], coding: TextCoding, labels: NDArray[np.int64] | None) -> str:
    digest = sha256(f"{tokens.shape} {coding.tokeniser}".encode(errors="backslashreplace"))
    for part in (tokens, labels):
        if part is not None:
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


def _details(found: Documents, coding: TextCoding, tokens: NDArray[Any], pieces: int) -> dict[str, Any]:
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
    if pieces:
        details["files"] = f"{len(found.texts):,} ({coding.suffix})"
    return details
