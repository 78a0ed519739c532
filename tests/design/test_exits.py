"""Text leaves by one module, which makes it harmless, and suggested commands are quoted."""

import ast
import re
from pathlib import Path

import pytest

import sparring

ROOT = Path(sparring.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
PRINTS = {
    ("text.py", "print"),
    # Rich draws tables and progress bars; their cells and descriptions are made printable.
    ("recipes.py", "console.print"),
    ("display.py", "self.console.print"),
}
STREAMS = re.compile(r"sys\.(stdout|stderr)\.(write|writelines|buffer)")
UNQUOTED = re.compile(r"sparring (resume|sample|apply|evaluate|compare|train|diagnose|inspect) [^`'\"]*\{")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_text_is_printed_by_one_module(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    calls = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    names = {ast.unparse(call) for call in calls if ast.unparse(call).split(".")[-1] == "print"}
    assert {(path.name, name) for name in names} <= PRINTS
    assert not STREAMS.search(text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_suggested_commands_are_quoted(path: Path) -> None:
    """A path in a command that a message suggests goes through ``text.command``, never into an f-string."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            assert not UNQUOTED.search(ast.unparse(node)), ast.unparse(node)
