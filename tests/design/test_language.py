"""The language of the project: docstrings open with a verb or a noun, and names and sentences use the field's words."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path for folder in ("src", "tests", "benchmarks", "examples") for path in (ROOT / folder).rglob("*.py")
)
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

OPENERS = re.compile(r"(What|How|Whether|Of|Where|Who|Why|Themselves|Itself)\b")
"""First words of a docstring that neither say what a function does nor name the thing."""

UNIDIOMATIC = re.compile(
    r"\b(ails|ailment|ailing|told apart|can be told|cannot be told|so-many-th|by heart|smoothed away|dear to|"
    r"at its marks|more various|sure to arrive|learnt from|no gain can|nothing ails|lay the schedules|mended|"
    r"as it would have|can be had|gravest|heeded|made again|play along|spoilt|worked out by hand|has passed|"
    r"on its way (up|down)|beyond chance|drawn anew)\b",
    re.IGNORECASE,
)
"""Phrases that a native engineer of the field stumbles over, and the words used instead:

ails, ailment → finding, incident · told apart, can be told → significantly different, detectable · so-many-th → every
n-th · by heart → overfits · smoothed away → over-regularised · dear to compute → expensive · at its marks → when due
· more various → more diverse · learnt from → trained on · mended → fixed, helped · as it would have → like an
uninterrupted run · can be had → is available · gravest → most severe · heeded → handled · made again → repeated ·
spoilt → corrupted · worked out by hand → computed by hand · has passed → elapsed · on its way up → rising · beyond
chance → significantly · drawn anew → redrawn
"""
RETIRED = {
    "Asking", "Dial", "Drawn", "Endless", "Episode", "Judge", "Look", "Made", "Past", "Pool", "Round", "Rounds",
    "SameUnits", "Side", "Sight", "States", "Units", "Words", "afresh", "agree", "dials", "highest_wave", "judges",
    "obeys", "sketch", "slopes", "standing",
}  # fmt: skip
"""Names that were replaced by the field's terms."""


def documented(path: Path) -> list[tuple[ast.AST, str]]:
    """Return every documented module, class and function of a file, with its docstring."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, kinds)]
    return [(node, text) for node in nodes if (text := ast.get_docstring(node))]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_docstrings_open_with_a_verb_or_a_noun(path: Path) -> None:
    found = [
        (getattr(node, "lineno", 1), text.splitlines()[0]) for node, text in documented(path) if OPENERS.match(text)
    ]
    assert not found, "begin with an imperative verb, or name the thing"


@pytest.mark.parametrize("path", [*SOURCES, *PAGES], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_sentences_use_the_words_of_the_field(path: Path) -> None:
    if path == Path(__file__):
        return
    lines = path.read_text(encoding="utf-8").splitlines()
    assert not [(number, line.strip()) for number, line in enumerate(lines, 1) if UNIDIOMATIC.search(line)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_retired_names_are_not_used(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    named |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    named |= {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    assert not named & RETIRED
