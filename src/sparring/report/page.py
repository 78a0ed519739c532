"""One page for a person: what was made, how good it is, what was chosen and why. It needs nothing but itself."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import final

from sparring.evaluation.glossary import better, by_question, interval, metric_info, number, titled
from sparring.evaluation.scores import Score
from sparring.rendering.exhibits import Exhibit, Picture, Sound, Table, Text

STYLE = """
:root { color-scheme: light dark; --ink: #1d2126; --soft: #5d6670; --line: #dde1e6; --paper: #fcfcfa; --card: #fff;
  --good: #1f7a46; --bad: #b3261e }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --soft: #9aa4ae; --line: #343a41; --paper: #15181c;
  --card: #1c2025; --good: #6fcf97; --bad: #ff8a80 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; overflow-wrap: break-word }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .3rem 0 .6rem } h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem }
h3 { font-size: 1rem; margin: 1.5rem 0 .2rem }
p { margin: .4rem 0 } .soft { color: var(--soft); font-size: .9rem } .flag { color: var(--bad); font-weight: 600 }
.fine { color: var(--good); font-weight: 600 }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1rem }
figure { margin: 0; padding: .7rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px }
figure img, figure audio { display: block; width: 100%; border-radius: 4px } figure img { height: auto }
figure ol { margin: 0; padding-left: 1.6rem } .sharp img { image-rendering: pixelated }
figcaption { color: var(--soft); font-size: .9rem; margin-top: .5rem }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-size: .95rem }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem .4rem 0; border-bottom: 1px solid var(--line) }
th { color: var(--soft); font-weight: 500 }
td.question { font-weight: 600; white-space: nowrap }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
code { font-size: .88em; overflow-wrap: anywhere }
@media (max-width: 40rem) { .meaning { display: block; grid-column: 1 / -1 } tr.score { display: grid;
  grid-template-columns: 1fr 7rem 7rem; border-bottom: 1px solid var(--line) } tr.score > * { border: 0 }
  .question { grid-column: 1 / -1; padding-bottom: 0 } .question:empty { display: none }
  .n { white-space: normal } tr.score .meaning { padding-top: 0; color: var(--soft); font-size: .88rem } }
"""

NOTHING_FROM_ELSEWHERE = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"
"""What a browser may load for the page: the pictures, the sounds and the style inside it."""


@final
@dataclass(frozen=True)
class ScoreTable:
    """Measures with a heading, what the floor is, the protocol that makes them comparable, and by whose features."""

    heading: str
    floor: str
    scores: Mapping[str, Score]
    protocol: str = ""
    extractor: str = ""


@final
@dataclass(frozen=True)
class Training:
    """How the training went.

    Args:
        verdict: whether anything ailed it; ``alarming`` if something did to the end.
        sentences: what else is to be said.
        episodes: what ailed it, each as a heading and sentences.
        picture: of its signals, or None.
    """

    verdict: str
    alarming: bool = False
    sentences: Sequence[str] = ()
    incidents: Sequence[tuple[str, Sequence[str]]] = ()
    picture: Picture | None = None


@final
@dataclass(frozen=True)
class Report:
    """What is on the page, from top to bottom; all plain text is escaped.

    Args:
        title: of the page.
        summary: sentences below the title.
        exhibits: generated samples first, real ones beside them, then what else is to be seen or heard.
        verdict: on memorisation, or empty; ``alarming`` if it says that something was copied.
        pairs: the closest pairs, if any.
        tables: of scores, the most telling first.
        classes: class → measure → value; see ``CLASS_COLUMNS``.
        training: how it went, or None.
        curves: of the run, or None.
        choices: (field, value, reason).
        happened: sentences on what happened during the run.
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
    """The page as HTML; all pictures and sounds are inside it, and nothing is fetched from anywhere."""
    parts = [
        _header(report),
        _section("Was anything copied?", _memorisation(report)),
        _section("How good is it?", "".join(_table(table) for table in report.tables)),
        _section("Class by class", _classes(report.classes)),
        _section("How the training went", _training(report.training)),
        _section("Figures and events", _course(report)),
        _section("What was chosen, and why", _choices(report.choices)),
        _section("Protocol", _protocol(report)),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{NOTHING_FROM_ELSEWHERE}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "".join(parts)
        + "</body>\n</html>\n"
    )


def _header(report: Report) -> str:
    pictures = "".join(_figure(exhibit) for exhibit in report.exhibits)
    return f'<h1>{escape(report.title)}</h1>\n{_paragraphs(report.summary)}<div class="pictures">{pictures}</div>\n'


def _section(heading: str, content: str) -> str:
    return f"<section>\n<h2>{escape(heading)}</h2>\n{content}</section>\n" if content else ""


def _paragraphs(sentences: Sequence[str], kind: str = "") -> str:
    opening = f'<p class="{kind}">' if kind else "<p>"
    return "".join(f"{opening}{escape(sentence)}</p>\n" for sentence in sentences)


