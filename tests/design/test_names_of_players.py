"""Outside a game nobody goes by the names of its players, and outside a modality nobody by that of one.

Roles, phases and what a modality says of itself are there for that.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import sparring

ROOT = Path(sparring.__file__).parent
FILES = [path for path in sorted(ROOT.rglob("*.py")) if path.relative_to(ROOT).parts[0] not in ("games", "modalities")]

PLAYERS = re.compile(r"(generator|discriminator)( rate)?($|/|: ?)")
"""A player's name alone, or as figures and dials begin with it; signals ("generator gradient") are named by role."""
MODALITIES = re.compile(f"({'|'.join(path.parent.name for path in ROOT.glob('modalities/*/rooms.py'))})$")
METHODS = {"startswith", "endswith", "removeprefix", "removesuffix", "partition", "get"}


def matched(tree: ast.AST) -> Iterator[str]:
    """The literals that something is compared with, looked up by or cut at."""
    for node in ast.walk(tree):
        asked: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            asked = [node.left, *node.comparators]
        elif isinstance(node, ast.Subscript):
            asked = [node.slice]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            asked = list(node.args)
        elif isinstance(node, ast.MatchValue):
            asked = [node.value]
        for one in asked:
            parts = one.elts if isinstance(one, ast.Tuple | ast.List | ast.Set) else [one]
            yield from (part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))


def offences(path: Path, names: re.Pattern[str]) -> list[str]:
    return [literal for literal in matched(ast.parse(path.read_text(encoding="utf-8"))) if names.match(literal)]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('name == "generator"', True),
        ('name in ("encoder", "discriminator")', True),
        ('figures["discriminator: lead"]', True),
        ('name.startswith("generator/")', True),
        ('dials.get("generator rate")', True),
        ('look["generator gradient"]', False),
        ('says = "the generator stands still"', False),
        ('load(folder / "generator.safetensors")', False),
    ],
)
def test_what_counts_as_going_by_a_name(code: str, found: bool) -> None:
    assert any(PLAYERS.match(literal) for literal in matched(ast.parse(code))) == found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_goes_by_the_name_of_a_player(path: Path) -> None:
    assert not offences(path, PLAYERS)


def test_nobody_else_goes_by_the_name_of_a_modality() -> None:
    assert MODALITIES.match("images") and MODALITIES.match("points")
    assert not {str(path.relative_to(ROOT)) for path in FILES if offences(path, MODALITIES)}
