"""Answers that need no model, for conditions that are images: any model has to be better than these.

The input itself, the training image whose own input is nearest, the input with the colours of the training images, and
a hole filled with the mean of what surrounds it.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from sparring.data.dataset import Dataset, Split
from sparring.flow import Batch, Sample
from sparring.metrics.paired import mean_in
from sparring.modalities.images.conditions import Holed, Translation, input_images
from sparring.samples import rows_within

SEARCHED, SEARCHED_BYTES = 10_000, 2**28
"""Training images among which the nearest is looked for, and their bytes, whichever is less."""
SAME = 1e-6
"""Squared distance of reduced images below which they are equal."""
SIDE = 16
"""Sides in pixels to which images are reduced before they are compared."""


def baselines(batch: Batch, split: Split) -> Mapping[str, Tensor]:
    """Return answers for the conditions of a batch, by name, in the shape of its images; none for other conditions."""
    condition, shape = batch.condition, batch.real.shape[1:]
    known = split.train.subset(slice(0, rows_within(SEARCHED_BYTES, split.train.shapes, SEARCHED)))
    if isinstance(condition, Holed):
        return {
            "mean of the surroundings": _filled(condition, _surroundings(condition)),
            "nearest training image": _filled(condition, _nearest(batch, known)),
        }
    images = input_images(condition)
    if images is None:
        return {}
    shown = as_output(images, shape)
    found = {"input as output": shown, "nearest training image": _nearest(batch, known)}
    if images.shape[1:] == shape:
        found["recoloured input"] = recoloured(shown, known.batch(slice(None)).real)
    return found


def given(batch: Batch) -> Tensor | None:
    """Return the images that a batch was generated from; None unless they are whole and of the same shape."""
    images = None if isinstance(batch.condition, Holed) else input_images(batch.condition)
    return images if images is not None and images.shape == batch.real.shape else None


def shown_inputs(batch: Batch) -> Tensor | None:
    """Return the images that a batch was generated from, with grey holes, in the shape of its images."""
    images = input_images(batch.condition)
    return None if images is None else as_output(images, batch.real.shape[1:])


def difference(one: Tensor, other: Tensor, condition: Sample | None = None) -> Tensor:
    """Return the mean absolute difference of images and their counterparts, (count,); of fills, only in the hole."""
    return mean_in((one.double() - other.double()).abs(), condition.mask if isinstance(condition, Holed) else None)


def as_output(images: Tensor, shape: torch.Size) -> Tensor:
    """Return inputs in the shape of outputs: enlarged bicubically, grey ones with equal channels."""
    channels, height, width = shape
    if images.shape[2:] != shape[1:]:
        images = interpolate(images, (height, width), mode="bicubic", align_corners=False).clamp(-1, 1)
    if images.shape[1] == channels:
        return images
    return images.mean(1, keepdim=True).expand(-1, channels, -1, -1).contiguous()


def recoloured(images: Tensor, like: Tensor) -> Tensor:
    """Shift and scale each channel to the mean and the standard deviation of other images (Reinhard et al. 2001)."""
    (deviation, mean), (wanted_deviation, wanted_mean) = (
        torch.std_mean(one, (0, 2, 3), keepdim=True) for one in (images, like)
    )
    return ((images - mean) / deviation.clamp(min=1e-6) * wanted_deviation + wanted_mean).clamp(-1, 1)


def _nearest(batch: Batch, known: Dataset) -> Tensor:
    """Return the image whose input is nearest to that of each row; without pairs, the nearest image.

    An input that is itself among the data, as where a model is judged on other data than it was trained on, does not
    count as near.
    """
    theirs, condition = known.batch(slice(None)), batch.condition
    images: Tensor = theirs.real
    if isinstance(condition, Holed):
        rows = _nearest_outside(condition, images)
    elif isinstance(condition, Translation):
        rows = _nearest_other(condition.image, images)
    else:
        assert isinstance(condition, Tensor) and isinstance(theirs.condition, Tensor)
        rows = _nearest_other(condition, theirs.condition)
    return images[rows]


def _nearest_other(images: Tensor, known: Tensor) -> Tensor:
    """Return the rows of the known images that are nearest to each of the images, and not equal to it."""
    rows = torch.cat([squared.masked_fill(squared < SAME, torch.inf).argmin(1) for squared in _gaps(images, known)])
    return rows.cpu()


def _gaps(images: Tensor, known: Tensor) -> Iterator[Tensor]:
    """Yield squared distances between reduced images, some rows at a time."""
    candidates = _reduced(known)
    for part in _reduced(images).split(256):
        yield torch.cdist(part, candidates).square()


def _nearest_outside(condition: Holed, images: Tensor) -> Tensor:
    """Return the rows of the images that are nearest to what is known of each image with a hole."""
    candidates, mine = _reduced(images), _reduced(condition.image)
    seen = 1 - interpolate(condition.mask, (SIDE, SIDE), mode="area").flatten(1)
    seen = seen.repeat(1, images.shape[1])  # (count, channels · SIDE²)
    gaps = (((candidates - one) * known).square().sum(1) for one, known in zip(mine, seen, strict=True))
    return torch.stack([gap.masked_fill(gap < SAME, torch.inf).argmin() for gap in gaps])


def _reduced(images: Tensor) -> Tensor:
    """Return small images as rows of values, (count, values)."""
    return interpolate(images.float(), (SIDE, SIDE), mode="area").flatten(1)


def _surroundings(condition: Holed) -> Tensor:
    """Return the mean of each channel outside the hole, (count, channels, 1, 1)."""
    outside = 1 - condition.mask
    return (condition.image * outside).sum((2, 3), keepdim=True) / outside.sum((2, 3), keepdim=True).clamp(min=1)


def _filled(condition: Holed, fill: Tensor) -> Tensor:
    return torch.where(condition.mask > 0, fill, condition.image)
