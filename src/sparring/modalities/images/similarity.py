"""Multi-scale structural similarity of images, and the diversity of a class by it."""

from typing import TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor
from torch.nn.functional import avg_pool2d

from sparring.errors import SparringError
from sparring.modalities.images.spectrum import require_finite

WINDOW_SIDE, WINDOW_SIGMA = 11, 1.5
"""Side and standard deviation of the Gaussian window, in pixels."""
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the scales, from fine to coarse (Wang et al. 2003, section 3.2)."""
LUMINANCE_CONSTANT, CONTRAST_CONSTANT = 0.01**2, 0.03**2
"""C₁ = K₁² and C₂ = K₂², for brightness in [0, 1]."""
CHUNK_VALUES = 1024 * 1024
"""Values of one side that are compared at a time: 8 MiB in float64."""

Images: TypeAlias = Float[Tensor, "count channels height width"]


def structural_similarity(first: Images, second: Images) -> Float[Tensor, " count"]:
    """Return MS-SSIM of each pair, in [0, 1], 1 for equal images (Wang, Simoncelli & Bovik 2003, section 3).

    The window is 11 × 11, Gaussian with σ = 1.5, and used only where it lies wholly inside; K₁ = 0.01, K₂ = 0.03. Each
    of the five scales halves the one before by means of 2 × 2 pixels (a last odd row or column is dropped). The
    contrast-structure term of a scale is the mean over the image, and negative means count as 0; at the coarsest scale
    the same holds for luminance × contrast-structure. Channels are compared separately, and their values averaged.

    Images of less than 176 a side have fewer scales: as many as the window fits into, with the first weights divided by
    their sum. Below 11 a side there is one scale, and the window is cropped to the image. Values are comparable only
    for the same number of scales.

    Args:
        first: images in [-1, 1].
        second: as many images of the same shape.

    Raises:
        SparringError: not images, of different shapes, or values that are not finite.
    """
    _check(first, second)
    size = _images_per_chunk(first)
    pairs = zip(torch.split(first, size), torch.split(second, size), strict=True)
    # Luminance compares ratios of brightness, so black must be 0.
    return torch.cat([_similarity(*((side.detach().double() + 1) / 2 for side in pair)) for pair in pairs])


def similarity_within(
    samples: Images, labels: Int[Tensor, " count"] | None, *, generator: Generator, pairs: int = 1000
) -> float:
    """Return the mean MS-SSIM of random pairs of two samples of one class (Odena et al. 2017, section 4.2), in [0, 1].

    A value above that of real samples of the same classes indicates mode collapse. A low value alone proves nothing, as
    noise has the lowest. Every class with two samples or more gets an equal share of the pairs.

    Args:
        samples: images in [-1, 1].
        labels: their classes; None if any two samples may form a pair.
        generator: draws the pairs.
        pairs: number of pairs (100 of each class in the paper).

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
    # Gather pairs in chunks as well, since thousands of them need not be in memory at once.
    size = _images_per_chunk(samples)
    chunks = zip(torch.split(first, size), torch.split(second, size), strict=True)
    values = [structural_similarity(samples[left], samples[right]) for left, right in chunks]
    return float(torch.cat(values).mean())


