"""Sizes, signatures, and what must not be in the source."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import sparring

ROOT = Path(sparring.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
TESTS = Path(__file__).parents[1]

FORBIDDEN = {
    "pickle": r"\bpickle\b(?!\s*=)",
    "exec": r"\bexec\(",
    "eval": r"(?<![.\w])eval\(",
    "hasattr": r"\bhasattr\(",
    "torch.load": r"\btorch\.(load|save)\(",
    "yaml": r"\byaml\b",
    "shell": r"shell\s*=\s*True|os\.system\(",
    "compile": r"(?<![.\w])compile\(",
}
ALLOWED = {
    ("user_code.py", "exec"),  # for a file that the user named
    ("inception.py", "torch.load"),  # weights_only, for a file of weights that the user named or that has its checksum
}
FORBIDDEN_TEXT = re.compile(r"/(work|home|root|Users)/|\b[Tt]odo\b|TODO|FIXME|XXX")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short(path: Path) -> None:
    """Functions count without their signature and docstring."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500
    for function in functions(path):
        first = function.body[1 if ast.get_docstring(function) and len(function.body) > 1 else 0]
        assert (function.end_lineno or 0) - first.lineno < 60, function.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_signature_is_annotated(path: Path) -> None:
    for function in functions(path):
        arguments = [
            *function.args.posonlyargs,
            *function.args.args,
            *function.args.kwonlyargs,
            *(argument for argument in (function.args.vararg, function.args.kwarg) if argument),
        ]
        missing = [one.arg for one in arguments if one.annotation is None and one.arg not in ("self", "cls")]
        assert not missing and function.returns is not None, f"{function.name}: {missing}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_can_execute_the_content_of_a_file(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for name, pattern in FORBIDDEN.items():
        found = re.findall(pattern, text)
        if name == "pickle":
            found = re.findall(r"(?m)^\s*(?:import|from)\s+pickle|allow_pickle\s*=\s*True|\bpickle\.", text)
        assert not found or (path.name, name) in ALLOWED, name


def test_one_place_executes_files_of_the_user() -> None:
    assert [path.name for path in FILES if re.search(r"\bexec(_module)?\(", path.read_text())] == ["user_code.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_machine_paths_and_no_todo_notes(path: Path) -> None:
    assert not FORBIDDEN_TEXT.search(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_public_definitions_have_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree) or not tree.body
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            top = path == ROOT / "__init__.py"
            assert top or ast.get_docstring(node), node.name


@pytest.mark.parametrize("name", ["images", "points"])
def test_every_modality_has_the_same_files(name: str) -> None:
    folder = ROOT / "modalities" / name
    assert all((folder / f"{room}.py").is_file() for room in ("data", "metrics", "render", "rooms"))
    assert all(len(list((folder / room).glob("[!_]*.py"))) > 0 for room in ("networks", "recipes"))
    assert {path.name for path in (ROOT / "modalities").iterdir() if path.is_dir()} - {"__pycache__"} == {
        "images",
        "molecules",
        "points",
        "series",
        "tables",
        "text",
    }


def test_tests_mirror_the_source() -> None:
    """Every folder has one here, every top-level file its test, and so has every file of the watchdog."""
    for path in ROOT.iterdir():
        if path.is_dir() and path.name not in ("__pycache__", "layers"):
            assert (TESTS / path.name).is_dir() and list((TESTS / path.name).rglob("test_*.py")), path.name
    for name in ("randomness", "storage", "samples", "recipe", "model", "sampling", "controls", "events"):
        assert (TESTS / f"test_{name}.py").is_file(), name
    for path in (ROOT / "watchdog").glob("[!_]*.py"):
        assert (TESTS / "watchdog" / f"test_{path.name}").is_file(), path.name
