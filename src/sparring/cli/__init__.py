"""The command line: one file per verb. Nothing here imports torch until a verb does its work."""

import os
import sys
from collections.abc import Callable
from typing import Any

from cyclopts import App
from cyclopts.exceptions import CycloptsError

from sparring.cli import apply, compare, demo, diagnose, doctor, evaluate, inspect, recipes, resume, sample, train
from sparring.errors import SparringError

VERBS: dict[str, Callable[..., Any]] = {
    "demo": demo.demo,
    "inspect": inspect.inspect,
    "train": train.train,
    "resume": resume.resume,
    "sample": sample.sample,
    "apply": apply.apply,
    "evaluate": evaluate.evaluate,
    "compare": compare.compare,
    "diagnose": diagnose.diagnose,
    "recipes": recipes.recipes,
    "doctor": doctor.doctor,
}


def application() -> App:
    """The verbs and their options."""
    app = App(
        name="sparring",
        help="Train, judge and use generative adversarial networks on your own data.",
        help_epilogue="Start with `sparring demo`. Any verb: --debug shows the traceback of an error.",
        version=_version,
        help_format="plaintext",
        suppress_keyboard_interrupt=False,
    )
    for name, verb in VERBS.items():
        app.command(verb, name=name)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Run a verb. Exit codes: 0 done, 2 what was given cannot be used, 130 Ctrl-C, 143 SIGTERM."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        application()(words, exit_on_error=False, print_error=False, result_action="return_value")
    except (SparringError, CycloptsError) as error:
        if debug:
            raise
        _complain(str(error))
        sys.exit(2)
    except KeyboardInterrupt as interruption:
        _complain(str(interruption) or "stopped")
        sys.exit(vars(interruption).get("code", 130))
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        if debug:
            raise
        _complain(str(error))
        sys.exit(2)


def _complain(sentence: str) -> None:
    rank = _rank()
    print(f"sparring{rank}: {sentence}", file=sys.stderr, flush=True)


def _rank() -> str:
    return f" (rank {os.environ['RANK']})" if "RANK" in os.environ else ""


def _version() -> str:
    from sparring.runs.folder import versions

    return versions()["sparring"]
