"""Windows: cutting series to one length, and splits in which no training window shares a step with a held-out one."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sparring.arguments import option
from sparring.data.dataset import hold_out
from sparring.errors import SparringError
from sparring.modalities.series.sequences import Integers
from sparring.randomness import derive

BLOCKS = 10
"""Stretches of time that are held out."""
SHARE = 0.1
"""Share of windows that are held out."""
MIN_SERIES = 10
"""Series from which whole ones are held out rather than stretches of each."""
MIN_LEFT = 0.5
"""Share of the windows of a series that are left for training at least, if it is long enough for several blocks."""


class Cuts(NamedTuple):
    """Places of samples in series.

    Args:
        series: number of the series of each sample, (count,).
        starts: its first row, (count,).
        lengths: its steps, (count,).
    """

    series: Integers
    starts: Integers
    lengths: Integers

    @property
    def overlap(self) -> bool:
        """True if a series has several samples."""
        return len(self.series) > len(np.unique(self.series))


def cut(starts: Integers, lengths: Integers, window: int | None) -> Cuts:
    """Cut series into all windows of a number of steps; a shorter series, or any one without ``window``, stays whole.

    Args:
        starts: first row of each series.
        lengths: steps of each.
        window: steps of a window; None for whole series.
    """
    counts = np.ones_like(lengths) if window is None else np.maximum(1, lengths - window + 1)
    series = np.repeat(np.arange(len(lengths)), counts)
    first = np.arange(len(series)) - np.repeat(np.cumsum(counts) - counts, counts)
    cut_to = lengths if window is None else np.minimum(lengths, window)
    return Cuts(series, starts[series] + first, cut_to[series])


def split(cuts: Cuts, seed: int) -> tuple[Integers, Integers]:
    """Return the numbers of samples for training, and of held-out ones, in order.

    Series are held out whole at random. Of fewer than 10 that are cut into windows, blocks of successive windows that
    are spread over time are held out, and training windows that share a step with one of these are dropped.
    """
    if not cuts.overlap:
        return hold_out(len(cuts.series), seed)
    count = int(cuts.series.max()) + 1
    if count >= MIN_SERIES:
        _, held = hold_out(count, seed)
        inside = np.isin(cuts.series, held)
        return np.flatnonzero(~inside), np.flatnonzero(inside)
    train, held_out = list[Integers](), list[Integers]()
    for number in range(count):
        rows = np.flatnonzero(cuts.series == number)
        window = int(cuts.lengths[rows[0]])
        if len(rows) <= window:
            # Too short to be divided.
            train.append(rows)
            continue
        is_held = _held_out(
            len(rows), window, -(-BLOCKS // count), np.random.default_rng(derive(seed, "blocks", number))
        )
        held_out.append(rows[is_held])
        # A window within window - 1 steps of a held-out one shares a step with it.
        before, place = np.append(0, np.cumsum(is_held)), np.arange(len(rows))
        near = before[np.minimum(len(rows), place + window)] > before[np.maximum(0, place - window + 1)]
        train.append(rows[~near])
    return np.concatenate(train), np.concatenate(held_out)


def blocks_of(windows: int, window: int, most: int = BLOCKS) -> int:
    """Return how many blocks of successive windows can be held out, with gaps, without losing most of the others."""
    for blocks in range(most, 1, -1):
        size = max(1, round(SHARE * windows / blocks))
        if blocks * (size + 2 * (window - 1)) <= (1 - MIN_LEFT) * windows:
            return blocks
    return 1


def _held_out(windows: int, window: int, most: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """Return which windows of a series are held out: a block in each of equal parts, or the last windows."""
    held, blocks = np.zeros(windows, dtype=bool), blocks_of(windows, window, most)
    if blocks == 1:
        held[-max(1, min(round(SHARE * windows), windows - window)) :] = True
        return held
    size, bounds = max(1, round(SHARE * windows / blocks)), np.linspace(0, windows, blocks + 1).astype(int).tolist()
    for begin, end in pairwise(bounds):
        first = int(random.integers(begin, max(begin + 1, end - size + 1)))
        held[first : first + size] = True
    return held


def require_long_enough(lengths: Integers, window: int, source: str) -> None:
    """Refuse few series, all of which are too short for two windows that share no step.

    Raises:
        SparringError: they are.
    """
    if len(lengths) < MIN_SERIES and lengths.max() < 2 * window:
        raise SparringError(
            found=f"{int(lengths.max()):,} steps in {source}",
            expected=f"at least {2 * window:,}: windows of {window:,} steps to train on, and others to judge by",
            remedy="give a longer series" + f", or a smaller {option('window')} than {window:,}" * (window > 2),
        )
