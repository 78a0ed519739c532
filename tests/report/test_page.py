"""The page needs no other file, and shows any text unchanged."""

import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from PIL import Image

from sparring.evaluation.glossary import metric_info, number
from sparring.evaluation.memorisation import Memorisation
from sparring.evaluation.result import Evaluation
from sparring.evaluation.scores import Score, Scores
from sparring.rendering.exhibits import Picture
from sparring.rendering.figures import BLUE, RED
from sparring.report.curves import curves
from sparring.report.page import Report, copying, page
from sparring.runs.logbook import LogLine

WILD = "<script>alert(\"1\")</script> & 'so on'"


HOSTILE = "cats\x1b[2J\u202edogs"
"""A name with an escape for terminals and a reversal of direction."""


def png():
    content = io.BytesIO()
    Image.new("L", (4, 4)).save(content, format="PNG")
    return content.getvalue()


def evaluation(*tables, **fields):
    """Return an evaluation with a table of metrics for each extractor."""
    scores = [
        Scores(extractor=name, count=9, real_count=9, floor=WILD, protocol=WILD, metrics=metrics)
        for name, metrics in tables
    ]
    return Evaluation(subject=WILD, data=WILD, fingerprint="0", count=9, seed=0, scores=scores, **fields)


def memorisation(copies, held_out=100):
    numbers = {**dict.fromkeys(("median", "median_held_out", "closest", "c_t"), 1.0), "share": 0.0}
    shares = {"authenticity": 0.5, "authenticity_held_out": 0.5, "expected_copies": 0.0}
    chance = 0.0 if copies else 1.0
    sides = {"count": 9, "count_held_out": held_out}
    return Memorisation(copies=copies, copies_chance=chance, pairs=(), **sides, **numbers, **shares)


def wild_report():
    picture = Picture(png(), WILD, WILD)
    metrics = {
        "frechet": Score(value=0.41234, floor=0.1, better="lower", plus_minus=0.0123),
        WILD: Score(value=None, floor=None, better="higher", remark=WILD),
    }
    return Report(
        title=WILD,
        summary=[WILD],
        exhibits=[picture, picture],
        evaluation=evaluation((WILD, metrics), classes={WILD: {"coverage": 0.5}}, memorisation=memorisation(0)),
        pairs=[picture],
        curves=picture,
        choices=[(WILD, WILD, WILD)],
        happened=[WILD],
        facts=[(WILD, WILD)],
    )


class Elements(HTMLParser):
    void = frozenset({"meta", "img"})

    def __init__(self):
        super().__init__()
        self.seen, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def elements():
    parser = Elements()
    parser.feed(page(wild_report()))
    assert not parser.open
    return parser.seen


def test_nothing_is_fetched_or_executed(elements):
    text = page(wild_report())
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)
    assert "<script" not in text
    for tag, attributes in elements:
        assert tag not in ("script", "link", "iframe", "object")
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")
        assert "href" not in attributes


def test_every_picture_has_an_alternative_text(elements):
    pictures = [attributes for tag, attributes in elements if tag == "img"]
    assert len(pictures) == 4
    assert all(one["alt"] == WILD for one in pictures)


def test_headings_of_columns_stand_above_a_picture():
    picture = Picture(png(), headings=("input", "<truth>"))
    written = page(Report("made up", [], [picture]))
    assert '<div class="headings"><span>input</span><span>&lt;truth&gt;</span></div>' in written
    assert 'class="headings"' not in page(Report("made up", [], [replace(picture, headings=())]))


def test_an_empty_report_is_a_page():
    text = page(Report("title", [], []))
    assert "<h1>title</h1>" in text and "<section>" not in text


def test_a_report_without_an_evaluation_has_everything_else():
    picture = Picture(png(), "A picture.", "words")
    text = page(
        Report(
            "title",
            ["A sentence."],
            [picture],
            signals=picture,
            curves=picture,
            facts=[("data", "ring")],
            choices=[("batch", "8", "given")],
            happened=["It ended."],
        )
    )
    assert "Protocol" in text and "ring" in text and "It ended." in text and "How good is it?" not in text


def test_values_are_beside_floors_and_meanings():
    text = page(wild_report())
    assert '<td class="n">0.4123 ± 0.012</td><td class="n">0.1</td>' in text
    assert metric_info("frechet").meaning in text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (8.0, "8"), (0.123456, "0.1235"), (1e-7, "1e-07"), (12345.678, "1.235e+04")]
)
def test_formatted_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [LogLine(samples=64, terms={"generator": {"adversarial": 0.7}})],
        [
            LogLine(
                samples=64 * step,
                terms={
                    "generator": {"adversarial": 0.7},
                    "discriminator": {"adversarial": 0.7, "r1": 1000.0 / (step + 1) ** 2},
                },
                notes={"discriminator": {"lead": 0.5}},
                gradients={"discriminator": 1.0},
                controls={"gamma": 3.0},
                samples_per_second=100.0,
            )
            for step in range(50)
        ],
    ],
)
def test_curves_are_a_picture(lines):
    with Image.open(io.BytesIO(curves(lines))) as picture:
        assert picture.format == "PNG" and picture.width > 600 and picture.height > 200


def test_default_metrics_come_first_and_further_ones_below():
    scores = {name: Score(value=0.5, floor=0.4, better="lower") for name in ("frechet", "vendi")}
    text = page(Report("title", [], [], evaluation(("first", scores), ("other", scores))))
    order = [
        "How good is it?",
        "Fréchet distance",
        "Further metrics",
        "Vendi score",
        "<h3>other, 9 generated samples beside 9 real ones</h3>",
    ]
    assert sorted(order, key=text.index) == order
    assert (
        text.count("Fréchet distance") == 2
        and text.count("Real: real against real") == 3
        and "loor" not in text.replace(WILD, "")
    )


