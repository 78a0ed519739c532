"""Verbs of the command line, called in this process, and what a user sees of each: lines, exit code, results."""

import contextlib
import hashlib
import io
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import torch
from children import VERB_SECONDS, judged_error, timed
from cyclopts.exceptions import CycloptsError
from outcomes import Judgement, Outcome
from PIL import Image

import sparring
from sparring.cli import closing, main
from sparring.errors import SparringError
from sparring.runs import session
from sparring.text import show
from sparring.training.checkpoint import checkpoints
from sparring.training.trainer import NotFinite, Trainer

SMALL = ("--batch", 8, "--width", 8, "--latent-size", 2, "--samples", 16, "--watchdog", "off")
TINY, TINY_PICTURES = ("--recipe", "points/ring", *SMALL), ("--recipe", "images/vae", "--resolution", 8, *SMALL)
"""Options of a training run of two steps, on points and on pictures."""
CLOSING_WORDS, FINISH = closing.closing_words, session.Session._finish
"""The end of a run, which ``prepare`` turns off."""
RAW = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that move the cursor, change colours or the direction of writing, or are halves of characters."""


@dataclass(frozen=True)
class Seen:
    """Outcome of one verb as a user sees it.

    Args:
        lines: printed lines, without numbers and paths of the trial.
        text: everything that was printed, as it was.
        result: what the verb gave, as JSON values.
        error: judgement of an error that no user should see.
        refused: whether it ended with one clear sentence.
    """

    lines: list[str] = field(default_factory=list)
    text: str = ""
    result: Any = None
    error: Judgement | None = None
    refused: bool = False

    @property
    def remarked(self) -> bool:
        """True if a full sentence was printed."""
        return any(line.endswith(".") for line in self.text.splitlines())


def prepare() -> None:
    """Import what verbs import late, once for all children, and let runs end without an evaluation."""
    torch.set_num_threads(1)
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])
    for module in walk_packages(sparring.__path__, "sparring."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    Image.init()
    for name in (
        "torch.utils.tensorboard",
        "pyarrow.parquet",
        "jinja2",
        "matplotlib.pyplot",
        "scipy.stats",
    ):
        with contextlib.suppress(ImportError):
            import_module(name)
    # Evaluations are verbs of their own here.
    session.Session._finish = lambda self: None  # type: ignore[method-assign]
    closing.closing_words = lambda *given: ""


def command(folder: Path, *words: object, seconds: float = VERB_SECONDS) -> Seen:
    """Run a command with ``folder`` as the current one."""
    output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with contextlib.chdir(folder), contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        error = _error_of(lambda: main([str(word) for word in words]), seconds)
    text = output.buffer.getvalue().decode(errors="surrogateescape")  # type: ignore[attr-defined]
    return Seen(_general(text, folder), text, None, *_judged(error, text))


def call(folder: Path, function: Callable[[], Any], seconds: float = VERB_SECONDS) -> Seen:
    """Call a function of the Python interface, whose result is kept."""
    output, found = io.StringIO(), list[Any]()
    with contextlib.chdir(folder), contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        error = _error_of(lambda: found.append(function()), seconds)
    text = output.getvalue() + (f"\nsparring: {error}" if isinstance(error, SparringError) else "")
    return Seen(_general(text, folder), text, found[0] if found else None, *_judged(error, text))


def sample(folder: Path, source: Path) -> Seen:
    """Sample twice: files by the command line for its words, tensors in Python for their bytes."""
    seen = command(folder, "sample", source, "--count", 4, "--out", folder / "out")
    if seen.error or seen.refused:
        return seen
    loaded = call(folder, lambda: _digest(sparring.load(source).sample(4).numpy().tobytes()))
    return Seen(seen.lines, seen.text + loaded.text, loaded.result, loaded.error, loaded.refused)


def resume(folder: Path, source: Path) -> Seen:
    """Resume; the result is the average of the last checkpoint."""
    seen = command(folder, "resume", source)
    return seen if seen.error or seen.refused else _with(seen, lambda: _average(source))


def resume_to_the_best(folder: Path, source: Path) -> Seen:
    """Resume a run whose best state is better than its last one."""
    assert callable(session.better_state)
    session.better_state = lambda best, *rest: best  # type: ignore[assignment]
    return resume(folder, source)


def resume_with_a_rollback(folder: Path, source: Path) -> Seen:
    """Resume a run that fails at its second step, so that it is rolled back to the last good state."""
    steps, advance = 0, Trainer.advance

    def failing(self: Trainer) -> Any:
        nonlocal steps
        steps += 1
        if steps == 2:
            raise NotFinite(found="a failure of the trial", expected="none", remedy="roll back")
        if steps > 8:
            self.samples = self.plan.samples or self.samples
        return advance(self)

    Trainer.advance = failing  # type: ignore[method-assign]
    return resume(folder, source)


def resume_to_the_end(folder: Path, source: Path) -> Seen:
    """Resume, evaluate, report, publish and print the last words, as a user would."""
    session.Session._finish = FINISH  # type: ignore[method-assign]
    closing.closing_words = CLOSING_WORDS
    return command(folder, "resume", source, seconds=60.0)


def diagnose(folder: Path, source: Path) -> Seen:
    """Diagnose; its words are not compared, because they follow the logs."""
    return command(folder, "diagnose", source)


def close(folder: Path, source: Path) -> Seen:
    """Print the last lines of a finished run, which read its scores."""
    return call(folder, lambda: bool(CLOSING_WORDS(sparring.Run(source))))


def printed_close(folder: Path, source: Path) -> Seen:
    """Print the last lines of a finished run as the command line does."""
    return call(folder, lambda: show(CLOSING_WORDS(sparring.Run(source))))


def inspect(folder: Path, source: Path, seconds: float = VERB_SECONDS) -> Seen:
    """Inspect; the result is what the data is taken for."""

    def inspected() -> Any:
        # Tables of numbers are read as points.
        recipe = "points/ring" if source.suffix == ".csv" else None
        found = sparring.inspect(source, recipe=recipe, measure=False)
        show("\n".join(found.lines()))
        return _facts(found.facts.as_json())

    return call(folder, inspected, seconds)


def train(folder: Path, source: Path, *options: object, seconds: float = VERB_SECONDS) -> Seen:
    """Train two steps; the result is what the data was taken for."""
    seen = command(folder, "train", source, "--out", folder / "run", *(options or TINY), seconds=seconds)
    if seen.error or seen.refused:
        return seen
    return _with(seen, lambda: _facts(json.loads((folder / "run" / "recipe.json").read_text())["facts"]))


def evaluate(folder: Path, model: Path, data: Path) -> Seen:
    """Evaluate 64 samples; the result is every score."""
    seen = command(folder, "evaluate", model, "--data", data, "--count", 64, "--json", folder / "scores.json")
    if seen.error or seen.refused:
        return seen
    return _with(seen, lambda: json.loads((folder / "scores.json").read_text())["scores"])


def listing(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Return every file below a folder with its size, time and target, to see whether a refusal changed any."""
    found: dict[str, tuple[Any, ...]] = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            status = path.lstat()
            target = os.readlink(path) if path.is_symlink() else ""  # noqa: PTH115
            kept = () if path.is_dir() and not path.is_symlink() else (status.st_size, status.st_mtime_ns, target)
            if path.relative_to(folder).parts[0] not in ("cache", "streams"):
                found[str(path.relative_to(folder))] = kept
    return found


