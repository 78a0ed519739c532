"""The networks of `images/r3gan`: small, without normalisation layers.

Written from the formulas of Huang, Gokaslan, Kuleshov and Tompkin, "The GAN is dead; long live the GAN! A modern GAN
baseline", NeurIPS 2024, section 4: leaky ReLU, bilinear resampling, weights scaled at initialisation instead of
normalisation layers (fix-up), class conditioning by projection. Two things are different, both chosen by measurement
(docs/en/explanation/defaults.md): most channels are on the coarse grids, and the output is a leaky clamp.
"""

import itertools
import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sparring.flow import Verdict
from sparring.layers.convolutions import convolution, grids, leaky_clamp, linear, rectify
from sparring.layers.labels import require_labels


def channels_of(width: int, levels: int) -> list[int]:
    """Return the channels of ``levels`` grids, coarse to fine: 4, 2, then 1 times ``width``.

    Most channels are on the coarse grids, so that every grid costs about the same time.
    """
    return [4 * width, 2 * width][:levels] + [width] * (levels - 2)


class Block(nn.Module):
    """A residual block (Huang et al. 2024, section 4): initially the identity, since its last weights are zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels)
        self.second = convolution(channels, channels, gain=0.0)

    def forward(self, values: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same shape."""
        change: Tensor = self.second(rectify(self.first(rectify(values))))
        return values + change


def blocks_of(channels: int, count: int) -> nn.Sequential:
    """Return ``count`` residual blocks in a row; none is the identity."""
    return nn.Sequential(*(Block(channels) for _ in range(count)))


class Generator(nn.Module):
    """Maps latents to images: a linear layer to the coarsest grid, then convolutions and bilinear upsampling.

    Args:
        size: (height, width) of the images, each at least 8.
        channels: 1 for grey, 3 for colour.
        latent_size: length of the latent vector.
        width: channels of the fine grids; the two coarsest have 4 and 2 times as many.
        classes: number of classes, whose embeddings are joined to the latent; 0 for an unconditional generator.
        blocks: residual blocks at each grid but the finest; 0 is fastest.
        leak: slope of the output outside [-1, 1]; 1 makes it linear.
        upsampling: order on the finest grid. "rectified": bilinear interpolation, then leaky ReLU, whose kinks have
            detail of every frequency for the last layer to draw. "bilinear": the other way round, as on the grids
            before; the last layer, which is linear, can then draw no frequency that the interpolation removes.
    """

    def __init__(
        self,
        *,
        size: tuple[int, int],
        channels: int,
        latent_size: int = 64,
        width: int = 32,
        classes: int = 0,
        blocks: int = 0,
        leak: float = 0.02,
        upsampling: Literal["rectified", "bilinear"] = "bilinear",
    ) -> None:
        super().__init__()
        self.grids = grids(size)[::-1]  # coarse to fine
        self.leak = leak
        self.upsampling = upsampling
        counts = channels_of(width, len(self.grids))
        height, breadth = self.grids[0]
        self.embedding = nn.Embedding(classes, latent_size) if classes else None
        inputs = 2 * latent_size if classes else latent_size
        self.start = linear(inputs, counts[0] * height * breadth)
        self.blocks = nn.ModuleList(blocks_of(count, blocks) for count in counts[:-1])
        self.steps = nn.ModuleList(convolution(before, after) for before, after in itertools.pairwise(counts))
        self.draw = convolution(counts[-1], channels)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map latents (batch, latent_size) and labels (batch,) to images (batch, channels, height, width)."""
        if self.embedding is not None:
            latent = torch.cat([latent, self.embedding(require_labels(condition))], dim=1)  # (batch, 2 · latent_size)

        # Pixels first, channels last: the result already has the memory format of the convolutions.
        flat = rectify(self.start(latent))  # (batch, height · width · channels) of the coarsest grid
        values = flat.unflatten(1, (*self.grids[0], -1)).permute(0, 3, 1, 2)  # (batch, channels, height, width)

        # Up the grids: residual blocks, a convolution to the channels of the next grid, and its size.
        for grid, blocks, step in zip(self.grids[1:], self.blocks, self.steps, strict=True):
            values = step(blocks(values))  # (batch, channels of the next grid, height, width)
            if self.upsampling == "rectified" and grid is self.grids[-1]:
                values = rectify(bilinear(values, grid))
            else:
                values = bilinear(rectify(values), grid)

        # Features of the finest grid → colours, (batch, channels, height, width).
        return leaky_clamp(self.draw(values), self.leak)


def bilinear(values: Tensor, size: tuple[int, int]) -> Tensor:
    """Interpolate to ``size``, (height, width)."""
    return interpolate(values, size=size, mode="bilinear", align_corners=False)


class Discriminator(nn.Module):
    """Maps images to logits: convolutions of stride 2 to the coarsest grid, then one linear layer.

    The class enters by projection (Miyato & Koyama 2018, eq. 3): the inner product of its embedding and the last
    features is added to the logit. The embeddings of all classes are further rows of the last layer.

    Args:
        size: (height, width) of the images, each at least 8.
        channels: 1 for grey, 3 for colour.
        width: channels of the fine grids; the two coarsest have 4 and 2 times as many.
        classes: number of classes; 0 for an unconditional discriminator.
        blocks: residual blocks at each grid but the finest; 0 is fastest.
    """

    def __init__(
        self,
        *,
        size: tuple[int, int],
        channels: int,
        width: int = 32,
        classes: int = 0,
        blocks: int = 0,
    ) -> None:
        super().__init__()
        coarse_to_fine = grids(size)[:0:-1]
        counts = channels_of(width, len(coarse_to_fine))[::-1]  # fine to coarse
        self.steps = nn.ModuleList(
            convolution(before, after, kernel=4, stride=2)
            for before, after in zip([channels, *counts[:-1]], counts, strict=True)
        )
        self.blocks = nn.ModuleList(blocks_of(count, blocks) for count in counts)
        height, breadth = coarse_to_fine[0]
        self.classes = classes
        self.score = linear(counts[-1] * height * breadth, 1 + classes, gain=math.sqrt(0.5))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        """Map images (batch, channels, height, width) and labels (batch,) to logits, (batch,)."""
        # Down the grids; the activations of each serve as features.
        values = sample
        features: list[Tensor] = []
        for step, blocks in zip(self.steps, self.blocks, strict=True):
            values = blocks(rectify(step(values)))  # (batch, channels of the next grid, height / 2, width / 2)
            features.append(values)

        # Flatten in channels-last order: any other order makes every later pass copy.
        last = values.permute(0, 2, 3, 1).flatten(1)  # (batch, height · width · channels) of the coarsest grid
        with torch.autocast(sample.device.type, enabled=False):
            logits = self.score(last.to(self.score.weight.dtype))  # (batch, 1 + classes)

        # Projection (eq. 3): the other outputs are inner products with the embeddings; add that of the label.
        logit = logits[:, 0]
        if self.classes:
            logit = logit + logits[:, 1:].gather(1, require_labels(condition).unsqueeze(1)).squeeze(1)
        return Verdict([logit], features)