def _figure(exhibit: Exhibit) -> str:
    kind = ' class="sharp"' if isinstance(exhibit, Picture) and exhibit.sharp else ""
    caption = f"<figcaption>{escape(exhibit.caption)}</figcaption>"
    return f"<figure{kind}>{_content(exhibit)}{caption}</figure>\n"


def _content(exhibit: Exhibit) -> str:
    match exhibit:
        case Picture():
            return f'<img src="{_embedded("image/png", exhibit.content)}" alt="{escape(exhibit.words)}">'
        case Sound():
            source = _embedded("audio/wav", exhibit.content)
            return f'<audio controls src="{source}" aria-label="{escape(exhibit.words)}"></audio>'
        case Text():
            return "<ol>" + "".join(f"<li>{escape(line)}</li>" for line in exhibit.lines) + "</ol>"
        case Table():
            head = "".join(f"<th>{escape(name)}</th>" for name in exhibit.header)
            cells = ("".join(f"<td>{escape(value)}</td>" for value in row) for row in exhibit.rows)
            rows = "".join(f"<tr>{row}</tr>" for row in cells)
            return f'<div class="wide"><table><tr>{head}</tr>{rows}</table></div>'


def _embedded(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _memorisation(report: Report) -> str:
    if not report.verdict:
        return ""
    verdict = _paragraphs([report.verdict], "flag" if report.alarming else "fine")
    return verdict + "".join(_figure(exhibit) for exhibit in report.pairs)


def _table(table: ScoreTable) -> str:
    rows = "".join(
        _row(question, titled(name, table.extractor), metric_info(name).meaning, table.scores[name])
        for question, name in by_question(table.scores)
    )
    names = '<th>measure</th><th class="n">this</th><th class="n">floor</th>'
    head = f'<tr class="score"><th class="question"></th>{names}<th class="meaning"></th></tr>'
    meaning = "Near it, or beyond it, this measure cannot tell the samples from real ones."
    sure = "± is half a 95 % interval." if any(score.plus_minus is not None for score in table.scores.values()) else ""
    floor = _paragraphs([f"Floor: {table.floor}. {meaning} {sure}".strip()], "soft")
    heading = f"<h3>{escape(table.heading)}</h3>\n"
    return f'{heading}<div class="wide"><table>{head}{rows}</table></div>\n{floor}'


def _row(question: str, title: str, meaning: str, score: Score) -> str:
    meaning = f"{meaning} {better(score.better, score.apart).capitalize()}. {score.remark}".strip()
    value, floor = interval(score.value, score.plus_minus), interval(score.floor, score.floor_plus_minus)
    return (
        f'<tr class="score"><td class="question">{question}</td><td>{escape(title)}</td>'
        f'<td class="n">{value}</td><td class="n">{floor}</td><td class="meaning">{escape(meaning)}</td></tr>'
    )


CLASS_COLUMNS = {
    "agreement": "seen as asked for",
    "coverage": "coverage",
    "coverage_floor": "its floor",
    "share": "share of samples",
    "real_share": "share of real ones",
}
"""What is said of each class, as a heading."""


def _classes(classes: Mapping[str, Mapping[str, float]]) -> str:
    if not classes:
        return ""
    columns = [name for name in CLASS_COLUMNS if any(name in row for row in classes.values())]
    head = "".join(f'<th class="n">{CLASS_COLUMNS[name]}</th>' for name in columns)
    rows = "".join(
        f"<tr><td>{escape(label)}</td>"
        + "".join(f'<td class="n">{_share(row.get(name))}</td>' for name in columns)
        + "</tr>"
        for label, row in classes.items()
    )
    return f'<div class="wide"><table class="classes"><tr><th>class</th>{head}</tr>{rows}</table></div>\n'


def _share(value: float | None) -> str:
    return number(None) if value is None else f"{value:.3f}"


def _training(training: Training | None) -> str:
    """Nothing where there is nothing but the verdict."""
    if training is None or not (training.incidents or training.picture):
        return ""
    incidents = "".join(
        f"<h3>{escape(heading)}</h3>\n{_paragraphs(sentences)}" for heading, sentences in training.incidents
    )
    verdict = _paragraphs([training.verdict], "flag" if training.alarming else "fine")
    picture = _figure(training.picture) if training.picture else ""
    return verdict + _paragraphs(training.sentences) + incidents + picture


def _course(report: Report) -> str:
    return (_figure(report.curves) if report.curves else "") + _paragraphs(report.happened, "soft")


def _choices(choices: Sequence[tuple[str, str, str]]) -> str:
    if not choices:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td><td><code>{escape(value)}</code></td><td>{escape(reason)}</td></tr>"
        for field, value, reason in choices
    )
    return f'<div class="wide"><table><tr><th>field</th><th>value</th><th>reason</th></tr>{rows}</table></div>\n'


def _protocol(report: Report) -> str:
    lines = "".join(f"<p><code>{escape(table.protocol)}</code></p>\n" for table in report.tables if table.protocol)
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td><code>{escape(value)}</code></td></tr>" for name, value in report.facts
    )
    return lines + (f'<div class="wide"><table>{rows}</table></div>\n' if rows else "")
