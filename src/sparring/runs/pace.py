"""Speed of a run over its latest seconds."""

from collections import deque
from typing import final

WINDOW_SECONDS = 30.0
"""Seconds that the speed is measured over."""
WARM_UP_STEPS = 3
"""First steps, which allocate memory and choose algorithms, and are left out."""
MIN_SECONDS = 1.0
"""Seconds after which the speed is known."""


@final
class Pace:
    """Measures samples per second, without the first steps and without what was long ago.

    Args:
        now: present time in seconds, on any clock.
    """

    def __init__(self, now: float) -> None:
        self._began, self._now, self._steps, self._samples = now, now, 0, 0
        self._marks: deque[tuple[float, int]] = deque()

    def step(self, samples: int, now: float) -> None:
        """Take note of a step on so many samples that ended at ``now``."""
        self._now, self._steps, self._samples = now, self._steps + 1, self._samples + samples
        if self._steps >= WARM_UP_STEPS:
            self._marks.append((now, self._samples))
        while len(self._marks) > 2 and self._marks[1][0] <= now - WINDOW_SECONDS:
            self._marks.popleft()

    @property
    def is_known(self) -> bool:
        """True once the speed was measured for long enough to be an estimate of that to come."""
        return len(self._marks) > 1 and self._now - self._marks[0][0] >= MIN_SECONDS

    @property
    def rate(self) -> float:
        """Samples per second of the latest seconds; of all steps so far where the speed is not known yet."""
        began, before = self._marks[0] if self.is_known else (self._began, 0)
        return (self._samples - before) / max(self._now - began, 1e-9)

    def seconds_for(self, samples: int) -> float | None:
        """Return how long so many samples will take, or None where the speed is not known yet."""
        return samples / self.rate if self.is_known else None
