"""Coding of points: units, origin and names of their columns, as published with a model."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar, TypeAlias, final

from pydantic import ConfigDict, Field

from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.schema import STORED, validated

Positive: TypeAlias = Annotated[float, Field(gt=0)]


@final
@dataclass(frozen=True)
class PointCoding:
    """The values of ``Facts.coding``, each with a number or a name per column; no values stand for none.

    Args:
        center: mean of each column; one number for all.
        scale: standard deviation of each column, 1 where it is constant; one number for all.
        origin: values that were subtracted before the columns were stored as float32, which would have rounded them.
        columns: names of the columns in their file.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    center: float | tuple[float, ...] = 0.0
    scale: Positive | tuple[Positive, ...] = 1.0
    origin: tuple[float, ...] = ()
    columns: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the values that are not the default as JSON values."""
        given = {name: value for name, value in asdict(self).items() if value != getattr(PointCoding(), name)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}


def coding_of(facts: Facts) -> PointCoding:
    """Return the coding of the data that ``facts`` describes.

    Raises:
        SparringError: it is not what this program writes, as in a folder that somebody else changed.
    """
    coding = validated(PointCoding, facts.coding, f"the coding of {facts.source}")
    size = facts.shape[0]
    for name, values in asdict(coding).items():
        absent = values == () and name in ("origin", "columns")
        if isinstance(values, tuple) and len(values) != size and not absent:
            raise SparringError(
                found=f"{len(values)} values for {name!r} in the coding of {facts.source}",
                expected=f"one for each of {size} columns",
                remedy="restore it from a backup",
            )
    return coding
