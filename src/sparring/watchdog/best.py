"""The best state of a run, and the test by which it replaces the last one."""

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from sparring.data.dataset import Split
from sparring.games.game import Game
from sparring.modality import Modality
from sparring.samples import rows_within
from sparring.sampling import conditions_from, generate
from sparring.training.trainer import Trainer
from sparring.watchdog.signals import Observation
from sparring.watchdog.snapshots import Best

WINDOW = 5
"""Observations over which the distance is averaged: that of a single one is mostly chance."""
MIN_GAIN = 0.1
"""Share by which the distance must fall for a new best state."""
COMPARED_SAMPLES, COMPARED_BYTES = 1000, 2**30
"""Samples by which the last state is compared with the best one: at most so many, and at most so many bytes."""
MIN_STANDARD_ERRORS = 2.0
"""Standard errors by which two distances must differ to be significantly different."""


class Difference(NamedTuple):
    """Difference of two distances, the first less the second, with its standard error."""

    value: float
    standard_error: float

    @property
    def significant(self) -> bool:
        """True if the second distance is significantly smaller."""
        return self.value > MIN_STANDARD_ERRORS * self.standard_error


def recent_distance(observations: Sequence[Observation]) -> float | None:
    """Return the mean distance of the last five observations; None if there is none for one of them."""
    distances = [one.values["distance"] for one in observations[-WINDOW:] if "distance" in one.values]
    return fmean(distances) if len(distances) == WINDOW else None


def is_better(distance: float, best: float | None) -> bool:
    """Return whether a distance is smaller than the best one by a tenth of its size, which may be negative."""
    return best is None or best - distance > MIN_GAIN * abs(best)


def distance_difference(
    first: Float[Tensor, "count features"],
    second: Float[Tensor, "count features"],
    real: Float[Tensor, "reals features"],
) -> Difference:
    """Return the difference of the energy distances of both to ``real`` (Székely & Rizzo 2013, eq. 2.1).

    The standard error is that of sampling ``first`` and ``second``, to first order; both see the same real samples.
    """
    parts = [_contributions(fake, real) for fake in (first, second)]
    error = sum(part.var() / len(part) for part in parts) ** 0.5
    distances = [2 * torch.cdist(fake, real).mean() - torch.pdist(fake).mean() for fake in (first, second)]
    return Difference(float(distances[0] - distances[1]), float(error))


def better_state(best: Best | None, trainer: Trainer, split: Split, modality: Modality, seed: int) -> Best | None:
    """Return the best state if its samples are significantly closer to held-out ones than those of the average now."""
    if best is None:
        return None
    count = rows_within(COMPARED_BYTES, split.train.shapes, COMPARED_SAMPLES)
    condition = conditions_from(split.held_out, count, seed).condition

    def features(game: Game) -> Tensor:
        samples = generate(game, count, condition, seed=seed, stream="compared/", device=trainer.device)
        return modality.cheap_features(samples, split.facts)

    real = modality.cheap_features(split.held_out.batch(slice(0, count)).real, split.facts)
    return best if distance_difference(features(trainer.average), features(best.game), real).significant else None


def _contributions(fake: Tensor, real: Tensor) -> Tensor:
    """Return each sample's first-order part of the energy distance, (count,)."""
    others = torch.cdist(fake, fake).sum(1) / (len(fake) - 1)
    return 2 * torch.cdist(fake, real).mean(1) - 2 * others
