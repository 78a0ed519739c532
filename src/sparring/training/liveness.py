"""Heartbeats of ranks: a process that hangs is named by the others, and the run ends."""

import itertools
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from sparring.errors import SparringError
from sparring.text import show

HEARTBEAT_SECONDS = 1.0
"""Seconds between heartbeats."""
SILENCE_SECONDS = 15.0
"""Seconds without a heartbeat after which a process is given up."""


class Store(Protocol):
    """Key-value store that all ranks share: one of ``torch.distributed``."""

    def set(self, key: str, value: str) -> None: ...

    def get(self, key: str) -> bytes: ...

    def check(self, keys: list[str]) -> bool: ...

    def add(self, key: str, amount: int) -> int: ...


def heartbeat(store: Store, rank: int) -> str:
    """Return the last heartbeat of a rank: its host, its process number there, and a count; empty if there is none."""
    return store.get(_key(rank)).decode() if store.check([_key(rank)]) else ""


def silent_ranks(store: Store, size: int, rank: int) -> list[int]:
    """Return the ranks other than ``rank`` that send no heartbeat for two and a half seconds."""
    try:
        before = [heartbeat(store, other) for other in range(size)]
        time.sleep(2.5 * HEARTBEAT_SECONDS)
        return [other for other, beat in enumerate(before) if other != rank and heartbeat(store, other) == beat]
    except (RuntimeError, ValueError):
        return [0]  # Rank 0 kept the store.


def silence(found: str, size: int) -> SparringError:
    """Return the error for a process that does not answer."""
    return SparringError(
        found=found,
        expected=f"all {size} processes to compute their part of the batch",
        remedy="look at what that process printed, then run `sparring resume` with the same torchrun line",
    )


@contextmanager
def watched(store: Store | None, size: int, rank: int) -> Iterator[None]:
    """Send heartbeats while the body runs, and end this process when another rank hangs."""
    if store is None:
        yield
        return
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(store, size, rank, over), daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def _watch(store: Store, size: int, rank: int, over: threading.Event) -> None:
    seen: dict[int, tuple[str, float]] = {}
    try:
        for count in itertools.count():
            store.set(_key(rank), f"{socket.gethostname()} {os.getpid()} {count}")

            # A heartbeat that has not changed for too long is one of a process that hangs.
            for other in range(size):
                beat, now = heartbeat(store, other), time.monotonic()
                if other not in seen or seen[other][0] != beat:
                    seen[other] = beat, now
                elif beat and now - seen[other][1] > SILENCE_SECONDS:
                    _give_up(size, rank, other, beat)
            if over.wait(HEARTBEAT_SECONDS):
                store.set(_key(rank), "")
                return
    except (RuntimeError, ValueError):
        return  # The store has gone with the process that kept it: the next exchange with the others fails and says so.


def _give_up(size: int, rank: int, other: int, beat: str) -> None:
    """End this process, whose main thread waits for ``other``, and that one too: torchrun would wait long for it."""
    error = silence(f"no heartbeat from rank {other} for {SILENCE_SECONDS:.0f} s", size)
    show(f"sparring (rank {rank}): {error}", sys.stderr)
    host, process, _ = beat.split()
    if host == socket.gethostname():
        with suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGKILL)
    os._exit(2)


def _key(rank: int) -> str:
    """Key of a rank's heartbeats in the store."""
    return f"sparring/alive/{rank}"
