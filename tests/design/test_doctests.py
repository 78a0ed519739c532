"""Examples in the docstrings of objectives and metrics give the results that they show."""

import ast
import doctest
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import sparring

ROOT = Path(sparring.__file__).parent
FILES = sorted(path for room in ("objectives", "metrics") for path in (ROOT / room).rglob("[!_]*.py"))


def examples(path: Path) -> Iterator[doctest.DocTest]:
    """Yield the examples of each docstring, to be run with the names of the module.

    Docstrings are read from the source: type checks wrap the functions of some modules, and doctest passes over those.
    """
    module = import_module(".".join(("sparring", *path.relative_to(ROOT).with_suffix("").parts)))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
            name, line = getattr(node, "name", path.stem), getattr(node, "lineno", 1)
            test = doctest.DocTestParser().get_doctest(text, dict(vars(module)), name, str(path), line)
            if test.examples:
                yield test


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_examples_in_docstrings_give_the_results_they_show(path: Path) -> None:
    for test in examples(path):
        assert doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test).failed == 0, test.name


@pytest.mark.parametrize("name", ["gamma", "losses", "penalties", "schedules", "terms"])
def test_every_formula_file_has_an_example(name: str) -> None:
    assert list(examples(ROOT / "objectives" / f"{name}.py"))
