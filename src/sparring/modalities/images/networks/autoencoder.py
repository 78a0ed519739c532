"""A convolutional encoder and decoder for the likelihood game (Kingma & Welling 2014, with convolutions)."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

from sparring.flow import Code
from sparring.layers.labels import indicators


def grids(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Grids from ``size`` down, each half of the one before, until the shorter side is 4 to 7 pixels."""
    found = [size]
    while min(found[-1]) >= 8:
        found.append(((found[-1][0] + 1) // 2, (found[-1][1] + 1) // 2))
    return found


class Autoencoder(nn.Module):
    """Images to noise and back.

    Args:
        size: (height, width), each at least 8.
        channels: of an image.
        noise: length of the noise.
        width: channels on the finest grid; doubled with every coarser one.
        classes: number of class labels, given to both directions; 0 for none.
    """

    def __init__(
        self, *, size: tuple[int, int], channels: int, noise: int = 32, width: int = 32, classes: int = 0
    ) -> None:
        super().__init__()
        self.classes = classes
        self.grids = grids(size)
        widths = [width * 2**level for level in range(len(self.grids))]
        steps = list(itertools.pairwise(widths))
        coarse = widths[-1] * self.grids[-1][0] * self.grids[-1][1]
        self.enter = nn.Conv2d(channels + classes, width, 3, 1, 1)
        self.down = nn.ModuleList(nn.Conv2d(fine, wide, 3, 2, 1) for fine, wide in steps)
        self.code = nn.Linear(coarse, 2 * noise)
        self.start = nn.Linear(noise + classes, coarse)
        self.up = nn.ModuleList(nn.Conv2d(wide, fine, 3, 1, 1) for fine, wide in reversed(steps))
        self.leave = nn.Conv2d(width, channels, 3, 1, 1)

    def encode(self, sample: Tensor, condition: Tensor | None = None) -> Code:
        """(batch, channels, height, width) → mean and log variance, each (batch, noise)."""
        planes = indicators(condition, self.classes, sample)[:, :, None, None].expand(-1, -1, *sample.shape[2:])
        features = leaky_relu(self.enter(torch.cat([sample, planes], dim=1)), 0.2)
        for layer in self.down:
            features = leaky_relu(layer(features), 0.2)
        return Code(*self.code(features.flatten(1)).chunk(2, dim=1))

    def decode(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """(batch, noise) → (batch, channels, height, width)."""
        joined = torch.cat([noise, indicators(condition, self.classes, noise)], dim=1)
        features = leaky_relu(self.start(joined), 0.2).unflatten(1, (-1, *self.grids[-1]))
        for layer, grid in zip(self.up, reversed(self.grids[:-1]), strict=True):
            features = leaky_relu(layer(interpolate(features, size=grid, mode="bilinear")), 0.2)
        images: Tensor = self.leave(features)
        return images.tanh()
