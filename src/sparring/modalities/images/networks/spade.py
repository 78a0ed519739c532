"""SPADE (Park et al. 2019): a generator whose normalisation layers are modulated by the input at every grid.

Where an input is a map of labels, a normalisation layer washes its constant areas out; here each layer sees them again.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu
from torch.nn.utils.parametrizations import spectral_norm

MAX_WIDTH_FACTOR = 16
"""Channels of the widest layers, relative to the finest (appendix A, figure 11)."""
HIDDEN_FACTOR = 2
"""Channels between input and modulation, relative to the finest layer: 128 for 64 (appendix A, figure 9)."""
COARSEST = 4
"""Least side of the coarsest grid."""


class Spade(nn.Module):
    """Maps latents and images to images of the same size, which is a multiple of ``multiple``.

    The latent is constant over the coarsest grid, and normalisation is by statistics of the training, so a part of a
    large image is generated as the whole would be. There is no spectral normalisation here, unlike in the paper: the
    singular vectors that it keeps are not those of averaged weights.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        latent_size: length of the latent; 0 for one answer per input.
        width: channels of the finest grid, doubled at every coarser one up to 16 times.
        depth: doublings of the grid, at least one.
    """

    def __init__(self, *, inputs: int, outputs: int, latent_size: int, width: int = 64, depth: int = 6) -> None:
        super().__init__()
        widths = [width * min(2**level, MAX_WIDTH_FACTOR) for level in range(depth, -1, -1)]  # coarse to fine
        self.multiple = 2**depth
        self.start = nn.Conv2d(inputs + latent_size, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(
            SpadeBlock(before, after, inputs, HIDDEN_FACTOR * width)
            for before, after in zip([widths[0], *widths[:-1]], widths, strict=True)
        )
        self.draw = nn.Conv2d(widths[-1], outputs, 3, padding=1)
        initialise(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Map latents (batch, latent_size) and images (batch, inputs, height, width) to images in [-1, 1]."""
        # The coarsest grid sees the input and the latent, whose numbers are planes.
        height, width = (side // self.multiple for side in condition.shape[2:])
        planes = latent.to(condition.dtype)[:, :, None, None].expand(-1, -1, height, width)
        values = self.start(torch.cat([_reduced(condition, (height, width)), planes], dim=1))

        # A block on each grid, up to the finest.
        for level, block in enumerate(self.blocks):
            if level > 0:
                values = interpolate(values, scale_factor=2, mode="nearest")
            values = block(values, condition)
        images: Tensor = self.draw(leaky_relu(values, 0.2)).tanh()
        return images


class SpadeBlock(nn.Module):
    """A residual block of two modulated convolutions, with a modulated shortcut where channels change (figure 4)."""

    def __init__(self, before: int, after: int, inputs: int, hidden: int) -> None:
        super().__init__()
        between = min(before, after)
        self.first_norm, self.first = Modulation(before, inputs, hidden), nn.Conv2d(before, between, 3, padding=1)
        self.second_norm, self.second = Modulation(between, inputs, hidden), nn.Conv2d(between, after, 3, padding=1)
        self.short_norm = Modulation(before, inputs, hidden) if before != after else None
        self.short = nn.Conv2d(before, after, 1, bias=False) if before != after else None

    def forward(self, values: Tensor, condition: Tensor) -> Tensor:
        """Map (batch, before, height, width) to (batch, after, height, width), seeing the input of the generator."""
        change = self.first(leaky_relu(self.first_norm(values, condition), 0.2))
        change = self.second(leaky_relu(self.second_norm(change, condition), 0.2))
        if self.short_norm is not None and self.short is not None:
            values = self.short(self.short_norm(values, condition))
        summed: Tensor = values + change
        return summed


class Modulation(nn.Module):
    """Spatially adaptive normalisation: (1 + γ(m)) (h - μ) / σ + β(m), by the input m (eqs. 1 to 3).

    μ and σ are those of batch normalisation; γ and β are maps, one number for each place and channel. The paper's γ is
    1 + γ here, so that the first steps do not erase what they modulate.

    Args:
        channels: channels that are normalised.
        inputs: channels of the input.
        hidden: channels between the input and γ and β.
    """

    def __init__(self, channels: int, inputs: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.shared = nn.Conv2d(inputs, hidden, 3, padding=1)
        self.scale = nn.Conv2d(hidden, channels, 3, padding=1)
        self.shift = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(self, values: Tensor, condition: Tensor) -> Tensor:
        """Normalise (batch, channels, height, width) by an input of any multiple of that size."""
        hidden = self.shared(_reduced(condition, values.shape[2:])).relu()
        modulated: Tensor = self.norm(values) * (1 + self.scale(hidden)) + self.shift(hidden)
        return modulated


def spectrally_normalised(network: nn.Module) -> nn.Module:
    """Divide the weights of all convolutions by their largest singular value (Miyato et al. 2018, eq. 8), in place."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Conv2d):
            spectral_norm(layer)
    return network


@torch.no_grad()
def initialise(network: nn.Module) -> None:
    """Draw weights as Glorot & Bengio (2010, eq. 16) (appendix A); biases are zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _reduced(condition: Tensor, size: tuple[int, ...]) -> Tensor:
    """Reduce inputs to a grid without mixing their values: labels have no mean."""
    return interpolate(condition, size, mode="nearest")
