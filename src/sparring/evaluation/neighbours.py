"""Was the training data copied? Distances to the nearest training sample, beside those of held-out real samples."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, final

import torch
from torch import Tensor

from sparring.errors import SparringError
from sparring.evaluation.distances import Features, nearest

CLOSEST = 0.01
COPY = 1 / 3
"""A copy is at most a third as far from a training sample as the closest 1 % of held-out samples."""


@final
@dataclass(frozen=True)
class Neighbours:
    """Distances are Euclidean, in the features compared by.

    Args:
        median: distance from a generated sample to the nearest training sample.
        median_held_out: the same from held-out real samples, which nobody can have copied.
        closest: the distance below which the closest 1 % of held-out samples lie.
        share: of generated samples closer than that, in [0, 1]; about 0.01 where they behave like held-out ones.
        copies: generated samples at most a third of that distance from a training sample.
        expected_copies: how many of as many held-out samples would be.
        count: generated samples.
        count_held_out: held-out samples.
        pairs: (generated row, training row, distance) of the closest pairs, the closest first.
    """

    median: float
    median_held_out: float
    closest: float
    share: float
    copies: int
    expected_copies: float
    count: int
    count_held_out: int
    pairs: tuple[tuple[int, int, float], ...]

    @property
    def copied(self) -> bool:
        """Whether there are more copies than chance explains: over three standard deviations."""
        return self.copies > self.expected_copies + 3 * math.sqrt(self.expected_copies)

    @property
    def closer(self) -> bool:
        """Whether more than the expected 1 % lie as close as the closest held-out ones: over three deviations."""
        deviation = math.sqrt(CLOSEST * (1 - CLOSEST) * (1 / self.count + 1 / self.count_held_out))
        return self.share > 2 * CLOSEST and self.share > CLOSEST + 3 * deviation

    @property
    def verdict(self) -> str:
        """One or two sentences."""
        medians = f"median distance {self.median:.3g}, held-out {self.median_held_out:.3g}"
        if self.copied:
            number = f"{self.copies} of {self.count} generated samples are"
            if self.copies == 1:
                number = f"1 of {self.count} generated samples is"
            return f"{number} nearly a copy of a training sample ({medians}). Look at the closest pairs."
        if self.closer:
            found = f"{self.share:.1%} lie as close to the training data as the closest 1 % of held-out samples do"
            return f"No training sample was copied, but {found} ({medians}). Look at the closest pairs."
        return f"No training sample was copied ({medians})."

    def as_json(self) -> dict[str, Any]:
        """As JSON values, with the verdict."""
        return {**asdict(self), "copied": self.copied, "verdict": self.verdict}

    @staticmethod
    def from_json(content: dict[str, Any]) -> "Neighbours":
        """What ``as_json`` gave."""
        values = {name: content[name] for name in Neighbours.__dataclass_fields__}
        return Neighbours(**{**values, "pairs": tuple((a, b, c) for a, b, c in content["pairs"])})


def compare(train: Iterable[Features], held_out: Features, fake: Features, *, pairs: int = 8) -> Neighbours:
    """Where generated samples lie relative to the training samples.

    Args:
        train: features of all training samples, in parts, so that they need not be in memory at once.
        held_out: features of real samples that were not trained on.
        fake: features of generated samples.
        pairs: how many of the closest pairs to name.

    Raises:
        SparringError: an empty side, values that are not finite, or different numbers of features.
    """
    queries = torch.cat([fake, held_out])
    distances = torch.full((len(queries),), torch.inf, dtype=torch.float64)
    rows = torch.zeros(len(queries), dtype=torch.int64)
    passed = 0
    for part in train:
        near, where = nearest(queries, part)
        rows = torch.where(near < distances, where + passed, rows)
        distances = torch.minimum(near, distances)
        passed += len(part)
    return _judged(distances[: len(fake)], rows[: len(fake)], distances[len(fake) :], pairs)


def _judged(distances: Tensor, rows: Tensor, aside: Tensor, pairs: int) -> Neighbours:
    if min(len(distances), len(aside)) == 0:
        raise SparringError(
            found="no samples on one side", expected="generated and held-out samples", remedy="give more samples"
        )
    closest = torch.quantile(aside, CLOSEST)
    order: list[int] = distances.argsort(stable=True)[:pairs].tolist()
    return Neighbours(
        median=distances.median().item(),
        median_held_out=aside.median().item(),
        closest=closest.item(),
        share=(distances < closest).double().mean().item(),
        copies=int((distances <= COPY * closest).sum()),
        expected_copies=(aside <= COPY * closest).double().mean().item() * len(distances),
        count=len(distances),
        count_held_out=len(aside),
        pairs=tuple((row, int(rows[row]), distances[row].item()) for row in order),
    )
