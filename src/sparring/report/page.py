"""The report as one HTML page that needs no other file; page.html.jinja is its template."""

import re
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
    from markupsafe import Markup

CLASS_COLUMNS = {
    "agreement": "agreement",
    "coverage": "coverage",
    "coverage_floor": "coverage of real ones",
    "share": "share of samples",
    "real_share": "share of real ones",
}
"""Metrics of each class, with their headings."""
COMMAND_OR_OPTION = re.compile(r"`([^`]+)`|(?<![^\s(])(--[a-z][\w-]*)")
"""Commands in sentences, and options; a browser breaks lines at their hyphens otherwise."""
WHOLE = '<span class="whole">{}</span>'
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
        return template().render(report=report, default=[], further=[], columns=[]).lstrip()
    # The default metrics of the first extractor at the top, all others further down.
    default, tables = evaluation.tables(further=False)[:1], evaluation.tables()
    further = [
        (one, {name: score for name, score in scores.items() if number > 0 or not is_default(name)})
        for number, (one, scores) in enumerate(tables)
    ]
    columns = [name for name in CLASS_COLUMNS if any(name in row for row in evaluation.classes.values())]
    return template().render(report=report, default=default, further=further, columns=columns).lstrip()


def copying(evaluation: Evaluation) -> str:
    """Return the class of the sentence on copies: "flag", "fine", or none where it is no merit of the samples.

    It is none of samples that are like nothing, nor where they are closer to training samples than chance explains.
    """
    found = evaluation.memorisation
    if found is not None and found.copied:
        return "flag"
    if found is None or not found.decidable:
        return ""
    unclear = found.closer or found.closer_as_a_whole or found.copies > 0
    unlike = bool(evaluation.scores) and level_of(evaluation) == Level.UNLIKE
    return "" if unclear or unlike else "fine"


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
    functions = (beside_real, by_question, copying, interval, metric_info, number, title)
    constants = {"CLASS_COLUMNS": CLASS_COLUMNS, "REAL": REAL, "BESIDE": BESIDE}
    environment.globals |= {function.__name__: function for function in functions} | constants
    environment.filters |= {"data_url": data_url, "prose": _prose, "sha256": _sha256}
    return environment.get_template(f"{name}.html.jinja")


def _prose(text: str) -> "Markup":
    """Return a sentence as HTML: commands between backticks as code, and no line break within an option."""
    from markupsafe import Markup, escape

    found, place = Markup(), 0
    for match in COMMAND_OR_OPTION.finditer(text := lines(text)):
        code, option = match.groups()
        found += escape(text[place : match.start()])
        found += Markup("<code>{}</code>").format(_prose(code)) if code else Markup(WHOLE).format(option)
        place = match.end()
    return found + escape(text[place:])


def _sha256(script: str) -> str:
    """Return the digest by which a page's policy permits a script."""
    return b64encode(sha256(script.encode()).digest()).decode()


def _printable(value: Any) -> Any:
    """Show control characters of names and messages as escapes."""
    return lines(value) if type(value) is str else value
