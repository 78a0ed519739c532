"""The only place where text leaves for a terminal, Markdown or a shell.

Names of files, classes and columns come from strangers: they may hold terminal escapes, line breaks, halves of
characters, Markdown or shell syntax. Pages of HTML escape them by their template.
"""

import html
import re
import shlex
import sys
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

MARKDOWN = re.compile(r"([\\`*_\[\]#|~$@]|(?<=www)\.|:(?=//))", re.IGNORECASE)
"""Characters with a meaning in Markdown within a line; a backslash before one takes it away. Those of HTML become
entities."""


def printable(text: str) -> str:
    """Return one line without control characters: each is shown as an escape, such as ``\\x1b`` or ``\\n``."""
    if text.isprintable():
        return text
    return "".join(map(_visible, text.encode("utf-8", "backslashreplace").decode()))


def lines(text: str) -> str:
    """Return text of several lines, each printable; see ``printable``."""
    return "\n".join(map(printable, text.split("\n")))


def joined(sentences: Iterable[str]) -> str:
    """Return one line for each sentence, so that a line break in a name cannot pretend to be another line."""
    return "\n".join(map(printable, sentences))


def markdown(text: str) -> str:
    """Return a name as literal text within a line of Markdown: printable, its special characters escaped."""
    return MARKDOWN.sub(r"\\\1", html.escape(printable(text), quote=False))


def label(text: str) -> str:
    """Return a name as a label in a figure: printable, and without the dollar signs that enclose formulas."""
    return printable(text).replace("$", r"\$")


def number_of(count: float, noun: str) -> str:
    """Return a number with its noun in singular or plural: ``1 file``, ``1,250 files``, ``0.5 minutes``."""
    return f"{count:{'g' if isinstance(count, float) else ','}} {noun}{'' if count == 1 else 's'}"


def command(*words: object) -> str:
    """Return a command line to copy, each word quoted for a POSIX shell: ``sparring resume 'runs/my photos'``.

    A path that begins with a dash is written as ``./-x``, so that it is no option.
    """
    return printable(
        shlex.join(f"./{word}" if isinstance(word, Path) and str(word)[:1] == "-" else str(word) for word in words)
    )


def show(text: str, stream: TextIO | None = None) -> None:
    """Print lines, with escapes for characters that the encoding of the stream lacks.

    Args:
        text: one or several lines.
        stream: where to print; None for standard output.
    """
    stream = sys.stdout if stream is None else stream
    encoding = getattr(stream, "encoding", None) or "utf-8"
    print(lines(text).encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


def _visible(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    return character.encode("unicode_escape").decode()
