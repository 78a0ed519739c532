"""`--json` of every command: its result as strict JSON, in a file or on standard output."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, TextIO

from sparring.api.outputs import is_device, marked, require_writable, write_result
from sparring.errors import SparringError
from sparring.runs.folder import Run
from sparring.storage import is_number, json_text, read_json
from sparring.text import show

STANDARD_OUTPUT = "-"
"""Value of --json that stands for standard output."""
Answer = Callable[[Mapping[str, Any]], None]
"""Takes the result of a command as JSON values."""


@contextmanager
def json_output(
    json: str | None, data: Any = None, *, folder: Path | None = None, **files: str | Path | None
) -> Iterator[Answer]:
    """Check the outputs of a command before its work, and give the function that takes its result.

    With ``-``, everything that the command prints goes to standard error, so that standard output holds nothing but
    JSON. A run that is interrupted is a result, too. Of several processes the first one writes.

    Args:
        json: as typed: a file, ``-``, or None for no JSON.
        data: what the command reads, of which no file is replaced.
        folder: of samples, in which JSON would pass for one of them.
        **files: other files that the command writes, by the names of their options.

    Raises:
        SparringError: a file cannot be written, or holds something else.
    """
    file = None if json in (None, STANDARD_OUTPUT) else json
    if json == STANDARD_OUTPUT and sys.stdout is None:
        raise SparringError(
            found="--json - with a closed standard output", expected="an open one", remedy="give a file instead"
        )
    if file is not None and is_device(file):
        raise SparringError(
            found=f"--json {file}, a device",
            expected=f"a file, or {STANDARD_OUTPUT} for standard output",
            remedy=f"use --json {STANDARD_OUTPUT}",
        )
    if file is not None and folder is not None and Path(file).resolve().is_relative_to(folder.resolve()):
        raise SparringError(
            found=f"--json {file} inside --out {folder}",
            expected="a file outside the folder of the samples, which holds nothing else",
            remedy="give another path",
        )
    require_writable({"json": file, **files}, data)
    output = sys.stdout

    def answer(content: Mapping[str, Any]) -> None:
        if json is None or os.environ.get("RANK", "0") != "0":
            return
        if file is None:
            _print(marked(content), output)
        else:
            write_result(file, content)

    try:
        if json == STANDARD_OUTPUT:
            with redirect_stdout(sys.stderr):
                yield answer
                _say_written(files)
        else:
            yield answer
            _say_written(files)
    except KeyboardInterrupt as interruption:
        run = vars(interruption).get("run")
        if isinstance(run, Run):
            answer(run_result(run, "interrupted"))
        raise


def _say_written(files: Mapping[str, str | Path | None]) -> None:
    """Print where files were written; a picture of samples that are none may have another ending."""
    for path in files.values():
        if path is not None and Path(path).exists():
            show(f"Wrote {path}")


def run_result(run: Run, state: str) -> dict[str, Any]:
    """Return a run as JSON values: its state, where its files are, what it has seen and how it scores.

    Args:
        run: that has ended.
        state: "finished" or "interrupted".
    """
    record = run.record
    saved = [folder for folder in run.checkpoints.iterdir() if is_number(folder.name)]
    newest = read_json(max(saved) / "state.json") if saved else {}
    places = {"report": run.report, "picture": run.picture, "model": run.model}
    return {
        "state": state,
        "run": str(run.folder),
        "recipe": record.recipe_name,
        "data": record.facts.source,
        "seed": record.seed,
        "samples": newest.get("samples", 0),
        "seconds": newest.get("seconds", 0.0),
        **{name: str(path) if path.exists() else None for name, path in places.items()},
        "scores": read_json(run.scores) if run.scores.exists() else None,
    }


def _print(content: Any, stream: TextIO) -> None:
    """Print JSON; characters that the encoding of the stream lacks are escaped as JSON has it."""
    text = json_text(content)
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json_text(content, ascii_only=True)
    stream.write(text)
    stream.flush()
