"""Reading with several threads; decoders release the interpreter lock while they work."""

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias, TypeVar

Result = TypeVar("Result")

MAX_THREADS = 8


OnReading: TypeAlias = Callable[[str, int, int], None]
"""(what is done, positions done, positions in all) → shows it."""
QUIET_SECONDS, INTERVAL_SECONDS = 1.0, 0.2
"""Seconds of reading before progress is shown, and between two times that it is."""
_on_reading: ContextVar[OnReading | None] = ContextVar("on reading", default=None)


@contextmanager
def shown_by(on_reading: OnReading) -> Iterator[None]:
    """Show the progress of reading inside ``with``, where it takes longer than a second."""
    token = _on_reading.set(on_reading)
    try:
        yield
    finally:
        _on_reading.reset(token)


def thread_count() -> int:
    """Return the number of cores of this process, at most 8; on one core, more threads only slow each other down."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(MAX_THREADS, cores)


def in_order(work: Callable[[range], Result], count: int, size: int, what: str = "reading") -> Iterator[Result]:
    """Call ``work`` on consecutive ranges of ``count`` positions in parallel, and yield the results in order.

    Few results are waiting at any time, whatever ``count`` is.

    Args:
        work: (range of positions) → result.
        count: number of positions.
        size: positions per range; the last range may have fewer.
        what: the work in words, for ``shown_by``.
    """
    show, began, last = _on_reading.get(), time.monotonic(), 0.0
    for number, result in enumerate(_in_order(work, count, size), start=1):
        yield result
        now, done = time.monotonic(), min(number * size, count)
        if show and now - began > QUIET_SECONDS and now - last > INTERVAL_SECONDS:
            show(what, done, count)
            last = now
    if show and last and count:
        show(what, count, count)


def _in_order(work: Callable[[range], Result], count: int, size: int) -> Iterator[Result]:
    ranges = (range(start, min(start + size, count)) for start in range(0, count, size))
    threads = thread_count()
    if threads == 1:
        yield from map(work, ranges)
        return

    # Keep the threads busy, with at most two results per thread waiting to be consumed.
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="reading") as pool:
        try:
            for positions in ranges:
                waiting.append(pool.submit(work, positions))
                if len(waiting) > 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            # Reached early if a range failed or the caller stopped: the rest is not needed.
            for future in waiting:
                future.cancel()
