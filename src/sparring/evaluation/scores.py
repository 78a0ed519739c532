"""How good samples are: every measure beside its floor, what the same measure says of real samples."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, final

import numpy as np
import torch
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.errors import SparringError
from sparring.evaluation.distances import NEIGHBOURS, Features, frechet, kernel, prdc
from sparring.evaluation.extractors import Extractor
from sparring.randomness import generator

MOST = 10_000
SMALLEST_HELD_OUT = 500
CHUNK = 1000

Better = Literal["lower", "higher"]

BETTER: dict[str, Better] = {
    "frechet": "lower",
    "kernel": "lower",
    "precision": "higher",
    "recall": "higher",
    "density": "higher",
    "coverage": "higher",
}
"""The measures, and which way is better."""


@final
@dataclass(frozen=True)
class Score:
    """One measure.

    Args:
        value: of generated against real samples; None where it could not be computed.
        floor: of other real samples against the same real ones: what a perfect generator would get.
        better: which way.
        remark: why there is no value or no floor.
    """

    value: float | None
    floor: float | None
    better: Better
    remark: str = ""


@final
@dataclass(frozen=True)
class Scores:
    """All measures in one extractor's features.

    Args:
        extractor: its name.
        count: samples on each side of every comparison.
        floor: which real samples the floor was measured with, in words.
        protocol: one line that says all that decides the numbers.
        measures: name → score.
    """

    extractor: str
    count: int
    floor: str
    protocol: str
    measures: Mapping[str, Score]

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @staticmethod
    def from_json(content: dict[str, Any]) -> "Scores":
        """What ``as_json`` gave."""
        return Scores(**{**content, "measures": {name: Score(**score) for name, score in content["measures"].items()}})


def evaluate_samples(
    real_train: Dataset,
    real_held_out: Dataset,
    fake: Tensor,
    extractor: Extractor,
    *,
    seed: int = 0,
    count: int = MOST,
    k: int = NEIGHBOURS,
) -> Scores:
    """Generated samples against training samples, and held-out samples against the same training samples.

    Equally many samples stand on all sides, because every measure depends on their number: as many as the smallest
    side has, at most ``count``. Which ones is drawn with ``seed``. Fewer than 500 held-out samples are too few: then
    one half of all real samples is compared with the other for the floor. A measure that cannot be computed
    says why; the others are still given.

    Args:
        real_train: what was trained on.
        real_held_out: what was kept aside.
        fake: generated samples, (count, *shape), of the same shape.
        extractor: gives the features.
        seed: of the choice of samples.
        count: samples on each side at most.
        k: neighbours for precision, recall, density and coverage.

    Raises:
        SparringError: samples of different shapes.
    """
    _check_shapes(real_train, fake)
    halves = len(real_held_out) < SMALLEST_HELD_OUT
    if halves:
        everything = Dataset(np.concatenate([real_train.samples, real_held_out.samples]))
        size = min(len(everything) // 2, len(fake), count)
        real, other = (_drawn(everything, 2 * size, seed, "train")[part * size :][:size] for part in (0, 1))
        floor = "one half of the real samples against the other"
    else:
        size = min(len(real_train), len(real_held_out), len(fake), count)
        real, other = _drawn(real_train, size, seed, "train"), _drawn(real_held_out, size, seed, "held-out")
        floor = "held-out samples against training samples"
    chosen = fake[torch.randperm(len(fake), generator=generator(seed, "fake"))[:size]]
    features = extractor(real)
    values, floors = (measure(features, extractor(side), k) for side in (chosen, other))
    protocol = (
        f"{extractor.name} · {size} samples a side · floor: {floor} · k = {k} · seed {seed} · sparring {_version()}"
    )
    scores = {name: _score(name, values[name], floors[name]) for name in BETTER}
    return Scores(extractor.name, size, floor, protocol, scores)


def measure(real: Features, fake: Features, k: int = NEIGHBOURS) -> dict[str, float | SparringError]:
    """Every measure of ``fake`` against ``real``, or why there is none."""
    found: dict[str, float | SparringError] = {
        "frechet": _attempt(lambda: frechet(real, fake)),
        "kernel": _attempt(lambda: kernel(real, fake)),
    }
    try:
        return found | prdc(real, fake, k)._asdict()
    except SparringError as error:
        return found | dict.fromkeys(("precision", "recall", "density", "coverage"), error)


def _attempt(compute: Callable[[], float]) -> float | SparringError:
    try:
        return compute()
    except SparringError as error:
        return error


def _score(name: str, value: float | SparringError, floor: float | SparringError) -> Score:
    remarks = [str(one) for one in (value, floor) if isinstance(one, SparringError)]
    numbers = [None if isinstance(one, SparringError) else one for one in (value, floor)]
    return Score(numbers[0], numbers[1], BETTER[name], remarks[0] if remarks else "")


def _drawn(dataset: Dataset, size: int, seed: int, stream: str) -> Tensor:
    """``size`` samples without replacement, in random order."""
    rows = torch.randperm(len(dataset), generator=generator(seed, stream))[:size].numpy()
    parts = [dataset.batch(rows[start : start + CHUNK]).real for start in range(0, max(size, 1), CHUNK)]
    return torch.cat(parts)


def _check_shapes(real: Dataset, fake: Tensor) -> None:
    if tuple(real.samples.shape[1:]) != tuple(fake.shape[1:]):
        raise SparringError(
            found=f"generated samples of shape {tuple(fake.shape[1:])}",
            expected=f"{tuple(real.samples.shape[1:])}, the shape of the real ones",
            remedy="prepare the data in the shape of the generated samples",
        )


def _version() -> str:
    try:
        return version("sparring")
    except PackageNotFoundError:
        return "not installed"
