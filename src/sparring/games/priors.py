"""Where noise comes from: functions ``(draw) -> (rows, size)``."""

from collections.abc import Callable
from typing import TypeAlias

from sparring.flow import Noise
from sparring.randomness import Draw

Prior: TypeAlias = Callable[[Draw], Noise]


def normal(size: int) -> Prior:
    """Standard normal."""
    return lambda draw: draw.normal("noise", size)


def uniform(size: int) -> Prior:
    """Uniform in [-1, 1)."""
    return lambda draw: draw.uniform("noise", size) * 2 - 1
