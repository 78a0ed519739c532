"""Checks of samples with missing values before they are compared."""

from collections.abc import Sequence

from torch import Tensor

from sparring.errors import SparringError


def require_comparable(
    noun: str, values: Tensor, missing: Tensor, sides: Sequence[tuple[str, int | None]], at_least: int
) -> None:
    """Refuse samples that cannot be compared.

    Args:
        noun: what they are, in the plural.
        values: (count, ...).
        missing: which of the values are missing, bool, of the same shape.
        sides: name and length of each side of a sample; None for any length above 0.
        at_least: number of samples that are needed.

    Raises:
        SparringError: another shape, too few samples, or values that are neither finite nor missing.
    """
    found, expected = tuple(values.shape), [length for _, length in sides]
    fits = [size > 0 if length is None else size == length for size, length in zip(found[1:], expected, strict=False)]
    if len(found) != len(sides) + 1 or found != tuple(missing.shape) or not all(fits):
        raise SparringError(
            found=f"{noun} of shape {found}",
            expected=f"(count, {', '.join(name if length is None else str(length) for name, length in sides)}), one "
            f"value for each {' and '.join(name for name, _ in sides)}",
            remedy="read both sides in one view",
        )
    if len(values) < at_least:
        raise SparringError(found=f"{len(values)} {noun}", expected=f"at least {at_least}", remedy=f"give more {noun}")
    broken = int((~(values.isfinite() | missing)).flatten(1).any(1).sum())
    if broken:
        raise SparringError(
            found=f"values that are not finite in {broken} of {len(values)} {noun}",
            expected="finite or missing ones",
            remedy=f"inspect these {noun}: a diverged model generates them",
        )
