"""Several processes, one run: each computes its rows of the same batch, and gradients are summed.

``torchrun`` starts the processes; the networks stay unwrapped. While they train, each shows the others that it lives,
by a count in the store that they share; one that stands still is named, and ends the run.
"""

import atexit
import itertools
import math
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Protocol, final

import torch
from torch import Tensor, distributed, nn
from torch.distributed.rendezvous import rendezvous

from sparring.errors import SparringError

PATIENCE = timedelta(minutes=30)
"""How long a process waits for others that live: the first may be saving or judging."""
MEETING = timedelta(minutes=5)
"""How long a process waits at the start until all have come."""
HEARTBEAT_SECONDS = 1.0
"""Seconds between signs of life."""


_agreed = itertools.count()


class Store(Protocol):
    """What all processes can write into and read from: a ``torch.distributed`` store."""

    def set(self, key: str, value: str) -> None: ...

    def get(self, key: str) -> bytes: ...

    def check(self, keys: list[str]) -> bool: ...


@final
@dataclass(frozen=True)
class World:
    """This process among all processes of the run.

    Args:
        rank: its number.
        size: how many there are.
        store: what they share, or None where this process is alone.
    """

    rank: int = 0
    size: int = 1
    store: Store | None = field(default=None, compare=False, repr=False)

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return self.rank == 0

    def rows(self, batch: int) -> slice:
        """This process's rows of a batch."""
        return slice(self.rank * batch // self.size, (self.rank + 1) * batch // self.size)

    def all_reduce(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by its sum over all processes, in one message.

        Raises:
            SparringError: another process is gone or silent; its rank is named.
        """
        parts = list(tensors)
        if self.size == 1 or not parts:
            return
        flat = torch.cat([part.reshape(-1) for part in parts])
        self._together(lambda: distributed.all_reduce(flat, op=distributed.ReduceOp.SUM))
        for part, summed in zip(parts, flat.split([part.numel() for part in parts]), strict=True):
            part.copy_(summed.view_as(part))

    def all_gather(self, tensors: Iterable[Tensor]) -> list[Tensor]:
        """Join the rows of each tensor over all processes, in the order of ranks and bit for bit, whatever their type.

        Args:
            tensors: (rows, …) each; their number, types and shapes of a row are the same in all processes.

        Raises:
            SparringError: another process is gone or silent; its rank is named.
        """
        parts = list(tensors)
        if self.size == 1 or not parts:
            return parts

        # Say how many rows of each come from here.
        mine = torch.tensor([len(part) for part in parts], device=parts[0].device)
        counts = [count.tolist() for count in self._from_all(mine)]

        # Send all of them as one message of bytes, filled up to the longest.
        widths = [part.itemsize * math.prod(part.shape[1:]) for part in parts]
        sizes = [[rows * width for rows, width in zip(count, widths, strict=True)] for count in counts]
        flat = torch.cat([part.contiguous().flatten().view(torch.uint8) for part in parts])
        longest = max(1, *(sum(size) for size in sizes))
        messages = self._from_all(nn.functional.pad(flat, (0, longest - len(flat))))

        # Take the messages apart, and put the rows of each tensor together.
        pieces = [message[: sum(size)].split(size) for message, size in zip(messages, sizes, strict=True)]
        return [
            torch.cat(shares).view(part.dtype).reshape(sum(rows), *part.shape[1:])
            for part, shares, rows in zip(parts, zip(*pieces, strict=True), zip(*counts, strict=True), strict=True)
        ]

    def all_reduce_max(self, values: list[float]) -> list[float]:
        """The largest of each value over all processes, so that all decide alike."""
        if self.size == 1:
            return values
        device = f"cuda:{torch.cuda.current_device()}" if distributed.get_backend() == "nccl" else "cpu"
        tensor = torch.tensor(values, dtype=torch.float64, device=device)
        self._together(lambda: distributed.all_reduce(tensor, op=distributed.ReduceOp.MAX))
        return [float(value) for value in tensor.tolist()]

    def broadcast(self, text: str) -> str:
        """The first process's ``text``, in all processes: the others wait for it."""
        if self.store is None:
            return text
        key = f"sparring/text/{next(_agreed)}"
        if self.is_main:
            self.store.set(key, text)
        # Asked again and again, because a get that waits would keep the store from this process's signs of life.
        deadline = time.monotonic() + PATIENCE.total_seconds()
        while not self.store.check([key]):
            if time.monotonic() > deadline:
                raise silence("no answer from rank 0", self)
            time.sleep(0.02)
        return self.store.get(key).decode()

    def heartbeat(self, rank: int) -> str:
        """The last sign of life of a process: its host, its number there, and a count. Empty if there is none."""
        if self.store is None or not self.store.check([heartbeat_key(rank)]):
            return ""
        return self.store.get(heartbeat_key(rank)).decode()

    def _from_all(self, tensor: Tensor) -> list[Tensor]:
        """Tensors of one shape, those of all processes."""
        found = [torch.empty_like(tensor) for _ in range(self.size)]
        self._together(lambda: distributed.all_gather(found, tensor))
        return found

    def _together(self, exchange: Callable[[], object]) -> None:
        try:
            exchange()
        except (RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0][:120]
            raise silence(f"no answer from {self._missing()} ({reason})", self) from error

    def _missing(self) -> str:
        """Who gives no sign of life for a while."""
        try:
            before = [self.heartbeat(rank) for rank in range(self.size)]
            time.sleep(2.5 * HEARTBEAT_SECONDS)
            silent = [rank for rank, sign in enumerate(before) if rank != self.rank and self.heartbeat(rank) == sign]
        except (RuntimeError, ValueError):
            silent = [0]  # It kept the store.
        return " and ".join(f"rank {rank}" for rank in silent) or "another process"


def join(device: torch.device) -> World:
    """The world that ``torchrun`` set up, or this process alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return World()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return _connect("nccl" if device.type == "cuda" else "gloo")


@cache
def _connect(backend: str) -> World:
    store, rank, size = next(iter(rendezvous("env://", timeout=MEETING)))
    distributed.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)
    # Left to itself, the group is taken down while its threads still run, which can abort a process that did all well.
    atexit.register(distributed.destroy_process_group)
    return World(rank, size, store)


def silence(found: str, world: World) -> SparringError:
    """The error for a process that does not answer."""
    return SparringError(
        found=found,
        expected=f"all {world.size} processes to compute their part of the batch",
        remedy="look at what that process printed, then run `sparring resume` with the same torchrun line",
    )


def heartbeat_key(rank: int) -> str:
    """Key of a process's signs of life in the store."""
    return f"sparring/alive/{rank}"
