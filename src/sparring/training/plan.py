"""The numbers of a run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

from sparring.errors import SparringError
from sparring.recipe import Adam


@final
@dataclass(frozen=True)
class Plan:
    """How much is trained, in which portions, and how the players move.

    Args:
        optimisers: how each player moves.
        batch: real samples per update, over all processes.
        samples: real samples to see in all; None where only time counts.
        seconds: wall time to spend; None where only samples count. With both, whichever is spent first.
        average_half_life: samples after which a weight counts half in the averaged players, by the samples seen.
        micro_batch: samples computed at once by one process; None for all of its part of the batch.
        seed: of all random numbers.
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
        """The share of the budget that is spent, in [0, 1]."""
        spent = samples / self.samples if self.samples else 0.0
        spent = max(spent, seconds / self.seconds) if self.seconds else spent
        return min(spent, 1.0)
