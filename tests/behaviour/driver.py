"""Run the command line many times with a single import of torch: each run is a forked child, which a test may kill.

Reads requests as lines of JSON, {"words": […], "environment": {…}, "seconds": …, "output": "file"}, and answers each
with {"code": …}, negative for a signal. Checkpoints are at least ``saved_every`` seconds apart; if ``evaluated`` is
false a run ends after training; no file grows beyond ``largest_file`` bytes; the modality and the recipe of a ``toy``
are registered first. With SPARRING_CRASH_AT=stage:count in the environment the child kills itself when it reaches that
stage of a write, or "any" stage, for the count-th time. With ``stages`` it prints how many stages it has reached.
"""

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import torch
from PIL import Image

import sparring
from sparring import storage
from sparring.cli import closing, main
from sparring.modalities import MODALITIES
from sparring.recipes import DEFAULTS, RECIPES
from sparring.runs import session


def killer(wanted: str, count: int) -> Callable[[str], None]:
    """Return a hook for ``storage.on_stage`` that kills this process when ``wanted`` comes for the count-th time."""
    remaining = count

    def on_stage(stage: str) -> None:
        nonlocal remaining
        remaining -= wanted in (stage, "any")
        if remaining == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return on_stage


def counter() -> Callable[[str], None]:
    """Return a hook for ``storage.on_stage`` that counts stages, and prints their number at the end."""
    reached = 0

    def on_stage(stage: str) -> None:
        nonlocal reached
        reached += 1
        if stage == "folder-after-sync":
            print(f"stages: {reached}", flush=True)

    return on_stage


def register(toy: str) -> None:
    """Make the modality and the recipe of a toy known."""
    module = import_module(f"toys.{toy}")
    MODALITIES[module.KIND.name] = f"toys.{toy}:KIND"
    RECIPES[f"toys/{toy}"] = module.RECIPE
    DEFAULTS[module.KIND.name] = f"toys/{toy}"


def child(request: dict[str, Any]) -> None:
    """Run the command line as a separate process would, and exit."""
    code = 70
    try:
        os.environ.update(request.get("environment", {}))
        output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        if "SPARRING_CRASH_AT" in os.environ:
            stage, _, count = os.environ["SPARRING_CRASH_AT"].partition(":")
            storage.on_stage = killer(stage, int(count))
        if request.get("stages"):
            storage.on_stage = counter()
        session.SAVE_INTERVAL_SECONDS = request.get("saved_every", 0.0)
        if not request.get("evaluated", True):
            session.Session._finish = lambda self: None  # type: ignore[method-assign]
            closing.closing_words = lambda *_: ""
        if "largest_file" in request:
            resource.setrlimit(resource.RLIMIT_FSIZE, (request["largest_file"], resource.RLIM_INFINITY))
        main(request["words"])
        code = 0
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def killed_after(process: int, seconds: float | None) -> int:
    """Wait for a process, kill it if it still runs after ``seconds``, and return its exit code."""
    deadline = time.monotonic() + (seconds if seconds is not None else 600)
    while True:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(process, signal.SIGKILL)
            deadline = float("inf")
        time.sleep(0.002)


def prepare() -> None:
    """Import modules that are otherwise imported late, so that the children need not import them."""
    torch.set_num_threads(1)
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])
    for module in walk_packages(sparring.__path__, "sparring."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    Image.init()
    for name in ("jinja2", "matplotlib.pyplot", "torch.profiler", "torch.utils.tensorboard"):
        with suppress(ImportError):
            import_module(name)


def serve() -> None:
    """Answer one request after the other."""
    prepare()
    for line in sys.stdin:
        request = json.loads(line)
        if "toy" in request:
            register(request["toy"])
        Path(request["output"]).parent.mkdir(parents=True, exist_ok=True)
        process = os.fork()
        if process == 0:
            child(request)
        print(json.dumps({"code": killed_after(process, request.get("seconds"))}), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    serve()
