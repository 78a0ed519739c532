"""Maps of labels: images of a few flat colours, each of which is a label, and a network that reads labels off images.

Isola et al. (2017, section 4.1) judge photographs generated from labels by a segmenter trained on real ones.
"""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate

from sparring.data.dataset import Dataset, Split
from sparring.data.sampler import EpochSampler
from sparring.errors import SparringError
from sparring.flow import Batch
from sparring.metrics.extractors.small_network import cached_network, descend, in_chunks
from sparring.modalities.images.conditions import input_images
from sparring.randomness import derive, seeded
from sparring.samples import rows_within

FLAT = 4 / 127.5
"""Largest difference of neighbours in a flat area, in [-1, 1]: four steps of a byte."""
RADIUS = 6 / 127.5
"""Largest difference from a colour in each channel at which a pixel has it."""
COVERED, MIN_SHARE = 0.95, 0.002
"""Share of the pixels in flat areas that the colours of a map of labels have together, and that each of them has."""
MAX_COLOURS, MAX_GREY_LEVELS = 32, 8
"""Most colours of a map of labels, with several channels and with one, of which 32 would cover the whole range."""
MIN_FLAT = 0.1
"""Share of pixels that lie in flat areas of a map of labels."""
SEARCHED_BYTES = 2**23
"""Bytes of the training images among which colours are sought, spread over the data."""
LARGEST_SIDE = 64
"""Pixels to which larger images are reduced before labels are read off them."""
STEPS, BATCH = 300, 16
UNKNOWN = -100
"""Label of pixels between two colours, at edges; left out."""

LabelAccuracy: TypeAlias = Callable[[Tensor, Batch], float]
"""(images, their true images and conditions) → share of pixels whose label is right, in [0, 1]."""


