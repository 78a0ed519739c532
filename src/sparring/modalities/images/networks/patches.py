"""Discriminators of patches (Isola et al. 2017, section 3.2.2), on several scales (Wang et al. 2018, section 3.2)."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from sparring.flow import Verdict
from sparring.modalities.images.networks.translator import initialise

MAX_WIDTHS = 8
"""Widest layer, as a multiple of the first."""


def halvings(size: tuple[int, int], most: int = 3) -> int:
    """Return how many layers may halve images of ``size``, at least 1, so that patches of at least 4 pixels are left.

    With three such layers a logit depends on 70 × 70 pixels.
    """
    return max(1, min(most, (min(size) // 4).bit_length() - 1))


class PatchDiscriminator(nn.Module):
    """Maps images of any size to a logit for each of their overlapping patches.

    Args:
        channels: channels of an image, and of what it was generated from, if that is seen, too.
        width: channels of the first layer; doubled by each layer up to 8 times.
        layers: layers that halve the size; one more and the last keep it.
        normalise: whether all layers but the first and the last have instance norm.
        classes: classes that the image is classified into, by the mean over patches (Choi et al. 2018, eq. 2); 0 for
            none.
    """

    def __init__(
        self, *, channels: int, width: int = 64, layers: int = 3, normalise: bool = True, classes: int = 0
    ) -> None:
        super().__init__()
        widths = [width * min(2**level, MAX_WIDTHS) for level in range(layers + 1)]

        # C64-C128-C256-C512: 4 × 4 convolutions with stride 2, but for the last with stride 1.
        self.layers = nn.ModuleList([_layer(channels, width, 2, normalise=False)])
        for level, (before, after) in enumerate(pairwise(widths), start=1):
            self.layers.append(_layer(before, after, 2 if level < layers else 1, normalise))
        self.score = nn.Conv2d(widths[-1], 1, 4, padding=1)
        self.class_score = nn.Conv2d(widths[-1], classes, 1) if classes else None
        initialise(self)

    def forward(self, sample: Tensor, condition: object = None) -> Verdict:
        """Map images (batch, channels, height, width) to logits (batch, down, across) and features."""
        features, sample = [], beside(sample, condition)
        for layer in self.layers:
            sample = layer(sample)
            features.append(sample)
        return Verdict([self.score(sample).squeeze(1)], features)

    def classify(self, verdict: Verdict) -> Tensor:
        """Return the logits of the classes of the images that ``verdict`` is on, (batch, classes)."""
        assert self.class_score is not None
        logits: Tensor = self.class_score(verdict.features[-1]).mean((2, 3))
        return logits


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
    """Join images and those that they were generated from, enlarged to their size, along the channels.

    Conditions that are no images are left out.
    """
    if not isinstance(condition, Tensor) or condition.dim() != sample.dim():
        return sample
    if condition.shape[2:] != sample.shape[2:]:
        condition = interpolate(condition, sample.shape[2:], mode="bilinear", align_corners=False)
    return torch.cat([sample, condition.to(sample.dtype)], dim=1)


def _layer(inputs: int, outputs: int, stride: int, normalise: bool) -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, 4, stride, padding=1, bias=not normalise)]
    if normalise:
        layers.append(nn.InstanceNorm2d(outputs))
    return nn.Sequential(*layers, nn.LeakyReLU(0.2))
