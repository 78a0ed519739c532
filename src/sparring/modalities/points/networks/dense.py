"""The smallest networks there are: points from noise, and scores from points."""

import math

import torch
from torch import Tensor, nn

from sparring.flow import Code, Verdict
from sparring.layers.dense import Dense


class Generator(nn.Module):
    """Noise to points: (batch, noise) → (batch, dimensions).

    Args:
        dimensions: of a point.
        noise: length of the noise.
        width: of each of the three hidden layers.
        scale: the spread of the data, so that the network itself works near one.
    """

    def __init__(self, *, dimensions: int = 2, noise: int = 8, width: int = 128, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale
        self.layers = Dense(noise, width, width, width, dimensions)

    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        points: Tensor = self.layers(noise)
        return points * self.scale


class Discriminator(nn.Module):
    """Points to scores: (batch, dimensions) → (batch,).

    The point is seen with sines and cosines of random waves beside it, without which a network of this size cannot tell
    modes of width 0.01 from what lies between them (Tancik et al. 2020, section 4).

    Args:
        dimensions: of a point.
        width: of each of the two hidden layers.
        waves: number of random waves.
        highest: wave number of the shortest wave, in units of ``scale``.
        scale: the spread of the data.
    """

    waves: Tensor

    def __init__(
        self,
        *,
        dimensions: int = 2,
        width: int = 128,
        waves: int = 32,
        highest: float = 16.0,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.scale = scale
        direction = nn.functional.normalize(torch.randn(dimensions, waves), dim=0)
        self.register_buffer("waves", direction * torch.linspace(0, math.log(highest), waves).exp())
        self.layers = Dense(dimensions + 2 * waves, width, width, 1)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        point = sample / self.scale
        phase = point @ self.waves  # (batch, waves)
        features = torch.cat([point, phase.sin(), phase.cos()], dim=1)
        return Verdict([self.layers(features).squeeze(1)], [features])


class Autoencoder(nn.Module):
    """Points to noise and back, for the likelihood game."""

    def __init__(self, *, dimensions: int = 2, noise: int = 8, width: int = 128, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale
        self.encoder = Dense(dimensions, width, width, 2 * noise)
        self.decoder = Dense(noise, width, width, width, dimensions)

    def encode(self, sample: Tensor, condition: Tensor | None = None) -> Code:
        """(batch, dimensions) → mean and log variance, each (batch, noise)."""
        return Code(*self.encoder(sample / self.scale).chunk(2, dim=1))

    def decode(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """(batch, noise) → (batch, dimensions)."""
        points: Tensor = self.decoder(noise)
        return points * self.scale
