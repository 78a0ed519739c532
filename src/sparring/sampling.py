"""Sampling: the one loop that generates, and conditions from rows of data."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from sparring.data.dataset import Dataset
from sparring.flow import Batch, Latent
from sparring.games.game import Game
from sparring.randomness import RandomStream, generator
from sparring.samples import Sample, as_float32, concatenate, map_floats, take, to_device

AT_ONCE = 64
"""Samples per pass. Noise is drawn in portions of this size: sample i does not depend on how many are asked for."""


def generate(
    game: Game,
    count: int,
    condition: Sample | None = None,
    *,
    seed: int,
    stream: str,
    device: torch.device | str = "cpu",
    truncation: float = 1.0,
    bounds: tuple[float, float] | None = None,
) -> Sample:
    """``count`` samples of a game on the CPU, floating-point parts in float32.

    Args:
        game: its published players are on ``device``.
        count: how many.
        condition: one for each sample, or None.
        seed: equal seeds and streams give equal samples.
        stream: keeps one use of a seed apart from others.
        device: where to compute.
        truncation: factor on the noise.
        bounds: values are clamped to these, or to nothing.
    """

    def portions() -> Iterator[Latent]:
        for start in range(0, count, AT_ONCE):
            rows = slice(0, min(AT_ONCE, count - start))
            latent = game.latent(RandomStream(seed, start, AT_ONCE, rows, stream, torch.device(device)))
            yield latent if truncation == 1 else latent * truncation

    return generate_from(game, portions(), condition, bounds=bounds)


def generate_from(
    game: Game,
    portions: Iterable[Latent],
    condition: Sample | None = None,
    *,
    bounds: tuple[float, float] | None = None,
) -> Sample:
    """Samples from given noise, on the CPU, floating-point parts in float32.

    Args:
        game: its published players are where the noise is.
        portions: noise, a pass each.
        condition: one for each row of all noise together, or None.
        bounds: values are clamped to these, or to nothing.
    """
    made, start = [], 0
    with torch.inference_mode():
        for latent in portions:
            told = to_device(take(condition, slice(start, start + len(latent))), latent.device)
            made.append(to_device(as_float32(game.generate(latent, told)), "cpu"))
            start += len(latent)
    return within(concatenate(made), bounds)


def within(samples: Sample, bounds: tuple[float, float] | None) -> Sample:
    """The samples with values clamped to ``bounds``."""
    return samples if bounds is None else map_floats(lambda part: part.clamp(*bounds), samples)


def conditions_from(data: Dataset, count: int, seed: int) -> Batch:
    """``count`` rows of ``data`` in random order, from the start again where there are fewer.

    Their conditions come in the shares in which the data has them, each with the sample that really belonged to it.
    """
    rows = torch.randperm(len(data), generator=generator(seed, "conditions")).numpy()
    return data.batch(np.resize(rows, count))
