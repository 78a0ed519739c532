"""What flows between the rooms. Read this page first: every other file speaks in these words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias, final

from torch import Tensor

from sparring.randomness import Draw
from sparring.samples import Sample as Sample

Noise: TypeAlias = Tensor
"""(batch, size): what a generator turns into a sample."""

Terms: TypeAlias = dict[str, Tensor]
"""Named scalars, already weighted: what a player minimises is their sum, and what is logged is each of them."""


class Batch(NamedTuple):
    """Real samples, the condition that players are told, and the class by which metrics group.

    Args:
        real: the samples.
        condition: what generator and discriminator see beside noise and sample: class numbers, (batch,) int64, another
            sample, … or None.
        label: class numbers, (batch,) int64, -1 where the class is unknown, or None.
    """

    real: Sample
    condition: Sample | None = None
    label: Tensor | None = None


class Opinion(NamedTuple):
    """A game's opinion of samples, as far as its players have one.

    Args:
        score: how real the judges take each sample for, (batch,).
        likelihood: log p(x) in nats, or a lower bound of it, (batch,); by published players alone.
        classes: logits, (batch, classes); by published players alone.
    """

    score: Tensor | None = None
    likelihood: Tensor | None = None
    classes: Tensor | None = None


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
        rows: where a game writes what ``Turn.after`` needs of each row: samples, (rows, …).
    """

    step: int
    samples: int
    fraction: float
    draw: Draw
    notes: dict[str, Tensor] = field(default_factory=dict, compare=False)
    rows: dict[str, Sample] = field(default_factory=dict, compare=False)


class Turn(NamedTuple):
    """One turn: its players minimise the sum of ``terms`` together.

    Terms are pure: they may be computed in micro-batches, on several processes and, where memory runs out, again. What
    moves without a gradient (image pools, codebooks, statistics of EM) is a buffer of a player and moves in ``after``.

    Args:
        name: figures are logged as "name/term".
        terms: (batch, progress) → named scalars.
        players: those that move; by default the player called ``name``.
        times: updates in a row, each on a batch of its own.
        after: follows each update that was made, with what the terms wrote into ``progress.rows``, gathered for the
            whole batch, and with a progress whose ``draw`` is that of the whole batch.
    """

    name: str
    terms: Callable[[Batch, Progress], Terms]
    players: tuple[str, ...] = ()
    times: int = 1
    after: Callable[[Mapping[str, Sample], Progress], None] | None = None

    @property
    def movers(self) -> tuple[str, ...]:
        """Names of the players that move."""
        return self.players or (self.name,)


class Phase(NamedTuple):
    """A part of a run, such as pre-training or the contest.

    Args:
        name: for a person.
        until: share of the budget at which it ends.
        watched: False where generated samples mean nothing yet, so that the watchdog leaves the phase alone.
        ended_by: a dial of the game that ends the phase early, when it reaches 1.
    """

    name: str
    until: float = 1.0
    watched: bool = True
    ended_by: str = ""


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

    def __call__(self, noise: Noise, condition: Sample | None = None) -> Sample: ...


class Discriminator(Protocol):
    """Any module that gives a verdict on samples."""

    def __call__(self, sample: Sample, condition: Sample | None = None) -> Verdict: ...