def _pairs(labels: Tensor, count: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Draw pairs within classes; return the rows of their first and of their second samples, (count,) each."""
    # Sort rows by class: class k has the rows order[starts[k] : starts[k] + sizes[k]].
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

    # Take the usable classes in turn, in random order, and two different samples of each.
    shuffled = usable[torch.randperm(len(usable), generator=generator)]
    classes = shuffled[torch.arange(count) % len(shuffled)]
    uniform = torch.rand(2, count, generator=generator, dtype=torch.float64)
    size = sizes[classes]
    first = (uniform[0] * size).long()
    # A cyclic shift by 1 to size − 1 never leads back to the first sample.
    second = (first + 1 + (uniform[1] * (size - 1)).long()) % size
    return order[starts[classes] + first], order[starts[classes] + second]


def _images_per_chunk(images: Tensor) -> int:
    return max(1, CHUNK_VALUES // max(1, images.shape[1:].numel()))


def _similarity(first: Tensor, second: Tensor) -> Tensor:
    """Return MS-SSIM of images in [0, 1], (count,): the product over scales of means to the power of their weights."""
    scales = _scales(min(first.shape[2:]))
    # The published five weights add up to 1.0001, and are used as they are.
    total = sum(SCALE_WEIGHTS[:scales]) if scales < len(SCALE_WEIGHTS) else 1.0

    # ∏ⱼ (cⱼ sⱼ)^βⱼ over the scales j from fine to coarse, with the luminance in the coarsest alone.
    product = torch.ones(first.shape[:2], dtype=torch.float64, device=first.device)  # (count, channels)
    for scale, weight in enumerate(SCALE_WEIGHTS[:scales]):
        if scale > 0:
            first, second = avg_pool2d(first, 2), avg_pool2d(second, 2)
        luminance, contrast = _terms(first, second)  # (count, channels, rows, columns) each
        term = luminance * contrast if scale == scales - 1 else contrast
        product = product * term.mean((2, 3)).clamp(min=0) ** (weight / total)
    return product.mean(1)


def _scales(side: int) -> int:
    return max(1, sum(side >> scale >= WINDOW_SIDE for scale in range(len(SCALE_WEIGHTS))))


def _terms(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Return luminance l and contrast × structure c·s wherever the window fits (Wang et al. 2003, eqs. 1 to 3)."""
    # Moments under the window at each position: μ₁μ₂, μ₁² + μ₂², σ₁₂ and σ₁² + σ₂².
    mean_first, mean_second = _blurred(first), _blurred(second)
    product = mean_first * mean_second
    squares = mean_first.square() + mean_second.square()
    covariance = _blurred(first * second) - product
    variances = _blurred(first.square() + second.square()) - squares

    # l = (2μ₁μ₂ + C₁) / (μ₁² + μ₂² + C₁) and c·s = (2σ₁₂ + C₂) / (σ₁² + σ₂² + C₂), with C₃ = C₂ / 2.
    luminance = (2 * product + LUMINANCE_CONSTANT) / (squares + LUMINANCE_CONSTANT)
    return luminance, (2 * covariance + CONTRAST_CONSTANT) / (variances + CONTRAST_CONSTANT)


def _blurred(images: Tensor) -> Tensor:
    """Average images under the window wherever it fits: the window is separable, so by one product per direction."""
    height, width = images.shape[2:]
    # (rows, height) · (count, channels, height, width) · (width, columns)
    return _windows(height, images) @ images @ _windows(width, images).T


def _windows(side: int, like: Tensor) -> Float[Tensor, "positions side"]:
    """Return the window at each position along a side; a product with it is faster than a convolution in float64."""
    size = min(WINDOW_SIDE, side)
    offsets = torch.arange(size, dtype=like.dtype, device=like.device) - (size - 1) / 2
    window = (-offsets.square() / (2 * WINDOW_SIGMA**2)).exp()

    # Row p of the matrix holds the window, with sum 1, in the columns p to p + size − 1.
    positions = torch.arange(side - size + 1, device=like.device)[:, None]
    columns = positions + torch.arange(size, device=like.device)  # (positions, size)
    return like.new_zeros(len(positions), side).scatter_(1, columns, (window / window.sum()).expand(len(positions), -1))


def _check(first: Tensor, second: Tensor) -> None:
    if first.dim() != 4 or first.shape != second.shape or 0 in first.shape:
        raise SparringError(
            found=f"samples of shapes {tuple(first.shape)} and {tuple(second.shape)}",
            expected="images of one shape (count, channels, height, width)",
            remedy="compare equally many images of one size",
        )
    require_finite(first, second)
