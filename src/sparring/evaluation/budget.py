"""Time budget of an evaluation."""

import math
import time
from typing import final

SAMPLES_SHARE = 0.25
"""Share of the budget for one kind of samples."""
TRAINING_SHARE = 0.6
"""Share of the budget after which no network may still be in training."""
REPEATS_SHARE = 0.7
"""Share of the budget after which no repeat may still be computed."""
MIN_SAMPLES = 250
"""Samples that are evaluated however long that takes."""


@final
class Budget:
    """Wall time that an evaluation may take from now on, and what it leaves out to keep within it.

    Args:
        seconds: how long; no limit by default.

    Attributes:
        limits: what was used instead of all samples, repeats and features.
    """

    def __init__(self, seconds: float = math.inf) -> None:
        began = time.monotonic()
        self.seconds = seconds
        self.training_deadline = began + TRAINING_SHARE * seconds
        self.repeats_deadline = began + REPEATS_SHARE * seconds
        self.limits: list[str] = []

    @property
    def remarks(self) -> tuple[str, ...]:
        """A sentence on what was left out, if anything was."""
        used = f"To take no longer than {self.seconds:.0f} s, this evaluation used {', '.join(self.limits)}."
        full = "`sparring evaluate` has no such limit: do not compare its scores with these."
        return (f"{used} {full}",) if self.limits else ()

    def affordable(self, count: int, seconds_each: float, what: str) -> int:
        """Return ``count``, halved until so many samples take no more than their share of the budget."""
        affordable = count
        while affordable * seconds_each > SAMPLES_SHARE * self.seconds and affordable // 2 >= MIN_SAMPLES:
            affordable //= 2
        if affordable < count:
            self.limits.append(f"{affordable:,} of {count:,} {what}")
        return affordable
