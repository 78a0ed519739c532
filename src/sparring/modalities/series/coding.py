"""Series as samples, and their coding: channels, attributes and steps, as published with a model."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, TypeAlias, final

from pydantic import ConfigDict, Field
from torch import Tensor

from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.schema import STORED, validated

ChannelKind: TypeAlias = Literal["continuous", "integer", "gap"]
"""Kind of a channel. A gap is the time since the previous step, of series whose steps are not equally far apart."""
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]


class Series(NamedTuple):
    """Time series: the samples of this modality.

    Args:
        values: (count, steps, channels) float64, in the units of the data; 0 where it is missing.
        missing: (count, steps, channels) bool; True after the end of a series, too.
        length: (count,) int64, in [1, steps].
        attributes: (count, attributes) float64: what does not change over time: a number in its unit, or the number of
            a category; NaN where it is missing.
    """

    values: Tensor
    missing: Tensor
    length: Tensor
    attributes: Tensor


class Context(NamedTuple):
    """Given part of a series: always its length and its attributes, and often its first steps.

    Args:
        length: as that of ``Series``.
        attributes: likewise.
        values: likewise; anything where a value is not known.
        missing: likewise.
        known: (count, steps, channels) bool.
    """

    length: Tensor
    attributes: Tensor
    values: Tensor
    missing: Tensor
    known: Tensor


@final
@dataclass(frozen=True)
class Channel:
    """One channel: a column of numbers that change over time.

    Args:
        name: its heading.
        kind: its kind.
        mean: of its values.
        deviation: their standard deviation, above 0.
        quantiles: its values at equally spaced probabilities, from the lowest to the highest one.
        missing: share of missing values before the ends of the series.
        decimals: digits after the decimal point; None for as many as needed.
        form: thousands separator and decimal mark; see ``data.columns.numbers.FORMS``.
        blank: text of a missing value.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    name: str
    kind: ChannelKind
    mean: float
    deviation: Annotated[float, Field(gt=0)]
    quantiles: tuple[float, ...]
    missing: Share = 0.0
    decimals: Annotated[int, Field(ge=0, le=20)] | None = None
    form: str = ""
    blank: str = ""


@final
@dataclass(frozen=True)
class Attribute:
    """A column that does not change within a series.

    Args:
        name: its heading.
        categories: text of each category, the most frequent first; none for numbers.
        mean: of its numbers.
        deviation: their standard deviation, above 0.
        decimals: digits after the decimal point; None for as many as needed.
        form: as for ``Channel``.
        blank: text of a missing value.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    name: str
    categories: tuple[str, ...] = ()
    mean: float = 0.0
    deviation: Annotated[float, Field(gt=0)] = 1.0
    decimals: Annotated[int, Field(ge=0, le=20)] | None = None
    form: str = ""
    blank: str = ""


@final
@dataclass(frozen=True)
class Component:
    """A weighted sum of scaled channels, of deviation 1; see ``scaling.with_components``.

    Args:
        weights: of the channels.
        change: standard deviation of its changes from a step to the next.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    weights: tuple[float, ...]
    change: Annotated[float, Field(gt=0)] = 1.0


@final
@dataclass(frozen=True)
class SeriesCoding:
    """The values of ``Facts.coding``.

    Args:
        channels: in the order of ``Series.values``.
        attributes: in the order of ``Series.attributes``.
        contexts: lengths and attributes (None where missing) of training series, in random order; sampling takes them
            in turn. At least one.
        components: sums of channels that are uncorrelated; none where each channel is a component.
        entity: heading of the column that names the series; "" where none does.
        time: heading of the column of times; "" where there is none.
        form: pattern of the times, as that of dates of tables; "" for plain numbers.
        start: time of the first step of series that are written: a number, or seconds since 1970.
        step: time between steps, in the same unit; 0 where a channel of the kind "gap" holds it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    channels: tuple[Channel, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    contexts: tuple[tuple[float | None, ...], ...] = ()
    components: tuple[Component, ...] = ()
    entity: str = ""
    time: str = ""
    form: str = ""
    start: float = 0.0
    step: float = 1.0

    def as_json(self) -> dict[str, Any]:
        """Return the values as JSON values."""
        found = asdict(self)
        return {name: _listed(value) for name, value in found.items()}


def coding_of(facts: Facts) -> SeriesCoding:
    """Return the coding of the series that ``facts`` describes.

    Raises:
        SparringError: it is not what this program writes, as in a folder that somebody else changed.
    """
    coding = validated(SeriesCoding, facts.coding, f"the coding of {facts.source}")
    wide = 1 + len(coding.attributes)
    wrong = (
        f"{len(coding.channels)} channels"
        if len(coding.channels) != facts.shape[-1]
        else "a channel without quantiles"
        if any(len(channel.quantiles) < 2 for channel in coding.channels)
        else "a component of other channels"
        if any(len(component.weights) != len(coding.channels) for component in coding.components)
        else "a context of another length"
        if not coding.contexts or any(len(one) != wide or not one[0] for one in coding.contexts)
        else ""
    )
    if wrong:
        raise SparringError(
            found=f"{wrong} in the coding of {facts.source}",
            expected=f"{facts.shape[-1]} channels with their quantiles, and lengths with {wide - 1} attributes",
            remedy="restore it from a backup",
        )
    return coding


def _listed(value: Any) -> Any:
    """Return a value with lists in place of tuples."""
    if isinstance(value, dict):
        return {name: _listed(inner) for name, inner in value.items()}
    return [_listed(inner) for inner in value] if isinstance(value, tuple | list) else value
