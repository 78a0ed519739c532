"""Text leaves without anything that a terminal, Markdown or a shell would take for a command."""

import io
import shlex
from pathlib import Path

import pytest

from sparring.errors import SparringError
from sparring.text import command, joined, label, lines, markdown, number_of, printable, show

HOSTILE = "a\x1b]0;title\x07b\r\nc\u202ed\udc80e\x9b2J"
"""Escapes in 7 and 8 bits, a carriage return, a reversal of direction and half of a character."""


def test_control_characters_are_shown_as_escapes() -> None:
    assert printable(HOSTILE) == r"a\x1b]0;title\x07b\r\nc\u202ed\udc80e\x9b2J"


@pytest.mark.parametrize("name", ["Katze 1", "猫\u3000犬", "é", "a\u00a0b", "🐈"])
def test_names_in_any_language_stay_as_they_are(name: str) -> None:
    assert printable(name) == name


def test_lines_keep_their_breaks_only() -> None:
    assert lines("one\ntwo\x1b[2J") == "one\ntwo\\x1b[2J"


def test_a_line_break_in_a_name_is_no_line() -> None:
    assert joined(["one\ntwo", "three"]) == "one\\ntwo\nthree"


def test_markdown_in_a_name_is_literal() -> None:
    assert markdown("[click](javascript:x) <b>*") == r"\[click\](javascript:x) &lt;b&gt;\*"
    assert markdown("www.a.org http://b.c d@e.f #1") == r"www\.a.org http\://b.c d\@e.f \#1"
    assert markdown("photos v1.2 (new)-x.csv") == "photos v1.2 (new)-x.csv"


def test_a_dollar_sign_in_a_label_starts_no_formula() -> None:
    assert label("$\\frac$\x1b") == r"\$\frac\$\x1b"


@pytest.mark.parametrize("path", ["runs/my photos", "; touch PWNED", "$(reboot)", "it's"])
def test_a_suggested_command_names_the_path_as_one_word(path: str) -> None:
    assert shlex.split(command("sparring", "resume", path)) == ["sparring", "resume", path]


def test_a_suggested_path_that_begins_with_a_dash_is_no_option() -> None:
    assert command("sparring", "resume", Path("-x")) == "sparring resume ./-x"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
def test_a_terminal_of_any_encoding_shows_any_text(encoding: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    show("é 猫 \udcff", stream)
    shown = stream.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
    assert shown.endswith("\\udcff\n")
    assert ("猫" in shown) == (encoding == "utf-8")


def test_an_error_is_one_printable_line() -> None:
    error = SparringError(found="the class 'a\x1b[2J'\n", expected="x", remedy="y")
    assert str(error) == r"Found the class 'a\x1b[2J'\n, but expected x. Y."


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, "1 minute"), (1.0, "1 minute"), (0.5, "0.5 minutes"), (1250, "1,250 minutes"), (0, "0 minutes")],
)
def test_numbers_have_their_noun_in_singular_or_plural(count: float, words: str) -> None:
    assert number_of(count, "minute") == words
