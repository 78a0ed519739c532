"""Texts as rows of tokens, and their batches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sparring.arguments import option
from sparring.data.dataset import Dataset, Split, hold_out, split_rows
from sparring.data.documents import Documents
from sparring.data.facts import Facts
from sparring.data.sequences.coding import TokenCoding
from sparring.data.view import View
from sparring.data.words import Tokeniser
from sparring.errors import SparringError
from sparring.flow import Batch
from sparring.randomness import RandomStream
from sparring.text import number_of
from sparring.tokens import END, UNKNOWN, no_prompt

Read: TypeAlias = Callable[[Batch, RandomStream | None], Batch]
"""Turns stored rows into a batch as networks take it."""


@final
@dataclass(frozen=True)
class TokenRows:
    """Sequences of tokens.

    Args:
        tokens: (count, length), ``END`` after the last token.
        labels: class numbers, (count,), -1 where the class is unknown; None without classes.
        names: of each sequence in messages.
        remarks: full sentences about what was cut or is unknown.
    """

    tokens: NDArray[Any]
    labels: NDArray[np.int64] | None
    names: Sequence[str]
    remarks: tuple[str, ...] = ()


@final
@dataclass(frozen=True)
class TokenSurvey:
    """Sequences that were read once.

    Args:
        facts: facts about them.
        rows: the sequences; their labels are numbers of ``facts.classes``.
    """

    facts: Facts
    rows: TokenRows

    def whole(self, view: View) -> Dataset:
        """Return all sequences in order."""
        return self.dataset(with_prompt if view.condition else without_prompt)

    def prepare(self, view: View, *, seed: int = 0) -> Split:
        """Split the sequences; equal ones are all for training or all held out.

        Raises:
            SparringError: the view is not that of the sequences, or there are fewer than two different ones.
        """
        require_shape(self.facts, view)
        return self.split(self.whole(view), seed)

    def dataset(self, read: Read) -> Dataset:
        """Return all sequences in order, each batch as ``read`` makes it."""
        labels = self.rows.labels if self.rows.labels is not None and self.facts.classes else None
        return Dataset(self.rows.tokens, labels, read=read)

    def split(self, data: Dataset, seed: int) -> Split:
        """Split a data set of these sequences; equal ones are all for training or all held out.

        Raises:
            SparringError: there are fewer than two different ones.
        """
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
        """Return the number of the distinct sequence of each row."""
        seen = dict[bytes, int]()
        content = (row.tobytes() for row in self.rows.tokens)
        return np.array([seen.setdefault(one, len(seen)) for one in content], dtype=np.int64)


def with_prompt(stored: Batch, random: RandomStream | None = None) -> Batch:
    """Return stored sequences with prompts of which nothing is known but the class."""
    tokens = stored.real.long()
    prompt = no_prompt(len(tokens), tokens.shape[1], tokens.device)
    prompt = prompt if stored.label is None else prompt._replace(label=stored.label)
    return Batch(tokens, prompt, stored.label)


def without_prompt(stored: Batch, random: RandomStream | None = None) -> Batch:
    """Return stored sequences without prompts."""
    return Batch(stored.real.long(), None, stored.label)


def require_shape(facts: Facts, view: View) -> None:
    """Refuse sequences of another length than a model has.

    Raises:
        SparringError: they have one.
    """
    if facts.shape != view.shape:
        raise SparringError(
            found=f"texts of {facts.shape[0]} tokens",
            expected=f"texts of {view.shape[0]} tokens",
            remedy=f"read them with {option('window', view.shape[0])}",
        )


def encoded(found: Documents, coding: TokenCoding) -> TokenRows:
    """Return the tokens of lines, which are cut at the length of the coding, or of all pieces of documents."""
    return _pieces(found, coding) if found.whole else _lines(found, coding)


def _lines(found: Documents, coding: TokenCoding) -> TokenRows:
    encode, length = coding.tokeniser.encode, coding.length
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
    return TokenRows(rows, found.labels, found.names, tuple(remarks))


def _pieces(found: Documents, coding: TokenCoding) -> TokenRows:
    encode, length = coding.tokeniser.encode, coding.length
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
    several = f"Cut {number_of(len(found.texts), 'file')} into {len(pieces):,} pieces of at most {length} tokens."
    return TokenRows(rows, numbers, names, (several,) * (len(pieces) > len(found.texts)))


def like_classes(
    numbers: NDArray[np.int64] | None, classes: tuple[str, ...], wanted: tuple[str, ...]
) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Return labels by the numbers of other data with the same classes; none where a class is not among them."""
    if not wanted or classes == wanted:
        return numbers, classes
    if numbers is None or not set(classes) <= set(wanted):
        return None, ()
    order = np.array([wanted.index(name) for name in classes], dtype=np.int64)
    return np.where(numbers >= 0, order[numbers.clip(0)], -1), wanted


def fingerprint(rows: TokenRows, coding: TokenCoding) -> str:
    """Return the SHA-256 of sequences, their labels and their tokeniser, in hexadecimal."""
    digest = sha256(f"{rows.tokens.shape} {coding.tokeniser}".encode(errors="backslashreplace"))
    for part in (rows.tokens, rows.labels):
        if part is not None:
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


def _integer(tokeniser: Tokeniser) -> type[np.signedinteger[Any]]:
    """Return the smallest type of integers that holds the tokens."""
    return np.int16 if tokeniser.size < 2**15 else np.int32
