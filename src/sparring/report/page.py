"""The report as one HTML page that needs no other file; page.html.jinja is its template."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, final

from sparring.evaluation.glossary import better, by_question, interval, metric_info, title
from sparring.evaluation.scores import Score
from sparring.rendering.exhibits import Exhibit, Picture

if TYPE_CHECKING:
    from jinja2 import Template

CLASS_COLUMNS = {
    "agreement": "agreement",
    "coverage": "coverage",
    "coverage_floor": "its floor",
    "share": "share of samples",
    "real_share": "share of real ones",
}
"""Metrics of each class, with their headings."""


@final
@dataclass(frozen=True)
class ScoreTable:
    """Metrics under a heading; ``floor`` and ``protocol`` in words, and the name of the extractor."""

    heading: str
    floor: str
    scores: Mapping[str, Score]
    protocol: str = ""
    extractor: str = ""


@final
@dataclass(frozen=True)
class Training:
    """The course of the training.

    Args:
        verdict: one sentence; ``alarming`` if there were problems to the end.
        sentences: further remarks.
        incidents: heading and sentences of each.
        picture: of the watchdog's signals, or None.
    """

    verdict: str
    alarming: bool = False
    sentences: Sequence[str] = ()
    incidents: Sequence[tuple[str, Sequence[str]]] = ()
    picture: Picture | None = None


@final
@dataclass(frozen=True)
class Report:
    """Content of the page, from top to bottom; all text is plain and is escaped.

    Args:
        title: of the page.
        summary: sentences below the title.
        exhibits: generated samples first, real ones beside them, then others.
        verdict: on memorisation, or empty; ``alarming`` if samples are copies.
        pairs: the closest pairs, if any.
        tables: scores, those of the most sensitive extractor first; its default metrics come at the top of the page.
        classes: class → metric → value; see ``CLASS_COLUMNS``.
        training: its course, or None.
        curves: of the run, or None.
        choices: (field, value, reason).
        happened: sentences on the events of the run.
        facts: (name, value) on data, versions and seed.
    """

    title: str
    summary: Sequence[str]
    exhibits: Sequence[Exhibit]
    verdict: str = ""
    alarming: bool = False
    pairs: Sequence[Exhibit] = ()
    tables: Sequence[ScoreTable] = ()
    classes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    training: Training | None = None
    curves: Picture | None = None
    choices: Sequence[tuple[str, str, str]] = ()
    happened: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()


def page(report: Report) -> str:
    """Return the page as HTML."""
    default = [_part(table, default=True) for table in report.tables[:1]]
    further = [*(_part(table, default=False) for table in report.tables[:1]), *report.tables[1:]]
    text = _template().render(
        report=report,
        default_tables=[table for table in default if table.scores],
        further_tables=[table for table in further if table.scores],
        class_columns=[name for name in CLASS_COLUMNS if any(name in row for row in report.classes.values())],
        protocols=[table.protocol for table in report.tables if table.protocol],
    )
    return text.lstrip()


def _part(table: ScoreTable, *, default: bool) -> ScoreTable:
    """Return a table of the default or of the further metrics alone."""
    scores = {name: score for name, score in table.scores.items() if metric_info(name).default == default}
    return replace(table, scores=scores)


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    functions = (better, by_question, interval, metric_info, title)
    environment.globals |= {function.__name__: function for function in functions} | {"CLASS_COLUMNS": CLASS_COLUMNS}
    environment.filters["data_url"] = _data_url
    return environment.get_template("page.html.jinja")


def _data_url(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
