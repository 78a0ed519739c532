"""Discriminators of patches (Isola et al. 2017, section 3.2.2), on several scales (Wang et al. 2018, section 3.2)."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from sparring.flow import Verdict
from sparring.modalities.images.conditions import input_images

MAX_WIDTH_FACTOR = 8
"""Channels of the widest layer, relative to the first."""


class PatchDiscriminator(nn.Module):
    """Maps images, and what they were generated from, to a logit for each patch.

    With three strided layers each logit sees 70 × 70 pixels (Isola et al. 2017, appendix 6.1.2).

    Args:
        channels: channels of an image and of its condition together.
        width: channels of the first layer, doubled at every further one up to eight times.
        layers: strided layers; the patch has 16, 34, 70 or 142 pixels for 1 to 4.
    """

    def __init__(self, *, channels: int, width: int = 64, layers: int = 3) -> None:
        super().__init__()
        widths = [width * min(2**layer, MAX_WIDTH_FACTOR) for layer in range(layers + 1)]
        blocks: list[nn.Module] = [nn.Sequential(nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2))]
        for number, (before, after) in enumerate(pairwise(widths), 1):
            # The last of these layers keeps the grid, so that patches overlap.
            stride = 2 if number < layers else 1
            blocks.append(
                nn.Sequential(
                    nn.Conv2d(before, after, 4, stride, 1, bias=False), nn.InstanceNorm2d(after), nn.LeakyReLU(0.2)
                )
            )
        self.blocks = nn.ModuleList(blocks)
        self.score = nn.Conv2d(widths[-1], 1, 4, 1, 1)
        initialise(self)

    def forward(self, sample: Tensor, condition: object = None) -> Verdict:
        """Map images (batch, channels, height, width) to logits (batch, rows, columns) and features."""
        values, features = beside(sample, condition), []
        for block in self.blocks:
            values = block(values)
            features.append(values)
        return Verdict([self.score(values).squeeze(1)], features)


class MultiScale(nn.Module):
    """Several discriminators, each of which sees images of half the size (Wang et al. 2018, section 3.2).

    Args:
        channels: channels of an image and of its condition together.
        scales: number of discriminators.
        width: as for ``PatchDiscriminator``.
        layers: as for ``PatchDiscriminator``.
    """

    def __init__(self, *, channels: int, scales: int = 2, width: int = 64, layers: int = 3) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            PatchDiscriminator(channels=channels, width=width, layers=layers) for _ in range(scales)
        )

    def forward(self, sample: Tensor, condition: object = None) -> Verdict:
        """Map images (batch, channels, height, width) to the logits and features of all scales."""
        seen, logits, features = beside(sample, condition), [], []
        for scale in self.scales:
            found = scale(seen)
            logits += found.logits
            features += found.features
            seen = avg_pool2d(seen, 3, 2, 1, count_include_pad=False)
        return Verdict(logits, features)


def beside(sample: Tensor, condition: object) -> Tensor:
    """Join images and what they were generated from, enlarged to their size, along the channels."""
    inputs = input_images(condition)
    if inputs is None:
        return sample
    if inputs.shape[2:] != sample.shape[2:]:
        inputs = interpolate(inputs, sample.shape[2:], mode="bilinear", align_corners=False)
    return torch.cat([sample, inputs.to(sample.dtype)], dim=1)


@torch.no_grad()
def initialise(network: nn.Module) -> None:
    """Draw the weights of convolutions from N(0, 0.02²) (Isola et al. 2017, appendix 6.2); biases are zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
