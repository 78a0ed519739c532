"""Samples in the forms of other libraries: images of Pillow, and data frames of pandas."""

from collections.abc import Mapping, Sequence
from typing import Any

from sparring.errors import SparringError
from sparring.modality import GivesColumns, GivesImages, Modality


def giving_images(kind: Modality) -> GivesImages:
    """Return a modality whose samples are images.

    Raises:
        SparringError: they are something else.
    """
    if isinstance(kind, GivesImages):
        return kind
    raise _other(kind, "images", "model.images", "model.frame(100)" if isinstance(kind, GivesColumns) else "")


def giving_columns(kind: Modality) -> GivesColumns:
    """Return a modality whose samples are rows of a table.

    Raises:
        SparringError: they are something else.
    """
    if isinstance(kind, GivesColumns):
        return kind
    raise _other(kind, "rows", "model.frame", "model.images(8)" if isinstance(kind, GivesImages) else "")


def as_frame(columns: Mapping[str, Sequence[Any]]) -> Any:
    """Return columns as a data frame where pandas is installed, or else as they are."""
    try:
        from pandas import DataFrame
    except ImportError:
        return dict(columns)
    return DataFrame(dict(columns))


def _other(kind: Modality, expected: str, called: str, instead: str) -> SparringError:
    call = instead or "model.sample(8), and model.modality.decode(samples, model.facts) for their values"
    return SparringError(
        found=f"{called} for a model of {kind.name}",
        expected=f"a model whose samples are {expected}",
        remedy=f"call {call}",
    )
