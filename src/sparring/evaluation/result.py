"""Results of an evaluation, as they are written to scores.json."""

import json
from typing import Final, Literal, final

from pydantic import BaseModel, ConfigDict, ValidationError

from sparring.errors import SparringError
from sparring.evaluation.glossary import aligned, by_question, interval, is_default, number, title, wrapped
from sparring.evaluation.memorisation import Memorisation
from sparring.evaluation.protocol import Protocol
from sparring.evaluation.scores import Score, Scores
from sparring.rendering.exhibits import Table
from sparring.rendering.fragments import fragment
from sparring.runs.folder import Run
from sparring.schema import first_complaint
from sparring.storage import json_text, read_json
from sparring.text import number_of

FORMAT: Final = 2


@final
class Evaluation(BaseModel):
    """Result of an evaluation: every score with the protocol that makes it comparable."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    format: Literal[2] = FORMAT
    protocol: Protocol = "floor"
    """floor: equal numbers of samples beside a floor; standard: all samples against all real ones."""
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
        return fragment(heading, self.judgement, exhibits=self.default_tables(), folded=self.lines())

    @property
    def judgement(self) -> tuple[str, ...]:
        """Sentences that sum it up: copies of training samples, and remarks."""
        return (*([self.memorisation.verdict] if self.memorisation else []), *self.remarks)

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

    def lines(self, *, further: bool = True) -> list[str]:
        """Return the evaluation as plain text.

        Args:
            further: with the further metrics; else only the default ones.
        """
        lines = wrapped([f"Evaluated {number_of(self.count, 'sample')} of {self.subject} against {self.data}"])
        with_floor = self.protocol == "floor"
        for scores, table in self.tables(further=further):
            rows = [["", "", "this", "floor", ""]] if with_floor else []
            for question, name in by_question(table):
                score = table[name]
                floor = interval(score.floor, score.floor_plus_minus) if with_floor else ""
                value = interval(score.value, score.plus_minus)
                rows.append([question, title(name, scores.extractor), value, floor, score.verdict])
            lines += ["", f"{scores.extractor}, {scores.samples}", *(f"  {line}" for line in aligned(rows))]
            lines += wrapped(dict.fromkeys(score.remark for score in table.values() if score.remark))
        if self.baselines:
            rows = [["", *self.baselines]]
            for name in self.baseline_metrics:
                values = [number(one.get(name)) for one in self.baselines.values()]
                rows.append([title(name, self.scores[0].extractor), *values])
            lines += ["", f"beside {self.beside}", *(f"  {line}" for line in aligned(rows))]
        return [*lines, "", *wrapped(self.judgement)]

    def _default_scores(self) -> list[str]:
        """Return the default metrics with their values: "recall 0.71"."""
        return [
            f"{title(name, scores.extractor)} {number(table[name].value)}"
            for scores, table in self.tables(further=False)[:1]
            for _, name in by_question(table)
        ]

    def default_tables(self) -> list[Table]:
        """Return the default metrics of the most sensitive extractor as a table; none without scores."""
        return [self._table(*one) for one in self.tables(further=False)[:1]]

    def _table(self, scores: Scores, table: dict[str, Score]) -> Table:
        """Return the scores of one extractor as a table, beside their floor where the protocol has one."""
        floor = self.protocol == "floor"
        rows = [
            (
                question,
                title(name, scores.extractor),
                interval(table[name].value, table[name].plus_minus),
                *([interval(table[name].floor, table[name].floor_plus_minus)] if floor else []),
                table[name].verdict,
            )
            for question, name in by_question(table)
        ]
        return Table(("", "metric", "this", *(["floor"] if floor else []), ""), tuple(rows))


def json_schema() -> str:
    """Return the JSON schema of scores.json, docs/en/reference/scores.schema.json."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json_text(schema | Evaluation.model_json_schema(mode="serialization"))
