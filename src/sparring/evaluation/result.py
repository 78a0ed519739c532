"""What was found when samples were judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

from sparring.errors import SparringError
from sparring.evaluation.glossary import better, by_question, interval, metric_info, titled
from sparring.evaluation.memorisation import Memorisation
from sparring.evaluation.scores import Score, Scores
from sparring.runs.folder import Run
from sparring.storage import read_json

FORMAT = 1


@final
@dataclass(frozen=True)
class Judgement:
    """What was found.

    Args:
        subject: the model or folder judged.
        data: the source of the real samples.
        fingerprint: of the real samples.
        count: generated samples.
        seed: of the samples and of the judging.
        scores: one set per extractor, the most telling first.
        measures: what only this modality can measure: name → score.
        classes: class → measure → value; see the ``by_class`` of the modality.
        best: rows of the samples that lie where real ones are densest, by the first extractor; the best first.
        worst: rows of those that lie farthest from them; the worst last.
        memorisation: whether training samples were copied, or None where it cannot be told.
        remarks: full sentences to be read beside the scores.
    """

    subject: str
    data: str
    fingerprint: str
    count: int
    seed: int
    scores: tuple[Scores, ...]
    measures: Mapping[str, Score]
    classes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    best: tuple[int, ...] = ()
    worst: tuple[int, ...] = ()
    memorisation: Memorisation | None = None
    remarks: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Plain text: every score beside its floor, by what it asks."""
        lines = [f"Judged {self.count:,} samples of {self.subject} against {self.data}."]
        for scores in self.scores:
            lines += ["", f"{scores.extractor}, {scores.count:,} samples a side", _heading()]
            rows = by_question(scores.measures)
            lines += [_line(question, titled(name, scores.extractor), scores.measures[name]) for question, name in rows]
        others = self.others()
        if others:
            lines += ["", "all samples", _heading()]
            lines += [_line(question, metric_info(name).title, others[name]) for question, name in by_question(others)]
        verdict = [self.memorisation.verdict] if self.memorisation else []
        return [*lines, "", *verdict, *self.remarks]

    def others(self) -> dict[str, Score]:
        """What was not measured in the features of an extractor."""
        return {**self.measures, **plain(self.memorisation.measures() if self.memorisation else {})}

    def as_json(self) -> dict[str, Any]:
        """As JSON values; docs/en/reference/scores.schema.json says what stands where."""
        return {
            "format": FORMAT,
            **{name: vars(self)[name] for name in ("subject", "data", "fingerprint", "count", "seed")},
            "scores": {
                scores.extractor.rpartition("-")[0] or scores.extractor: scores.as_json() for scores in self.scores
            },
            "measures": {name: score.as_json() for name, score in self.measures.items()},
            "classes": {name: dict(row) for name, row in self.classes.items()},
            "best": list(self.best),
            "worst": list(self.worst),
            "memorisation": self.memorisation.as_json() if self.memorisation else None,
            "remarks": list(self.remarks),
        }

    @staticmethod
    def from_json(content: dict[str, Any]) -> "Judgement":
        """What ``as_json`` gave.

        Raises:
            SparringError: it was written in another format.
        """
        if content.get("format") != FORMAT:
            raise SparringError(
                found=f"scores of format {content.get('format')}",
                expected=f"format {FORMAT}",
                remedy="judge again with `sparring evaluate`",
            )
        found = content["memorisation"]
        return Judgement(
            **{name: content[name] for name in ("subject", "data", "fingerprint", "count", "seed")},
            scores=tuple(Scores.from_json(scores) for scores in content["scores"].values()),
            measures={name: Score.from_json(score) for name, score in content["measures"].items()},
            classes=content["classes"],
            best=tuple(content["best"]),
            worst=tuple(content["worst"]),
            memorisation=Memorisation.from_json(found) if found else None,
            remarks=tuple(content["remarks"]),
        )

    @staticmethod
    def from_run(run: Run) -> "Judgement":
        """The judgement at the end of a run.

        Raises:
            SparringError: the run was not judged yet.
        """
        return Judgement.from_json(read_json(run.scores))


def plain(pairs: Mapping[str, tuple[float | None, float | None]]) -> dict[str, Score]:
    """Measures without intervals: name → (value, floor)."""
    return {name: Score(*pair, metric_info(name).better) for name, pair in pairs.items()}


def _heading() -> str:
    return f"  {'':<10}{'':<19}{'this':<24}{'floor':<24}"


def _line(question: str, title: str, score: Score) -> str:
    value, floor = interval(score.value, score.plus_minus), interval(score.floor, score.floor_plus_minus)
    line = f"  {question:<10}{title:<19}{value:<24}{floor:<24}{better(score.better, score.apart)}"
    return f"{line}  {score.remark}" if score.remark else line