def differences(before: dict[str, tuple[Any, ...]], after: dict[str, tuple[Any, ...]]) -> list[str]:
    """Return the files that differ between two listings, except for locks."""
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    return sorted(name for name in changed if Path(name).name != "lock")


def _error_of(function: Callable[[], Any], seconds: float = VERB_SECONDS) -> BaseException | None:
    try:
        timed(function, seconds)
    except SystemExit as leaving:
        return None if not leaving.code else (leaving.__context__ or leaving)
    except BaseException as error:
        return error
    return None


def _judged(error: BaseException | None, text: str) -> tuple[Judgement | None, bool]:
    """Return the judgement of an error, and whether it is a clear sentence."""
    if error is None:
        return None, False
    if not isinstance(error, SparringError | CycloptsError):
        return judged_error(error), False
    last = [line for line in text.splitlines() if line.strip()][-1:]
    if isinstance(error, SparringError) and not re.match(
        r"sparring: Found .*, but expected .*\. .*[.?]$", "".join(last)
    ):
        return Judgement(Outcome.TRACEBACK, f"not a sentence: {''.join(last)[:80]}"), False
    return None, True


def _general(text: str, folder: Path) -> list[str]:
    text = text.replace(str(folder), "")
    return sorted({re.sub(r"[\d,.]+", "0", line).strip() for line in re.split(r"[\n\r]", text) if line.strip()})


def _with(seen: Seen, result: Callable[[], Any]) -> Seen:
    return Seen(seen.lines, seen.text, result(), seen.error, seen.refused)


def _average(run: Path) -> str:
    from safetensors.numpy import load_file

    tensors = load_file(checkpoints(run / "checkpoints")[-1] / "players.safetensors")
    return _digest(*(tensors[name].tobytes() for name in sorted(tensors) if name.startswith("average/")))


def _facts(facts: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(facts))
    kept = {name: found[name] for name in ("modality", "count", "shape", "classes", "offers")}
    return kept | {"columns": found["coding"].get("columns", [])}


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


def raw_characters(text: str) -> Iterator[str]:
    """Yield the characters that must never reach a terminal or a page."""
    for found in RAW.findall(text.replace("\r\n", "\n")):
        yield repr(found)


def words_of_commands(text: str) -> Sequence[str]:
    """Return the suggested command lines of a text: those that begin with ``sparring VERB`` or ``pip install``."""
    verbs = "train|resume|sample|apply|evaluate|compare|inspect|diagnose"
    return re.findall(rf"(?:(?<=`)|(?<=: )|(?<=^)|(?<=  ))sparring (?:{verbs}) [^`\n]*", text)
