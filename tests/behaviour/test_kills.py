"""A run that is killed at any instant can be resumed and ends like an uninterrupted one, bit for bit."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import sparring

Command = Callable[..., tuple[int, str]]
Digest = Callable[[Path], dict[str, str]]

SMALL = ("--samples", 512, "--batch", 64, "--width", 8, "--latent-size", 2)
SLOW = pytest.mark.slow


def stages() -> list[str]:
    """Names of the stages of a write, as the source has them."""
    text = "".join(path.read_text() for path in Path(sparring.__file__).parent.rglob("*.py"))
    return sorted(set(re.findall(r'on_stage\("([^"]+)"\)', text)))


FIRST = [(name, 1) for name in stages()]
LATER = [(name, count) for name in stages() for count in ((3,) if "checkpoint" in name else (4, 9))]
# The ninth removal is never reached.
LATER = [(name, count) for name, count in LATER if not (name.startswith("prune") and count > 4)]
OCCURRENCES = [*FIRST, *(pytest.param(*one, marks=SLOW) for one in LATER)]
FAST_INSTANTS = 4
INSTANTS = [*range(FAST_INSTANTS), *(pytest.param(number, marks=SLOW) for number in range(FAST_INSTANTS, 40))]


def test_at_least_twenty_kills_are_tested() -> None:
    assert len(FIRST) + 2 * FAST_INSTANTS >= 20
    assert {name for name, _ in FIRST} >= {"file-before-rename", "folder-before-rename", "prune-after-rename"}


@pytest.fixture(scope="module")
def uninterrupted(
    command: Command, digest: Digest, points: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Digest of the last checkpoint of a run that was not killed."""
    out = tmp_path_factory.mktemp("whole") / "run"
    code, output = command("train", points, *SMALL, "--out", out)
    assert code == 0, output
    return digest(out)


def finish(command: Command, points: Path, out: Path, *, evaluated: bool) -> None:
    """Continue as a user would: resume the run if it was recorded, else start again; a finished run stays as it is."""
    if (out / "report.html").exists():
        return
    words = ("resume", out) if (out / "recipe.json").exists() else ("train", points, *SMALL, "--out", out)
    code, output = command(*words, evaluated=evaluated)
    assert code == 0, output


def check(out: Path, found: dict[str, str], uninterrupted: dict[str, str]) -> None:
    assert found == uninterrupted
    assert not [path.name for path in out.rglob("*.tmp")], "a partly written file was left"
    assert not list(out.parent.glob(".*.tmp"))


@pytest.mark.parametrize(("name", "count"), OCCURRENCES)
def test_a_run_killed_at_any_stage_of_a_write_resumes_and_ends_unchanged(
    name: str, count: int, command: Command, digest: Digest, points: Path, uninterrupted: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    crash = {"SPARRING_CRASH_AT": f"{name}:{count}"}
    code, output = command("train", points, *SMALL, "--out", out, environment=crash, evaluated=False)
    assert code == -9, f"the stage was not reached\n{output}"
    finish(command, points, out, evaluated=False)
    check(out, digest(out), uninterrupted)


@pytest.mark.parametrize("number", INSTANTS)
def test_a_run_killed_at_random_instants_resumes_and_ends_unchanged(
    number: int, command: Command, digest: Digest, points: Path, uninterrupted: dict[str, str], tmp_path: Path
) -> None:
    out, chance = tmp_path / "run", random.Random(number)
    command("train", points, *SMALL, "--out", out, seconds=chance.uniform(0.02, 0.5))
    if (out / "recipe.json").exists():
        command("resume", out, seconds=chance.uniform(0.02, 0.5))
    finish(command, points, out, evaluated=True)
    check(out, digest(out), uninterrupted)
    assert (out / "report.html").stat().st_size > 0
