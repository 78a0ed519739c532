"""The first GAN: dense networks on pixels (Goodfellow et al. 2014, section 5 and the code that it names).

The generator has rectified linear units, the discriminator maxout units and dropout.
"""

import math

import torch
from torch import Tensor, nn

from sparring.flow import Verdict
from sparring.layers.labels import indicators


class Generator(nn.Module):
    """Noise to images: (batch, latent_size) → (batch, *shape) in [-1, 1].

    Args:
        shape: (channels, height, width).
        latent_size: length of the latent vector.
        width: of each of the two hidden layers (1,200 in the paper).
        classes: number of class labels, joined to the noise (Mirza & Osindero 2014); 0 for none.
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
        joined = torch.cat([latent, indicators(condition, self.classes, latent)], dim=1)
        pixels: Tensor = self.layers(joined)
        # The paper's sigmoid onto [0, 1], moved to our [-1, 1].
        return (pixels / 2).tanh().reshape(-1, *self.shape)


class Discriminator(nn.Module):
    """Images to scores: (batch, *shape) → (batch,).

    Args:
        shape: (channels, height, width).
        width: maxout units in each of the two hidden layers (240 in the paper's code).
        pieces: linear functions of which a maxout unit takes the largest (Goodfellow et al. 2013).
        classes: number of class labels, joined to the pixels; 0 for none.
    """

    def __init__(self, *, shape: tuple[int, int, int], width: int = 240, pieces: int = 5, classes: int = 0) -> None:
        super().__init__()
        self.classes, self.pieces = classes, pieces
        self.forget_pixels = nn.Dropout(0.2)
        self.first = nn.Linear(math.prod(shape) + classes, width * pieces)
        self.forget = nn.Dropout(0.5)
        self.second = nn.Linear(width, width * pieces)
        self.score = nn.Linear(width, 1)
        initialise(self, 0.005)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        pixels = self.forget_pixels(sample.flatten(1))
        first = self._maxout(self.first(torch.cat([pixels, indicators(condition, self.classes, pixels)], dim=1)))
        second = self._maxout(self.second(self.forget(first)))
        return Verdict([self.score(self.forget(second)).squeeze(1)], [first, second])

    def _maxout(self, values: Tensor) -> Tensor:
        return values.reshape(len(values), -1, self.pieces).amax(2)


@torch.no_grad()
def initialise(network: nn.Module, reach: float) -> None:
    """Weights uniform in [-reach, reach], biases zero, as in the code that the paper names."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.uniform_(layer.weight, -reach, reach)
            nn.init.zeros_(layer.bias)
