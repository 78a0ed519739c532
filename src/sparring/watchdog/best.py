"""Which of two states of a run is better, and whether that can be told."""

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from sparring.data.dataset import Split
from sparring.games.game import Game
from sparring.samples import rows_within
from sparring.sampling import conditions_from, generate
from sparring.training.trainer import Trainer
from sparring.watchdog.signals import Observation, SignalSource
from sparring.watchdog.snapshots import Best

WINDOW = 5
"""Looks over which the distance is averaged: that of a single look is mostly chance."""
BETTER = 0.1
"""A state is kept as the best where its distance is less than the best before by this share of its size."""
COMPARED, COMPARED_BYTES = 1000, 2**30
"""Samples by which the last state is compared with the best: at most that many, and at most that many bytes."""
SURE = 2.0
"""Standard errors by which two distances must differ."""


class Difference(NamedTuple):
    """How much farther the first samples are from the data than the second, with its standard error."""

    value: float
    standard_error: float

    @property
    def can_be_told(self) -> bool:
        """Whether the second samples are nearer, beyond chance."""
        return self.value > SURE * self.standard_error


def standing(observations: Sequence[Observation]) -> float:
    """The mean distance over the last looks; infinite before there are enough."""
    distances = [
        observation.values["distance"] for observation in observations[-WINDOW:] if "distance" in observation.values
    ]
    return fmean(distances) if len(distances) == WINDOW else float("inf")


def surpasses(now: float, best: float) -> bool:
    """Whether a distance is less than the best before, and by enough; estimates of small ones may be negative."""
    return now < best and (best == float("inf") or best - now > BETTER * abs(best))


def farther(
    first: Float[Tensor, "count features"],
    second: Float[Tensor, "count features"],
    real: Float[Tensor, "reals features"],
) -> Difference:
    """The difference of the energy distances of ``first`` and ``second`` to ``real`` (Székely & Rizzo 2013, eq. 2.1).

    The standard error is that of sampling ``first`` and ``second``, to first order; both see the same reals.
    """
    parts = [_contributions(side, real) for side in (first, second)]
    error = sum(part.var() / len(part) for part in parts) ** 0.5
    values = [2 * torch.cdist(side, real).mean() - torch.pdist(side).mean() for side in (first, second)]
    return Difference(float(values[0] - values[1]), float(error))


def better_state(best: Best | None, trainer: Trainer, split: Split, source: SignalSource, seed: int) -> Best | None:
    """Return the best state if its samples are nearer to held-out ones than those of the present average.

    Args:
        best: the state, or None.
        trainer: its average is the present one.
        split: the data.
        source: gives the features that are compared.
        seed: of the latents.
    """
    if best is None:
        return None
    count = rows_within(COMPARED_BYTES, split.train.shapes, COMPARED)
    condition = conditions_from(split.held_out, count, seed).condition

    def features(game: Game) -> Tensor:
        made = generate(game, count, condition, seed=seed, stream="compared/", device=trainer.device)
        return source.cheap_features(made, split.facts)

    real = source.cheap_features(split.held_out.batch(slice(0, count)).real, split.facts)
    return best if farther(features(trainer.average), features(best.game), real).can_be_told else None


def _contributions(side: Tensor, real: Tensor) -> Tensor:
    """How much each sample adds: the first-order part of the energy distance, (count,)."""
    others = torch.cdist(side, side).sum(1) / (len(side) - 1)
    return 2 * torch.cdist(side, real).mean(1) - 2 * others
