"""Texts as rows of tokens, and their batches."""

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b, sha256
from typing import Any, TypeAlias, final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from sparring.arguments import option
from sparring.data.dataset import Dataset, Split, hold_out, split_rows
from sparring.data.documents import Documents
from sparring.data.facts import Facts
from sparring.data.sequences import PROMPT, SOURCE
from sparring.data.sequences.coding import SourceCoding, TokenCoding
from sparring.data.view import View
from sparring.data.words import Tokeniser
from sparring.errors import SparringError
from sparring.flow import Batch
from sparring.randomness import RandomStream
from sparring.text import number_of
from sparring.tokens import END, UNKNOWN, Prompt, no_prompt

MANY_UNKNOWN = 5.0
"""Per cent of unknown tokens from which other units are recommended."""

ROWS_AT_ONCE = 2**14
"""Rows that are filled at once."""
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
        sources: tokens of what each sequence was made from, (count, source length); None for plain sequences.
    """

    tokens: NDArray[Any]
    labels: NDArray[np.int64] | None
    names: Sequence[str]
    remarks: tuple[str, ...] = ()
    sources: NDArray[Any] | None = None


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
        return self.dataset(READERS[view.condition])

    def prepare(self, view: View, *, seed: int = 0) -> Split:
        """Split the sequences; equal ones, and those of equal sources, are all for training or all held out.

        Raises:
            SparringError: the view is not that of the sequences, or there are fewer than two different ones.
        """
        require_shape(self.facts, view)
        return self.split(self.whole(view), seed)

    def dataset(self, read: Read) -> Dataset:
        """Return all sequences in order, each batch as ``read`` makes it."""
        labels = self.rows.labels if self.rows.labels is not None and self.facts.classes else None
        return Dataset(self.rows.tokens, labels, self.rows.sources, read)

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
        """Return the number of the distinct sequence of each row; of pairs, of the group of all that share a side."""
        found = distinct(self.rows.tokens)
        if self.rows.sources is None:
            return found
        sources = distinct(self.rows.sources)
        size = int(found.max()) + int(sources.max()) + 2
        shared = coo_array((np.ones(len(found)), (found, int(found.max()) + 1 + sources)), shape=(size, size))
        groups: NDArray[np.int64] = connected_components(shared, directed=False)[1][found].astype(np.int64)
        return groups


def distinct(rows: NDArray[Any]) -> NDArray[np.int64]:
    """Return the number of the distinct content of each row, in the order of their first occurrences.

    Rows are compared by hashes of 64 bits, which are far smaller than the rows.
    """
    hashes = b"".join(blake2b(row, digest_size=8).digest() for row in np.ascontiguousarray(rows))
    _, first, found = np.unique(np.frombuffer(hashes, dtype=np.uint64), return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[first.argsort()] = np.arange(len(first))
    numbers: NDArray[np.int64] = order[found]
    return numbers


def with_prompt(stored: Batch, random: RandomStream | None = None) -> Batch:
    """Return stored sequences with prompts of which nothing is known but the class."""
    tokens = stored.real.long()
    prompt = no_prompt(len(tokens), tokens.shape[1], tokens.device)
    prompt = prompt if stored.label is None else prompt._replace(label=stored.label)
    return Batch(tokens, prompt, stored.label)


def with_source(stored: Batch, random: RandomStream | None = None) -> Batch:
    """Return stored sequences with prompts of their sources.

    Without random numbers, as for samples that are shown and judged, the most likely sequence is asked for, as it is in
    use; with them, as in training, a draw of the distribution that is learned.
    """
    batch = with_prompt(stored)
    assert isinstance(batch.condition, Prompt) and isinstance(stored.condition, Tensor)
    temperature = batch.condition.temperature if random is not None else torch.zeros_like(batch.condition.temperature)
    prompt = batch.condition._replace(source=stored.condition.long(), temperature=temperature)
    return batch._replace(condition=prompt)


def without_prompt(stored: Batch, random: RandomStream | None = None) -> Batch:
    """Return stored sequences without prompts."""
    return Batch(stored.real.long(), None, stored.label)


READERS: Mapping[str, Read] = {"": without_prompt, PROMPT: with_prompt, SOURCE: with_source}
"""Reading of stored rows, by the condition of a view."""


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


@final
@dataclass(frozen=True)
class FlatTokens:
    """Tokens of texts, all in one array.

    Args:
        values: one text after the other.
        lengths: tokens of each text, (count,).
    """

    values: NDArray[Any]
    lengths: NDArray[np.int64]

    def rows(self, starts: NDArray[np.int64], sizes: NDArray[np.int64], length: int) -> NDArray[Any]:
        """Return rows of ``sizes`` tokens from ``starts`` on, (count, length), each filled with ``END``."""
        found, places = np.full((len(starts), length), END, dtype=self.values.dtype), np.arange(length)
        for first in range(0, len(starts), ROWS_AT_ONCE):
            some = slice(first, first + ROWS_AT_ONCE)
            inside = places < sizes[some, None]
            found[some][inside] = self.values[(starts[some, None] + places)[inside]]
        return found


def flat_tokens(tokeniser: Tokeniser, texts: Sequence[str]) -> FlatTokens:
    """Encode texts."""
    # As many bytes as a token needs, since Python's lists of numbers take several times the memory.
    values, lengths = array("h" if tokeniser.size < 2**15 else "i"), np.empty(len(texts), dtype=np.int64)
    for number, text in enumerate(texts):
        tokens = tokeniser.encode(text)
        values.extend(tokens)
        lengths[number] = len(tokens)
    return FlatTokens(np.frombuffer(values, dtype=values.typecode), lengths)


def encoded(found: Documents, coding: TokenCoding, flat: FlatTokens | None = None) -> TokenRows:
    """Return the tokens of lines, which are cut at the length of the coding, or of all pieces of documents.

    Args:
        found: the texts.
        coding: of the texts.
        flat: their tokens, if known.
    """
    flat = flat_tokens(coding.tokeniser, found.texts) if flat is None else flat
    if found.whole:
        return _pieces(found, coding.length, flat)
    rows = _lines(found, coding.length, flat)
    if found.sources is None or coding.source is None:
        return rows
    sources, remarks = encoded_sources(found.sources, coding.source)
    return replace(rows, sources=sources, remarks=(*rows.remarks, *remarks))


def encoded_sources(texts: Sequence[str], coding: SourceCoding) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return the tokens of sources, (count, source length), and sentences about what was cut or is unknown."""
    flat, length, kind = flat_tokens(coding.tokeniser, texts), coding.length, coding.tokeniser.kind
    rows, remarks = _cut(flat, length), list[str]()
    if cut := int((flat.lengths > length).sum()):
        remarks.append(
            f"{number_of(cut, 'source')} of {len(rows):,} are longer than {length} tokens: the rest is cut off."
        )
    if unknown := int((rows == UNKNOWN).sum()):
        total = int((rows != END).sum())
        remarks.append(f"{unknown:,} of {total:,} {kind} of the sources are not in the vocabulary: read as unknown.")
    return rows, tuple(remarks)


