"""A network that colours grey images and keeps their luminance: a U-Net (Isola et al. 2017, section 3.2.1)."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sparring.layers.convolutions import convolution, rectify


class Colouriser(nn.Module):
    """Colours grey images: (batch, 1, height, width) → (batch, 3, height, width), both in [-1, 1].

    The network gives each pixel a colour of luminance zero, which is added to the grey value as far as it stays in
    range: the luminance of the result is the input. There are no normalisation layers.

    Args:
        width: channels of the finest grid; doubled at every coarser one, up to 8 times as many.
        depth: grids below the finest.
        luminance: weights of red, green and blue in the grey value.
    """

    scale = 1

    def __init__(self, *, width: int, depth: int, luminance: tuple[float, float, float]) -> None:
        super().__init__()
        self.multiple, self.luminance = 2**depth, luminance
        widths = [width * 2 ** min(level, 3) for level in range(depth + 1)]  # fine to coarse
        self.start = convolution(1, width)
        self.down = nn.ModuleList(
            convolution(before, after, kernel=4, stride=2) for before, after in itertools.pairwise(widths)
        )
        self.between = convolution(widths[-1], widths[-1])
        self.up = nn.ModuleList(
            convolution(coarse + fine, fine) for coarse, fine in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.draw = convolution(width, 3, gain=0.1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Colour the images of ``condition``; the latent is not used."""
        # Down the grids, and up again beside the values that were there on the way down.
        values = rectify(self.start(condition))
        skips = []
        for step in self.down:
            skips.append(values)
            values = rectify(step(values))  # (batch, channels of the next grid, height / 2, width / 2)
        values = rectify(self.between(values))
        for step in self.up:
            values = interpolate(values, scale_factor=2, mode="nearest")
            values = rectify(step(torch.cat([values, skips.pop()], 1)))
        return tinted(condition.float(), self.draw(values).float(), self.luminance)


def tinted(grey: Tensor, colour: Tensor, luminance: tuple[float, float, float]) -> Tensor:
    """Add colours to grey images, as far as they stay in [-1, 1], without a change of luminance.

    Args:
        grey: (batch, 1, height, width) in [-1, 1].
        colour: (batch, 3, height, width), of which the luminance is taken off.
        luminance: weights of red, green and blue, whose sum is 1.
    """
    # c = d − Y(d), so that Y(c) = 0 and Y(grey + s c) = grey for every s.
    weights = torch.tensor(luminance, device=colour.device).view(1, 3, 1, 1)
    chroma = colour - (colour * weights).sum(1, keepdim=True)
    # The largest s ≤ 1 for which no channel leaves [-1, 1]: room over length, for the channel that is out first.
    room = torch.where(chroma > 0, 1 - grey, 1 + grey)
    share = (room / chroma.abs().clamp(min=1e-6)).amin(1, keepdim=True).clamp(0, 1)
    return grey + share * chroma
