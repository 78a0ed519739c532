"""The command line: one file per command. No command imports torch before it has work for it."""

import io
import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

from cyclopts import App
from cyclopts.exceptions import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnusedCliTokensError,
)

from sparring.arguments import called_from_shell
from sparring.cli import (
    apply,
    compare,
    completion,
    demo,
    detect,
    diagnose,
    doctor,
    evaluate,
    inspect,
    recipes,
    resume,
    sample,
    train,
)
from sparring.errors import SparringError, SparringWarning, nearest
from sparring.text import command, number_of, show

COMMANDS: dict[str, Callable[..., Any]] = {
    "demo": demo.demo,
    "inspect": inspect.inspect,
    "train": train.train,
    "resume": resume.resume,
    "sample": sample.sample,
    "apply": apply.apply,
    "evaluate": evaluate.evaluate,
    "compare": compare.compare,
    "detect": detect.detect,
    "diagnose": diagnose.diagnose,
    "recipes": recipes.recipes,
    "doctor": doctor.doctor,
    "completion": completion.completion,
}


PATHS = frozenset({"--config", "--maps", "--out", "--picture", "--report", "--sheet"})
"""Options whose values become paths before anything is checked."""


def application(commands: Mapping[str, Callable[..., Any]] = COMMANDS) -> App:
    """Return the command-line application with all commands."""
    app = App(
        name="sparring",
        help="Train, evaluate and use generative adversarial networks on your own data.",
        help_epilogue="New here? Start with `sparring demo`. Add --debug to any command for the traceback of an error.",
        version=_version,
        help_format="plaintext",
        suppress_keyboard_interrupt=False,
    )
    for name, function in commands.items():
        app.command(function, name=name)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Run a command.

    Exit codes: 0 for success, 1 if the output is piped to a process that has ended, 2 for input that cannot be used,
    130 after Ctrl-C, 143 after SIGTERM.
    """
    # Text that the encoding of the terminal lacks is shown by escapes, that of --help and progress bars too.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]

    # Errors that a user can correct end in one message; --debug shows the traceback instead.
    try:
        _show_warnings()
        with called_from_shell():
            _require_paths(words)
            application()(words, exit_on_error=False, print_error=False, result_action="return_value")
    except SystemExit as leaving:
        if isinstance(leaving.__context__, BrokenPipeError):
            sys.exit(1)  # Help that is piped to a program that has ended.
        # No command exits by itself: a recipe, a game or an extractor of the user's own did.
        _report(
            f"Found sys.exit({leaving.code!r}) in code of your own, but expected it to return. Correct the file and "
            "try again."
        )
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)
    except (SparringError, CycloptsError, OSError) as error:
        if debug:
            raise
        if isinstance(error, OSError) and error.filename is None:
            error = SparringError(
                found=f"output that cannot be written ({error.strerror or error})",
                expected="room for it",
                remedy="free some, or write elsewhere",
            )
        _report(str(_as_others(error, words) if isinstance(error, CycloptsError) else error))
        sys.exit(2)
    except (MemoryError, RuntimeError) as error:
        if debug or not _ran_out_of_memory(error):
            raise
        _report(
            f"Found too little memory ({str(error).splitlines()[0] if str(error) else 'MemoryError'}), but expected "
            "room for what was asked for. Ask for less, such as a smaller --count, --batch or --micro-batch."
        )
        sys.exit(2)
    except KeyboardInterrupt as interruption:
        _report(str(interruption) or "stopped")
        # ``Interrupted`` carries the exit code of the signal.
        sys.exit(vars(interruption).get("code", 130))


def _require_paths(words: Sequence[str]) -> None:
    """Refuse options with an empty path, which would stand for the present folder.

    Raises:
        SparringError: there is one.
    """
    for word, following in zip(words, [*words[1:], None], strict=True):
        name, equals, value = word.partition("=")
        if name in PATHS and ((equals and not value) or following == ""):
            raise SparringError(
                found=f"an empty path for {name}", expected="a path", remedy="give one, or leave the option out"
            )


def _as_others(error: CycloptsError, words: Sequence[str]) -> Exception:
    """Return a mistake in the options in the form of all others, where the parser tells enough about it."""
    chain = error.command_chain or ()
    remedy = f"see `{' '.join(['sparring', *chain, '--help'])}`"
    if isinstance(error, UnusedCliTokensError) and (
        places := [word for word in error.unused_tokens or () if Path(word).exists()]
    ):
        return _several(places, " ".join(chain))
    if isinstance(error, RepeatArgumentError):
        name = error.token.keyword
        return SparringError(found=f"several {name}", expected=f"{name} once", remedy="leave all but one out")
    if error.argument is None:
        return error
    count, _ = error.argument.token_count()

    # Options without a value, or without one of two.
    if isinstance(error, MissingArgumentError):
        name = error.keyword or error.argument.name
        found = " ".join([name, *error.tokens_so_far]) if error.tokens_so_far else f"no value of {name}"
        following = next((after for word, after in pairwise(words) if word == name), "")
        if following.startswith("-") and not following.startswith("--") and following not in ("-", "-h"):
            remedy = f"write {command(f'{name}={following}')} if that is the value"
        return SparringError(found=found, expected="a value" if count == 1 else f"{count} values", remedy=remedy)

    # Values of another type.
    if isinstance(error, CoercionError) and error.token is not None:
        choices = [str(choice) for choice in get_args(error.target_type)]
        expected = str(error.msg or (f"one of {', '.join(choices)}" if choices else ""))
        if error.target_type is float:
            expected = "a number" if count == 1 else f"{count} numbers"
        name, value = error.token.keyword or error.argument.name, error.token.value
        remedy += nearest(value, choices)
        return SparringError(found=f"{value!r} for {name}", expected=expected, remedy=remedy) if expected else error
    return error


def _several(places: list[str], verb: str) -> SparringError:
    """Return the error for paths beside the one that a command takes, as the shell makes of photos/*.png."""
    folder = Path(places[0]).parent
    name = command("sparring", verb, folder) if verb in ("inspect", "train") else command(folder)
    remedy = f"name the folder: {name}" if all(Path(place).is_file() for place in places) else "name one of them"
    return SparringError(
        found=f"{number_of(len(places), 'more path')}, such as {places[0]}",
        expected="one folder, file or name",
        remedy=remedy,
    )


def _ran_out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError):
        return True
    # Whoever raises such a RuntimeError has imported torch before.
    from sparring.training.devices import out_of_memory

    return out_of_memory(error)


def _report(message: str) -> None:
    """Print why the command ends; of several processes that end, the first one does."""
    if "RANK" in os.environ:
        from sparring.training.distributed import first_to_end

        if not first_to_end():
            return
    _print_error(message)


def _show_warnings() -> None:
    """Print warnings of this program as sentences, each time; those of other packages as Python does."""
    others = warnings.showwarning

    def shown(message: Warning | str, category: type[Warning], *place: Any, **further: Any) -> None:
        if issubclass(category, SparringWarning):
            _print_error(str(message))
        else:
            others(message, category, *place, **further)

    warnings.showwarning = shown
    warnings.simplefilter("always", SparringWarning)


def _print_error(message: str) -> None:
    rank = f" (rank {os.environ['RANK']})" if "RANK" in os.environ else ""
    show(f"sparring{rank}: {message}", sys.stderr)


def _version() -> str:
    from sparring.runs.folder import versions

    return versions()["sparring"]
