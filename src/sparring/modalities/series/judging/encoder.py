"""A small convolutional network trained on series without labels, whose features compare series as a whole.

The distance of Gaussians fitted to such features is the context-FID of Jeha et al. (2022, PSA-GAN); as there, two parts
of one series should be alike and those of others different. Values depend on the network, so they compare only with
those of the same name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy, gelu, layer_norm, normalize

from sparring.data.dataset import Split
from sparring.data.sampler import EpochSampler
from sparring.metrics.extractors.small_network import BATCH, CHUNK, FEATURES, cached_network, descend
from sparring.modalities.series.coding import Channel, Series, coding_of
from sparring.modalities.series.judging.values import MAX_STEPS, cropped
from sparring.randomness import derive, generator, seeded
from sparring.samples import take

WIDTH, BLOCKS = 32, 3
"""Channels of the convolutions, and blocks, whose dilations are 1, 2 and 4 steps."""
STEPS = 300
"""Training steps."""
MIN_PART = 0.5
"""Shortest part of a series that is a view, as a share of its steps."""
DROPPED = 0.1
"""Share of the values that a view lacks."""
TEMPERATURE = 0.2
MAX_VALUE = 10.0
"""Deviations beyond which values are clipped."""


@final
class Encoder(nn.Module):
    """Dilated convolutions over time, then the mean and the maximum over the steps of each series.

    Args:
        channels: of the series.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.enter = nn.Conv1d(2 * channels, WIDTH, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Conv1d(WIDTH, WIDTH, 3, padding=2**number, dilation=2**number) for number in range(BLOCKS)
        )
        self.leave = nn.Linear(2 * WIDTH, FEATURES)

    def forward(self, values: Tensor, present: Tensor, within: Tensor) -> Tensor:
        """Return features, (count, 64).

        Args:
            values: (count, channels, steps), standardised, 0 where they are missing.
            present: likewise, 1 where they are not missing.
            within: (count, 1, steps), 1 from the first to the last step of a series.
        """
        # Steps outside a series are 0 before every convolution, so that their number has no effect.
        hidden = self.enter(torch.cat([values, present], 1) * within)
        for block in self.blocks:
            hidden = hidden + block(gelu(hidden) * within)
        mean = (hidden * within).sum(2) / within.sum(2).clamp_min(1)
        largest = hidden.masked_fill(within == 0, -torch.inf).amax(2)
        features: Tensor = self.leave(torch.cat([mean, largest], 1))
        # Of one size, so that no outlier decides the distance of two Gaussians.
        return layer_norm(features, features.shape[1:])


@final
@dataclass(frozen=True)
class ContextFeatures:
    """The output of a trained encoder as an extractor.

    Args:
        encoder: frozen.
        channels: of the series.
        name: says what it is, and the first 12 digits of the SHA-256 of its weights.
    """

    encoder: Encoder
    channels: Sequence[Channel]
    name: str
    cacheable = True

    def __call__(self, samples: Series) -> Float[Tensor, "count features"]:
        """Return the features of series, (count, 64)."""
        with torch.inference_mode():
            chunks = range(0, len(samples.values), CHUNK)
            parts = [self.encoder(*_inputs(take(samples, slice(at, at + CHUNK)), self.channels)) for at in chunks]
        return torch.cat(parts).clone()


def train_encoder(split: Split, seed: int) -> ContextFeatures:
    """Return an encoder trained on the series of ``split.train``, or the one that was trained on them before.

    Raises:
        SparringError: a training that would exceed the ``training_limit``.
    """
    channels = coding_of(split.facts).channels
    with seeded(seed, "series encoder"):
        encoder = Encoder(len(channels))
        head = nn.Sequential(nn.Linear(FEATURES, FEATURES), nn.ReLU(), nn.Linear(FEATURES, FEATURES))
    both = nn.ModuleList([encoder, head])
    rows = EpochSampler(len(split.train), min(BATCH, len(split.train)), derive(seed, "series encoder rows"))

    def loss(step: int) -> Tensor:
        series: Series = split.train.batch(rows.rows(step)).real
        inputs = _inputs(cropped(series, MAX_STEPS, derive(seed, "series crops", step)), channels)
        random = generator(seed, "series views", step)
        first, second = (normalize(head(encoder(*_view(*inputs, random)))) for _ in range(2))
        return contrastive(first, second)

    name = cached_network("series-encoder", encoder, split, seed, lambda: descend(both, STEPS, loss))
    return ContextFeatures(encoder, channels, name)


def contrastive(first: Tensor, second: Tensor) -> Tensor:
    """Return the cross-entropy of finding the other view of each series among all (van den Oord et al. 2018, eq. 4).

    Args:
        first: features of one view of each series, (count, features), of length 1.
        second: those of the other view.
    """
    alike = first @ second.T / TEMPERATURE
    targets = torch.arange(len(first))
    return (cross_entropy(alike, targets) + cross_entropy(alike.T, targets)) / 2


def _view(values: Tensor, present: Tensor, within: Tensor, random: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return a random part of each series, at least half of its steps, without a tenth of its values."""
    count, _, steps = values.shape
    drawn = torch.rand(2, count, 1, 1, generator=random)
    length = within.sum(2, keepdim=True)
    part = (length * (MIN_PART + (1 - MIN_PART) * drawn[0])).ceil()
    start = (drawn[1] * (length - part + 1)).floor()
    at = torch.arange(steps)
    shown = within * ((at >= start) & (at < start + part))
    kept = present * (torch.rand(values.shape, generator=random) >= DROPPED) * shown
    return values * kept, kept, shown


def _inputs(series: Series, channels: Sequence[Channel]) -> tuple[Tensor, Tensor, Tensor]:
    """Return series as the encoder takes them, float32."""
    mean, deviation = (
        torch.tensor([getattr(one, name) for one in channels], dtype=torch.float64) for name in ("mean", "deviation")
    )
    within = torch.arange(series.values.shape[1]) < series.length[:, None]
    present = ~series.missing & within[..., None]
    values = (series.values / deviation - mean / deviation).nan_to_num().clamp(-MAX_VALUE, MAX_VALUE)
    values = values.masked_fill(~present, 0.0)
    return values.mT.float(), present.mT.float(), within[:, None].float()
