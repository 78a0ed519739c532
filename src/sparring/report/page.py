"""The report as one HTML page that needs no other file; page.html.jinja is its template."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from sparring.evaluation.comparison import is_far
from sparring.evaluation.glossary import (
    INCONCLUSIVE,
    REAL,
    better,
    by_question,
    interval,
    is_default,
    metric_info,
    number,
    title,
    way,
)
from sparring.evaluation.result import Evaluation
from sparring.evaluation.scores import Score
from sparring.evaluation.verdict import Level, level_of
from sparring.rendering.exhibits import Exhibit, Picture
from sparring.rendering.fragments import data_url
from sparring.report.diagnosis import Diagnosis
from sparring.text import lines

if TYPE_CHECKING:
    from jinja2 import Template

CLASS_COLUMNS = {
    "agreement": "agreement",
    "coverage": "coverage",
    "coverage_floor": "coverage of real ones",
    "share": "share of samples",
    "real_share": "share of real ones",
}
"""Metrics of each class, with their headings."""
BESIDE = 2
"""Exhibits above the figures: generated samples, and real ones beside them."""


@final
@dataclass(frozen=True)
class Report:
    """Content of the page; all text is plain and is escaped.

    Args:
        title: of the page.
        verdict: how good the samples are and what to do, the first lines of the page.
        summary: sentences on what was trained or compared.
        exhibits: generated samples first, real ones beside them, then others.
        evaluation: its default metrics come first, or None.
        pairs: the closest pairs of generated and training samples, if any.
        diagnosis: of the run, or None.
        signals: picture of the watchdog's signals, or None.
        curves: of the run, or None.
        choices: (field, value, reason).
        happened: sentences on the events of the run.
        facts: (name, value) on data, versions and seed.
    """

    title: str
    summary: Sequence[str]
    exhibits: Sequence[Exhibit]
    evaluation: Evaluation | None = None
    pairs: Sequence[Exhibit] = ()
    diagnosis: Diagnosis | None = None
    signals: Picture | None = None
    curves: Picture | None = None
    verdict: Sequence[str] = ()
    choices: Sequence[tuple[str, str, str]] = ()
    happened: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()


def page(report: Report) -> str:
    """Return the page as HTML."""
    evaluation = report.evaluation
    if evaluation is None:
        return template().render(report=report, default=[], further=[], columns=[], poor=False).lstrip()
    # The default metrics of the first extractor at the top, all others further down.
    default, tables = evaluation.tables(further=False)[:1], evaluation.tables()
    further = [
        (one, {name: score for name, score in scores.items() if number > 0 or not is_default(name)})
        for number, (one, scores) in enumerate(tables)
    ]
    columns = [name for name in CLASS_COLUMNS if any(name in row for row in evaluation.classes.values())]
    # That nothing was copied is no merit of samples that are like nothing.
    poor = bool(evaluation.scores) and level_of(evaluation) == Level.UNLIKE
    return template().render(report=report, default=default, further=further, columns=columns, poor=poor).lstrip()


def beside_real(score: Score) -> str:
    """Return which values of a metric are better, and what the difference from the real value means."""
    if score.verdict != INCONCLUSIVE:
        return better(score.better, score.verdict)
    assert score.value is not None and score.floor is not None  # Else there is no such verdict.
    worse = (score.value > score.floor) == (score.better == "lower")
    far = worse and is_far(score, score.floor)
    meaning = "far worse than real, with or without an interval" if far else "a small difference means nothing"
    return f"{way(score.better)} is better; {meaning}"


@cache
def template(name: str = "page") -> "Template":
    """Return the template of a page, NAME.html.jinja beside this file."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_printable,
    )
    functions = (beside_real, by_question, interval, metric_info, number, title)
    constants = {"CLASS_COLUMNS": CLASS_COLUMNS, "REAL": REAL, "BESIDE": BESIDE}
    environment.globals |= {function.__name__: function for function in functions} | constants
    environment.filters |= {"data_url": data_url, "sha256": _sha256}
    return environment.get_template(f"{name}.html.jinja")


def _sha256(script: str) -> str:
    """Return the digest by which a page's policy permits a script."""
    return b64encode(sha256(script.encode()).digest()).decode()


def _printable(value: Any) -> Any:
    """Show control characters of names and messages as escapes."""
    return lines(value) if type(value) is str else value
