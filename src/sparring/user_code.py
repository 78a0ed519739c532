"""Objects from Python files of the user: the only place that executes user code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from sparring.errors import SparringError, nearest


class UserObject(NamedTuple):
    """A value that a user's file defines.

    Args:
        value: what the name stands for.
        digest: first 12 hexadecimal digits of the SHA-256 of the file.
    """

    value: Any
    digest: str


def load_user_object(place: str, expected: str) -> UserObject:
    """Execute the file of ``place`` = ``file.py:Name`` and return what ``Name`` stands for.

    Only ever call it with a place that the user typed, never with one that was found in a run folder.

    Args:
        place: path and name.
        expected: what the caller needs, for error messages.

    Raises:
        SparringError: no such file, a file that fails, or no such name in it.
    """
    written, _, name = place.rpartition(":")
    path = Path(written)
    if path.suffix != ".py" or not path.is_file():
        raise SparringError(found=f"no file {written!r}", expected=expected, remedy="check the path")
    content = path.read_bytes()
    digest = sha256(content).hexdigest()[:12]
    values = vars(_executed(path, content, f"own_{path.stem}_{digest}"))
    if name not in values:
        names = [name for name in values if not name.startswith("__")]
        remedy = f"check the name{nearest(name, names)}"
        raise SparringError(found=f"no {name!r} in {path}", expected=expected, remedy=remedy)
    return UserObject(values[name], digest)


def load_user_function(place: str) -> UserObject:
    """Load the function at ``place`` = ``file.py:function``, as ``load_user_object`` does.

    Raises:
        SparringError: no such file, a file that fails, or no such function in it.
    """
    expected = "a function in a Python file, as file.py:function"
    found = load_user_object(place, expected)
    if not callable(found.value):
        raise SparringError(
            found=f"{type(found.value).__name__} as {place!r}", expected=expected, remedy="check the name"
        )
    return found


@contextmanager
def failures_reported(place: str) -> Iterator[None]:
    """Turn whatever the user's code raises, ``sys.exit`` too, into one SparringError, chained to the original.

    Ctrl-C stays what it is, and so does a SparringError.

    Args:
        place: where the code is, for the message.
    """
    try:
        yield
    except (KeyboardInterrupt, SparringError):
        raise
    except BaseException as error:
        try:
            message = next(iter(str(error).splitlines()), "no message")
        except Exception:
            message = "no message that can be read"
        raise SparringError(
            found=f"{type(error).__name__} in {place}: {message}",
            expected="code that runs",
            remedy="correct the file and try again",
        ) from error


def _executed(path: Path, content: bytes, name: str) -> ModuleType:
    module = ModuleType(name)
    module.__file__ = str(path)
    # Dataclasses and pickle look a module up by its name, the former while it is still being executed.
    sys.modules[name] = module
    try:
        with failures_reported(str(path)):
            # The content that was hashed is executed, not a compiled copy that may be older.
            exec(SourceFileLoader(name, str(path)).source_to_code(content, str(path)), vars(module))
    except BaseException:
        del sys.modules[name]
        raise
    return module
