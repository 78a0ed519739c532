"""A discriminator with a pool of earlier fakes."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from sparring.flow import Progress, Verdict


class Pooled(nn.Module):
    """Discriminator that sees fakes of earlier steps again (Shrivastava et al. 2017, section 2.3).

    The pool is a buffer: it is part of every checkpoint, and moves in ``Turn.after`` alone.

    Args:
        discriminator: ``sample -> Verdict``.
        shape: of one sample.
        size: fakes that are kept; 0 for none. Rows of a batch beyond this number are never replaced.
    """

    fakes: Tensor
    filled: Tensor

    def __init__(self, discriminator: nn.Module, shape: tuple[int, ...], size: int = 50) -> None:
        super().__init__()
        self.discriminator = discriminator
        self.register_buffer("fakes", torch.zeros(size, *shape))
        self.register_buffer("filled", torch.zeros(size, dtype=torch.bool))

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        """Return the verdict of the discriminator on ``sample``."""
        verdict: Verdict = self.discriminator(sample, condition)
        return verdict

    def exchanged(self, fakes: Tensor, progress: Progress) -> Tensor:
        """Return the fakes of a turn, (batch, *shape), each replaced by an earlier one with probability 1/2."""
        rows, places, chosen = self._places(progress)
        earlier = chosen & self.filled[places]
        seen = fakes.clone()
        seen[rows[earlier]] = self.fakes[places[earlier]].to(fakes.dtype)
        return seen

    def remember(self, fakes: Tensor, progress: Progress) -> None:
        """Store the fakes that were replaced, and those whose place in the pool was empty."""
        rows, places, chosen = self._places(progress)
        kept = chosen | ~self.filled[places]
        self.fakes[places[kept]] = fakes[rows[kept]].to(self.fakes.dtype)
        self.filled[places[kept]] = True

    def _places(self, progress: Progress) -> tuple[Tensor, Tensor, Tensor]:
        """Return rows that have a place in the pool, these places, and which of the rows are replaced if it is filled.

        Rows of a batch have neighbouring places from a random one on, so no two share one, in whatever parts the batch
        is computed.
        """
        random, size = progress.random, len(self.fakes)
        numbers = torch.tensor(range(random.total)[random.rows], device=random.device)
        rows = (numbers < size).nonzero().squeeze(1)
        first = replace(random, rows=slice(0, 1)).integers("place", max(1, size))
        return rows, (first + numbers[rows]) % max(1, size), random.uniform("exchange")[rows] < 0.5