def _cut(flat: FlatTokens, length: int) -> NDArray[Any]:
    """Return the first ``length`` tokens of each text."""
    return flat.rows(flat.lengths.cumsum() - flat.lengths, flat.lengths.clip(max=length), length)


def _lines(found: Documents, length: int, flat: FlatTokens) -> TokenRows:
    rows, remarks = _cut(flat, length), list[str]()
    if cut := int((flat.lengths > length).sum()):
        are = "is" if cut == 1 else "are"
        longer = f"{cut:,} of {number_of(len(rows), 'text')} {are} longer than {length} tokens: the rest is cut off."
        remarks.append(f"{longer} {option('window')} gives another number.")
    if unknown := int((rows == UNKNOWN).sum()):
        are, share = "is" if unknown == 1 else "are", 100 * unknown / max(1, int((rows != END).sum()))
        remark = f"{number_of(unknown, 'token')} ({share:.2g} %) {are} not in the vocabulary, and {are} not learned."
        other = f" {option('tokens', 'bytes')} and {option('tokens', 'characters')} know more."
        remarks.append(remark + (other if share > MANY_UNKNOWN else ""))
    return TokenRows(rows, found.labels, found.names, tuple(remarks))


def _pieces(found: Documents, length: int, flat: FlatTokens) -> TokenRows:
    # Piece k of a text begins k · length tokens after its start; the last one has what is left.
    counts = -(-flat.lengths // length)
    texts = np.repeat(np.arange(len(counts)), counts)
    before = length * (np.arange(len(texts)) - (counts.cumsum() - counts)[texts])
    starts, sizes = (
        (flat.lengths.cumsum() - flat.lengths)[texts] + before,
        (flat.lengths[texts] - before).clip(max=length),
    )
    rows, labels = flat.rows(starts, sizes, length), None if found.labels is None else found.labels[texts]
    several = f"Cut {number_of(len(counts), 'file')} into {len(rows):,} pieces of at most {length} tokens."
    names = [found.names[text] for text in texts.tolist()]
    return TokenRows(rows, labels, names, (several,) * (len(rows) > len(counts)))


def like_classes(rows: TokenRows, classes: tuple[str, ...], like: Facts | None) -> tuple[TokenRows, tuple[str, ...]]:
    """Return sequences with labels by the numbers of other data; without where one of their classes is not among them.

    Args:
        rows: the sequences.
        classes: their classes.
        like: facts of the other data; None to keep the labels, as for data that has no classes.
    """
    wanted = () if like is None else like.classes
    if not wanted or classes == wanted:
        return rows, classes
    if rows.labels is None or not set(classes) <= set(wanted):
        return replace(rows, labels=None), ()
    order = np.array([wanted.index(name) for name in classes], dtype=np.int64)
    return replace(rows, labels=np.where(rows.labels >= 0, order[rows.labels.clip(0)], -1)), wanted


def spread(numbers: Sequence[int] | NDArray[Any]) -> str:
    """Return the least, the largest and the median of whole numbers in words."""
    low, middle, high = (int(one) for one in np.quantile(numbers, (0.0, 0.5, 1.0), method="nearest"))
    return f"{low} to {high}, half of them at most {middle}" if low < high else str(low)


def fingerprint(rows: TokenRows, coding: TokenCoding) -> str:
    """Return the SHA-256 of sequences, their labels and their tokeniser, in hexadecimal."""
    digest = sha256(f"{rows.tokens.shape} {coding.tokeniser}".encode(errors="backslashreplace"))
    for part in (rows.tokens, rows.labels, rows.sources):
        if part is not None:
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()
