"""Reading with several threads; decoders release the interpreter lock while they work."""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

MAX_THREADS = 8


def thread_count() -> int:
    """Return the number of cores of this process, at most 8; on one core, more threads only slow each other down."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(MAX_THREADS, cores)


def in_order(work: Callable[[range], Result], count: int, size: int) -> Iterator[Result]:
    """Call ``work`` on consecutive ranges of ``count`` positions in parallel, and yield the results in order.

    Few results are waiting at any time, whatever ``count`` is.

    Args:
        work: (range of positions) → result.
        count: number of positions.
        size: positions per range; the last range may have fewer.
    """
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
