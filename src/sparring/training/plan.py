"""Budget, batch size and optimisers of a run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

from sparring.errors import SparringError
from sparring.recipe import Adam


@final
@dataclass(frozen=True)
class Plan:
    """The numbers of a run.

    Args:
        optimisers: the optimiser of each trained player.
        batch: real samples per update, over all processes.
        samples: budget in real samples seen; None where only time counts.
        seconds: budget in wall time; None where only samples count. With both, the one spent first ends the run.
        average_half_life: half-life of the moving averages in samples, by the samples seen.
        micro_batch: rows computed at once by one process; None for its whole part of the batch.
        seed: random seed.
        bfloat16: whether the networks run under bf16 autocast.
    """

    optimisers: Mapping[str, Adam]
    batch: int
    samples: int | None = None
    seconds: float | None = None
    average_half_life: Callable[[int], float] = lambda samples: 0.05 * samples
    micro_batch: int | None = None
    seed: int = 0
    bfloat16: bool = False

    def __post_init__(self) -> None:
        for name in ("batch", "samples", "seconds", "micro_batch"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise SparringError(found=f"{name} = {value}", expected="more than zero", remedy="give another number")

    def fraction(self, samples: int, seconds: float) -> float:
        """Return the spent share of the budget, in [0, 1]."""
        spent = samples / self.samples if self.samples else 0.0
        spent = max(spent, seconds / self.seconds) if self.seconds else spent
        return min(spent, 1.0)
