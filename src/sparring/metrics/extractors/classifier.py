"""A small classifier of the project's own, trained on the labelled real samples: its features, and its opinion.

It needs no download and fits any kind of image; its scores compare only with scores of the same weights, whose
hash stands in its name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, cross_entropy

from sparring.data.cache import cache_folder, file_name
from sparring.data.dataset import Dataset, Split
from sparring.data.sampler import EpochSampler
from sparring.errors import SparringError
from sparring.metrics.cache import keep
from sparring.randomness import derive, seeded

VERSION = 1
FEATURES = 64
LARGEST_SIDE = 32
SMALLEST_SIDE = 8
STEPS_FEW, STEPS_MANY, MANY = 400, 1000, 10_000
BATCH = 128
RATE = 5e-3
CHUNK = 512


@final
@dataclass(frozen=True)
class Classifier:
    """A trained network as an extractor of its 64 last features.

    Args:
        network: see ``build``; not trained any further.
        name: "classifier-" and the first 12 digits of the SHA-256 of the weights.
    """

    network: nn.Sequential
    name: str
    lasting = True

    def __call__(self, samples: Tensor) -> Float[Tensor, "count features"]:
        return in_chunks(self.network[:-1], samples)

    def probabilities(self, features: Float[Tensor, "count features"]) -> Float[Tensor, "count classes"]:
        """Of each class, by the last layer alone."""
        return in_chunks(self.network[-1:], features).softmax(1)

    def predict(self, samples: Tensor) -> Int[Tensor, " count"]:
        """The class numbers of images in [-1, 1], (count, channels, height, width)."""
        return in_chunks(self.network, samples).argmax(1)


@final
class Smaller(nn.Module):
    """Images of more than 32 a side averaged down to 32: the cost no longer grows with their size."""

    def forward(self, samples: Tensor) -> Tensor:
        height, width = samples.shape[-2:]
        return adaptive_avg_pool2d(samples, (min(height, LARGEST_SIDE), min(width, LARGEST_SIDE)))


def train_classifier(split: Split, seed: int) -> Classifier:
    """A classifier trained on ``split.train``, or the one that was trained on it before.

    Kept in the cache folder by data, shape and seed; on one machine with the same number of threads equal input
    gives equal weights.

    Raises:
        SparringError: no labels, fewer than two classes, or not images of at least 8 × 8.
    """
    classes = classes_of(split)
    path = _place(split, seed)
    network = build(split.train.samples.shape[1:], classes)
    weights = kept_weights(path, network.state_dict())
    if weights is None:
        network = fitted(split.train, classes, seed)
        keep(path, network.state_dict())
    else:
        network.load_state_dict(weights)
        network.eval().requires_grad_(False)
    return Classifier(network, f"classifier-{hash_of(network.state_dict())[:12]}")


def fitted(train: Dataset, classes: int, seed: int) -> nn.Sequential:
    """A network trained on ``train`` and kept nowhere; equal input gives equal weights, as in ``train_classifier``."""
    with seeded(seed, "classifier"):
        network = build(train.samples.shape[1:], classes)
    _fit(network, train, derive(seed, "classifier-rows"))
    return network.eval().requires_grad_(False)


def predicted(network: nn.Module, samples: Tensor) -> Int[Tensor, " count"]:
    """The class numbers of images in [-1, 1], (count, channels, height, width)."""
    return in_chunks(network, samples).argmax(1)


def build(shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """Three convolutions, 64 features and a linear layer over them, freshly initialised; for images of ``shape``."""
    channels, *sides = shape
    return nn.Sequential(
        Smaller(),
        nn.Conv2d(channels, 32, 5, stride=2 if min(sides) >= 16 else 1, padding=2),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, stride=2, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.Conv2d(64, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Linear(64 * 4 * 4, FEATURES),
        nn.ReLU(),
        nn.Linear(FEATURES, classes),
    )


def accuracy(predict: Callable[[Tensor], Tensor], dataset: Dataset) -> float:
    """The share of labelled samples that are given their own label, in [0, 1]."""
    right = 0
    for start in range(0, len(dataset), CHUNK):
        samples, _, labels = dataset.batch(slice(start, start + CHUNK))
        assert labels is not None
        right += int(predict(samples).eq(labels).sum())
    return right / max(len(dataset), 1)


def classes_of(split: Split) -> int:
    """How many classes there are to tell apart.

    Raises:
        SparringError: no labels, fewer than two classes, or not images of at least 8 × 8.
    """
    labels, shape = split.train.labels, split.train.samples.shape[1:]
    if labels is None or split.held_out.labels is None:
        raise SparringError(found="no labels", expected="a class for every sample", remedy="judge by pixels instead")
    require_images(shape)
    if len(np.unique(labels)) < 2:
        raise SparringError(found="one class", expected="at least two", remedy="judge by pixels instead")
    return max(len(split.facts.classes), int(labels.max()) + 1)


def require_images(shape: tuple[int, ...]) -> None:
    """Refuse what no network of this kind can look at.

    Raises:
        SparringError: samples of ``shape`` are not images of at least 8 × 8.
    """
    if len(shape) != 3 or min(shape[1:]) < SMALLEST_SIDE:
        raise SparringError(
            found=f"samples of shape {tuple(shape)}",
            expected=f"images of at least {SMALLEST_SIDE} × {SMALLEST_SIDE}",
            remedy="judge by pixels instead",
        )


def _fit(network: nn.Sequential, train: Dataset, seed: int) -> None:
    rows = EpochSampler(len(train), BATCH, seed)

    def loss(step: int) -> Tensor:
        samples, _, labels = train.batch(rows.rows(step))
        assert labels is not None
        return cross_entropy(network(samples), labels, label_smoothing=0.05)

    descend(network, STEPS_FEW if len(train) < MANY else STEPS_MANY, loss)


def descend(network: nn.Module, steps: int, loss: Callable[[int], Tensor]) -> None:
    """Minimise what ``loss`` gives for each step, with a rate that rises and falls once."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for step in range(steps):
        optimiser.zero_grad()
        torch.autograd.backward(loss(step))
        optimiser.step()
        schedule.step()


def in_chunks(network: nn.Module, samples: Tensor) -> Tensor:
    """What the network gives, without gradients, a part of the samples at a time."""
    with torch.inference_mode():
        parts: list[Tensor] = [network(part.float().cpu()) for part in torch.split(samples, CHUNK)]
    return torch.cat(parts).clone()


def hash_of(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 of weights."""
    return sha256(save(dict(weights))).hexdigest()


def _place(split: Split, seed: int) -> Path:
    """Where the weights are kept: all that decides them is in the name."""
    labels = split.train.labels
    assert labels is not None
    decides = (VERSION, split.facts.fingerprint, split.train.samples.shape, seed, torch.get_num_threads())
    key = file_name(f"{decides} {sha256(labels.tobytes()).hexdigest()}")
    return cache_folder() / "classifiers" / f"{key}.safetensors"


def kept_weights(path: Path, like: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """The weights at ``path``; none if there are none, or if they are broken or of another network."""
    try:
        weights = load_file(path)
    except (OSError, SafetensorError):
        return None
    fits = {name: weight.shape for name, weight in weights.items()} == {name: one.shape for name, one in like.items()}
    return weights if fits else None
