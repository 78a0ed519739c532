"""Priors: distributions of latents, functions ``(random) -> (rows, size)``.

Both draw from the stream "noise": renaming it would change what every stored seed generates.
"""

from collections.abc import Callable
from typing import TypeAlias

from sparring.flow import Latent
from sparring.randomness import RandomStream

Prior: TypeAlias = Callable[[RandomStream], Latent]


def normal(size: int) -> Prior:
    """Return the standard normal distribution of ``size`` numbers."""
    return lambda random: random.normal("noise", size)


def uniform(size: int) -> Prior:
    """Return the uniform distribution of ``size`` numbers in [-1, 1)."""
    return lambda random: random.uniform("noise", size) * 2 - 1
