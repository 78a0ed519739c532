"""Code outside games does not depend on the names of players, and code outside modalities on none of theirs.

It uses roles, phases and the properties of modalities instead.
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
"""Name of a player, or of a figure or control of a player; signals ("generator gradient") are named by role."""
MODALITIES = re.compile(f"({'|'.join(path.parent.name for path in ROOT.glob('modalities/*/rooms.py'))})$")
METHODS = {"startswith", "endswith", "removeprefix", "removesuffix", "partition", "get"}


def matched(tree: ast.AST) -> Iterator[str]:
    """Yield the string literals by which code compares, looks up or splits."""
    for node in ast.walk(tree):
        used: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            used = [node.left, *node.comparators]
        elif isinstance(node, ast.Subscript):
            used = [node.slice]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            used = list(node.args)
        elif isinstance(node, ast.MatchValue):
            used = [node.value]
        for one in used:
            parts = one.elts if isinstance(one, ast.Tuple | ast.List | ast.Set) else [one]
            yield from (part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))


def matching_literals(path: Path, names: re.Pattern[str]) -> list[str]:
    return [literal for literal in matched(ast.parse(path.read_text(encoding="utf-8"))) if names.match(literal)]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('name == "generator"', True),
        ('name in ("encoder", "discriminator")', True),
        ('figures["discriminator: lead"]', True),
        ('name.startswith("generator/")', True),
        ('controls.get("generator rate")', True),
        ('observation["generator gradient"]', False),
        ('sentence = "the generator stagnates"', False),
        ('load(folder / "generator.safetensors")', False),
    ],
)
def test_dependence_on_a_name_is_recognised(code: str, found: bool) -> None:
    assert any(PLAYERS.match(literal) for literal in matched(ast.parse(code))) == found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_does_not_depend_on_the_name_of_a_player(path: Path) -> None:
    assert not matching_literals(path, PLAYERS)


def test_code_does_not_depend_on_the_name_of_a_modality() -> None:
    assert MODALITIES.match("images") and MODALITIES.match("points")
    assert not {str(path.relative_to(ROOT)) for path in FILES if matching_literals(path, MODALITIES)}
