"""What flows between the rooms. Read this page first: every other file speaks in these words."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias, final

from torch import Tensor

from sparring.randomness import Draw

Sample: TypeAlias = Tensor
"""(batch, *shape): images in [-1, 1], points in the plane."""

Noise: TypeAlias = Tensor
"""(batch, size): what a generator turns into a sample."""

Terms: TypeAlias = dict[str, Tensor]
"""Named scalars, already weighted: what a player minimises is their sum, and what is logged is each of them."""


class Batch(NamedTuple):
    """Real samples and what they were made under: class labels, (batch,) int64, or nothing."""

    real: Sample
    condition: Tensor | None = None


class Verdict(NamedTuple):
    """What a discriminator says of samples: scores, each (batch,), one per judge; and the features it judged by."""

    scores: list[Tensor]
    features: list[Tensor]


class Code(NamedTuple):
    """Where an encoder believes the noise of a sample to be: a normal distribution, each (batch, size)."""

    mean: Tensor
    log_variance: Tensor


@final
@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Args:
        step: batches played so far.
        samples: real samples seen so far.
        fraction: share of the budget that is spent, in [0, 1]; every schedule is a function of it.
        draw: the random numbers of this turn.
        notes: where a game writes what it wants logged beside its terms: scalars that nobody minimises.
    """

    step: int
    samples: int
    fraction: float
    draw: Draw
    notes: dict[str, Tensor] = field(default_factory=dict, compare=False)


class Turn(NamedTuple):
    """One player's turn: it minimises the sum of ``terms``, ``times`` in a row; ``after`` follows each update."""

    player: str
    terms: Callable[[Batch, Progress], Terms]
    times: int = 1
    after: Callable[[], None] | None = None


class Units(Protocol):
    """Between the units of the data and those in which networks work, where values are near one."""

    def standard(self, sample: Sample) -> Sample:
        """As networks see it."""
        ...

    def own(self, sample: Sample) -> Sample:
        """As the data has it."""
        ...


@final
class SameUnits:
    """Networks work in the units of the data."""

    def standard(self, sample: Sample) -> Sample:
        """The sample."""
        return sample

    def own(self, sample: Sample) -> Sample:
        """The sample."""
        return sample


class Generator(Protocol):
    """Any module that turns noise into samples."""

    def __call__(self, noise: Noise, condition: Tensor | None = None) -> Sample: ...


class Discriminator(Protocol):
    """Any module that gives a verdict on samples."""

    def __call__(self, sample: Sample, condition: Tensor | None = None) -> Verdict: ...
