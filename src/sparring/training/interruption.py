"""Ctrl-C and SIGTERM: the first asks the run to stop, the second ends the process at once."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import final

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@final
class Interruption:
    """A request to stop.

    Attributes:
        code: the exit code of the signal, or 0 for none.
        raises: whether a signal raises KeyboardInterrupt at once; otherwise the run looks here after each step.
    """

    def __init__(self) -> None:
        self.code, self.raises = 0, False

    def __bool__(self) -> bool:
        return self.code != 0

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        code = EXIT_CODES[signal.Signals(number)]
        if self:
            os._exit(code)
        self.code = code
        if self.raises:
            raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Catch the two signals while the body runs; elsewhere than in the main thread nothing is caught."""
    interruption = Interruption()
    try:
        before = {number: signal.signal(number, interruption.receive) for number in EXIT_CODES}
    except ValueError:
        before = {}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
