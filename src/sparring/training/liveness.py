"""Signs of life: a process that stands still is named by the others, and ends the run."""

import itertools
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sparring.training.distributed import HEARTBEAT_SECONDS, World, heartbeat_key, silence

SILENCE = 15.0
"""Seconds without a sign of life after which a process is given up."""


@contextmanager
def watched(world: World) -> Iterator[None]:
    """While the body runs, show the others that this process lives, and end it where another stands still."""
    if world.store is None:
        yield
        return
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(world, over), daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def _watch(world: World, over: threading.Event) -> None:
    assert world.store is not None
    seen: dict[int, tuple[str, float]] = {}
    try:
        for count in itertools.count():
            world.store.set(heartbeat_key(world.rank), f"{socket.gethostname()} {os.getpid()} {count}")
            for rank in range(world.size):
                sign, now = world.heartbeat(rank), time.monotonic()
                if rank not in seen or seen[rank][0] != sign:
                    seen[rank] = sign, now
                elif sign and now - seen[rank][1] > SILENCE:
                    _give_up(world, rank, sign)
            if over.wait(HEARTBEAT_SECONDS):
                world.store.set(heartbeat_key(world.rank), "")
                return
    except (RuntimeError, ValueError):
        return  # The store has gone with the process that kept it: the next message to the others fails and says so.


def _give_up(world: World, rank: int, sign: str) -> None:
    """End this process, whose main thread waits for ``rank``, and that one too: torchrun would wait long for it."""
    error = silence(f"no sign of life from rank {rank} for {SILENCE:.0f} s", world)
    print(f"sparring (rank {world.rank}): {error}", file=sys.stderr, flush=True)
    host, process, _ = sign.split()
    if host == socket.gethostname():
        with suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGKILL)
    os._exit(2)
