"""The trainer's own protection: an update whose numbers are not finite is not made."""

import math
from dataclasses import dataclass, field
from typing import final

PATIENCE = 5
"""Refused updates of one turn in a row after which the trainer gives up."""


@final
@dataclass
class Guard:
    """Counts the updates of each turn, by its name, that were refused in a row, and in all."""

    refused: dict[str, int] = field(default_factory=dict)
    total: int = 0

    def note(self, turn: str, norm: float) -> bool:
        """Take note of a gradient's norm, or of a sum of terms; return False where it is not finite."""
        if math.isfinite(norm):
            self.refused[turn] = 0
            return True
        self.refused[turn] = self.refused.get(turn, 0) + 1
        self.total += 1
        return False

    @property
    def exhausted(self) -> str | None:
        """Name of the turn whose updates have been refused for too long."""
        return next((turn for turn, count in self.refused.items() if count >= PATIENCE), None)
