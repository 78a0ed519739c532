"""One word on the health of a run, from the size of each player's gradient."""

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import final

WINDOW = 200
"""Updates that are remembered."""
PATIENCE = 5
"""Non-finite gradients of one player in a row after which a run is given up."""


@final
@dataclass
class Watchdog:
    """Remembers how large the gradients were; says how a run does, in one word."""

    norms: dict[str, deque[float]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    def note(self, player: str, norm: float) -> bool:
        """Take note of a gradient's norm; whether the update can be made: it cannot where the norm is not finite."""
        if not math.isfinite(norm):
            self.refused[player] = self.refused.get(player, 0) + 1
            return False
        self.refused[player] = 0
        self.norms.setdefault(player, deque(maxlen=WINDOW)).append(norm)
        return True

    @property
    def exhausted(self) -> str | None:
        """The player whose gradients have not been finite for too long."""
        return next((player for player, count in self.refused.items() if count >= PATIENCE), None)

    @property
    def word(self) -> str:
        """ "warming up", "healthy", "shaking" (gradients jumped tenfold), "stalled" (they vanished) or "not finite"."""
        if any(self.refused.values()):
            return "not finite"
        if any(len(norms) < 20 for norms in self.norms.values()) or not self.norms:
            return "warming up"
        recent = [(median(list(norms)[-10:]), median(norms)) for norms in self.norms.values()]
        if any(now > 10 * usual for now, usual in recent):
            return "shaking"
        if any(now < usual / 1000 or usual == 0 for now, usual in recent):
            return "stalled"
        return "healthy"
