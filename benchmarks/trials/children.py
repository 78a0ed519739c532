"""Cases in forked children: each is watched for crashes, hangs and memory, and can harm no other."""

import json
import os
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outcomes import Judgement, Outcome

VERB_SECONDS = 10.0
"""Time after which a verb counts as hanging."""
MAX_GROWTH = 2**30
"""Bytes by which a child may grow."""
ADDRESS_SPACE = 3 * 2**30
"""Bytes that a child may ask for beyond what it has: a protection of the machine."""
REFUSED_MEMORY = ("MemoryError", "bad_alloc", "can't allocate memory", "Unable to allocate", "Cannot allocate memory")
"""Words of errors by which an allocation beyond that limit ends."""


class HangError(BaseException):
    """Raised in a child when a verb takes too long."""


@dataclass(frozen=True)
class Task:
    """One case: ``run`` is called in a child with an empty folder of its own, and judges what it sees."""

    number: int
    run: Callable[[Path], Judgement]
    verbs: int = 4


@dataclass
class _Child:
    task: Task
    process: int
    deadline: float
    baseline: int
    folder: Path
    killed: bool = False


def run_all(tasks: Sequence[Task], folder: Path, jobs: int) -> Iterator[tuple[int, Judgement]]:
    """Run every task in a child, ``jobs`` at a time, and yield its number with its judgement as it ends."""
    waiting, running = list(reversed(tasks)), list[_Child]()
    while waiting or running:
        while waiting and len(running) < jobs:
            running.append(_start(waiting.pop(), folder))
        for child in list(running):
            ended = _ended(child)
            if ended is not None:
                running.remove(child)
                shutil.rmtree(child.folder, ignore_errors=True)
                yield child.task.number, ended
        time.sleep(0.002)


def timed(call: Callable[[], Any], seconds: float = VERB_SECONDS) -> Any:
    """Call a function, and raise ``HangError`` in it when its time is over."""

    def over(*_: object) -> None:
        raise HangError

    signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        return call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _start(task: Task, folder: Path) -> _Child:
    own = folder / f"case-{task.number}"
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(parents=True)
    baseline = _resident()
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        _child(task, own)
    return _Child(task, process, time.monotonic() + task.verbs * VERB_SECONDS + 5, baseline, own)


def _child(task: Task, folder: Path) -> None:
    """Run a task and leave its judgement in a file; never return."""
    try:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + ADDRESS_SPACE, resource.RLIM_INFINITY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        silent = os.open(folder / "streams", os.O_WRONLY | os.O_CREAT)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        judgement = task.run(folder)
    except BaseException as error:
        judgement = judged_error(error)
        if not isinstance(error, HangError | MemoryError):
            judgement = judgement._replace(reason=f"the trial itself: {judgement.reason}")
    (folder / "judgement").write_text(json.dumps([judgement.outcome.name, judgement.reason], ensure_ascii=True))
    os._exit(0)


def judged_error(error: BaseException) -> Judgement:
    """Return the judgement of an exception that no user should see."""
    line = traceback.format_exception_only(error)[-1].strip().splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, HangError):
        return Judgement(Outcome.HANG, place(error))
    if any(words in line for words in REFUSED_MEMORY):
        return Judgement(Outcome.LARGE, f"{place(error)} asks for more than 3 GB")
    return Judgement(Outcome.TRACEBACK, f"{place(error)}: {_general(line)}")


def place(error: BaseException) -> str:
    """Return the innermost function of the program that an exception passed: "storage.read_json"."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if "/sparring/" in frame.filename]
    return f"{Path(inside[-1].filename).stem}.{inside[-1].name}" if inside else "outside"


def _general(line: str) -> str:
    """Return a line of an error without what differs from case to case: paths, names in quotes and numbers."""
    import re

    line = re.sub(r"(/[^\s'\":]+)+", "PATH", line)
    line = re.sub(r"'[^']*'|\"[^\"]*\"", "'…'", line)
    return re.sub(r"0x[0-9a-f]+|\d+", "N", line)[:160].encode("ascii", "backslashreplace").decode()


def _ended(child: _Child) -> Judgement | None:
    """Return the judgement of a child that has ended; kill one whose time is over."""
    found, status, usage = os.wait4(child.process, os.WNOHANG)
    if not found:
        if time.monotonic() > child.deadline and not child.killed:
            os.kill(child.process, signal.SIGKILL)
            child.killed = True
        return None
    code, growth = os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024 - child.baseline
    if growth > MAX_GROWTH:
        return Judgement(Outcome.LARGE, "the process grows by more than 1 GB")
    if child.killed:
        return Judgement(Outcome.HANG, "killed: it does not even answer a signal")
    file = child.folder / "judgement"
    if code or not file.exists():
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return Judgement(Outcome.TRACEBACK, f"crash: {name}")
    name, reason = json.loads(file.read_text())
    return Judgement(Outcome[name], reason)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
