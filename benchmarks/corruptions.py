"""Known corruptions of real digits, in levels from weak to strong, and the split that samples are compared with."""

import functools
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Generator, Tensor
from torch.nn.functional import conv2d

from sparring.data.dataset import Dataset, Split
from sparring.data.view import View
from sparring.flow import Batch
from sparring.modalities import modality
from sparring.randomness import generator

TRAINING_DIGITS = 9000
"""Digits of a split to train on."""
SHIFT_PIXELS = 0.3
"""Pixels by which all digits are shifted before rounding."""


class Parts(NamedTuple):
    """Real digits of a seed: the split to compare with, other digits that become samples, and the shuffled classes."""

    split: Split
    rest: Dataset
    classes: Tensor


Corruption: TypeAlias = Callable[[Parts, int, Generator], Batch]
"""(parts, count, random numbers) → ``count`` samples."""


class Kind(NamedTuple):
    """A kind of corruption, in levels from weak to strong; ``shifted`` if all digits are shifted first."""

    title: str
    levels: Mapping[str, Corruption]
    shifted: bool = False


def drawn(dataset: Dataset, count: int, random: Generator) -> Batch:
    """Return ``count`` samples of a data set, drawn without replacement."""
    return dataset.batch(torch.randperm(len(dataset), generator=random)[:count].numpy())


def rounded(images: Tensor, steps: int) -> Tensor:
    """Round to ``steps`` equal steps from -1 to 1."""
    return ((images.clamp(-1, 1) + 1) * (steps / 2)).round() / (steps / 2) - 1


def changed(change: Callable[[Tensor, Generator], Tensor], steps: int = 255) -> Corruption:
    """Return the corruption that applies ``change`` to digits of the rest."""

    def corrupt(parts: Parts, count: int, random: Generator) -> Batch:
        images, _, labels = drawn(parts.rest, count, random)
        return Batch(rounded(change(images, random), steps), None, labels)

    return corrupt


def blurred(images: Tensor, _: Generator, *, deviation: float) -> Tensor:
    """Blur with a Gaussian, with black beyond the border."""
    reach = math.ceil(4 * deviation)
    window = (-torch.arange(-reach, reach + 1).square() / (2 * deviation**2)).exp()
    window = window / window.sum()
    down = conv2d((images + 1) / 2, window.view(1, 1, -1, 1), padding=(reach, 0))
    return 2 * conv2d(down, window.view(1, 1, 1, -1), padding=(0, reach)) - 1


def noisy(images: Tensor, random: Generator, *, deviation: float) -> Tensor:
    """Add white Gaussian noise."""
    return images + deviation * torch.randn(images.shape, generator=random)


def compressed(images: Tensor, _: Generator, *, quality: int) -> Tensor:
    """Write as grey JPEG, and read again."""

    def round_trip(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality)
        return np.asarray(Image.open(file))

    grey = ((images[:, 0] + 1) * 127.5).round().to(torch.uint8).numpy()
    return torch.from_numpy(np.stack([round_trip(image) for image in grey]))[:, None].float() / 127.5 - 1


def shifted(images: Tensor) -> Tensor:
    """Shift to the right by a part of a pixel, linear between neighbours."""
    moved = torch.cat([torch.full_like(images[..., :1], -1), images[..., :-1]], -1)
    return (1 - SHIFT_PIXELS) * images + SHIFT_PIXELS * moved


def without(parts: Parts, count: int, random: Generator, *, dropped: int) -> Batch:
    """Return digits of the rest from all but ``dropped`` classes."""
    assert parts.rest.labels is not None
    rows = np.flatnonzero(np.isin(parts.rest.labels, parts.classes[dropped:].numpy()))
    return parts.rest.batch(rows[torch.randperm(len(rows), generator=random)[:count].numpy()])


def repeated(parts: Parts, count: int, random: Generator, *, times: int) -> Batch:
    """Return digits of the rest, ``times`` copies of each."""
    return shuffled([drawn(parts.rest, math.ceil(count / times), random)] * times, count, random)


def from_few(parts: Parts, count: int, random: Generator, *, distinct: int) -> Batch:
    """Return copies of the same ``distinct`` digits of the rest."""
    return shuffled([parts.rest.batch(slice(0, distinct))] * math.ceil(count / distinct), count, random)


def copied(parts: Parts, count: int, random: Generator, *, share: float) -> Batch:
    """Return training digits with this share, and digits of the rest."""
    copies = round(share * count)
    both = [drawn(parts.split.train, copies, random), drawn(parts.rest, count - copies, random)]
    return shuffled(both, count, random)


def shuffled(batches: Sequence[Batch], count: int, random: Generator) -> Batch:
    """Return ``count`` samples of all batches in random order."""
    images = torch.cat([batch.real for batch in batches])
    labels = torch.cat([batch.label for batch in batches if batch.label is not None])
    order = torch.randperm(len(images), generator=random)[:count]
    return Batch(images[order], None, labels[order])


KINDS = {
    "nothing": Kind("nothing", {"nothing": changed(lambda images, _: images)}),
    "blur": Kind("blur, σ in pixels", {f"{s:g}": changed(partial(blurred, deviation=s)) for s in (0.5, 1, 2)}),
    "noise": Kind("noise, s.d. of [-1, 1]", {f"{s:g}": changed(partial(noisy, deviation=s)) for s in (0.1, 0.2, 0.4)}),
    "dropped": Kind("dropped classes", {f"{n} of 10": partial(without, dropped=n) for n in (1, 3, 5, 7, 9)}),
    "duplicates": Kind(
        "duplicates",
        {
            "× 2": partial(repeated, times=2),
            "× 10": partial(repeated, times=10),
            "50 distinct": partial(from_few, distinct=50),
        },
    ),
    "memorised": Kind("memorised", {f"{100 * share:.0f} %": partial(copied, share=share) for share in (0.1, 0.5, 1)}),
    "rounding": Kind(
        "rounding",
        {f"{bits} bits": changed(lambda images, _: shifted(images), 2**bits - 1) for bits in (8, 4, 2)},
        shifted=True,
    ),
    "jpeg": Kind("JPEG, quality", {f"{q}": changed(partial(compressed, quality=q)) for q in (90, 75, 50)}),
}


@functools.lru_cache(maxsize=2)
def parts_of(data: str, seed: int, move: bool) -> Parts:
    """Return the parts of a seed; with ``move`` the split to compare with is shifted."""
    survey = modality("images").survey(data)
    split = survey.prepare(View(survey.facts.shape), seed=seed)
    assert split.train.labels is not None
    order = torch.randperm(len(split.train), generator=generator(seed, "parts")).numpy()
    train, rest = (
        Dataset(split.train.samples[rows], split.train.labels[rows])
        for rows in (order[:TRAINING_DIGITS], order[TRAINING_DIGITS:])
    )
    # A fingerprint of their own keeps these digits from sharing cached features with others of the same data.
    facts = replace(split.facts, fingerprint=f"{split.facts.fingerprint} {seed} {SHIFT_PIXELS if move else 0}")
    held_out = split.held_out
    if move:
        train, held_out = (
            Dataset(shifted(side.batch(slice(None)).real).numpy(), side.labels) for side in (train, held_out)
        )
    return Parts(Split(train, held_out, facts), rest, torch.randperm(10, generator=generator(seed, "classes")))
