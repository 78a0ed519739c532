"""Several processes, one run: each computes its rows of the same batch, and gradients are summed.

``torchrun`` starts the processes; the networks stay unwrapped.
"""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import final

import torch
from torch import Tensor, distributed

from sparring.errors import SparringError

PATIENCE = timedelta(seconds=20)
"""How long a process waits for the others."""


@final
@dataclass(frozen=True)
class World:
    """This process among all processes of the run."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return self.rank == 0

    def rows(self, batch: int) -> slice:
        """This process's rows of a batch."""
        return slice(self.rank * batch // self.size, (self.rank + 1) * batch // self.size)

    def sum(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by its sum over all processes, in one message.

        Raises:
            SparringError: another process is gone or silent; its rank is named.
        """
        parts = list(tensors)
        if self.size == 1 or not parts:
            return
        flat = torch.cat([part.reshape(-1) for part in parts])
        self._together(flat, distributed.ReduceOp.SUM)
        for part, summed in zip(parts, flat.split([part.numel() for part in parts]), strict=True):
            part.copy_(summed.view_as(part))

    def largest(self, values: list[float]) -> list[float]:
        """The largest of each value over all processes, so that all decide alike."""
        if self.size == 1:
            return values
        tensor = torch.tensor(values, dtype=torch.float64)
        self._together(tensor, distributed.ReduceOp.MAX)
        return [float(value) for value in tensor]

    def wait(self) -> None:
        """Until all processes are here."""
        self.largest([0.0])

    def agree(self, text: str) -> str:
        """The first process's ``text``, in all processes."""
        if self.size == 1:
            return text
        store = distributed.distributed_c10d._get_default_store()
        if self.first:
            store.set("sparring/text", text)
        self.wait()
        return store.get("sparring/text").decode()

    def _together(self, tensor: Tensor, operation: "distributed.ReduceOp.RedOpType") -> None:
        try:
            distributed.all_reduce(tensor, op=operation)
        except (RuntimeError, ValueError) as error:
            raise SparringError(
                found=f"no answer from {self._missing()} ({str(error).splitlines()[0][:120]})",
                expected=f"all {self.size} processes to compute their part of the batch",
                remedy="look at what that process printed, then run `sparring resume` with the same torchrun line",
            ) from error

    def _missing(self) -> str:
        """Every process that still lives says so in the shared store; who does not is missing."""
        store = distributed.distributed_c10d._get_default_store()
        store.set(f"sparring/alive/{self.rank}", "yes")
        time.sleep(2)
        absent = [rank for rank in range(self.size) if not store.check([f"sparring/alive/{rank}"])]
        return " and ".join(f"rank {rank}" for rank in absent) or "one rank in time"


def join(device: torch.device) -> World:
    """The world that ``torchrun`` set up, or this process alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return World()
    if not distributed.is_initialized():
        backend = "nccl" if device.type == "cuda" else "gloo"
        distributed.init_process_group(backend, timeout=PATIENCE)
    return World(distributed.get_rank(), size)


def leave() -> None:
    """End the conversation between the processes, if there is one."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
