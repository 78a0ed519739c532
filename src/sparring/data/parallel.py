"""Reading with several threads; decoders let go of the interpreter while they work."""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

MOST_THREADS = 8


def threads() -> int:
    """As many as this process has cores: on one core, several only get in each other's way."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(MOST_THREADS, cores)


def in_order(work: Callable[[range], Result], count: int, size: int) -> Iterator[Result]:
    """``work`` on consecutive ranges of at most ``size`` out of ``count``, several at once, results in order.

    Only a few results wait at any time, whatever ``count`` is.
    """
    parts = (range(start, min(start + size, count)) for start in range(0, count, size))
    together = threads()
    if together == 1:
        yield from map(work, parts)
        return
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(together, thread_name_prefix="reading") as pool:
        try:
            for part in parts:
                waiting.append(pool.submit(work, part))
                if len(waiting) > 2 * together:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
