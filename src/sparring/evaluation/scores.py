"""How good samples are: every measure beside its floor, which is what it says of real samples, and its interval."""

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeAlias, final

import numpy as np
import torch
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.errors import SparringError
from sparring.evaluation.distances import NEIGHBOURS, Features
from sparring.evaluation.extractors import Extractor
from sparring.evaluation.metrics import METRICS, Metric
from sparring.evaluation.words import Better, words
from sparring.randomness import derive, generator

MOST = 10_000
SMALLEST_HELD_OUT = 500
CHUNK = 1000
REPEATS = 8
STUDENT = 2.365
"""The 97.5 % quantile of Student's distribution with REPEATS - 1 = 7 degrees of freedom."""
MOST_REPEATED = 1000
"""Samples a side in a repeat at most."""
FEWEST_REPEATED = 50
"""Samples a side below which no interval is given."""

More: TypeAlias = Callable[[int, int], Tensor]
Measured: TypeAlias = dict[str, float | SparringError]


@final
@dataclass(frozen=True)
class Score:
    """One measure.

    Args:
        value: of generated against real samples; None where it could not be computed.
        floor: of other real samples against the same real ones: what a perfect generator would get.
        better: which way.
        plus_minus: half the width of the 95 % interval around ``value``; None where there are too few samples.
        floor_plus_minus: the same for ``floor``.
        apart: whether value and floor differ by more than chance; None where that cannot be said.
        remark: why there is no value or no floor.
    """

    value: float | None
    floor: float | None
    better: Better
    plus_minus: float | None = None
    floor_plus_minus: float | None = None
    apart: bool | None = None
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
    metrics: Sequence[Metric] = METRICS,
    more: More | None = None,
    repeats: int = REPEATS,
) -> Scores:
    """Generated samples against training samples, and held-out samples against the same training samples.

    Equally many samples stand on all sides, because every measure depends on their number: as many as the smallest
    side has, at most ``count``. Which ones is drawn with ``seed``. Fewer than 500 held-out samples are too few: then
    one half of all real samples is compared with the other for the floor. A measure that cannot be computed
    says why; the others are still given.

    Intervals come from measuring again, of other samples: real ones are drawn anew, generated ones are taken from
    ``more``. At most 1,000 stand on a side then, and the deviation is multiplied by √(1,000 / samples a side). Where
    there are no more, random halves take their place (the delete-half jackknife, Shao & Wu 1989), which gives
    intervals that are right far from the floor and up to twice too wide near it. What another training run would have
    given is in no interval.

    Args:
        real_train: what was trained on.
        real_held_out: what was kept aside.
        fake: generated samples, (count, *shape), of the same shape.
        extractor: gives the features.
        seed: of everything that is drawn.
        count: samples on each side at most.
        metrics: what to measure.
        more: (count, repeat) → so many other samples of the same generator, for the intervals.
        repeats: how often to measure again; 0 for no intervals.

    Raises:
        SparringError: samples of different shapes.
    """
    _check_shapes(real_train, fake)
    size, floor = _size(real_train, real_held_out, min(len(fake), count))
    chosen = fake[torch.randperm(len(fake), generator=generator(seed, "fake"))[:size]]
    found = _measured(_reals(real_train, real_held_out, size, seed), chosen, extractor, metrics, seed)
    again: list[tuple[Measured, Measured]] = []
    scale = 1.0
    for others in _others(chosen, more, repeats, seed):
        again_seed = derive(seed, "again", len(again))
        sides = _reals(real_train, real_held_out, len(others), again_seed)
        again.append(_measured(sides, others, extractor, metrics, again_seed))
        scale = math.sqrt(len(others) / (size if more is not None else size - len(others)))
    protocol = (
        f"{extractor.name} · {size} samples a side · floor: {floor} · k = {NEIGHBOURS} · "
        f"{len(again)} repeats for 95 % intervals · seed {seed} · sparring {_version()}"
    )
    names = [name for metric in metrics for name in metric.names]
    scores = {name: _score(name, found, again, scale) for name in names}
    return Scores(extractor.name, size, floor, protocol, scores)


