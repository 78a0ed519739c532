"""A patch discriminator whose slope is bounded by spectral normalisation (Yu et al. 2019, section 3.3)."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from sparring.flow import Verdict
from sparring.layers.convolutions import rectify


class SpectralPatches(nn.Module):
    """SN-PatchGAN: maps images of any size to one logit per patch, (batch, patches down, patches across).

    Every layer is divided by its largest singular value (Miyato et al. 2018, eq. 8), kernels are 5 × 5 as in the paper.

    Args:
        channels: channels of an image.
        given: channels that are joined to the image: of the condition, or of the mask of an image with holes; 0 to see
            the image alone.
        width: channels of the first layer; 2, then 4 times as many in the next.
        layers: layers that halve the size, rounded up.
    """

    def __init__(self, *, channels: int, given: int, width: int, layers: int) -> None:
        super().__init__()
        self.given = given
        widths = [channels + given, *(width * 2 ** min(level, 2) for level in range(layers))]
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(before, after, 5, 2, 2)) for before, after in itertools.pairwise(widths)
        )
        self.score = spectral_norm(nn.Conv2d(widths[-1], 1, 3, 1, 1))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, sample: Tensor, condition: Tensor | tuple[Tensor, ...] | None = None) -> Verdict:
        """Map images (batch, channels, height, width) and their conditions to logits and the features of each layer."""
        values = sample
        if self.given:
            assert condition is not None
            # Of images with holes the mask is joined, which is the last part of their condition.
            planes = condition[-1] if isinstance(condition, tuple) else condition
            values = torch.cat([sample, planes.to(sample)], 1)
        features = []
        for layer in self.layers:
            values = rectify(layer(values))  # (batch, channels of the next layer, height / 2, width / 2)
            features.append(values)
        return Verdict([self.score(values).squeeze(1)], features)
