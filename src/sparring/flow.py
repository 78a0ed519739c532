"""Types that the packages exchange. Read this file first, then games/duel.py and training/trainer.py."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeAlias, final, runtime_checkable

from torch import Tensor

from sparring.randomness import RandomStream
from sparring.samples import Sample as Sample

Latent: TypeAlias = Tensor
"""Latent vectors z, (batch, size): the input that a generator turns into samples."""

Scalars: TypeAlias = Mapping[str, Tensor]
"""Name → zero-dimensional tensor."""


class Batch(NamedTuple):
    """Real samples, the condition that players are given, and the class by which metrics group.

    Args:
        real: the samples.
        condition: what generator and discriminator see beside latent and sample: class numbers, (batch,) int64, another
            sample, … or None.
        label: class numbers, (batch,) int64, -1 where the class is unknown, or None.
    """

    real: Sample
    condition: Sample | None = None
    label: Tensor | None = None


class Opinion(NamedTuple):
    """Values that the players of a game compute about given samples; None where they compute nothing.

    Args:
        score: sum of the logits of the critics, (batch,), higher for what looks real.
        likelihood: log p(x) in nats, or a lower bound of it, (batch,); by published players alone.
        classes: logits, (batch, classes); by published players alone.
    """

    score: Tensor | None = None
    likelihood: Tensor | None = None
    classes: Tensor | None = None


class Anomaly(NamedTuple):
    """Degree to which samples are unusual.

    Args:
        score: (batch,), higher for what is less like the training data; scores of several models cannot be compared.
        places: contribution of each place, of the shape of a floating-point part of the samples or of its first
            dimensions: (batch, channels, height, width) of images, (batch, columns) of rows, (batch, steps, channels)
            of series; None where there is none.
    """

    score: Tensor
    places: Tensor | None = None


class Cycle(NamedTuple):
    """Samples that were translated there and back, one shape, in the units of the data.

    Args:
        given: the samples.
        there: what they were translated into.
        back: what that was translated back into.
    """

    given: Sample
    there: Sample
    back: Sample


class Verdict(NamedTuple):
    """A discriminator's output for a batch of samples.

    Args:
        logits: one tensor per head (multi-scale discriminators have several), higher for real samples: (batch,) each,
            or (batch, …) of patches, whose mean counts.
        features: hidden activations, for feature matching; any shapes.
    """

    logits: list[Tensor]
    features: list[Tensor]


class Code(NamedTuple):
    """Approximate posterior q(z|x) of an encoder: a diagonal normal distribution, (batch, size) each."""

    mean: Tensor
    log_variance: Tensor


@final
@dataclass(frozen=True)
class Progress:
    """Position in a run, passed to every objective together with the random numbers to use there.

    Args:
        step: steps made so far.
        samples: real samples seen so far.
        fraction: spent share of the budget, in [0, 1]; every schedule is a function of it.
        random: random numbers for the turn, or for the next step in ``Trainer.progress``.
        made: ``Objective.rows`` of earlier turns of this step that saw the same batch, without gradients.
    """

    step: int
    samples: int
    fraction: float
    random: RandomStream
    made: Mapping[str, Sample] = field(default_factory=dict)


class Objective(NamedTuple):
    """The result of a turn on one batch.

    Args:
        terms: what the turn's players minimise is their sum; weights are already applied. Each is logged.
        notes: further scalars to log, which nobody minimises.
        rows: values per sample, (batch, …) each, for ``Turn.after`` and for later turns of the step.
    """

    terms: Scalars
    notes: Scalars = MappingProxyType({})
    rows: Mapping[str, Sample] = MappingProxyType({})


class Turn(NamedTuple):
    """One turn: its players minimise the terms of ``objective`` together.

    The objective is pure: it may be computed in micro-batches, on several ranks and, where memory runs out, again.
    State that is updated without gradients (image pools, codebooks, statistics of EM) is a buffer of a player and is
    updated in ``after``.

    Args:
        name: the name under which figures of this turn are logged.
        objective: (batch, progress) → terms, notes and rows.
        players: those that are trained; by default the player called ``name``.
        times: updates in a row, each on a batch of its own.
        after: called after each update that was made, with the rows of the whole batch, gathered over micro-batches and
            ranks, and with a progress whose ``random`` is that of the whole batch.
    """

    name: str
    objective: Callable[[Batch, Progress], Objective]
    players: tuple[str, ...] = ()
    times: int = 1
    after: Callable[[Mapping[str, Sample], Progress], None] | None = None

    @property
    def trained(self) -> tuple[str, ...]:
        """Names of the players that this turn trains."""
        return self.players or (self.name,)


class Phase(NamedTuple):
    """A part of a run, such as pre-training or the adversarial contest.

    Args:
        name: shown to people.
        until: share of the budget at which it ends.
        watched: False where generated samples mean nothing yet, so that the watchdog leaves the phase alone.
        ended_by: a control of the game that ends the phase early, when it reaches 1.
    """

    name: str
    until: float = 1.0
    watched: bool = True
    ended_by: str = ""


@final
@dataclass(frozen=True)
class Figures:
    """Scalars that the log keeps and that controls may read.

    A step fills terms, notes, gradients and controls; an observation of the watchdog fills only signals.

    Args:
        terms: turn → term → value.
        notes: turn → note → value.
        gradients: turn → norm of the gradient.
        controls: control → position.
        signals: signal → value, in an observation of the watchdog; empty in a step.
        samples: real samples seen since the step, or the observation, before.
        fraction: spent share of the budget, in [0, 1].
    """

    terms: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    notes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    gradients: Mapping[str, float] = field(default_factory=dict)
    controls: Mapping[str, float] = field(default_factory=dict)
    signals: Mapping[str, float] = field(default_factory=dict)
    samples: int = 0
    fraction: float = 0.0

    def updated(self, newer: "Figures") -> "Figures":
        """Return the newest value of every figure: that of ``newer`` where it has one."""
        return Figures(
            terms={**self.terms, **newer.terms},
            notes={
                **self.notes,
                **{turn: {**self.notes.get(turn, {}), **notes} for turn, notes in newer.notes.items()},
            },
            gradients={**self.gradients, **newer.gradients},
            controls={**self.controls, **newer.controls},
            signals={**self.signals, **newer.signals},
            samples=newer.samples,
            fraction=newer.fraction,
        )

    def as_json(self) -> dict[str, Any]:
        """Return JSON values; keyword arguments of ``Figures`` again."""
        return asdict(self)


class Normalizer(Protocol):
    """Maps samples between the units of the data and the scale that networks work in, where values are near one."""

    def normalize(self, sample: Sample, random: RandomStream | None = None) -> Sample:
        """Map from the units of the data to the scale of the networks.

        Args:
            sample: samples in the units of the data.
            random: random numbers of these samples, for encodings that draw some; None for the most probable ones.
        """
        ...

    def denormalize(self, sample: Sample, condition: Sample | None = None) -> Sample:
        """Map back to the units of the data; what the condition fixes is exact."""
        ...


@runtime_checkable
class Columnar(Protocol):
    """A normalizer whose networks see each column of a row, or channel of a step, in several numbers."""

    def by_column(self, values: Tensor) -> Tensor:
        """Return the sum of the numbers of each column, (batch, …, columns).

        Args:
            values: one number for each of those that ``normalize`` returns, (batch, …, numbers).
        """
        ...


@final
class NoNormalizer:
    """Networks work in the units of the data."""

    def normalize(self, sample: Sample, random: RandomStream | None = None) -> Sample:
        """Return the sample."""
        return sample

    def denormalize(self, sample: Sample, condition: Sample | None = None) -> Sample:
        """Return the sample."""
        return sample


class Generator(Protocol):
    """Any module that turns latents into samples."""

    def __call__(self, latent: Latent, condition: Sample | None = None) -> Sample: ...


@runtime_checkable
class DrawsChoices(Protocol):
    """A generator whose network sees only the first numbers of a latent; the others draw what it leaves open."""

    @property
    def seen_latents(self) -> int:
        """Number of these first numbers."""
        ...


class Discriminator(Protocol):
    """Any module that gives a verdict on samples."""

    def __call__(self, sample: Sample, condition: Sample | None = None) -> Verdict: ...
