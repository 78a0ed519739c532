"""The smallest networks: dense layers between latents, points and logits."""

import math

import torch
from torch import Tensor, nn

from sparring.flow import Code, Verdict
from sparring.layers.dense import Dense

PLACE_SCALE = 10.0
"""Factor on the places, so that an update moves them ten times as far as other weights: they have to cross the data,
with one weight per coordinate."""


class Generator(nn.Module):
    """Maps latents to points: (batch, latent_size) → (batch, dimensions).

    A continuous map of one connected distribution draws bridges between modes. So the latent is first turned into a
    mixture of many narrow Gaussians (Gurumurthy et al. 2017, DeLiGAN, section 3): its first value selects one of
    ``places``, the learned centres of the components, and the others scatter around it. Components that start between
    two modes move into one of them.

    Args:
        dimensions: coordinates of a point.
        latent_size: length of the latent vector, at least 2 with places.
        width: units in each of the three hidden layers.
        places: number of components; 0 to use the latent as it is.
        scatter: initial standard deviation of each component, where that of the centres is 1.
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
        self.places = nn.Parameter(torch.randn(places, size) / PLACE_SCALE) if places else None
        self.layers = Dense(size, width, width, width, dimensions)
        self.shortcut = nn.Linear(size, dimensions)

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map latents (batch, latent_size) to points (batch, dimensions)."""
        start = latent if self.places is None else self._mixture(latent, self.places)
        points: Tensor = self.layers(start) + self.shortcut(start)
        return points

    def _mixture(self, latent: Tensor, places: Tensor) -> Tensor:
        """Map normal latents (batch, size + 1) to the mixture, (batch, size); its components are equally likely."""
        quantile = torch.special.ndtr(latent[:, 0])  # Φ(z₁), uniform in [0, 1]: (batch,)
        chosen = (quantile * places.shape[0]).long().clamp(0, places.shape[0] - 1)  # (batch,)
        # z = μₖ + σ η for the chosen component k (DeLiGAN, section 3).
        return PLACE_SCALE * places[chosen] + self.scatter * latent[:, 1:]


class Discriminator(nn.Module):
    """Maps points to logits: (batch, dimensions) → (batch,).

    The point is seen beside its Fourier features, sines and cosines of random waves. Without them a network of this
    size cannot distinguish modes of width 0.01 from the space between them (Tancik et al. 2020, section 4).

    Args:
        dimensions: coordinates of a point.
        width: units in each of the two hidden layers.
        waves: number of random waves.
        max_frequency: angular frequency of the shortest wave, at least 1; that of the longest is 1.
    """

    waves: Tensor

    def __init__(
        self,
        *,
        dimensions: int = 2,
        width: int = 128,
        waves: int = 64,
        max_frequency: float = 128.0,
    ) -> None:
        super().__init__()
        direction = nn.functional.normalize(torch.randn(dimensions, waves), dim=0)
        frequency = torch.linspace(0, math.log(max_frequency), waves).exp()
        self.register_buffer("waves", direction * frequency)  # (dimensions, waves)
        self.layers = Dense(dimensions + 2 * waves, width, width, 1)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        """Map points (batch, dimensions) to logits, (batch,)."""
        phase = sample @ self.waves  # (batch, waves)
        features = torch.cat([sample, phase.sin(), phase.cos()], dim=1)  # (batch, dimensions + 2 · waves)
        return Verdict([self.layers(features).squeeze(1)], [features])


class Autoencoder(nn.Module):
    """Maps points to latents and back, for the likelihood game.

    Args:
        dimensions: coordinates of a point.
        latent_size: length of the latent vector.
        width: units in each hidden layer: two of the encoder, three of the decoder.
    """

    def __init__(self, *, dimensions: int = 2, latent_size: int = 8, width: int = 128) -> None:
        super().__init__()
        self.encoder = Dense(dimensions, width, width, 2 * latent_size)
        self.decoder = Dense(latent_size, width, width, width, dimensions)

    def encode(self, sample: Tensor, condition: Tensor | None = None) -> Code:
        """Map points (batch, dimensions) to mean and log variance, (batch, latent_size) each."""
        return Code(*self.encoder(sample).chunk(2, dim=1))

    def decode(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map latents (batch, latent_size) to points (batch, dimensions)."""
        points: Tensor = self.decoder(latent)
        return points
