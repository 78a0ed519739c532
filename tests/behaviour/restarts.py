"""The command line as a rank of torchrun that saves at every step, and of which one is killed in its first attempt.

Arguments: the rank that is killed, the step at which it is, and those of the command line.
"""

import os
import signal
import sys
from collections.abc import Iterator

from sparring.cli import main
from sparring.flow import Progress
from sparring.runs import session


def begin(victim: str, step: int) -> None:
    """Kill this process at a step, if it is the victim in its first attempt."""
    train = session.Session.__iter__

    def killed(self: session.Session) -> Iterator[Progress]:
        for progress in train(self):
            is_first = os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"
            if is_first and os.environ["RANK"] == victim and progress.step == step:
                os.kill(os.getpid(), signal.SIGKILL)
            yield progress

    session.Session.__iter__ = killed  # type: ignore[method-assign]
    session.SAVE_INTERVAL_SECONDS = 0.0


if __name__ == "__main__":
    begin(sys.argv[1], int(sys.argv[2]))
    main(sys.argv[3:])
