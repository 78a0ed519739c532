"""Fragments of HTML: escaped, well-formed, and without anything that is fetched."""

from html.parser import HTMLParser

import pytest
import torch
from PIL import Image

from sparring.rendering.exhibits import Table, Text, picture_of, sound_of
from sparring.rendering.fragments import fragment

VOID = {"img", "br", "hr", "meta", "link", "input"}


class Checked(HTMLParser):
    """Collects elements and text, and requires that every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.elements, self.text = list[str](), list[tuple[str, dict]](), ""
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attributes: list) -> None:
        # A paragraph holds no blocks: browsers would close it before them.
        assert not (tag in ("div", "table", "ol", "p", "pre", "details") and "p" in self.open), tag
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_names_from_strangers_stay_text() -> None:
    evil = '<script>alert("1")</script>\x1b[2J'
    table = Table((evil, ""), ((evil, "cell"),), caption=evil)
    html = fragment(
        evil, [evil], exhibits=[table, Text((evil,))], facts=[(evil, evil)], links=[evil], folded=[evil], heading=evil
    )
    page = Checked(html)
    assert not [tag for tag, _ in page.elements if tag == "script"]
    assert page.text.count('<script>alert("1")</script>') == 11 and "\x1b" not in html


def test_pictures_and_sounds_are_within_the_fragment() -> None:
    picture = picture_of(Image.new("L", (10, 10)))
    page = Checked(fragment("title", exhibits=[picture, sound_of(torch.zeros(100), 8000)]))
    sources = [attributes["src"] for tag, attributes in page.elements if tag in ("img", "audio")]
    assert [source.split(",")[0] for source in sources] == ["data:image/png;base64", "data:audio/wav;base64"]
    image = next(attributes for tag, attributes in page.elements if tag == "img")
    assert image["alt"] and image["style"] == "max-width:100%"


@pytest.mark.parametrize("word", ["color", "background", "font-family", "http"])
def test_colours_and_fonts_are_those_of_the_notebook(word: str) -> None:
    assert word not in fragment("t", ["s"], exhibits=[Table(("a",), (("b",),))], facts=[("f", "v")], folded=["x"])
