"""Coding of sequences: tokeniser and length, as published with a model."""

from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any, ClassVar, final

from pydantic import ConfigDict, Field

from sparring.arguments import option
from sparring.data.facts import Facts
from sparring.data.words import Tokeniser
from sparring.errors import SparringError
from sparring.schema import STORED, validated

Length = Annotated[int, Field(ge=1, le=2**16)]


@final
@dataclass(frozen=True)
class SourceCoding:
    """Coding of what sequences are made from, such as sentences to translate.

    Args:
        tokeniser: of the sources.
        length: tokens of a source at most.
        columns: names of the columns of sources and of texts in the training data.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    tokeniser: Tokeniser
    length: Length
    columns: tuple[str, str]


@final
@dataclass(frozen=True)
class TokenCoding:
    """The values of ``Facts.coding``, beside which a modality may keep others.

    Args:
        tokeniser: of the texts.
        length: tokens of a sequence at most.
        has_end: whether sequences may have fewer tokens.
        mean_tokens: of a training sequence, its end included.
        suffix: of the files that texts are written to.
        lines: whether a text is a line of a file; otherwise it is a file.
        source: of what the texts are made from; None for plain texts.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    tokeniser: Tokeniser
    length: Length
    has_end: bool
    mean_tokens: Annotated[float, Field(gt=0)]
    suffix: str = ".txt"
    lines: bool = True
    source: SourceCoding | None = None

    def as_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


_known: list[tuple[Any, TokenCoding]] = []
"""The coding that was used last: checking one takes longer than using it."""


def coding_of(facts: Facts) -> TokenCoding:
    """Return the coding of the data that ``facts`` describes.

    Raises:
        SparringError: it is not what this program writes, as in a folder that somebody else changed.
    """
    for stored, coding in _known:
        if stored is facts.coding:
            return coding
    own = {one.name for one in fields(TokenCoding)}
    values = {name: value for name, value in facts.coding.items() if name in own}
    found = validated(TokenCoding, values, f"the coding of {facts.source}")
    _known[:] = [(facts.coding, found)]
    return found


def source_of(facts: Facts) -> SourceCoding:
    """Return the coding of the sources of data of pairs.

    Raises:
        SparringError: the data has no pairs.
    """
    found = coding_of(facts).source
    if found is None:
        raise SparringError(
            found=f"texts without sources in {facts.source}",
            expected="pairs of texts: two columns of a table",
            remedy=f"give pairs, with {option('columns', 'NAME=source,NAME=text')} where the table has other columns",
        )
    return found


def predictor_fields(facts: Facts) -> dict[str, Any]:
    """Return the keyword arguments that all networks which predict tokens share, as the data decides them."""
    coding = coding_of(facts)
    return {
        "vocabulary": coding.tokeniser.size,
        "length": coding.length,
        "has_end": coding.has_end,
        "classes": len(facts.classes),
    }
