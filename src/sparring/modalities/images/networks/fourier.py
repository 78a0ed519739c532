"""Fast Fourier convolutions for wide holes: Suvorov et al., "Resolution-robust large mask inpainting", 2022 (LaMa).

Written from section 2.1 and figure 2; smaller: two halvings of the size in place of three, and fewer blocks. A Fourier
transform is of the whole image, so large images that are filled in tiles see no further than their tile.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from sparring.layers.convolutions import leaky_clamp
from sparring.modalities.images.networks.completion import Completion

OUTPUT_LEAK = 0.02
"""Slope of the output outside [-1, 1]."""


def normalised(layer: nn.Conv2d) -> nn.Sequential:
    """Return a convolution, batch norm and ReLU."""
    return nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels), nn.ReLU())


class Spectral(nn.Module):
    """Spectral transform: convolution of the Fourier coefficients of the image (Suvorov et al. 2022, section 2.1).

    Args:
        channels: channels before and after.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = max(1, channels // 2)
        self.reduce = normalised(nn.Conv2d(channels, half, 1))
        self.frequencies = normalised(nn.Conv2d(2 * half, 2 * half, 1))
        self.expand = nn.Conv2d(half, channels, 1)

    def forward(self, values: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same shape."""
        values = self.reduce(values)
        # In float32 throughout: Fourier transforms know no bfloat16.
        with torch.autocast(values.device.type, enabled=False):
            coefficients = torch.fft.rfft2(values.float(), norm="ortho")  # (batch, half, height, width / 2 + 1)
            mixed = self.frequencies(torch.cat([coefficients.real, coefficients.imag], 1))
            whole = torch.fft.irfft2(torch.complex(*mixed.chunk(2, 1)), s=values.shape[2:], norm="ortho")
        changed: Tensor = self.expand(values + whole)
        return changed


class FourierConvolution(nn.Module):
    """Fast Fourier convolution: a local and a global part, each made from both (Suvorov et al. 2022, figure 2).

    Args:
        local: channels of the local part.
        whole: channels of the global part.
    """

    def __init__(self, local: int, whole: int) -> None:
        super().__init__()
        self.local = local
        self.to_local = nn.Conv2d(local + whole, local, 3, padding=1)
        self.to_whole = nn.Conv2d(local, whole, 3, padding=1)
        self.spectral = Spectral(whole)
        self.normalise = nn.BatchNorm2d(local + whole)

    def forward(self, values: Tensor) -> Tensor:
        """Map (batch, local + whole, height, width) to the same shape."""
        local, whole = values[:, : self.local], values[:, self.local :]
        joined = torch.cat([self.to_local(values), self.to_whole(local) + self.spectral(whole)], 1)
        return functional.relu(self.normalise(joined))


class Block(nn.Module):
    """Residual block of two fast Fourier convolutions (Suvorov et al. 2022, figure 2)."""

    def __init__(self, local: int, whole: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(FourierConvolution(local, whole), FourierConvolution(local, whole))

    def forward(self, values: Tensor) -> Tensor:
        """Map (batch, local + whole, height, width) to the same shape."""
        changed: Tensor = values + self.layers(values)
        return changed


class Painter(nn.Module):
    """Two halvings of the size, blocks of Fourier convolutions, two doublings (Suvorov et al. 2022, section 2.1).

    Args:
        inputs: channels of image, mask and latent planes together.
        channels: channels of an image.
        width: channels of the finest grid, at least 2; 2 and 4 times as many on the coarser ones.
        blocks: residual blocks on the coarsest grid.
    """

    def __init__(self, *, inputs: int, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        whole = 3 * width  # Three quarters of the channels are global, as in the paper.
        self.layers = nn.Sequential(
            normalised(nn.Conv2d(inputs, width, 7, padding=3)),
            normalised(nn.Conv2d(width, 2 * width, 3, 2, 1)),
            normalised(nn.Conv2d(2 * width, 4 * width, 3, 2, 1)),
            *(Block(4 * width - whole, whole) for _ in range(blocks)),
            nn.Upsample(scale_factor=2, mode="bilinear"),
            normalised(nn.Conv2d(4 * width, 2 * width, 3, padding=1)),
            nn.Upsample(scale_factor=2, mode="bilinear"),
            normalised(nn.Conv2d(2 * width, width, 3, padding=1)),
            nn.Conv2d(width, channels, 7, padding=3),
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, values: Tensor) -> Tensor:
        """Map (batch, inputs, height, width) to images (batch, channels, height, width)."""
        return leaky_clamp(self.layers(values), OUTPUT_LEAK)


def fourier(*, channels: int, latent_size: int, width: int, blocks: int) -> Completion:
    """Return a network of fast Fourier convolutions that fills holes; sides are multiples of 4."""
    painter = Painter(inputs=channels + 1 + latent_size, channels=channels, width=width, blocks=blocks)
    return Completion(painter, multiple=4)
