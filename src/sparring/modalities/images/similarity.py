"""How similar images look to one another, and so how various a class is: multi-scale structural similarity."""

from typing import TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor
from torch.nn.functional import avg_pool2d

from sparring.errors import SparringError

WINDOW, SPREAD = 11, 1.5
"""Side and standard deviation of the Gaussian window, in pixels."""
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales, from fine to coarse."""
LUMINANCE_FLOOR, CONTRAST_FLOOR = 0.01**2, 0.03**2
"""Of brightness in [0, 1]."""
VALUES = 1024 * 1024
"""Of one side that are compared at a time: 8 MiB in float64."""

Images: TypeAlias = Float[Tensor, "count channels height width"]


def structural_similarity(first: Images, second: Images) -> Float[Tensor, " count"]:
    """MS-SSIM of each pair, in [0, 1], 1 for equal images (Wang, Simoncelli & Bovik 2003, section 3).

    Window of 11 × 11, Gaussian with σ = 1.5, only where it lies wholly inside; K₁ = .01, K₂ = .03; five scales, each
    half the one before by means of 2 × 2 (a last odd row or column is dropped). The contrast-structure terms are means
    over the image, negative ones count as 0; so does the full similarity that is the term of the coarsest scale.
    Channels are compared apart, and their values averaged.

    Images of less than 176 a side have room for fewer scales: as many as the window fits into, with the first weights
    divided by their sum. Below 11 a side there is one scale, and the window is cut to the image. Values of different
    numbers of scales do not compare.

    Args:
        first: images in [-1, 1].
        second: as many of the same shape.

    Raises:
        SparringError: not images, of different shapes, or values that are not finite.
    """
    _check(first, second)
    pairs = zip(torch.split(first, _some(first)), torch.split(second, _some(first)), strict=True)
    # Luminance compares ratios of brightness, so black must be 0.
    return torch.cat([_similarity(*((side.detach().double() + 1) / 2 for side in pair)) for pair in pairs])


def similarity_within(
    samples: Images, labels: Int[Tensor, " count"] | None, *, generator: Generator, pairs: int = 1000
) -> float:
    """Mean ``structural_similarity`` of random pairs of two samples of one class (Odena et al. 2017, section 4.2).

    In [0, 1]. More similar than real samples of the same classes are: the samples have collapsed. Less alone is no
    praise, as noise has least. Each class that has two samples gets its equal share of the pairs.

    Args:
        samples: images in [-1, 1].
        labels: their classes; None if any two samples may be a pair.
        generator: draws the pairs.
        pairs: how many (the paper takes 100 of each class).

    Raises:
        SparringError: no class with two samples, labels that do not match, no pairs, or as ``structural_similarity``.
    """
    labels = torch.zeros(len(samples), dtype=torch.int64) if labels is None else labels.cpu()
    if labels.shape != (len(samples),) or pairs < 1:
        raise SparringError(
            found=f"{len(samples)} samples, labels of shape {tuple(labels.shape)} and {pairs} pairs",
            expected="a label for each sample, and at least one pair",
            remedy="give the class of each, or None",
        )
    first, second = (rows.to(samples.device) for rows in _pairs(labels, pairs, generator))
    # Chunks here too: thousands of pairs need not lie in memory at once.
    chunks = zip(torch.split(first, _some(samples)), torch.split(second, _some(samples)), strict=True)
    found = [structural_similarity(samples[left], samples[right]) for left, right in chunks]
    return float(torch.cat(found).mean())


def _pairs(labels: Tensor, count: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Rows of the first and of the second of each pair."""
    order = labels.argsort(stable=True)
    sizes = labels.unique(return_counts=True)[1]
    starts = sizes.cumsum(0) - sizes
    usable = (sizes > 1).nonzero()[:, 0]
    if len(usable) == 0:
        raise SparringError(
            found=f"{len(labels)} samples and no two of one class",
            expected="a class with two samples",
            remedy="give more samples",
        )
    turns = usable[torch.randperm(len(usable), generator=generator)]
    classes = turns[torch.arange(count) % len(turns)]
    drawn = torch.rand(2, count, generator=generator, dtype=torch.float64)
    size = sizes[classes]
    first = (drawn[0] * size).long()
    second = (first + 1 + (drawn[1] * (size - 1)).long()) % size
    return order[starts[classes] + first], order[starts[classes] + second]


def _some(images: Tensor) -> int:
    return max(1, VALUES // max(1, images.shape[1:].numel()))


def _similarity(first: Tensor, second: Tensor) -> Tensor:
    scales = _scales(min(first.shape[2:]))
    # The published five add up to 1.0001, and are used as they are.
    total = sum(WEIGHTS[:scales]) if scales < len(WEIGHTS) else 1.0
    product = torch.ones(first.shape[:2], dtype=torch.float64, device=first.device)
    for scale, weight in enumerate(WEIGHTS[:scales]):
        if scale > 0:
            first, second = avg_pool2d(first, 2), avg_pool2d(second, 2)
        luminance, contrast = _terms(first, second)
        term = luminance * contrast if scale == scales - 1 else contrast
        product = product * term.mean((2, 3)).clamp(min=0) ** (weight / total)
    return product.mean(1)


def _scales(side: int) -> int:
    return max(1, sum(side >> scale >= WINDOW for scale in range(len(WEIGHTS))))


def _terms(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Luminance, and contrast times structure, wherever the window fits."""
    mean_first, mean_second = _blurred(first), _blurred(second)
    both = mean_first * mean_second
    squares = mean_first.square() + mean_second.square()
    covariance = _blurred(first * second) - both
    variances = _blurred(first.square() + second.square()) - squares
    luminance = (2 * both + LUMINANCE_FLOOR) / (squares + LUMINANCE_FLOOR)
    return luminance, (2 * covariance + CONTRAST_FLOOR) / (variances + CONTRAST_FLOOR)


def _blurred(images: Tensor) -> Tensor:
    height, width = images.shape[2:]
    return _windows(height, images) @ images @ _windows(width, images).T


def _windows(side: int, like: Tensor) -> Float[Tensor, "places side"]:
    """The window at each place along a side: a product with it is much faster here than a convolution in float64."""
    size = min(WINDOW, side)
    offsets = torch.arange(size, dtype=like.dtype, device=like.device) - (size - 1) / 2
    window = (-offsets.square() / (2 * SPREAD**2)).exp()
    places = torch.arange(side - size + 1, device=like.device)[:, None]
    columns = places + torch.arange(size, device=like.device)
    return like.new_zeros(len(places), side).scatter_(1, columns, (window / window.sum()).expand(len(places), -1))


def _check(first: Tensor, second: Tensor) -> None:
    if first.dim() != 4 or first.shape != second.shape or 0 in first.shape:
        raise SparringError(
            found=f"samples of shapes {tuple(first.shape)} and {tuple(second.shape)}",
            expected="images of one shape (count, channels, height, width)",
            remedy="compare equally many images of one size",
        )
    if not (first.isfinite().all() and second.isfinite().all()):
        raise SparringError(
            found="values that are not finite",
            expected="images in [-1, 1]",
            remedy="look at the samples: a run that has diverged generates such ones",
        )
