"""Random numbers as a pure function of (seed, stream, step).

A resumed run needs no saved generator state: it draws the same step again. Ranks and micro-batches draw the tensor of
the whole batch and take their own rows, so the numbers do not depend on the split.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import final

import torch
from torch import Generator, Tensor

from sparring.arguments import whole_number


def require_seed(seed: int) -> int:
    """Return a seed of any integer type as an ``int``.

    Raises:
        SparringError: it is no whole number, below 0, or does not fit into 63 bits.
    """
    return whole_number("seed", seed, least=0)


def derive(seed: int, stream: str, step: int = 0) -> int:
    """Return a 63-bit seed: equal for equal (seed, stream, step), independent otherwise."""
    digest = blake2b(f"{seed}/{stream}/{step}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(seed: int, stream: str, step: int = 0) -> Generator:
    """Return torch's CPU generator seeded for (seed, stream, step): the numbers are the same for every device."""
    return Generator().manual_seed(derive(seed, stream, step))


@contextmanager
def seeded(seed: int, stream: str, step: int = 0) -> Iterator[None]:
    """Seed torch's global generators by (seed, stream, step) for code that draws from them: initialisation, dropout.

    Their previous states are restored afterwards.
    """
    devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices):
        _seed_all(derive(seed, stream, step))
        yield


def _seed_all(seed: int) -> None:
    """Seed as torch.manual_seed does, without its search for unused devices, which costs a tenth of a small step."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)


@final
@dataclass(frozen=True)
class RandomStream:
    """Random numbers of one turn, for some rows of a batch.

    Args:
        seed: seed of the run.
        step: step of the run, or number of the batch.
        total: rows of the whole batch, over all ranks and micro-batches.
        rows: the rows that are computed here.
        stream: prefix of the stream names, unique to a turn of the step.
        device: device on which the numbers are returned.
    """

    seed: int
    step: int
    total: int
    rows: slice
    stream: str = ""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def normal(self, stream: str, *shape: int) -> Tensor:
        """Draw standard normal numbers, (rows, *shape)."""
        return self._take(torch.randn(self.total, *shape, generator=self._generator(stream)))

    def uniform(self, stream: str, *shape: int) -> Tensor:
        """Draw numbers uniform in [0, 1), (rows, *shape)."""
        return self._take(torch.rand(self.total, *shape, generator=self._generator(stream)))

    def integers(self, stream: str, high: int, *shape: int) -> Tensor:
        """Draw integers uniform in [0, high), (rows, *shape), int64."""
        return self._take(torch.randint(high, (self.total, *shape), generator=self._generator(stream)))

    def substream(self, stream: str) -> "RandomStream":
        """Return an independent stream for the same rows of the same step."""
        return replace(self, stream=f"{self.stream}{stream}/")

    def _generator(self, stream: str) -> Generator:
        return generator(self.seed, self.stream + stream, self.step)

    def _take(self, whole: Tensor) -> Tensor:
        return whole[self.rows].to(self.device)
