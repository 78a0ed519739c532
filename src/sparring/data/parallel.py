"""Reading with several threads; decoders let go of the interpreter while they work."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

THREADS = min(8, os.cpu_count() or 1)


def in_order(work: Callable[[range], Result], count: int, size: int) -> Iterator[Result]:
    """``work`` on consecutive ranges of at most ``size`` out of ``count``, several at once, results in order.

    Only a few results wait at any time, whatever ``count`` is.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="reading") as pool:
        try:
            for start in range(0, count, size):
                waiting.append(pool.submit(work, range(start, min(start + size, count))))
                if len(waiting) > 2 * THREADS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
