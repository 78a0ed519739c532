"""The smallest networks there are: points near one from noise, and scores from points."""

import math

import torch
from torch import Tensor, nn

from sparring.flow import Code, Verdict
from sparring.layers.dense import Dense

PACE = 10.0
"""How much faster than other weights places move: they have to cross the data, one weight for each coordinate."""


class Generator(nn.Module):
    """Noise to points: (batch, latent_size) → (batch, dimensions).

    A continuous map of one connected cloud of noise draws bridges between modes. So the noise begins as a mixture of
    many small clouds (Gurumurthy et al. 2017, DeLiGAN, section 3): its first value chooses one of ``places``, which are
    learned, and the others scatter around it. Clouds that were between two modes move into one of them.

    Args:
        dimensions: of a point.
        latent_size: length of the latent vector, at least 2 with places.
        width: of each of the three hidden layers.
        places: number of clouds; 0 for noise as it comes.
        scatter: standard deviation of each cloud at the start, where their centres have 1.
    """

    def __init__(
        self,
        *,
        dimensions: int = 2,
        latent_size: int = 8,
        width: int = 128,
        places: int = 0,
        scatter: float = 0.01,
    ) -> None:
        super().__init__()
        self.scatter = scatter
        size = latent_size - 1 if places else latent_size
        self.places = nn.Parameter(torch.randn(places, size) / PACE) if places else None
        self.layers = Dense(size, width, width, width, dimensions)
        self.shortcut = nn.Linear(size, dimensions)

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        start = latent if self.places is None else self._scattered(latent, self.places)
        points: Tensor = self.layers(start) + self.shortcut(start)
        return points

    def _scattered(self, latent: Tensor, places: Tensor) -> Tensor:
        """Each place is chosen by an equal share of normal noise."""
        share = torch.special.ndtr(latent[:, 0])
        chosen = (share * len(places)).long().clamp(0, len(places) - 1)
        return PACE * places[chosen] + self.scatter * latent[:, 1:]


class Discriminator(nn.Module):
    """Points to scores: (batch, dimensions) → (batch,).

    The point is seen with sines and cosines of random waves beside it, without which a network of this size cannot tell
    modes of width 0.01 from what lies between them (Tancik et al. 2020, section 4).

    Args:
        dimensions: of a point.
        width: of each of the two hidden layers.
        waves: number of random waves.
        highest: wave number of the shortest wave.
    """

    waves: Tensor

    def __init__(
        self,
        *,
        dimensions: int = 2,
        width: int = 128,
        waves: int = 64,
        highest: float = 128.0,
    ) -> None:
        super().__init__()
        direction = nn.functional.normalize(torch.randn(dimensions, waves), dim=0)
        self.register_buffer("waves", direction * torch.linspace(0, math.log(highest), waves).exp())
        self.layers = Dense(dimensions + 2 * waves, width, width, 1)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        phase = sample @ self.waves  # (batch, waves)
        features = torch.cat([sample, phase.sin(), phase.cos()], dim=1)
        return Verdict([self.layers(features).squeeze(1)], [features])


class Autoencoder(nn.Module):
    """Points to noise and back, for the likelihood game."""

    def __init__(self, *, dimensions: int = 2, latent_size: int = 8, width: int = 128) -> None:
        super().__init__()
        self.encoder = Dense(dimensions, width, width, 2 * latent_size)
        self.decoder = Dense(latent_size, width, width, width, dimensions)

    def encode(self, sample: Tensor, condition: Tensor | None = None) -> Code:
        """(batch, dimensions) → mean and log variance, each (batch, latent_size)."""
        return Code(*self.encoder(sample).chunk(2, dim=1))

    def decode(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """(batch, latent_size) → (batch, dimensions)."""
        points: Tensor = self.decoder(latent)
        return points
