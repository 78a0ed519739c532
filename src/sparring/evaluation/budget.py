"""Time budget of an evaluation."""

import math
import time
from collections.abc import Callable
from typing import final

SAMPLES_SHARE = 0.2
"""Share of the budget for one kind of samples."""
COMPARISON_SHARE = 0.5
"""Share of the time until no repeat may be computed any more that the comparison of all samples may take."""
GROWTH = 1.5
"""Power of the number of samples that the time of a comparison grows with: between features and distances."""
TRAINING_SHARE = 0.5
"""Share of the budget after which no network may still be in training."""
REPEATS_SHARE = 0.6
"""Share of the budget after which no repeat may still be computed; the rest is for the report."""
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

    def affordable(self, count: int, seconds_each: float, what: str, fixed: float = 0.0) -> int:
        """Return ``count``, halved until so many samples take no more than their share of the budget.

        Args:
            count: number of samples.
            seconds_each: that one takes.
            what: the samples, in words.
            fixed: seconds that they take however few they are.
        """
        return self._halved(count, lambda size: size * seconds_each + fixed, SAMPLES_SHARE * self.seconds, what)

    def comparable(self, count: int, few: int, seconds: float) -> int:
        """Return ``count``, halved until the comparison of so many samples a side takes no more than its share.

        Args:
            count: samples on each side.
            few: samples of a comparison that was timed.
            seconds: that it took.
        """
        left = COMPARISON_SHARE * (self.repeats_deadline - time.monotonic())
        return self._halved(count, lambda size: seconds * (size / few) ** GROWTH, left, "samples a side")

    def _halved(self, count: int, seconds: Callable[[int], float], left: float, what: str) -> int:
        affordable = count
        while seconds(affordable) > left and affordable // 2 >= MIN_SAMPLES:
            affordable //= 2
        if affordable < count:
            self.limits.append(f"{affordable:,} of {count:,} {what}")
        return affordable
