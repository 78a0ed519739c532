"""The trainer's own protection: an update whose gradient is not finite is not made."""

import math
from dataclasses import dataclass, field
from typing import final

PATIENCE = 5
"""Non-finite gradients of one player in a row after which the trainer gives up."""


@final
@dataclass
class Guard:
    """Counts the updates of each player that were refused in a row, and in all."""

    refused: dict[str, int] = field(default_factory=dict)
    total: int = 0

    def note(self, player: str, norm: float) -> bool:
        """Take note of a gradient's norm; whether the update can be made: it cannot where the norm is not finite."""
        if math.isfinite(norm):
            self.refused[player] = 0
            return True
        self.refused[player] = self.refused.get(player, 0) + 1
        self.total += 1
        return False

    @property
    def exhausted(self) -> str | None:
        """The player whose gradients have not been finite for too long."""
        return next((player for player, count in self.refused.items() if count >= PATIENCE), None)
