"""Random numbers that depend on (seed, stream, step) alone, never on what was drawn before.

A resumed run needs no saved generator: it asks for the same step again. A run on several processes, or in
micro-batches, draws the tensor of the whole batch and takes its own rows, so the numbers do not depend on the split.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import final

import torch
from torch import Generator, Tensor

from sparring.errors import SparringError


def require_seed(seed: int) -> None:
    """Refuse what is no seed everywhere.

    Raises:
        SparringError: it is below 0, or does not fit into 63 bits.
    """
    if not 0 <= seed < 2**63:
        raise SparringError(found=f"--seed {seed}", expected="a number from 0 to 2⁶³ - 1", remedy="give another seed")


def derive(seed: int, stream: str, step: int = 0) -> int:
    """A 63-bit seed for one use: equal for equal (seed, stream, step), unrelated otherwise."""
    digest = blake2b(f"{seed}/{stream}/{step}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(seed: int, stream: str, step: int = 0) -> Generator:
    """A CPU generator for one use. CPU on every device, so that the numbers are the same everywhere."""
    return Generator().manual_seed(derive(seed, stream, step))


@contextmanager
def seeded(seed: int, stream: str, step: int = 0) -> Iterator[None]:
    """Code that can only draw from torch's global generator (initialisation, dropout) draws from (seed, stream, step).

    The global generators are put back afterwards.
    """
    devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices):
        _seed_all(derive(seed, stream, step))
        yield


def _seed_all(seed: int) -> None:
    """Do what torch.manual_seed does, without its search for devices that nobody has used: a tenth of a small step."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)


@final
@dataclass(frozen=True)
class RandomStream:
    """The random numbers of one turn, for the rows ``rows`` of a batch of ``total`` samples.

    Args:
        seed: the seed of the run.
        step: which batch of the run.
        total: samples in the whole batch, over all processes and micro-batches.
        rows: the part of the batch that is being computed now.
        stream: a prefix that keeps the turns of one step apart.
        device: where the numbers are needed.
    """

    seed: int
    step: int
    total: int
    rows: slice
    stream: str = ""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def normal(self, stream: str, *shape: int) -> Tensor:
        """Standard normal numbers, (rows, *shape)."""
        return self._take(torch.randn(self.total, *shape, generator=self._generator(stream)))

    def uniform(self, stream: str, *shape: int) -> Tensor:
        """Numbers uniform in [0, 1), (rows, *shape)."""
        return self._take(torch.rand(self.total, *shape, generator=self._generator(stream)))

    def integers(self, stream: str, high: int, *shape: int) -> Tensor:
        """Whole numbers uniform in [0, high), (rows, *shape), int64."""
        return self._take(torch.randint(high, (self.total, *shape), generator=self._generator(stream)))

    def substream(self, stream: str) -> "RandomStream":
        """The same rows of the same step, in a stream of its own."""
        return replace(self, stream=f"{self.stream}{stream}/")

    def _generator(self, stream: str) -> Generator:
        return generator(self.seed, self.stream + stream, self.step)

    def _take(self, whole: Tensor) -> Tensor:
        return whole[self.rows].to(self.device)