@pytest.mark.parametrize(("copies", "kind"), [(0, "fine"), (9, "flag")])
def test_copies_are_flagged(copies, kind):
    text = page(Report("title", [], [], evaluation(memorisation=memorisation(copies))))
    few = page(Report("title", [], [], evaluation(memorisation=memorisation(copies, held_out=99))))
    assert "is inconclusive" in few and '<p class="flag">' not in few and '<p class="fine">' not in few
    assert f'<p class="{kind}">' in text and "Was anything copied?" in text


@pytest.mark.parametrize(("precision", "fine"), [(0.9, True), (0.0, False)])
def test_that_nothing_was_copied_is_no_merit_of_samples_that_are_like_nothing(precision, fine):
    score = Score(value=precision, floor=0.9, better="higher", plus_minus=0.01)
    result = evaluation(("pixels", {"precision": score}), memorisation=memorisation(0))
    assert ('<p class="fine">' in page(Report("", [], [], result))) == fine


def test_a_large_difference_without_an_interval_is_told_from_a_small_one():
    """A table is not inconclusive about a distance of 595 where real samples have 9.6."""
    for name, value, floor, better, far in (
        ("frechet", 595.0, 9.6, "lower", True),
        ("frechet", 12.0, 9.6, "lower", False),
        ("precision", 0.0, 0.9, "higher", True),
        ("precision", 0.9, 0.1, "higher", False),
        ("c_t", 9.0, 0.1, "nearer to the floor", False),
    ):
        shown = page(Report("", [], [], evaluation(("pixels", {name: Score(value=value, floor=floor, better=better)}))))
        assert ("far worse than real" in shown) == far and ("a small difference means nothing" in shown) != far


def test_commands_are_not_broken_within_an_option():
    shown = page(Report("", [], [], verdict=["Train longer:", "sparring resume run --samples 9"]))
    assert '<pre class="command"><code>sparring resume run --samples 9</code></pre>' in shown
    assert re.search(r"\.command code \{[^}]*white-space: pre }", shown) and "overflow-x: auto" in shown


def test_samples_closer_to_the_data_than_chance_explains_are_not_marked_as_fine():
    close = ("pixels", {"frechet": Score(value=9.7, floor=9.6, better="lower")})
    assert copying(evaluation(close, memorisation=memorisation(0))) == "fine"
    for update in ({"c_t": -9.0}, {"share": 1.0, "count": 1000, "count_held_out": 1000}):
        assert copying(evaluation(close, memorisation=memorisation(0).model_copy(update=update))) == ""


def test_options_in_sentences_are_not_broken_and_commands_are_code():
    advice = "Use --gamma auto (--loss hinge too), a well-known `sparring evaluate run --all`, or <b>."
    text = page(Report("title", [advice], [], verdict=[advice]))
    whole = ["--gamma", "--loss", "--all"]
    assert all(text.count(f'<span class="whole">{word}</span>') == 2 for word in whole)
    assert text.count("a well-known <code>sparring evaluate run ") == 2 and "<b>" not in text
    assert re.sub(r"<[^>]*>", "", text).count(advice.replace("`", "").replace("<b>", "&lt;b&gt;")) == 2


def test_control_characters_of_names_are_shown_as_escapes_in_the_page():
    content = page(replace(wild_report(), title=HOSTILE, summary=[HOSTILE], facts=[(HOSTILE, HOSTILE)]))
    assert "\x1b" not in content and "\u202e" not in content and "cats\\x1b[2J\\u202edogs" in content


def test_names_with_dollar_signs_are_drawn_as_they_are():
    name = "$\\notacommand{"
    lines = [LogLine(samples=64, terms={name: {name: 1.0}}, gradients={name: 1.0})]
    with Image.open(io.BytesIO(curves(lines))) as picture:
        assert picture.width > 100


def test_the_verdict_stands_first_then_samples_then_figures():
    shown = [Picture(png(), name, name) for name in ("generated", "real ones", "interpolations")]
    scores = {"frechet": Score(value=0.5, floor=0.4, better="lower")}
    text = page(Report("title", ["trained"], shown, evaluation(("first", scores)), verdict=["Recognisable."]))
    order = ["Recognisable.", "generated</fig", "real ones</fig", "How good is it?", "interpolations</fig"]
    assert sorted(order, key=text.index) == order


def spiked(first: float) -> list[LogLine]:
    """Return a log whose first loss is far above all others."""
    values = [first, *(1.0 + 0.01 * (step % 10) for step in range(99))]
    notes = {"critic": {"lead": 0.8}}
    return [
        LogLine(
            samples=64 * place, terms={"critic": {"adversarial": value}, "painter": {"adversarial": 1.0}}, notes=notes
        )
        for place, value in enumerate(values)
    ]


def test_a_spike_of_the_first_step_does_not_flatten_the_curves(monkeypatch):
    figures = []
    monkeypatch.setattr("sparring.report.curves.png_of", lambda figure: figures.append(figure) or b"")
    for first in (1000.0, 1.0):
        curves(spiked(first))
    (cut, usual) = (figure.axes[0] for figure in figures)
    assert cut.get_ylim()[1] < 1.3 and "beyond the axis" in cut.get_title(loc="left")
    assert "beyond" not in usual.get_title(loc="left") and len(figures[0].axes) == len(figures[1].axes) == 4
    colours = {line.get_label(): line.get_color() for line in cut.lines}
    assert (colours["critic: adversarial"], colours["painter: adversarial"]) == (RED, BLUE)
