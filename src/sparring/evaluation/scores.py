"""How good samples are: every measure beside its floor, which is what it says of real samples, and its interval."""

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, final

from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.errors import SparringError
from sparring.evaluation.glossary import Better, metric_info
from sparring.evaluation.protocol import MOST, REPEATS, More, Repeats
from sparring.flow import Batch
from sparring.metrics.cache import digest, kept_measures
from sparring.metrics.distances import NEIGHBOURS, density_of_each, nearest
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.measure import Measure, Repeat, SampleSet
from sparring.metrics.metric import METRICS, Measured, Metric, measured

STUDENT = 2.365
"""The 97.5 % quantile of Student's distribution with REPEATS - 1 = 7 degrees of freedom."""


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
        deviations: of the repeats from their mean, at this number of samples. Those of two models that were judged by
            the same data, number and seed belong together in pairs.
    """

    value: float | None
    floor: float | None
    better: Better
    plus_minus: float | None = None
    floor_plus_minus: float | None = None
    apart: bool | None = None
    remark: str = ""
    deviations: tuple[float, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "deviations": list(self.deviations)}

    @staticmethod
    def from_json(content: Mapping[str, Any]) -> "Score":
        """What ``as_json`` gave."""
        return Score(**{**content, "deviations": tuple(content.get("deviations", ()))})


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
        return {**vars(self), "measures": {name: score.as_json() for name, score in self.measures.items()}}

    @staticmethod
    def from_json(content: dict[str, Any]) -> "Scores":
        """What ``as_json`` gave."""
        measures = {name: Score.from_json(score) for name, score in content["measures"].items()}
        return Scores(**{**content, "measures": measures})


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

    A measure that cannot be computed says why; the others are still given. What another training run would have given
    is in no interval. See ``Repeats`` for the arguments, which samples are compared, and what is repeated.

    Raises:
        SparringError: samples of different shapes.
    """
    batch = Batch(fake)
    rounds = Repeats(real_train, real_held_out, batch, seed=seed, count=count, more=more, repeats=repeats)
    (found,) = scored(rounds, [by_features(extractor, metrics)])
    return in_words(found, extractor, rounds)


def in_words(measures: Mapping[str, Score], extractor: Extractor, rounds: Repeats, data: str = "") -> Scores:
    """The measures with all that must be said beside them; ``data`` is what the real samples are."""
    protocol = (
        f"{extractor.name} · {f'{data} · ' if data else ''}{rounds.size} samples a side · floor: {rounds.floor} · "
        f"k = {NEIGHBOURS} · {len(rounds) - 1} repeats for 95 % intervals · seed {rounds.seed} · sparring {_version()}"
    )
    return Scores(extractor.name, rounds.size, rounds.floor, protocol, measures)


def by_features(extractor: Extractor, metrics: Sequence[Metric] = METRICS) -> Measure:
    """Every metric in the features of an extractor; nothing is computed twice of the same samples."""
    names = [name for metric in metrics for name in metric.names]

    def of_side(one: Repeat, side: SampleSet) -> Measured:
        features = cache(lambda: (one.real.features(extractor), side.features(extractor)))
        try:
            decides = [one.real.digest, side.digest] if extractor.lasting else [digest(*features())]
            key = [extractor.name, names, *decides, one.seed]
            (found,) = kept_measures(key, lambda: (measured(*features(), metrics, one.seed),))
        except SparringError as error:
            return dict.fromkeys(names, error)
        return found

    return lambda one: (of_side(one, one.fake), of_side(one, one.floor))


def extremes(rounds: Repeats, extractor: Extractor, most: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Rows of the generated samples that lie where real ones are densest, the densest first, and of those that lie
    farthest out, the farthest last: by density, and among equal densities by the nearest real sample. None of either
    where that cannot be told.
    """
    first = next(iter(rounds))
    try:
        real, fake = first.real.features(extractor), first.fake.features(extractor)
        densities, distances = density_of_each(real, fake), nearest(fake, real)[0]
    except SparringError:
        return (), ()
    near = distances.argsort(stable=True)
    rows = rounds.rows[near[densities[near].argsort(descending=True, stable=True)]].tolist()
    return tuple(rows[:most]), tuple(rows[-most:])


def scored(
    rounds: Repeats, measures: Sequence[Measure], on_progress: Callable[[int, int], None] | None = None
) -> list[dict[str, Score]]:
    """Every score of every measure: values from the first round, intervals from the others.

    With √(samples a side in a repeat / samples a side) deviations are those of all samples; where generated samples
    are random halves of those that there are, they are those of the delete-half jackknife (Shao & Wu 1989), which gives
    intervals that are right far from the floor and up to twice too wide near it.

    Args:
        rounds: what is compared.
        measures: what is measured in each round.
        tell: called with (done, total) on the way.
    """
    found: list[list[tuple[Measured, Measured]]] = [[] for _ in measures]
    for number, one in enumerate(rounds):
        for place, measure in enumerate(measures):
            found[place].append(measure(one))
            if on_progress:
                on_progress(number * len(measures) + place + 1, len(rounds) * len(measures))
    return [_scores(first, again, rounds.scale) for first, *again in found]


def _scores(
    first: tuple[Measured, Measured], again: Sequence[tuple[Measured, Measured]], scale: float
) -> dict[str, Score]:
    names = dict.fromkeys([*first[0], *first[1]])
    return {name: _score(name, first, again, scale) for name in names}


def _score(
    name: str, first: tuple[Measured, Measured], again: Sequence[tuple[Measured, Measured]], scale: float
) -> Score:
    both = [side.get(name) for side in first]
    remarks = [str(one) for one in both if isinstance(one, SparringError)]
    value, floor = (None if isinstance(one, SparringError) else one for one in both)
    fakes, floors = (_deviations([_number(sides[side].get(name)) for sides in again], scale) for side in (0, 1))
    # Differences within a repeat share their real samples: they say more than the two deviations apart.
    around = half_width([a - b for a, b in zip(fakes, floors, strict=False)])
    apart = None if value is None or floor is None or around is None else abs(value - floor) > around
    remark = remarks[0] if remarks else ""
    return Score(
        value, floor, metric_info(name).better, half_width(fakes), half_width(floors), apart, remark, tuple(fakes)
    )


def half_width(deviations: Iterable[float]) -> float | None:
    """Of the 95 % interval; None where there are fewer than two deviations."""
    values = list(deviations)
    return float(f"{STUDENT * statistics.stdev(values):.4g}") if len(values) > 1 else None


def _deviations(values: Sequence[float], scale: float) -> list[float]:
    """None at all where one is not a number."""
    if len(values) < 2 or any(math.isnan(value) for value in values):
        return []
    mean = statistics.fmean(values)
    return [float(f"{scale * (value - mean):.6g}") for value in values]


def _number(one: float | SparringError | None) -> float:
    return one if isinstance(one, float) else math.nan


def _version() -> str:
    try:
        return version("sparring")
    except PackageNotFoundError:
        return "not installed"
