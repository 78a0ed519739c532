"""Two judgements side by side: which is better, where that can be told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, final

from sparring.evaluation.glossary import by_question, interval, titled
from sparring.evaluation.result import Judgement
from sparring.evaluation.scores import Score, half_width

UNTOLD = "no difference can be told"


class Difference(NamedTuple):
    """One measure of both.

    Args:
        first: the one's score.
        second: the other's.
        plus_minus: half the width of the 95 % interval around the difference of the values, or None.
        verdict: "first", "second", "no difference can be told", or nothing where there is no interval.
    """

    first: Score
    second: Score
    plus_minus: float | None
    verdict: str


@final
@dataclass(frozen=True)
class Comparison:
    """Two judgements by the same real samples.

    Real samples are the same in every repeat, so differences are told that are smaller than either interval. What
    another training run would have given is in none of them: to compare recipes, train each with several seeds.
    """

    first: Judgement
    second: Judgement

    def differences(self) -> dict[str, dict[str, Difference]]:
        """Extractor (or "all samples") → measure → both."""
        pairs = zip(self.first.scores, self.second.scores, strict=True)
        found = {one.extractor: _differences(one.measures, other.measures) for one, other in pairs}
        return {**found, "all samples": _differences(self.first.measures, self.second.measures)}

    def lines(self) -> list[str]:
        """Plain text, by what each measure asks."""
        counts = {one.extractor: f", {one.count:,} samples a side" for one in self.first.scores}
        return [
            f"A: {self.first.subject}",
            f"B: {self.second.subject}",
            f"{self.first.count:,} samples of each against {self.first.data}.",
            *(line for name, rows in self.differences().items() for line in _table(name, counts.get(name, ""), rows)),
            "",
            self.summary(),
        ]

    def summary(self) -> str:
        """How often each is better, in one sentence."""
        verdicts = [one.verdict for rows in self.differences().values() for one in rows.values() if one.verdict]
        first, second, neither = (verdicts.count(verdict) for verdict in ("first", "second", UNTOLD))
        counts = f"A is better in {first} measures, B in {second}; in {neither} {UNTOLD}."
        return f"{counts} What another training of either would have given is in no interval."

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        differences = {
            heading: {
                name: {"difference": _minus(one), "plus_minus": one.plus_minus, "verdict": one.verdict}
                for name, one in rows.items()
            }
            for heading, rows in self.differences().items()
        }
        return {"first": self.first.as_json(), "second": self.second.as_json(), "differences": differences}


def _differences(first: Mapping[str, Score], second: Mapping[str, Score]) -> dict[str, Difference]:
    return {name: _difference(first[name], second[name]) for name in first if name in second}


def _difference(first: Score, second: Score) -> Difference:
    around = None
    if len(first.deviations) == len(second.deviations):
        around = half_width(a - b for a, b in zip(first.deviations, second.deviations, strict=True))
    if first.value is None or second.value is None or around is None:
        return Difference(first, second, None, "")
    if abs(first.value - second.value) <= around:
        return Difference(first, second, around, UNTOLD)
    return Difference(first, second, around, "first" if _loss(first) < _loss(second) else "second")


def _loss(score: Score) -> float:
    """The lower the better."""
    assert score.value is not None
    if score.better == "nearer to the floor":
        return abs(score.value - (score.floor or 0.0))
    return score.value if score.better == "lower" else -score.value


def _minus(one: Difference) -> float | None:
    return None if one.first.value is None or one.second.value is None else one.first.value - one.second.value


def _table(extractor: str, count: str, rows: Mapping[str, Difference]) -> Iterator[str]:
    if not rows:
        return
    said = {"first": "A is better", "second": "B is better"}
    yield from ("", f"{extractor}{count}", f"  {'':<10}{'':<19}{'A':<24}{'B':<24}{'floor':<14}")
    for question, name in by_question(rows):
        one = rows[name]
        columns = [interval(one.first.value, one.first.plus_minus), interval(one.second.value, one.second.plus_minus)]
        floor = interval(one.first.floor, None)
        line = f"  {question:<10}{titled(name, extractor):<19}{columns[0]:<24}{columns[1]:<24}{floor:<14}"
        yield f"{line}{said.get(one.verdict, one.verdict)}"
