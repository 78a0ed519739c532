"""Comparison of two evaluations: which is better, where the difference is significant."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal, TypeAlias, final

from pydantic import BaseModel, ConfigDict

from sparring.evaluation.glossary import (
    INCONCLUSIVE,
    NO_DIFFERENCE,
    REAL,
    aligned,
    by_question,
    features,
    interval,
    is_default,
    title,
    wrapped,
)
from sparring.evaluation.result import Evaluation
from sparring.evaluation.scores import Score, half_width
from sparring.rendering.exhibits import Table
from sparring.rendering.fragments import fragment

Verdict: TypeAlias = Literal["first", "second", "no significant difference", "inconclusive", ""]
FAR_RATIO, FAR_SHARE = 10.0, 0.5
"""Ratio of two distances, and share of the better value or difference of two shares, that need no interval."""
ALL_SAMPLES = "all samples"
"""Heading of the metrics that are not computed in the features of an extractor."""


@final
class Difference(BaseModel):
    """Difference of one metric."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    difference: float | None
    """The first value minus the second."""
    plus_minus: float | None
    """Half the width of the 95 % interval around the difference."""
    verdict: Verdict
    """Which is better; "inconclusive" where there is no interval, and empty where a value is missing."""


@final
class Comparison(BaseModel):
    """Two evaluations with the same real samples.

    Repeats share their real samples, so differences are significant that are smaller than either interval. No interval
    covers what another training run would give: to compare recipes, train each with several seeds.
    """

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    first: Evaluation
    second: Evaluation
    differences: dict[str, dict[str, Difference]]
    """Extractor, or "all samples" → metric → difference; only of extractors and metrics that both have."""

    def __repr__(self) -> str:
        return f"Comparison(A: {self.first.subject}, B: {self.second.subject}: {self.summary()})"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        tables = [
            Table(("", "metric", "A", "B", REAL, ""), tuple(map(tuple, rows)), caption=heading)
            for heading, rows in self._rows(further=False)
        ]
        samples = f"{self.first.count:,} samples of each against {self.first.data}."
        title = f"A: {self.first.subject}, B: {self.second.subject}"
        sentences = [samples, self.summary(further=False), *self._remarks()]
        return fragment(title, sentences, exhibits=tables, folded=self.lines())

    def lines(self, *, further: bool = True) -> list[str]:
        """Return the comparison as plain text, with the further metrics or without."""
        samples = f"{self.first.count:,} samples of each against {self.first.data}"
        lines = wrapped([f"A: {self.first.subject}", f"B: {self.second.subject}", samples])
        for heading, rows in self._rows(further=further):
            lines += ["", heading, *aligned([["", "", "A", "B", REAL, ""], *rows])]
        return [*lines, "", *wrapped([self.summary(further=further), *self._remarks()])]

    def _rows(self, *, further: bool) -> Iterator[tuple[str, list[list[str]]]]:
        """Yield for each extractor its name with its samples, and a row for each metric."""
        sides = [_tables(side) for side in (self.first, self.second)]
        words = {"first": "A is better", "second": "B is better", INCONCLUSIVE: "no interval"}
        counts = {one.extractor: f", {one.samples}" for one in self.first.scores}
        for heading, differences in self.differences.items():
            shown = [name for name in differences if further or is_default(name)]
            if not shown:
                continue
            rows = []
            for question, name in by_question(shown):
                first, second = (tables[heading][name] for tables in sides)
                values = [interval(side.value, side.plus_minus) for side in (first, second)]
                verdict = words.get(differences[name].verdict, differences[name].verdict)
                if differences[name].verdict == INCONCLUSIVE and is_far(first, second.value):
                    verdict = f"{'A' if _loss(first) < _loss(second) else 'B'} is far better (no interval)"
                # Real samples are compared with one another, so it is the same for both.
                real = interval(first.floor, None)
                rows.append([question, title(name, heading), *values, real, verdict])
            yield features(heading) + counts.get(heading, ""), rows

    def _remarks(self) -> list[str]:
        """Return the remarks on both sides, each with the side that it is about."""
        first, second = self.first.remarks, self.second.remarks
        sides = {remark: "A" for remark in first} | {remark: "B" for remark in second if remark not in first}
        return [
            f"{'Both' if remark in first and remark in second else side}: {remark}" for remark, side in sides.items()
        ]

    def summary(self, *, further: bool = True) -> str:
        """Return in one sentence how often each is better, by the further metrics too or without them."""
        counts = Counter(
            one.verdict
            for differences in self.differences.values()
            for name, one in differences.items()
            if further or is_default(name)
        )
        verdicts = f"A is better in {counts['first']} metrics, B in {counts['second']}"
        neither = f"{counts[NO_DIFFERENCE]} show {NO_DIFFERENCE}"
        undecided = f"; {counts[INCONCLUSIVE]} have no interval" if counts[INCONCLUSIVE] else ""
        return f"{verdicts}; {neither}{undecided}. The intervals do not cover the variation between training runs."


def compared(first: Evaluation, second: Evaluation) -> Comparison:
    """Compare two evaluations by the extractors and metrics that both have."""
    one, other = _tables(first), _tables(second)
    differences = {
        heading: {name: _difference(scores[name], other[heading][name]) for name in scores if name in other[heading]}
        for heading, scores in one.items()
        if heading in other
    }
    return Comparison(first=first, second=second, differences=differences)


def _tables(evaluation: Evaluation) -> dict[str, dict[str, Score]]:
    return {**{one.extractor: one.metrics for one in evaluation.scores}, ALL_SAMPLES: evaluation.metrics}


def _difference(first: Score, second: Score) -> Difference:
    if first.value is None or second.value is None:
        return Difference(difference=None, plus_minus=None, verdict="")
    difference, around = first.value - second.value, None
    if len(first.deviations) == len(second.deviations):
        around = half_width(a - b for a, b in zip(first.deviations, second.deviations, strict=True))
    if around is None:
        return Difference(difference=difference, plus_minus=None, verdict=INCONCLUSIVE)
    verdict: Verdict = "first" if _loss(first) < _loss(second) else "second"
    if abs(difference) <= around:
        verdict = NO_DIFFERENCE
    return Difference(difference=difference, plus_minus=around, verdict=verdict)


def is_far(score: Score, other: float | None) -> bool:
    """Return whether a value is so far from another one of its metric that no interval is needed to tell them apart."""
    if score.value is None or other is None or score.better == "nearer to the floor":
        return False
    low, high = sorted((abs(score.value), abs(other)))
    if score.better == "higher":
        return high >= FAR_SHARE and low < FAR_SHARE * high
    return high - low > FAR_SHARE if high <= 1 else high > FAR_RATIO * low > 0


def _loss(score: Score) -> float:
    """Return a number that is lower for better scores."""
    assert score.value is not None
    if score.better == "nearer to the floor":
        return abs(score.value - (score.floor or 0.0))
    return score.value if score.better == "lower" else -score.value
