"""Tokenisers: text as tokens and back. What is encoded and decoded again is the same text, white space included."""

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias, final

from pydantic import ConfigDict, Field

from sparring.errors import missing_extra
from sparring.schema import STORED
from sparring.tokens import END, SPECIAL, UNKNOWN

if TYPE_CHECKING:
    from tokenizers import Tokenizer as PairTokenizer

Kind: TypeAlias = Literal["characters", "words", "bytes", "pairs", "smiles"]
"""Units of text: characters, words with the space before them, bytes of UTF-8, pairs of units that often meet, or
the atoms, bonds and numbers of rings of SMILES."""
MAX_VOCABULARY: Mapping[Kind, int] = MappingProxyType(
    {"characters": 20_000, "words": 20_000, "bytes": 256, "pairs": 4_000, "smiles": 4_000}
)
"""Most frequent units that a vocabulary holds."""
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Text in place of an unknown unit."""
IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Characters that are words of their own: those of Chinese and Japanese, which are written without spaces."""
WORD = re.compile(rf" ?[{IDEOGRAPHS}]| ?[^\W{IDEOGRAPHS}]+| ?[^\w\s]|\s")
"""A word or a sign with the space before it, or other white space."""
SMILES = re.compile(r"\[[^\[\]]*\]|Br|Cl|%\d\d|%\(\d+\)|.", re.DOTALL)
"""An atom in brackets, an element of two letters, a ring of a number above 9, or any other character."""
MAX_TEXTS_OF_PAIRS = 200_000
"""Texts of which pairs are learned."""


@final
@dataclass(frozen=True)
class Tokeniser:
    """A vocabulary, and how text is cut into its units.

    Args:
        kind: of the units.
        vocabulary: the units, from the number ``SPECIAL`` on; none for bytes.
        merges: of pairs, both parts of each, in the order in which they are joined.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    kind: Kind
    vocabulary: Annotated[tuple[str, ...], Field(max_length=2**16)] = ()
    merges: Annotated[tuple[tuple[str, str], ...], Field(max_length=2**16)] = ()

    @property
    def size(self) -> int:
        """Number of different token numbers, ``END`` and ``UNKNOWN`` included."""
        return SPECIAL + (256 if self.kind == "bytes" else len(self.vocabulary))

    def encode(self, text: str) -> list[int]:
        """Return the numbers of a text, without an ``END``."""
        if self.kind == "bytes":
            return [SPECIAL + byte for byte in text.encode()]
        if self.kind == "pairs":
            return [SPECIAL + number for number in self._pairs.encode(text).ids]
        numbers = self._numbers
        return [numbers.get(unit, UNKNOWN) for unit in self._units(text)]

    def unknown(self, text: str) -> list[str]:
        """Return the different units of a text that the vocabulary lacks, without the space before them."""
        if self.kind in ("bytes", "pairs"):
            return []
        units = self._units(text)
        return list(dict.fromkeys(unit.strip() or unit for unit in units if unit not in self._numbers))

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of token numbers up to the first ``END``."""
        inside = list[int]()
        for token in tokens:
            if token == END:
                break
            inside.append(token - SPECIAL)
        if self.kind == "bytes":
            return bytes(one for one in inside if one >= 0).decode(errors="replace")
        if self.kind == "pairs":
            return str(self._pairs.decode([one for one in inside if 0 <= one < len(self.vocabulary)]))
        units = [self.vocabulary[one] if 0 <= one < len(self.vocabulary) else REPLACEMENT for one in inside]
        text = "".join(units)
        return text.removeprefix(" ") if self.kind == "words" else text

    def _units(self, text: str) -> Iterable[str]:
        if self.kind == "smiles":
            return SMILES.findall(text)
        # With a space before it, the first word is the same unit as inside a sentence.
        return text if self.kind == "characters" or not text else WORD.findall(f" {text}")

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {unit: number for number, unit in enumerate(self.vocabulary, SPECIAL)}

    @cached_property
    def _pairs(self) -> "PairTokenizer":
        """The pairs as the package tokenizers encodes them: of bytes, so that every text can be encoded."""
        found = _pair_tokenizer()
        library = _library()
        numbers = {unit: number for number, unit in enumerate(self.vocabulary)}
        found.model = library.models.BPE(vocab=numbers, merges=list(self.merges))
        return found


def fit(kind: Kind, texts: Iterable[str], most: int | None = None, least: int = 1) -> Tokeniser:
    """Return a tokeniser whose vocabulary are the most frequent units of texts.

    Args:
        kind: of the units.
        texts: the texts; iterated once.
        most: units of the vocabulary; None for ``MAX_VOCABULARY``.
        least: occurrences of a character or a word of the vocabulary; of all where none is as frequent.
    """
    limit = MAX_VOCABULARY[kind] if most is None else most
    if kind == "bytes":
        return Tokeniser("bytes")
    if kind == "pairs":
        return _fit_pairs(texts, limit)
    whole, counts = Tokeniser(kind), Counter[str]()
    for text in texts:
        counts.update(whole._units(text))
    # Equal counts in the order of the alphabet, so that the order of the texts does not matter.
    known = [unit for unit, count in counts.items() if count >= least] or list(counts)
    frequent = sorted(known, key=lambda unit: (-counts[unit], unit))[:limit]
    return Tokeniser(kind, tuple(sorted(frequent)))


def _fit_pairs(texts: Iterable[str], most: int) -> Tokeniser:
    """Learn which pairs of bytes, and pairs of these, occur most often (Sennrich et al. 2016)."""
    library, found = _library(), _pair_tokenizer()
    alphabet = library.pre_tokenizers.ByteLevel.alphabet()
    trainer = library.trainers.BpeTrainer(
        vocab_size=max(most, len(alphabet)), initial_alphabet=sorted(alphabet), show_progress=False
    )
    found.train_from_iterator(itertools.islice(texts, MAX_TEXTS_OF_PAIRS), trainer)
    model = json.loads(found.to_str())["model"]
    vocabulary = sorted(model["vocab"], key=model["vocab"].__getitem__)
    return Tokeniser("pairs", tuple(vocabulary), tuple((first, second) for first, second in model["merges"]))


def _pair_tokenizer() -> "PairTokenizer":
    library = _library()
    found: PairTokenizer = library.Tokenizer(library.models.BPE())
    found.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = library.decoders.ByteLevel()
    return found


def _library() -> Any:
    """Import the package that learns pairs.

    Raises:
        SparringError: it is not installed.
    """
    try:
        import tokenizers
    except ImportError:
        raise missing_extra("tokenizers", "text", "to learn pairs") from None
    return tokenizers
