"""Several processes, one run: each computes its rows of the same batch, and gradients are summed.

``torchrun`` starts the processes; the networks stay unwrapped. ``liveness`` notices a process that hangs.
"""

import atexit
import importlib
import itertools
import math
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any, final

import torch
from torch import Tensor, distributed, nn
from torch.distributed.rendezvous import rendezvous

from sparring.arguments import option
from sparring.errors import SparringError
from sparring.training.liveness import Store, silence, silent_ranks

EXCHANGE_TIMEOUT = timedelta(minutes=30)
"""Time that a process waits for others that live: rank 0 may be saving or evaluating."""
START_TIMEOUT = timedelta(minutes=5)
"""Time that a process waits at the start until all processes have joined."""
END_SECONDS = 3.0
"""Seconds that a process with an error waits for the others, so that all end by themselves and with its exit code."""
ENDED = "sparring/ended"
"""Key of the number of processes that ended with an error."""

_broadcasts = itertools.count()


@final
@dataclass(frozen=True)
class World:
    """One process among all processes of the run.

    Args:
        rank: its number.
        size: number of processes.
        store: the store that they share, or None where this process is alone.
    """

    rank: int = 0
    size: int = 1
    store: Store | None = field(default=None, compare=False, repr=False)

    @property
    def is_main(self) -> bool:
        """True for the process that writes files and prints."""
        return self.rank == 0

    def rows(self, batch: int) -> slice:
        """Return this process's rows of a batch."""
        return slice(self.rank * batch // self.size, (self.rank + 1) * batch // self.size)

    def require_rows(self, batch: int) -> None:
        """Refuse a batch of fewer rows than ranks, which would wait for one another.

        Raises:
            SparringError: a rank would have none.
        """
        if batch < self.size:
            raise SparringError(
                found=f"a batch of {batch} for {self.size} processes",
                expected="at least one sample for each of them",
                remedy=f"give a larger {option('batch')}, or start fewer processes",
            )

    def all_reduce(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by its sum over all ranks, in one message.

        Raises:
            SparringError: another process is gone or silent; its rank is named.
        """
        parts = list(tensors)
        if self.size == 1 or not parts:
            return
        flat = torch.cat([part.reshape(-1) for part in parts])
        self._exchange(lambda: distributed.all_reduce(flat, op=distributed.ReduceOp.SUM))
        for part, summed in zip(parts, flat.split([part.numel() for part in parts]), strict=True):
            part.copy_(summed.view_as(part))

    def all_reduce_max(self, values: list[float]) -> list[float]:
        """Return the maximum of each value over all ranks, so that all decide alike."""
        if self.size == 1:
            return values
        device = f"cuda:{torch.cuda.current_device()}" if distributed.get_backend() == "nccl" else "cpu"
        tensor = torch.tensor(values, dtype=torch.float64, device=device)
        self._exchange(lambda: distributed.all_reduce(tensor, op=distributed.ReduceOp.MAX))
        return [float(value) for value in tensor.tolist()]

    def all_gather(self, tensors: Iterable[Tensor]) -> list[Tensor]:
        """Concatenate the rows of each tensor over all ranks, in the order of ranks and bit for bit.

        Args:
            tensors: (rows, …) each, of any type; their number, types and shapes of a row are the same on all ranks.

        Raises:
            SparringError: another process is gone or silent; its rank is named.
        """
        parts = list(tensors)
        if self.size == 1 or not parts:
            return parts

        # Exchange how many rows of each tensor every rank has.
        mine = torch.tensor([len(part) for part in parts], device=parts[0].device)
        counts = [count.tolist() for count in self._gather(mine)]  # (ranks, tensors)

        # Exchange all tensors as one message of bytes per rank, padded to the longest.
        widths = [part.itemsize * math.prod(part.shape[1:]) for part in parts]
        sizes = [[rows * width for rows, width in zip(count, widths, strict=True)] for count in counts]
        flat = torch.cat([part.contiguous().flatten().view(torch.uint8) for part in parts])
        longest = max(1, *(sum(size) for size in sizes))
        messages = self._gather(nn.functional.pad(flat, (0, longest - len(flat))))

        # Split the messages, and concatenate the rows of each tensor.
        pieces = [message[: sum(size)].split(size) for message, size in zip(messages, sizes, strict=True)]
        return [
            torch.cat(shares).view(part.dtype).reshape(sum(rows), *part.shape[1:])
            for part, shares, rows in zip(parts, zip(*pieces, strict=True), zip(*counts, strict=True), strict=True)
        ]

    def broadcast(self, text: str) -> str:
        """Return rank 0's ``text`` on all ranks; the others wait for it."""
        if self.store is None:
            return text
        key = f"sparring/text/{next(_broadcasts)}"
        if self.is_main:
            self.store.set(key, text)
        # Polled, because a get that waits would keep the store from this process's heartbeats.
        deadline = time.monotonic() + EXCHANGE_TIMEOUT.total_seconds()
        while not self.store.check([key]):
            if self.store.check([ENDED]):
                raise SparringError(
                    found="an error in another process",
                    expected="all processes to continue",
                    remedy="look at what that process printed",
                )
            if time.monotonic() > deadline:
                raise silence("no answer from rank 0", self.size)
            time.sleep(0.02)
        return self.store.get(key).decode()

    def barrier(self) -> None:
        """Wait until rank 0 gets here."""
        self.broadcast("")

    def _gather(self, tensor: Tensor) -> list[Tensor]:
        """Return the tensors of all ranks, which are of one shape."""
        found = [torch.empty_like(tensor) for _ in range(self.size)]
        self._exchange(lambda: distributed.all_gather(found, tensor))
        return found

    def _exchange(self, exchange: Callable[[], object]) -> None:
        try:
            exchange()
        except (RuntimeError, ValueError) as error:
            assert self.store is not None
            silent = silent_ranks(self.store, self.size, self.rank)
            missing = " and ".join(f"rank {rank}" for rank in silent) or "another process"
            raise silence(f"no answer from {missing} ({str(error).splitlines()[0][:120]})", self.size) from error


def join(device: torch.device) -> World:
    """Join the world that ``torchrun`` set up; without one, return that of this process alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return World()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return _connect("nccl" if device.type == "cuda" else "gloo")


def first_to_end() -> bool:
    """Return whether this process is the first that ends with an error, which is the one that reports it.

    It waits until the others end too, or for a few seconds: torchrun kills those that are left.
    """
    # Before this process has joined the others, only torchrun's store can be reached without waiting for them.
    reachable = _rendezvous.cache_info().currsize or os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or not reachable:
        return True
    try:
        store, _, size = _rendezvous()
        first = bool(store.add(ENDED, 1) == 1)
        deadline = time.monotonic() + END_SECONDS
        while store.add(ENDED, 0) < size and time.monotonic() < deadline:
            time.sleep(0.02)
    except (RuntimeError, ValueError):
        return True  # The store is gone with the process that kept it.
    return first


@cache
def _rendezvous() -> tuple[Any, int, int]:
    """Return the store that torchrun keeps, the number of this process and that of all processes.

    After a restart the store still holds what the processes before it have left there, addresses of dead ones among it.
    """
    store, rank, size = next(iter(rendezvous("env://", timeout=START_TIMEOUT)))
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    return distributed.PrefixStore(f"sparring/attempt/{attempt}", store), rank, size  # type: ignore[attr-defined]


@cache
def _connect(backend: str) -> World:
    store, rank, size = _rendezvous()
    # Imported once the group exists, which torch does when it pleases, these functions keep it as their default.
    importlib.import_module("torch.distributed.nn.functional")
    distributed.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=EXCHANGE_TIMEOUT)
    # Left to itself or kept by anyone, the group has threads while Python ends, which can abort a finished process.
    atexit.register(distributed.destroy_process_group)
    return World(rank, size, store)
