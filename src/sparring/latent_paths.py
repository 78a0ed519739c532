"""Paths between latents: great circles for a normal prior, straight lines for latents in [-1, 1]."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from sparring.errors import SparringError
from sparring.flow import Latent
from sparring.games.game import Game
from sparring.metrics.smoothness import interpolated, perceptual_path_length
from sparring.randomness import RandomStream, derive, generator
from sparring.samples import Sample
from sparring.sampling import has_normal_prior


class LatentPaths(NamedTuple):
    """Both ends of paths, (count, size) each."""

    first: Latent
    second: Latent
    spherical: bool

    def along(self, steps: int) -> Latent:
        """Return latents at equal distances, (count · steps, size), path after path."""
        positions = torch.linspace(0, 1, steps)[:, None].repeat(len(self.first), 1)  # (count · steps, 1)
        starts, ends = (side.repeat_interleave(steps, 0) for side in (self.first, self.second))
        return interpolated(starts, ends, positions, spherical=self.spherical)

    def perceptual_length(
        self, generated: Callable[[Latent, slice], Sample], extractor: Callable[[Tensor], Tensor], seed: int
    ) -> float:
        """Return the perceptual path length; NaN if features are not finite. See ``metrics.smoothness``.

        Args:
            generated: (latents, their paths) → samples.
            extractor: samples → features.
            seed: of the places on the paths.
        """
        positions = torch.rand(len(self.first), generator=generator(seed, "positions"), dtype=torch.float64)
        try:
            ends = self.first, self.second
            return perceptual_path_length(generated, extractor, ends, positions, spherical=self.spherical)
        except SparringError:
            return math.nan


def random_paths(game: Game, count: int, seed: int) -> LatentPaths:
    """Draw the ends of ``count`` paths."""
    streams = (RandomStream(derive(seed, "end", end), 0, count, slice(0, count), stream="path/") for end in (0, 1))
    first, second = (game.latent(random) for random in streams)
    return LatentPaths(first, second, has_normal_prior(game))
