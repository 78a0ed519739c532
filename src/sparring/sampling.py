"""Sampling: the only loop that generates samples, and conditions drawn from data."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from sparring.data.conditions import ConditionSpec
from sparring.data.dataset import Dataset
from sparring.flow import Batch, Latent
from sparring.games.game import Game
from sparring.randomness import RandomStream, generator
from sparring.samples import Sample, as_float32, concatenate, map_floats, take, to_device

SAMPLES_PER_PASS = 64
"""Samples per forward pass. Latents are drawn in passes of this size, so sample i does not depend on the count."""


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
    first: int = 0,
) -> Sample:
    """Generate ``count`` samples, on the CPU, floating-point parts in float32.

    Args:
        game: its published players are on ``device``.
        count: number of samples.
        condition: one row per sample, or None.
        seed: equal seeds and streams give equal samples.
        stream: name of the random stream; distinct uses of one seed have distinct names.
        device: device to compute on.
        truncation: factor on the latents.
        bounds: values are clamped to these, unless None.
        first: number of the first sample.
    """

    def latents() -> Iterator[Latent]:
        end = first + count
        for start in range(first // SAMPLES_PER_PASS * SAMPLES_PER_PASS, end, SAMPLES_PER_PASS):
            rows = slice(max(0, first - start), min(SAMPLES_PER_PASS, end - start))
            latent = game.latent(RandomStream(seed, start, SAMPLES_PER_PASS, rows, stream, torch.device(device)))
            yield latent if truncation == 1 else latent * truncation

    return generate_from(game, latents(), condition, bounds=bounds)


def generate_from(
    game: Game,
    latents: Iterable[Latent],
    condition: Sample | None = None,
    *,
    bounds: tuple[float, float] | None = None,
) -> Sample:
    """Generate samples from given latents, on the CPU, floating-point parts in float32.

    Args:
        game: its published players are on the device of the latents.
        latents: one tensor per forward pass.
        condition: one row per row of all latents together, or None.
        bounds: values are clamped to these, unless None.
    """
    samples, start = [], 0
    with torch.inference_mode():
        for latent in latents:
            rows = slice(start, start + len(latent))
            sample = game.generate(latent, to_device(take(condition, rows), latent.device))
            samples.append(to_device(as_float32(sample), "cpu"))
            start = rows.stop
    return clamp(concatenate(samples), bounds)


def clamp(samples: Sample, bounds: tuple[float, float] | None) -> Sample:
    """Clamp floating-point values to ``bounds``; None leaves them as they are."""
    return samples if bounds is None else map_floats(lambda part: part.clamp(*bounds), samples)


def beside_own_condition(batch: Batch, spec: ConditionSpec | None) -> Batch:
    """Return real samples to be shown, without inputs that do not belong to them, as those of other domains."""
    belongs = spec is None or spec.determines or not spec.required
    return batch if belongs else batch._replace(condition=None)


def conditions_from(data: Dataset, count: int, seed: int) -> Batch:
    """Return ``count`` rows of ``data`` in random order, repeated where there are fewer.

    Their conditions occur in the proportions of the data, each beside the real sample that belongs to it.
    """
    rows = torch.randperm(len(data), generator=generator(seed, "conditions")).numpy()
    return data.batch(np.resize(rows, count))
