"""Errors name options by ``option`` alone, so that callers in Python read no words of the command line."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "sparring"
SHELL = re.compile(r"(?<![\w`-])--[a-z]|in Python\)")
"""Option as a shell has it, or the same one told twice."""
QUOTED = re.compile(r"`(sparring|hf) [^`]*`")
"""Whole command in a sentence."""
COMMANDS = ("command", "suggestion")
"""Functions that write such commands."""


def shell_words(node: ast.AST) -> Iterator[str]:
    """Yield text with options of a shell in an expression, apart from whole commands."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in COMMANDS:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and SHELL.search(QUOTED.sub("", node.value)):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from shell_words(child)


def errors(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "SparringError":
            yield from ((node.lineno, words) for part in node.keywords for words in shell_words(part.value))


def test_no_error_names_an_option_as_a_shell_does() -> None:
    paths = [path for path in SOURCE.rglob("*.py") if "cli" not in path.relative_to(SOURCE).parts]
    found = [f"{path.relative_to(SOURCE)}:{line}: {words}" for path in paths for line, words in errors(path)]
    assert len(paths) > 200 and not found, "\n".join(found)


def test_the_guard_sees_such_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        'SparringError(found=f"--out {out}", expected="a", remedy=f"run {command(\'sparring\', \'--x\')}")\n'
    )
    assert list(errors(tmp_path / "a.py")) == [(1, "--out ")]
