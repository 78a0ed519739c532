"""The page needs nothing but itself, and shows strange names as they are."""

import io
import re
from html.parser import HTMLParser

import pytest
from PIL import Image

from sparring.evaluation.glossary import number, words
from sparring.evaluation.scores import Score
from sparring.rendering.exhibits import Picture
from sparring.report.curves import curves
from sparring.report.page import Report, ScoreTable, page

WILD = "<script>alert(\"1\")</script> & 'so on'"


def png():
    content = io.BytesIO()
    Image.new("L", (4, 4)).save(content, format="PNG")
    return content.getvalue()


def wild_report():
    picture = Picture(png(), WILD, WILD, sharp=True)
    return Report(
        title=WILD,
        summary=[WILD],
        exhibits=[picture, picture],
        verdict=WILD,
        alarming=True,
        pairs=[picture],
        tables=[
            ScoreTable(
                WILD,
                WILD,
                {"frechet": Score(0.41234, 0.1, "lower", 0.0123), WILD: Score(None, None, "higher", remark=WILD)},
                WILD,
            )
        ],
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


def test_nothing_is_fetched_or_run(elements):
    text = page(wild_report())
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)
    assert "<script" not in text
    for tag, attributes in elements:
        assert tag not in ("script", "link", "iframe", "object")
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")
        assert "href" not in attributes


def test_every_picture_has_words(elements):
    pictures = [attributes for tag, attributes in elements if tag == "img"]
    assert len(pictures) == 4
    assert all(one["alt"] == WILD for one in pictures)


def test_an_empty_report_is_a_page():
    text = page(Report("title", [], []))
    assert "<h1>title</h1>" in text and "<section>" not in text


def test_values_stand_beside_floors_and_meaning():
    text = page(wild_report())
    assert '<td class="n">0.4123 ± 0.012</td><td class="n">0.1</td>' in text
    assert words("frechet").meaning in text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (8.0, "8"), (0.123456, "0.1235"), (1e-7, "1e-07"), (12345.678, "1.235e+04")]
)
def test_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"samples": 64, "generator/adversarial": 0.7}],
        [
            {
                "samples": 64 * step,
                "generator/adversarial": 0.7,
                "discriminator/adversarial": 0.7,
                "discriminator/r1": 1000.0 / (step + 1) ** 2,
                "discriminator/gradient": 1.0,
                "temperature": 3.0,
                "samples_per_second": 100.0,
                "note": "a word",
            }
            for step in range(50)
        ],
    ],
)
def test_curves_are_a_picture(rows):
    with Image.open(io.BytesIO(curves(rows))) as picture:
        assert picture.format == "PNG" and picture.width > 600 and picture.height > 200
