"""Choices about reading a source that its files alone do not settle."""

from pathlib import Path
from typing import Any, Literal, TypeAlias, final

from pydantic import BaseModel, ConfigDict, ValidationError

from sparring.errors import SparringError

Labels: TypeAlias = bool | str | Path | None
"""False to read no labels, a file to read them from, True to require some, or None to find them."""
ValueRange: TypeAlias = tuple[float, float] | None
"""(lowest, highest) stored value, or None to find both."""


@final
class Reading(BaseModel):
    """Choices that were given, recorded with a run so that it reads its data alike; None is found in the source."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)

    labels: Literal[False] | str | None = None
    """False: no labels; or the file that holds them."""
    range: tuple[float, float] | None = None
    """Stored values that stand for black and for white."""
    background: str | None = None
    """Colour under transparent pixels: a name, or #rrggbb; "ignore" leaves transparency, or a fourth channel, out."""

    def as_json(self) -> dict[str, Any]:
        """Return the choices that were given."""
        return self.model_dump(mode="json", exclude_none=True)


DEFAULT_READING = Reading()
"""No choice was given: everything is found in the source."""


def reading(labels: Labels = None, value_range: ValueRange = None, background: str | None = None) -> Reading:
    """Return choices from the options of a command.

    Args:
        labels: see ``Labels``; the words "true" and "false" stand for the values.
        value_range: see ``ValueRange``.
        background: colour under transparent pixels, or "ignore".

    Raises:
        SparringError: the range is not two ascending finite numbers.
    """
    chosen: Literal[False] | str | None
    chosen = None if labels in (None, True, "true") else False if labels in (False, "false") else str(labels)
    try:
        found = Reading(labels=chosen, range=value_range, background=background)
    except ValidationError:
        found = DEFAULT_READING
    if value_range is not None and (found.range is None or not found.range[0] < found.range[1]):
        raise SparringError(
            found=f"the range {value_range}",
            expected="two finite numbers, the lower one first",
            remedy="give the stored values of black and of white, such as --range 0 4095",
        )
    return found


def require_known(given: Reading, known: frozenset[str], modality: str) -> None:
    """Refuse choices that a modality does not have.

    Args:
        given: the choices.
        known: names of those that the modality has.
        modality: its name, for the message.

    Raises:
        SparringError: a choice is not among them.
    """
    for name in given.as_json():
        if name not in known:
            raise SparringError(
                found=f"--{name} for {modality}",
                expected=f"one of {', '.join(f'--{one}' for one in sorted(known))}" if known else "no such option",
                remedy="leave it out",
            )
