"""A quality at which training may stop: "fd<0.4"."""

import re
from dataclasses import dataclass
from typing import final

from sparring.errors import SparringError, nearest

SETTLED = "settled"
"""The goal of a run that is to stop when the watchdog can tell no further gain."""
METRICS = {
    "fd": "frechet",
    "kd": "kernel",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
}


@final
@dataclass(frozen=True)
class Goal:
    """A metric, by its name in scores.json, and the bound it has to pass."""

    metric: str
    below: bool
    bound: float

    @staticmethod
    def parse(text: str) -> "Goal":
        """From "fd<0.4", "coverage>0.9", or "settled".

        Raises:
            SparringError: the text is not such a comparison.
        """
        if text.strip() == SETTLED:
            return Goal(SETTLED, below=False, bound=0.0)
        found = re.fullmatch(r"\s*([a-z]+)\s*([<>])\s*(\d+\.?\d*|\.\d+)\s*", text)
        if not found or found[1] not in METRICS:
            word = found[1] if found else text
            raise SparringError(
                found=f"the goal {text!r}",
                expected=f"{SETTLED}, or a comparison such as fd<0.4, with one of {', '.join(METRICS)}",
                remedy=f"write it in quotes, so that the shell leaves < alone{nearest(word, list(METRICS))}",
            )
        return Goal(METRICS[found[1]], found[2] == "<", float(found[3]))

    def met(self, value: float) -> bool:
        """Whether ``value`` passes the bound."""
        return value < self.bound if self.below else value > self.bound

    def __str__(self) -> str:
        if self.metric == SETTLED:
            return "that no further gain can be told"
        word = next(word for word, metric in METRICS.items() if metric == self.metric)
        return f"{word} {'<' if self.below else '>'} {self.bound:g}"