def measure(real: Features, fake: Features, metrics: Sequence[Metric] = METRICS, seed: int = 0) -> Measured:
    """Every measure of ``fake`` against ``real``, or why there is none."""
    found: Measured = {}
    for metric in metrics:
        try:
            values: Sequence[float | SparringError] = metric.compute(real, fake, generator(seed, metric.names[0]))
        except SparringError as error:
            values = [error] * len(metric.names)
        found |= {name: _rounded(value) for name, value in zip(metric.names, values, strict=True)}
    return found


def _size(train: Dataset, held_out: Dataset, most: int) -> tuple[int, str]:
    """Samples a side, and in words what the floor is."""
    if len(held_out) < SMALLEST_HELD_OUT:
        return min((len(train) + len(held_out)) // 2, most), "one half of the real samples against the other"
    return min(len(train), len(held_out), most), "held-out samples against training samples"


def _reals(train: Dataset, held_out: Dataset, size: int, seed: int) -> tuple[Tensor, Tensor]:
    """Real samples to compare with, and others for the floor."""
    if len(held_out) < SMALLEST_HELD_OUT:
        everything = Dataset(np.concatenate([train.samples, held_out.samples]))
        both = _drawn(everything, 2 * size, seed, "train")
        return both[:size], both[size:]
    return _drawn(train, size, seed, "train"), _drawn(held_out, size, seed, "held-out")


def _measured(
    reals: tuple[Tensor, Tensor], fake: Tensor, extractor: Extractor, metrics: Sequence[Metric], seed: int
) -> tuple[Measured, Measured]:
    """Of the generated and of the other real samples, each against the same real ones."""
    real = extractor(reals[0])
    fake_found, floor_found = (measure(real, extractor(side), metrics, seed) for side in (fake, reals[1]))
    return fake_found, floor_found


def _others(chosen: Tensor, more: More | None, repeats: int, seed: int) -> Iterator[Tensor]:
    """Generated samples for each repeat."""
    size = len(chosen)
    if size < FEWEST_REPEATED:
        return
    for repeat in range(repeats):
        if more is not None:
            yield more(min(size, MOST_REPEATED), repeat)
        else:
            rows = torch.randperm(size, generator=generator(seed, "subsets", repeat))
            yield chosen[rows[: min(size // 2, MOST_REPEATED)]]


def _score(name: str, found: tuple[Measured, Measured], again: list[tuple[Measured, Measured]], scale: float) -> Score:
    both = [side[name] for side in found]
    remarks = [str(one) for one in both if isinstance(one, SparringError)]
    value, floor = (None if isinstance(one, SparringError) else one for one in both)
    # Differences within a repeat share their real samples: they say more than the two deviations apart.
    pairs = [(_number(fake[name]), _number(other[name])) for fake, other in again]
    around, around_floor, around_difference = (
        _half_width(values, scale)
        for values in ([a for a, _ in pairs], [b for _, b in pairs], [a - b for a, b in pairs])
    )
    apart = None
    if value is not None and floor is not None and around_difference is not None:
        apart = abs(value - floor) > around_difference
    return Score(value, floor, words(name).better, around, around_floor, apart, remarks[0] if remarks else "")


def _rounded(one: float | SparringError) -> float | SparringError:
    """To eight digits: those beyond depend on where in memory the features happen to lie."""
    return one if isinstance(one, SparringError) else float(f"{one:.8g}")


def _number(one: float | SparringError) -> float:
    return math.nan if isinstance(one, SparringError) else one


def _half_width(values: list[float], scale: float) -> float | None:
    if len(values) < 2 or any(math.isnan(value) for value in values):
        return None
    return float(f"{STUDENT * scale * statistics.stdev(values):.4g}")


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
