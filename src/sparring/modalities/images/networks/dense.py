"""The networks of the original GAN: dense layers on pixels (Goodfellow et al. 2014, section 5, and its code).

The generator has rectified linear units, the discriminator maxout units and dropout.
"""

import math

import torch
from torch import Tensor, nn

from sparring.flow import Verdict
from sparring.layers.labels import one_hot_labels


class Generator(nn.Module):
    """Maps latents to images: (batch, latent_size) → (batch, *shape) in [-1, 1].

    Args:
        shape: (channels, height, width).
        latent_size: length of the latent vector.
        width: units in each of the two hidden layers (1,200 in the paper).
        classes: number of classes, joined to the latent as one-hot labels (Mirza & Osindero 2014); 0 for an
            unconditional generator.
    """

    def __init__(
        self, *, shape: tuple[int, int, int], latent_size: int = 100, width: int = 1200, classes: int = 0
    ) -> None:
        super().__init__()
        self.shape, self.classes = shape, classes
        self.layers = nn.Sequential(
            nn.Linear(latent_size + classes, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, math.prod(shape)),
        )
        initialise(self, 0.05)

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map latents (batch, latent_size) and labels (batch,) to images (batch, channels, height, width)."""
        # Latents and one-hot labels: (batch, latent_size + classes).
        joined = torch.cat([latent, one_hot_labels(condition, self.classes, latent)], dim=1)
        pixels: Tensor = self.layers(joined)  # (batch, channels · height · width)
        # The paper's sigmoid maps to [0, 1]; tanh(x / 2) = 2 sigmoid(x) - 1 maps to our [-1, 1].
        images: Tensor = (pixels / 2).tanh().unflatten(1, self.shape)
        return images


class Discriminator(nn.Module):
    """Maps images to logits: (batch, *shape) → (batch,).

    Args:
        shape: (channels, height, width).
        width: maxout units in each of the two hidden layers (240 in the paper's code).
        pieces: linear functions whose maximum is a maxout unit (Goodfellow et al. 2013, section 3).
        classes: number of classes, joined to the pixels as one-hot labels; 0 for an unconditional discriminator.
    """

    def __init__(self, *, shape: tuple[int, int, int], width: int = 240, pieces: int = 5, classes: int = 0) -> None:
        super().__init__()
        self.classes, self.pieces = classes, pieces
        self.pixel_dropout = nn.Dropout(0.2)
        self.first = nn.Linear(math.prod(shape) + classes, width * pieces)
        self.dropout = nn.Dropout(0.5)
        self.second = nn.Linear(width, width * pieces)
        self.score = nn.Linear(width, 1)
        initialise(self, 0.005)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        """Map images (batch, channels, height, width) and labels (batch,) to logits, (batch,)."""
        pixels = self.pixel_dropout(sample.flatten(1))  # (batch, channels · height · width)
        # Pixels and one-hot labels: (batch, channels · height · width + classes).
        joined = torch.cat([pixels, one_hot_labels(condition, self.classes, pixels)], dim=1)
        first = self._maxout(self.first(joined))  # (batch, width)
        second = self._maxout(self.second(self.dropout(first)))  # (batch, width)
        logit = self.score(self.dropout(second)).squeeze(1)  # (batch,)
        return Verdict([logit], [first, second])

    def _maxout(self, values: Tensor) -> Tensor:
        grouped: Tensor = values.unflatten(1, (-1, self.pieces))  # (batch, width · pieces) → (batch, width, pieces)
        return grouped.amax(2)


@torch.no_grad()
def initialise(network: nn.Module, bound: float) -> None:
    """Draw weights uniformly from [-bound, bound], with zero biases, as the paper's code does."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.zeros_(layer.bias)
