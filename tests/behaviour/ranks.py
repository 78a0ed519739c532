"""Program for torchrun: gather rows of every dtype from all ranks, then train the toy games on them.

    torchrun --standalone --nproc-per-node 2 tests/behaviour/ranks.py OUT

Writes a checkpoint of each game below OUT; exits with an error if gathered rows differ in a bit.
"""

import atexit
import os
import sys
from pathlib import Path

import torch
from torch import Tensor

from sparring.training.checkpoint import save_checkpoint
from sparring.training.distributed import World, join
from sparring.training.liveness import watched
from toys.trainers import TOYS

SPECIAL = [0.0, -0.0, float("nan"), float("inf"), 1e-30]


def samples_of_every_dtype() -> list[Tensor]:
    """Return tensors of every dtype, each with five rows, which two ranks cannot share evenly."""
    numbers = torch.tensor(SPECIAL)
    return [
        numbers,
        numbers.double(),
        numbers.bfloat16()[:, None],
        torch.tensor([True, False, False, True, True]),
        torch.arange(5) - 2**40,
        torch.arange(5, dtype=torch.uint8),
        torch.arange(120.0).reshape(5, 2, 3, 4).to(memory_format=torch.channels_last),
        torch.empty(5, 0),
    ]


def check_rows(world: World) -> None:
    """Check that gathered rows equal the split ones bit for bit, even if a rank has no rows."""
    whole = samples_of_every_dtype()
    for split in (world.rows(5), slice(0, 5) if world.is_main else slice(5, 5)):
        for found, expected in zip(world.all_gather(part[split] for part in whole), whole, strict=True):
            assert found.dtype == expected.dtype and found.shape == expected.shape
            assert bits(found) == bits(expected), (found, expected)
    assert world.all_gather([]) == []


def bits(part: Tensor) -> list[int]:
    return part.contiguous().flatten().view(torch.uint8).tolist()


def check_threads() -> None:
    """End with an error where threads of the group are left as Python ends: they can abort a process that succeeded."""
    names = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").glob("*")]
    if left := [name for name in names if "gloo" in name]:
        print("threads are left:", *left, flush=True)
        os._exit(3)


def main(out: Path) -> None:
    """Check how rows are gathered, then train every toy game."""
    atexit.register(check_threads)  # Before the group is made, and hence called after it is destroyed.
    torch.set_num_threads(1)
    world = join(torch.device("cpu"))
    with watched(world.store, world.size, world.rank):
        check_rows(world)
        for name, make in TOYS.items():
            trainer = make(world=world, batch=33)
            for _ in trainer:
                pass
            if world.is_main:
                save_checkpoint(out / name, trainer)
        print(f"rank {world.rank} is done", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
