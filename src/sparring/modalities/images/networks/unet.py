"""U-Net (Isola et al. 2017, appendix 6.1.1): an encoder and a decoder with skips between equal grids.

Its noise is the dropout of the three innermost layers of the decoder. Which channels are dropped is read from the
latent, so that an image is a function of latent and condition, and equal in every tile of a large image. A style, the
first numbers of the latent, makes answers differ by more than that: it is seen by every layer of the decoder.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from sparring.modalities.images.networks.translator import initialise

DROPPED_LAYERS = 3
"""Innermost layers of the decoder that have dropout."""
MAX_WIDTH_FACTOR = 8
"""Channels of the widest layers, relative to the finest."""


def depth_of(size: tuple[int, int], most: int = 8) -> int:
    """Return how often both sides of a size can be halved, at most ``most`` times."""
    depth = 0
    while depth < most and all(side % 2 ** (depth + 1) == 0 and side >> (depth + 1) >= 1 for side in size):
        depth += 1
    return depth


def latent_size(width: int, depth: int, *, style: int = 0, dropout: bool = True) -> int:
    """Return the length of the latent: a style, and one number for each channel that may be dropped."""
    return style + dropout * sum(_widths(width, depth)[-2::-1][:DROPPED_LAYERS])


class UNet(nn.Module):
    """Maps latents and images to images of the same size, which is a multiple of ``multiple``.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        width: channels of the finest layer, doubled at every coarser one up to eight times.
        depth: halvings of the grid, at least one.
        dropout: whether channels are dropped by the latent.
        style: numbers of the latent, before those of the dropout, that every layer of the decoder sees.
    """

    def __init__(
        self, *, inputs: int, outputs: int, width: int = 64, depth: int = 8, dropout: bool = True, style: int = 0
    ) -> None:
        super().__init__()
        widths = _widths(width, depth)
        self.multiple, self.dropout, self.style = 2**depth, dropout, style
        # Neither the first layer nor the innermost one is normalised: a grid of one pixel would become zero.
        self.down = nn.ModuleList(
            _Down(before, after, first=level == 0, norm=0 < level < depth - 1)
            for level, (before, after) in enumerate(zip([inputs, *widths[:-1]], widths, strict=True))
        )
        # From the innermost grid outwards; all but the first layer also get the encoder's features of their grid.
        entering = [widths[-1], *(2 * channels for channels in widths[-2::-1])]
        pairs = list(zip(entering[:-1], widths[-2::-1], strict=True))
        self.up = nn.ModuleList(_Up(before, after) for before, after in pairs)
        self.last = nn.ConvTranspose2d(entering[-1], outputs, 4, 2, 1)
        initialise(self)
        self.shifts = nn.ModuleList(nn.Linear(style, after) for _, after in pairs) if style else None

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Map latents (batch, latent_size) and images (batch, inputs, height, width) to images in [-1, 1]."""
        # Halve the grid, and remember the features of each.
        features = [condition]
        for layer in self.down:
            features.append(layer(features[-1]))

        # Double it again, beside the features of the same grid.
        values, used = features.pop(), self.style
        for number, layer in enumerate(self.up):
            values = layer(values)
            # The style enters after the normalisation, which would take planes of equal numbers out again.
            if self.shifts is not None:
                values = values + self.shifts[number](latent[:, : self.style])[:, :, None, None]
            if self.dropout and number < DROPPED_LAYERS:
                channels = values.shape[1]
                values = values * _kept(latent[:, used : used + channels], values)
                used += channels
            values = torch.cat([values, features.pop()], dim=1)
        images: Tensor = self.last(torch.relu(values)).tanh()
        return images


class _Down(nn.Module):
    def __init__(self, before: int, after: int, *, first: bool, norm: bool) -> None:
        super().__init__()
        self.first = first
        self.convolution = nn.Conv2d(before, after, 4, 2, 1)
        self.norm = nn.InstanceNorm2d(after) if norm else nn.Identity()

    def forward(self, values: Tensor) -> Tensor:
        normed: Tensor = self.norm(self.convolution(values if self.first else leaky_relu(values, 0.2)))
        return normed


class _Up(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.convolution = nn.ConvTranspose2d(before, after, 4, 2, 1)
        self.norm = nn.InstanceNorm2d(after)

    def forward(self, values: Tensor) -> Tensor:
        normed: Tensor = self.norm(self.convolution(torch.relu(values)))
        return normed


def _widths(width: int, depth: int) -> list[int]:
    return [width * min(2**level, MAX_WIDTH_FACTOR) for level in range(depth)]


def _kept(latent: Tensor, like: Tensor) -> Tensor:
    """Return 2 for the half of the channels that is kept and 0 for the others, (batch, channels, 1, 1)."""
    return 2 * (latent >= 0).to(like.dtype)[:, :, None, None]
