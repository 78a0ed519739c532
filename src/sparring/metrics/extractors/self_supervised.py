"""A small network trained on real images without labels: an extractor for images that have no classes.

It learns what stays the same when an image moves a little (VICReg, Bardes et al. 2022).
"""

import math

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import affine_grid, grid_sample, mse_loss, relu

from sparring.data.dataset import Dataset, Split
from sparring.data.sampler import EpochSampler
from sparring.metrics.extractors.small_network import (
    BATCH,
    FEATURES,
    Downsample,
    NetworkFeatures,
    build,
    cached_network,
    descend,
    require_images,
)
from sparring.randomness import derive, generator, seeded

STEPS, STEPS_LARGE, LARGE_COUNT = 400, 600, 10_000
"""Training steps; those for large data; and the number of samples from which data is large."""
PROJECTION = 256
"""Size of the projected features that the loss is computed on."""
INVARIANCE, VARIANCE, COVARIANCE = 25.0, 25.0, 1.0
"""Weights of the three terms (Bardes et al. 2022, section 4.2)."""
MIN_AREA = 0.5
"""Smallest area of a view, as a share of the image."""
MAX_SHIFT = 0.08
"""Largest shift of a view, in half sides of the image."""
MAX_ANGLE = 12.0
"""Degrees."""
MAX_BRIGHTNESS = 0.2
"""Added to values in [-1, 1]."""
MAX_LOG_CONTRAST, MAX_LOG_STRETCH = 0.3, 0.2


def train_self_supervised(split: Split, seed: int) -> NetworkFeatures:
    """Return a network trained on the images of ``split.train``, or the one that was trained on them before.

    Raises:
        SparringError: not images of at least 8 × 8, or a training that would exceed the ``training_limit``.
    """
    shape = split.train.samples.shape[1:]
    require_images(shape)
    with seeded(seed, "self-supervised"):
        # Without the last ReLU, which would zero half of the features, and without the classes.
        network = nn.Sequential(*list(build(shape, classes=2))[:-2])
        projector = nn.Sequential(
            nn.Linear(FEATURES, PROJECTION), nn.BatchNorm1d(PROJECTION), nn.ReLU(), nn.Linear(PROJECTION, PROJECTION)
        )
    both = nn.Sequential(network, projector)
    name = cached_network("self-supervised", network, split, seed, lambda: _fit(both, split.train, seed))
    return NetworkFeatures(network, name)


def views(images: Tensor, generator: Generator) -> Tensor:
    """Return one random view of each image, (count, channels, height, width) in [-1, 1].

    Views are cropped, stretched, rotated, shifted, and changed in brightness and contrast; they are never mirrored.
    """
    drawn = torch.rand(9, len(images), generator=generator)

    def between(row: int, low: float, high: float) -> Tensor:
        return low + (high - low) * drawn[row]  # (count,)

    # Crop, stretch, rotation and shift as one affine map, (count, 2, 3).
    area, stretch = between(0, MIN_AREA, 1), between(1, -MAX_LOG_STRETCH, MAX_LOG_STRETCH).exp()
    width, height = (area * stretch).sqrt().clamp(max=1), (area / stretch).sqrt().clamp(max=1)
    angle = between(2, -MAX_ANGLE, MAX_ANGLE) * math.pi / 180
    right = between(3, -1, 1) * (1 - width) + between(7, -MAX_SHIFT, MAX_SHIFT)
    down = between(4, -1, 1) * (1 - height) + between(8, -MAX_SHIFT, MAX_SHIFT)
    rows = [
        torch.stack([width * angle.cos(), -height * angle.sin(), right], 1),
        torch.stack([width * angle.sin(), height * angle.cos(), down], 1),
    ]
    grid = affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)  # (count, height, width, 2)
    moved = grid_sample(images, grid, padding_mode="border", align_corners=False)

    # Contrast about the mean, and brightness.
    contrast = between(5, -MAX_LOG_CONTRAST, MAX_LOG_CONTRAST).exp()[:, None, None, None]
    brightness = between(6, -MAX_BRIGHTNESS, MAX_BRIGHTNESS)[:, None, None, None]
    mean = moved.mean((1, 2, 3), keepdim=True)
    return (moved - mean) * contrast + mean + brightness


def variance_invariance_covariance(first: Tensor, second: Tensor) -> Tensor:
    """Return the loss of two sets of projected views, (count, size) each (Bardes et al. 2022, eqs. 1-6)."""
    # s: the two views of an image should have equal features (eq. 5).
    invariance = mse_loss(first, second)
    # v: a standard deviation of at least 1 in every feature prevents collapse (eqs. 1 and 2).
    variance = sum(relu(1 - (side.var(0) + 1e-4).sqrt()).mean() for side in (first, second))
    # c: features should be uncorrelated (eqs. 3 and 4). The weighted sum is eq. 6.
    covariance = sum(_off_diagonal(side) for side in (first, second))
    return INVARIANCE * invariance + VARIANCE * variance + COVARIANCE * covariance


def _off_diagonal(side: Tensor) -> Tensor:
    """Return the sum of the squared covariances of different features, over their number (eq. 4)."""
    centred = side - side.mean(0)
    squares = (centred.T @ centred / (len(side) - 1)).square()  # (size, size)
    return (squares.sum() - squares.diagonal().sum()) / side.shape[1]


def _fit(network: nn.Sequential, train: Dataset, seed: int) -> None:
    rows = EpochSampler(len(train), BATCH, derive(seed, "self-supervised rows"))
    downsample = Downsample()

    def loss(step: int) -> Tensor:
        images, random = downsample(train.batch(rows.rows(step)).real), generator(seed, "views", step)
        first, second = network(torch.cat([views(images, random), views(images, random)])).chunk(2)
        return variance_invariance_covariance(first, second)

    descend(network, STEPS if len(train) < LARGE_COUNT else STEPS_LARGE, loss)
