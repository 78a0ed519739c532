"""Imports that are allowed between rooms: any other needs a reason and a line in this table."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import sparring

ROOT = Path(sparring.__file__).parent

GUARDED = {"manifest", "opening", "schema", "storage", "tensor_files"}
"""Rooms that read and write files."""
BELOW = GUARDED | {"arguments", "controls", "errors", "events", "flow", "randomness", "samples", "text", "tokens"}
"""Rooms that most others may import. The protocol of games (``games.game``) is a room of its own for the trainer."""

TABLE: dict[str, set[str]] = {
    "text": set(),
    "errors": {"text"},
    "arguments": {"errors", "text"},
    "opening": {"errors"},
    "schema": {"errors"},
    "storage": {"errors", "opening"},
    "manifest": {"errors", "opening", "schema", "storage"},
    "tensor_files": {"errors", "opening", "schema", "storage"},
    "randomness": {"arguments"},
    "user_code": {"errors"},
    "samples": set(),
    "tokens": set(),
    "flow": {"randomness", "samples"},
    "controls": {"flow"},
    "events": {"storage", "text"},
    "rendering": {"errors", "storage", "text"},
    "data": BELOW,
    "layers": {"errors", "flow", "randomness", "tokens"},
    "objectives": BELOW,
    "games.game": {"controls", "flow", "randomness", "samples"},
    "games": BELOW | {"objectives"},
    "metrics": BELOW | {"data", "user_code"},
    "recipe": {"errors", "data", "objectives", "schema"},
    "sequence_recipe": {"data", "games", "layers", "objectives", "recipe", "text"},
    "training": BELOW | {"data", "recipe", "games.game"},
    "watchdog": BELOW | {"data", "games.game", "modality", "objectives", "sampling", "training"},
    "modality": {"data", "samples"},
    "modalities.*.networks": {"flow", "layers", "tokens"},
    "modalities.*": BELOW
    | {"data", "games", "layers", "metrics", "modalities.*.networks", "modality", "objectives", "recipe", "rendering"}
    | {"sequence_recipe"},
    "modalities": {"arguments", "data", "errors", "modality", "modalities.*", "opening"},
    "recipes": {"arguments", "errors", "data", "recipe", "modalities.*", "text", "user_code"},
    "sampling": BELOW | {"data", "games.game"},
    "building": {"errors", "data", "games.game", "randomness", "recipe"},
    "runs.folder": GUARDED | {"arguments", "errors", "data", "recipe", "text"},
    "publishing": GUARDED | {"errors", "data", "recipe", "runs.folder", "text"},
    "detection": BELOW
    | {"data", "games", "games.game", "layers", "metrics", "modality", "objectives", "runs.folder", "sampling"}
    | {"training"},
    "conversion": {"errors", "modality"},
    "description": {"data", "errors", "flow", "publishing", "recipe", "rendering"},
    "latent_paths": BELOW | {"games.game", "metrics", "sampling"},
    "loading": BELOW
    | {"building", "data", "games.game", "modalities", "publishing", "recipe", "recipes", "runs.folder", "training"},
    "model": BELOW
    | {"conversion", "data", "description", "detection", "games.game", "latent_paths", "loading", "modality"}
    | {"modalities", "publishing", "recipe", "rendering", "sampling", "training"},
    "runs": BELOW
    | {"data", "games.game", "modality", "modalities", "model", "recipe", "recipes", "rendering"}
    | {"runs.folder", "sampling", "training", "watchdog"},
    "evaluation": BELOW
    | {"data", "games.game", "metrics", "modality", "modalities", "model", "recipe", "rendering", "runs"}
    | {"runs.folder", "sampling"},
    "report": BELOW
    | {"data", "evaluation", "modality", "model", "rendering", "runs", "runs.folder", "sampling", "training"}
    | {"watchdog"},
    "api": BELOW
    | {
        "building",
        "data",
        "detection",
        "evaluation",
        "games.game",
        "metrics",
        "modality",
        "modalities",
        "model",
        "recipe",
        "recipes",
        "rendering",
    }
    | {"report", "runs", "runs.folder", "sampling", "training", "watchdog"},
    "cli": BELOW
    | {"api", "data", "evaluation", "model", "modalities", "recipes", "runs", "runs.folder", "training"}
    | {"watchdog"},
}


def room(module: str) -> str:
    """Return the room of a module: sparring.modalities.images.networks.dcgan → modalities.*.networks."""
    words = module.split(".")[1:]
    if words[:2] in (["games", "game"], ["runs", "folder"]):
        return ".".join(words[:2])
    if words[0] != "modalities" or len(words) == 1:
        return words[0]
    return "modalities.*.networks" if "networks" in words else "modalities.*"


def imports(path: Path) -> Iterator[str]:
    """Yield the project's modules that a file imports, at its top or later, but not for types alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    ignored = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in ignored:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "sparring")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sparring":
            for alias in node.names:
                inner = ROOT.joinpath(*f"{node.module}.{alias.name}".split(".")[1:])
                there = inner.is_dir() or inner.with_suffix(".py").is_file()
                yield f"{node.module}.{alias.name}" if there else str(node.module)


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        words = path.relative_to(ROOT.parent).with_suffix("").parts
        name = ".".join(words[:-1] if words[-1] == "__init__" else words)
        if name not in ("sparring", "sparring.__main__"):
            yield name, path


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=str)
def test_imports_follow_the_table(module: str, path: Path) -> None:
    allowed = TABLE[room(module)] | {room(module)}
    allowed |= {inner for inner in ("games.game", "runs.folder") if inner.partition(".")[0] in allowed}
    for other in imports(path):
        assert room(other) in allowed, f"{module} imports {other}"
        if room(module).startswith("modalities.*"):
            assert other.split(".")[1] != "modalities" or other.split(".")[2] == module.split(".")[2], (
                f"{module} imports another modality, {other}"
            )


def test_the_table_has_no_cycle() -> None:
    """Rooms can be ordered so that each imports only earlier ones."""
    left, placed = dict(TABLE), set[str]()
    while left:
        free = [name for name, below in left.items() if below - {name} <= placed]
        assert free, f"these import one another: {sorted(left)}"
        placed.update(free)
        left = {name: below for name, below in left.items() if name not in free}


def test_the_table_lists_exactly_the_existing_rooms() -> None:
    assert {room(module) for module, _ in modules()} == set(TABLE)


@pytest.mark.parametrize("path", sorted(ROOT.glob("modalities/*/networks/*.py")), ids=str)
def test_networks_import_no_package_but_torch(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    outside = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert outside <= {"torch", "sparring", "math", "collections", "typing", "itertools", "functools"}
