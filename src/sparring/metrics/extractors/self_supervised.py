"""A small network of the project's own that learns, without labels, what stays the same when an image moves a little.

For images that have no classes it takes the place of the classifier: features of its own, trained on the real images.
"""

import math
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn
from torch.nn.functional import affine_grid, grid_sample, mse_loss, relu

from sparring.data.cache import cache_folder, file_name
from sparring.data.dataset import Dataset, Split
from sparring.data.sampler import EpochSampler
from sparring.metrics.cache import keep
from sparring.metrics.extractors.classifier import (
    FEATURES,
    Smaller,
    build,
    descend,
    hash_of,
    in_chunks,
    kept_weights,
    require_images,
)
from sparring.randomness import derive, generator, seeded

VERSION = 1
STEPS_FEW, STEPS_MANY, MANY = 400, 600, 10_000
BATCH = 128
PROJECTED = 256
TELLING = 64
"""Samples that tell one split from another."""
INVARIANCE, VARIANCE, COVARIANCE = 25.0, 25.0, 1.0
"""Weights of the three terms (Bardes et al. 2022, section 4.2)."""
SMALLEST_AREA, SHIFT, ANGLE, BRIGHTNESS, CONTRAST, STRETCH = 0.5, 0.08, 12.0, 0.2, 0.3, 0.2
"""Of a view: share of the area, share of half a side, degrees, of [-1, 1], and logarithms of factors."""


@final
@dataclass(frozen=True)
class SelfSupervised:
    """A trained network as an extractor of its 64 features.

    Args:
        network: a classifier's trunk; not trained any further.
        name: "self-supervised-" and the first 12 digits of the SHA-256 of the weights.
    """

    network: nn.Sequential
    name: str
    lasting = True

    def __call__(self, samples: Tensor) -> Float[Tensor, "count features"]:
        return in_chunks(self.network, samples)


def train_self_supervised(split: Split, seed: int) -> SelfSupervised:
    """A network trained on the images of ``split.train`` by VICReg (Bardes et al. 2022), or the one trained before.

    Two views of an image, cropped, turned, moved, brightened and stretched in contrast a little, never mirrored, are to
    have equal features, while features vary over images and say different things. Kept in the cache folder by data,
    shape and seed; on one machine with the same number of threads equal input gives equal weights.

    Raises:
        SparringError: not images of at least 8 × 8.
    """
    shape = split.train.samples.shape[1:]
    require_images(shape)
    path = _place(split, seed)
    with seeded(seed, "self-supervised"):
        network, projector = _trunk(shape), _projector()
    weights = kept_weights(path, network.state_dict())
    if weights is None:
        _fit(network, projector, split.train, seed)
        keep(path, network.state_dict())
    else:
        network.load_state_dict(weights)
    network.eval().requires_grad_(False)
    return SelfSupervised(network, f"self-supervised-{hash_of(network.state_dict())[:12]}")


def views(images: Tensor, generator: Generator) -> Tensor:
    """Each image, (count, channels, height, width) in [-1, 1], seen a little differently."""
    drawn = torch.rand(9, len(images), generator=generator)

    def between(row: int, low: float, high: float) -> Tensor:
        return low + (high - low) * drawn[row]

    area, stretch = between(0, SMALLEST_AREA, 1), between(1, -STRETCH, STRETCH).exp()
    across, down = (area * stretch).sqrt().clamp(max=1), (area / stretch).sqrt().clamp(max=1)
    angle = between(2, -ANGLE, ANGLE) * math.pi / 180
    right = between(3, -1, 1) * (1 - across) + between(7, -SHIFT, SHIFT)
    below = between(4, -1, 1) * (1 - down) + between(8, -SHIFT, SHIFT)
    rows = [
        torch.stack([across * angle.cos(), -down * angle.sin(), right], 1),
        torch.stack([across * angle.sin(), down * angle.cos(), below], 1),
    ]
    grid = affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    moved = grid_sample(images, grid, padding_mode="border", align_corners=False)
    factor = between(5, -CONTRAST, CONTRAST).exp()[:, None, None, None]
    lighter = between(6, -BRIGHTNESS, BRIGHTNESS)[:, None, None, None]
    mean = moved.mean((1, 2, 3), keepdim=True)
    return (moved - mean) * factor + mean + lighter


def variance_invariance_covariance(first: Tensor, second: Tensor) -> Tensor:
    """The loss of two sets of projected views, both (count, size) (Bardes et al. 2022, eqs. 1-6)."""
    invariance = mse_loss(first, second)
    variance = sum(relu(1 - (side.var(0) + 1e-4).sqrt()).mean() for side in (first, second))
    covariance = sum(_off_diagonal(side) for side in (first, second))
    return INVARIANCE * invariance + VARIANCE * variance + COVARIANCE * covariance


def _off_diagonal(side: Tensor) -> Tensor:
    centred = side - side.mean(0)
    squares = (centred.T @ centred / (len(side) - 1)).square()
    return (squares.sum() - squares.diagonal().sum()) / side.shape[1]


def _trunk(shape: tuple[int, ...]) -> nn.Sequential:
    """Of a classifier, up to its features; their last rectifier would silence half of them."""
    return nn.Sequential(*list(build(shape, classes=2))[:-2])


def _projector() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(FEATURES, PROJECTED), nn.BatchNorm1d(PROJECTED), nn.ReLU(), nn.Linear(PROJECTED, PROJECTED)
    )


def _fit(network: nn.Sequential, projector: nn.Sequential, train: Dataset, seed: int) -> None:
    both = nn.Sequential(network, projector)
    rows = EpochSampler(len(train), BATCH, derive(seed, "self-supervised rows"))
    smaller = Smaller()

    def loss(step: int) -> Tensor:
        samples, random = smaller(train.batch(rows.rows(step)).real), generator(seed, "views", step)
        first, second = both(torch.cat([views(samples, random), views(samples, random)])).chunk(2)
        return variance_invariance_covariance(first, second)

    descend(both, STEPS_FEW if len(train) < MANY else STEPS_MANY, loss)


def _place(split: Split, seed: int) -> Path:
    """Where the weights are kept: all that decides them is in the name, which part was held out by some of the rest."""
    some = np.ascontiguousarray(split.train.samples[:: max(len(split.train) // TELLING, 1)])
    decides = (VERSION, split.facts.fingerprint, split.train.samples.shape, seed, torch.get_num_threads())
    key = file_name(f"{decides} {sha256(some.tobytes()).hexdigest()}")
    return cache_folder() / "self-supervised" / f"{key}.safetensors"
