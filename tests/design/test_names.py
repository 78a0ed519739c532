"""Public names, commands and their options. A change here is a change for every user."""

import inspect
import os
import subprocess
import sys
import time

import pytest

import sparring
from sparring.cli import COMMANDS
from sparring.modalities import MODALITIES, modality

NAMES = {
    "RECIPES",
    "Adam",
    "Batch",
    "Dataset",
    "Duel",
    "Game",
    "Interrupted",
    "Likelihood",
    "Model",
    "Plan",
    "Progress",
    "Recipe",
    "Run",
    "SparringError",
    "Trainer",
    "Turn",
    "Verdict",
    "compare",
    "complete",
    "detect",
    "diagnose",
    "evaluate",
    "inspect",
    "load",
    "resume",
    "train",
}

READING = ("labels", "range", "background", "pairs", "to", "columns", "window", "tokens")
"""Options of every command that reads data."""
CONDITIONS = ("to", "mask", "where", "horizon")
"""Options of the conditions of a model that sample and apply share."""
OPTIONS = {
    "demo": ["out", "seed", "json"],
    "inspect": ["data", "json", "sheet", "recipe", *READING, "keep"],
    "train": [
        "data",
        "config",
        "recipe",
        "minutes",
        "samples",
        "out",
        "continued",
        "seed",
        "until",
        "device",
        "micro_batch",
        "watchdog",
        "judge",
        "watch",
        "json",
        *READING,
        "keep",
        "fields",
    ],
    "resume": [
        *["run", "samples", "minutes", "data", "labels", "pairs", "to", "recipe"],
        *["objective", "device", "json", "judge", "watch"],
    ],
    "sample": [
        "model",
        "count",
        "seed",
        "truncation",
        "out",
        "device",
        "recipe",
        "json",
        "label",
        "input",
        *CONDITIONS[:-1],
        "length",
        "horizon",
        "prefix",
        "temperature",
        "balance",
        "objective",
        "options",
    ],
    "apply": [
        "model",
        "inputs",
        "seed",
        "count",
        "strength",
        "out",
        "device",
        "recipe",
        "json",
        *CONDITIONS,
        "temperature",
        "options",
    ],
    "evaluate": [
        "subject",
        "data",
        "json",
        "report",
        "count",
        "seed",
        "recipe",
        "all",
        "protocol",
        "useful",
        "extractor",
        *READING,
        "target",
    ],
    "compare": ["first", "second", "data", "json", "count", "seed", "recipe", "all", "extractor", *READING],
    "detect": [
        "run",
        "data",
        "false_alarms",
        "method",
        "out",
        "json",
        "maps",
        "normal",
        "labels",
        "reference",
        "seed",
        "device",
        "recipe",
    ],
    "diagnose": ["run", "picture", "json"],
    "recipes": ["name", "json"],
    "doctor": ["markdown", "json"],
    "completion": ["shell"],
}


def test_public_names_are_complete_and_importable() -> None:
    assert set(sparring.__all__) == NAMES == set(dir(sparring))
    for name in NAMES:
        assert getattr(sparring, name) is not None


def test_public_names_have_docstrings() -> None:
    for name in NAMES - {"RECIPES"}:
        assert inspect.getdoc(getattr(sparring, name)), name


def test_commands_and_their_options() -> None:
    assert {command: list(inspect.signature(function).parameters) for command, function in COMMANDS.items()} == OPTIONS


def test_help_lists_the_options_of_all_conditions() -> None:
    for name in MODALITIES:
        for spec in modality(name).conditions.values():
            assert set(spec.options) <= set(OPTIONS["sample"])
            # New rows are balanced and new series have a length; those of an input have their own.
            of_new = {"input", "balance", "length"}
            assert "input" not in spec.options or set(spec.options) - of_new <= set(OPTIONS["apply"])


def test_python_functions_take_the_options_of_their_commands() -> None:
    for command in ("train", "resume", "evaluate", "compare", "detect", "diagnose", "inspect"):
        parameters = inspect.signature(getattr(sparring, command)).parameters
        # What a Python function returns has a method or fields for JSON.
        absent = {"extractor", "json"} if command in ("train", "resume") else {"extractor"}
        assert set(OPTIONS[command]) - absent <= set(parameters), command


@pytest.mark.parametrize("command", [None, *OPTIONS])
def test_help_imports_no_torch(command: str | None) -> None:
    words = [command, "--help"] if command else ["--help"]
    code = f"""
import sys
from sparring.cli import main
try:
    main({words!r})
finally:
    heavy = {{"torch", "sklearn", "matplotlib", "scipy"}} & set(sys.modules)
    print("imported:", sorted(heavy))
"""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "COLUMNS": "120"}, timeout=120
    )
    print(f"{' '.join(words)}: {time.perf_counter() - began:.2f} s")
    assert done.returncode == 0, done.stderr
    assert "imported: []" in done.stdout
    for option in OPTIONS.get(command or "", []):
        option = "continue" if option == "continued" else option
        if option not in ("fields", "options"):
            assert option.replace("_", "-").lower() in done.stdout.lower(), option


def test_importing_the_package_imports_no_torch() -> None:
    code = "import sparring, sparring.recipes, sys; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120).stdout == "False\n"
