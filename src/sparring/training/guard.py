"""Guard against non-finite updates: they are skipped, and too many of them end the run."""

import math
from dataclasses import dataclass, field
from typing import final

MAX_SKIPPED = 5
"""Skipped updates of one turn in a row after which the trainer gives up."""


@final
@dataclass
class Guard:
    """Counts skipped updates: those in a row by the name of their turn, and the total."""

    skipped: dict[str, int] = field(default_factory=dict)
    total: int = 0

    def check(self, turn: str, norm: float) -> bool:
        """Return whether a gradient norm, or a sum of terms, is finite, and count it if it is not."""
        if math.isfinite(norm):
            self.skipped[turn] = 0
            return True
        self.skipped[turn] = self.skipped.get(turn, 0) + 1
        self.total += 1
        return False

    @property
    def exhausted(self) -> str | None:
        """Name of a turn that has reached the limit of skipped updates, or None."""
        return next((turn for turn, count in self.skipped.items() if count >= MAX_SKIPPED), None)
