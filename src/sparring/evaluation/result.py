"""Results of an evaluation, as they are written to scores.json."""

import json
from typing import Final, Literal, final

from pydantic import BaseModel, ConfigDict, ValidationError

from sparring.arguments import option
from sparring.errors import SparringError
from sparring.evaluation.glossary import (
    REAL,
    aligned,
    by_question,
    features,
    interval,
    is_default,
    mark,
    metric_info,
    number,
    title,
    wrapped,
)
from sparring.evaluation.memorisation import Memorisation
from sparring.evaluation.protocol import Protocol
from sparring.evaluation.scores import Score, Scores
from sparring.evaluation.verdict import verdict_of
from sparring.rendering.exhibits import Table
from sparring.rendering.fragments import fragment
from sparring.runs.folder import Run
from sparring.schema import first_complaint
from sparring.storage import json_text, read_json
from sparring.text import number_of

FORMAT: Final = 2
LEGEND: Final = (
    "real: real samples against other real ones, equally many; as real: no significant difference from that.",
    "± is half the width of a 95 % interval.",
)


@final
class Evaluation(BaseModel):
    """Result of an evaluation: every score with the protocol that makes it comparable."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    format: Literal[2] = FORMAT
    protocol: Protocol = "floor"
    """floor: equal numbers of samples, beside real against real; standard: all samples against all real ones."""
    subject: str
    """The model or folder that was evaluated."""
    data: str
    """Source of the real samples."""
    fingerprint: str
    """SHA-256 of the real samples."""
    count: int
    """Generated samples."""
    seed: int
    """Seed of the samples and of the evaluation."""
    scores: tuple[Scores, ...]
    """Metrics in the features of each extractor, the most sensitive extractor first."""
    metrics: dict[str, Score] = {}
    """Metrics of the samples themselves."""
    classes: dict[str, dict[str, float]] = {}
    """Class → metric → value."""
    best: tuple[int, ...] = ()
    """Rows of the samples where real ones are densest, the best first."""
    worst: tuple[int, ...] = ()
    """Rows of the samples that are farthest from real ones, the worst last."""
    memorisation: Memorisation | None = None
    """Comparison with the training samples; null where copies cannot be detected."""
    baselines: dict[str, dict[str, float]] = {}
    """Simple model, or answer that needs no model → metric → value; the first row is the subject itself."""
    remarks: tuple[str, ...] = ()
    """Sentences to be read beside the scores."""

    def __repr__(self) -> str:
        known = f"{number_of(self.count, 'sample')} of {self.subject} against {self.data}"
        return f"Evaluation({known}: {'; '.join(self._default_scores())})"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        heading = f"{number_of(self.count, 'sample')} of {self.subject} against {self.data}"
        return fragment(heading, [*self.verdict, *self.remarks], exhibits=self.default_tables(), folded=self.lines())

    @staticmethod
    def from_run(run: Run) -> "Evaluation":
        """Read the evaluation at the end of a run.

        Raises:
            SparringError: there is none, or it has another format.
        """
        content = read_json(run.scores)
        try:
            return Evaluation.model_validate_json(json.dumps(content), strict=True)
        except ValidationError as error:
            found = content.get("format") if isinstance(content, dict) else None
            reason = f"format {found}" if found != FORMAT else first_complaint(error)
            raise SparringError(
                found=f"{reason} in {run.scores}",
                expected=f"scores of format {FORMAT}",
                remedy="evaluate the run again with `sparring evaluate`",
            ) from None

    @property
    def baseline_metrics(self) -> list[str]:
        """Names of the metrics in ``baselines``, in order."""
        return list(dict.fromkeys(name for values in self.baselines.values() for name in values))

    @property
    def beside(self) -> str:
        """Kind of the rows of ``baselines``, in words."""
        return "simple models" if "real" in self.baselines else "answers that need no model"

    def tables(self, *, further: bool = True) -> list[tuple[Scores, dict[str, Score]]]:
        """Return a table for each extractor; the first one also has the metrics of the samples themselves.

        Args:
            further: with the further metrics; else only the default ones.
        """
        tables = [(one, one.metrics | (self.metrics if one is self.scores[0] else {})) for one in self.scores]
        return [
            (one, {name: score for name, score in table.items() if further or is_default(name)})
            for one, table in tables
        ]

    @property
    def verdict(self) -> tuple[str, ...]:
        """Full sentences that need no knowledge of the metrics; see ``verdict_of``."""
        return verdict_of(self)

    def lines(self, *, further: bool = True) -> list[str]:
        """Return the evaluation as plain text: the verdict, then its figures.

        Args:
            further: with the further metrics, simple models beside it, and the meaning of each figure; else only with
                the default metrics.
        """
        return [*wrapped(self.verdict), "", *self.figures(further=further)]

    def figures(self, *, further: bool = True) -> list[str]:
        """Return the figures and remarks as plain text; see ``lines``."""
        lines: list[str] = []
        for scores, table in self.tables(further=further):
            rows = [["", "", "this", REAL, ""]] if self.protocol == "floor" else []
            rows += self._rows(scores, table)
            subject = f"Evaluated {self.subject} against {self.data}: " if scores is self.scores[0] else ""
            lines += wrapped([f"{subject}{scores.samples}, {self._features(scores, further)}"])
            lines += [f"  {line}" for line in aligned(rows)]
            lines += wrapped(dict.fromkeys(score.remark for score in table.values() if score.remark))
        if self.baselines and further:
            rows = [["", *self.baselines]]
            for name in self.baseline_metrics:
                values = [number(one.get(name)) for one in self.baselines.values()]
                rows.append([title(name, self.scores[0].extractor), *values])
            lines += ["", f"beside {self.beside}", *(f"  {line}" for line in aligned(rows))]
        lines += wrapped(self.remarks)
        return [
            *lines,
            *(self._legend() if further else [f"Further figures, and what each of them means: {option('all', True)}"]),
        ]

    def default_tables(self) -> list[Table]:
        """Return the default metrics of the most sensitive extractor as a table; none without scores."""
        header = ("", "metric", "this", *([REAL] if self.protocol == "floor" else []), "")
        return [
            Table(header, tuple(map(tuple, self._rows(scores, table))))
            for scores, table in self.tables(further=False)[:1]
        ]

    @staticmethod
    def _features(scores: Scores, further: bool) -> str:
        """Return the features in words; ``further`` adds the name of the extractor, which tells its weights."""
        words = features(scores.extractor)
        return f"{words} ({scores.extractor})" if further and words != scores.extractor else words

    def _rows(self, scores: Scores, table: dict[str, Score]) -> list[list[str]]:
        """Return a row for each metric of one extractor, beside real against real where the protocol has it."""
        return [
            [
                question,
                title(name, scores.extractor),
                interval(table[name].value, table[name].plus_minus),
                *([interval(table[name].floor, table[name].floor_plus_minus)] if self.protocol == "floor" else []),
                mark(table[name].verdict),
            ]
            for question, name in by_question(table)
        ]

    def _default_scores(self) -> list[str]:
        """Return the default metrics with their values: "recall 0.71"."""
        return [
            f"{title(name, scores.extractor)} {number(table[name].value)}"
            for scores, table in self.tables(further=False)[:1]
            for _, name in by_question(table)
        ]

    def _legend(self) -> list[str]:
        """Return what each figure means, a line for each."""
        names = dict.fromkeys(name for _, table in self.tables() for name in table)
        meanings = [f"{title(name)}: {metric_info(name).meaning}" for name in names if metric_info(name).meaning]
        return ["", *wrapped([*LEGEND, *meanings])]


def json_schema() -> str:
    """Return the JSON schema of scores.json, docs/en/reference/scores.schema.json."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json_text(schema | Evaluation.model_json_schema(mode="serialization"))
