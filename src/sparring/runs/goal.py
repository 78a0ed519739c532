"""Goals at which training may stop: "fd<0.4"."""

import math
import re
from dataclasses import dataclass
from typing import final

from sparring.arguments import option
from sparring.errors import SparringError, nearest

SETTLED = "settled"
"""Goal of a run that stops when the watchdog detects no further improvement."""
GOAL_METRICS = {
    "fd": "frechet",
    "kd": "kernel",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
}
"""Name in a goal → name in scores.json."""


@final
@dataclass(frozen=True)
class Goal:
    """A bound that a metric has to pass.

    Args:
        metric: name in scores.json, or SETTLED.
        below: whether the metric has to be below the bound, or above it.
        bound: the bound.
    """

    metric: str
    below: bool
    bound: float

    @staticmethod
    def parse(text: str) -> "Goal":
        """Parse "fd<0.4", "fd<4e-1", "coverage>0.9" or "settled".

        Raises:
            SparringError: the text is none of these.
        """
        words = text if isinstance(text, str) else ""
        if words.strip() == SETTLED:
            return Goal(SETTLED, below=False, bound=0.0)
        found = re.fullmatch(r"\s*([a-z]+)\s*([<>])\s*((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)\s*", words)
        if not found or found[1] not in GOAL_METRICS or not math.isfinite(float(found[3])):
            word = found[1] if found else words
            raise SparringError(
                found=f"the goal {text!r}",
                expected=f"{SETTLED}, or a comparison such as fd<0.4, with one of {', '.join(GOAL_METRICS)}",
                remedy="write it in quotes, as in "
                f"{option('until', 'fd<0.4')}{nearest(word, [SETTLED, *GOAL_METRICS])}",
            )
        return Goal(GOAL_METRICS[found[1]], found[2] == "<", float(found[3]))

    def met(self, value: float) -> bool:
        """Return whether ``value`` passes the bound; NaN never does."""
        return value < self.bound if self.below else value > self.bound

    def __str__(self) -> str:
        if self.metric == SETTLED:
            return "of no further detectable improvement"
        word = next(word for word, metric in GOAL_METRICS.items() if metric == self.metric)
        return f"{word} {'<' if self.below else '>'} {self.bound:g}"