def label_accuracy(split: Split, seed: int) -> LabelAccuracy | None:
    """Return the accuracy of labels, where one side of the pairs is maps of labels; otherwise None.

    Where labels are generated, a pixel has the label of the nearest colour. Where images are generated from labels, a
    network reads the labels off the images, which was trained on the real training pairs.
    """
    count = len(split.train)
    some = split.train.batch(slice(None, None, -(-count // rows_within(SEARCHED_BYTES, split.train.shapes, count))))
    inputs = input_images(some.condition)
    if inputs is None or not isinstance(some.condition, Tensor) or inputs.shape[2:] != some.real.shape[2:]:
        return None
    colours = colours_of(some.real)
    if colours is not None:
        found = colours
        return lambda samples, true: _share(nearest_colour(samples, found), known_labels(true.real, found))
    colours = colours_of(inputs)
    if colours is None:
        return None
    try:
        read = _trained(split, colours, seed)
    except SparringError:
        return None  # There is no time for it.
    known = colours
    return lambda samples, true: _share(read(samples), known_labels(_reduced(_input(true)), known))


def colours_of(images: Tensor) -> Tensor | None:
    """Return the colours of maps of labels, (colours, channels), the most frequent first; None for other images.

    Only flat areas count: at edges, resizing mixes colours.

    Args:
        images: (count, channels, height, width) in [-1, 1].
    """
    corner = images[..., :-1, :-1]
    gaps = torch.maximum((images[..., :-1, 1:] - corner).abs(), (images[..., 1:, :-1] - corner).abs())
    flat = gaps.amax(1) <= FLAT
    pixels = corner.movedim(1, -1)[flat]  # (pixels, channels)
    if flat.float().mean() < MIN_FLAT:
        return None

    # Take the most frequent colour and all that is near it, again and again.
    left, counts = pixels.add(1).mul(127.5).round().byte().unique(dim=0, return_counts=True)
    left = left / 127.5 - 1
    colours: list[Tensor] = []
    for _ in range(MAX_COLOURS if images.shape[1] > 1 else MAX_GREY_LEVELS):
        near = (left - left[counts.argmax()]).abs().amax(1) <= RADIUS
        if counts[near].sum() < MIN_SHARE * len(pixels):
            break
        colours.append(left[counts.argmax()])
        left, counts = left[~near], counts[~near]
        if len(left) == 0:
            break
    few = counts.sum() <= (1 - COVERED) * len(pixels)
    return torch.stack(colours) if few and len(colours) > 1 else None


def nearest_colour(images: Tensor, colours: Tensor) -> Tensor:
    """Return the number of the colour that is nearest to each pixel, (count, height, width)."""
    return torch.cat([torch.cdist(part.movedim(1, -1), colours).argmin(-1) for part in images.float().split(64)])


def known_labels(images: Tensor, colours: Tensor) -> Tensor:
    """Return the label of each pixel, (count, height, width), ``UNKNOWN`` where it has none of the colours."""
    labels = nearest_colour(images, colours)
    near = (images - colours[labels].movedim(-1, 1)).abs().amax(1) <= 2 * RADIUS
    return labels.where(near, UNKNOWN)


class Beside(nn.Module):
    """Joins the channels of the input and what inner layers make of it on a coarser grid."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        coarse = self.layers(images)
        return torch.cat([images, interpolate(coarse, images.shape[2:], mode="bilinear", align_corners=False)], 1)


def _segmenter(channels: int, labels: int) -> nn.Sequential:
    """Build a network from images to logits of labels on a grid of half the size."""

    def layer(before: int, after: int, stride: int = 1) -> list[nn.Module]:
        return [nn.Conv2d(before, after, 3, stride, padding=1), nn.BatchNorm2d(after), nn.ReLU()]

    coarsest = Beside(*layer(48, 64, stride=2), *layer(64, 64), *layer(64, 64))
    coarse = Beside(*layer(32, 48, stride=2), coarsest, *layer(112, 64))
    return nn.Sequential(*layer(channels, 32, stride=2), coarse, *layer(96, 32), nn.Conv2d(32, labels, 1))


def _trained(split: Split, colours: Tensor, seed: int) -> Callable[[Tensor], Tensor]:
    """Train a segmenter on the training pairs; it returns the labels of images, reduced as by ``_reduced``."""
    with seeded(seed, "segmenter"):
        network = _segmenter(split.train.shapes[0][0], len(colours))
    cached_network("segmenter", network, split, seed, lambda: _fit(network, split.train, colours, seed))

    def read(images: Tensor) -> Tensor:
        reduced = _reduced(images)
        parts = [
            interpolate(in_chunks(network, part), reduced.shape[2:], mode="bilinear", align_corners=False).argmax(1)
            for part in reduced.split(64)
        ]
        return torch.cat(parts)

    return read


def _fit(network: nn.Module, train: Dataset, colours: Tensor, seed: int) -> None:
    rows = EpochSampler(len(train), min(BATCH, len(train)), derive(seed, "segmenter rows"))

    def loss(step: int) -> Tensor:
        batch = train.batch(rows.rows(step))
        images, labels = _reduced(batch.real), known_labels(_reduced(_input(batch)), colours)
        if step % 2:
            images, labels = images.flip(3), labels.flip(2)
        logits = interpolate(network(images), labels.shape[1:], mode="bilinear", align_corners=False)
        return cross_entropy(logits, labels, ignore_index=UNKNOWN)

    descend(network, STEPS, loss)


def _input(batch: Batch) -> Tensor:
    assert isinstance(batch.condition, Tensor)
    return batch.condition


def _reduced(images: Tensor) -> Tensor:
    """Reduce images to at most 64 pixels a side, without mixing pixels, so that labels stay what they are."""
    height, width = (min(side, LARGEST_SIDE) for side in images.shape[2:])
    return images if (height, width) == images.shape[2:] else interpolate(images, (height, width), mode="nearest-exact")


def _share(labels: Tensor, true: Tensor) -> float:
    """Return the share of pixels with a known label whose label is right."""
    known = true != UNKNOWN
    return float((labels[known] == true[known]).double().mean())
