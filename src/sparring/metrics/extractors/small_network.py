"""Small networks that the project trains on real images itself, to extract features from: what they have in common."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from sparring.data.cache import cache_folder, file_name
from sparring.data.dataset import Split
from sparring.errors import SparringError
from sparring.metrics.cache import VERSION, digest, store_tensors, stored_tensors, weights_digest
from sparring.samples import tensors

FEATURES = 64
MIN_SIDE, MAX_SIDE = 8, 32
"""Pixels: smaller images are refused, larger ones reduced by averaging."""
BATCH = 128
LEARNING_RATE = 5e-3
WEIGHT_DECAY = 0.05
CHUNK = 512
"""Images that a network gets at once."""
KEY_SAMPLES = 64
"""Samples whose content tells one split of the same data from another."""
TRIAL_STEPS = 5
"""Steps from which the duration of a training is estimated."""


@final
class Downsample(nn.Module):
    """Reduces images of more than 32 pixels a side to 32, so that the cost does not grow with their size."""

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        return adaptive_avg_pool2d(images, (min(height, MAX_SIDE), min(width, MAX_SIDE)))


def build(shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """Build three convolutions, 64 features and a linear layer, freshly initialised, for images of ``shape``."""
    channels, *sides = shape
    return nn.Sequential(
        Downsample(),
        # Below 16 pixels a side the first convolution keeps the grid, which would soon be too coarse.
        nn.Conv2d(channels, 32, 5, stride=2 if min(sides) >= 16 else 1, padding=2),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, stride=2, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.Conv2d(64, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        # Any grid → (count, 64, 4, 4) → (count, 64) features → (count, classes).
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Linear(64 * 4 * 4, FEATURES),
        nn.ReLU(),
        nn.Linear(FEATURES, classes),
    )


def cached_network(kind: str, network: nn.Module, split: Split, seed: int, fit: Callable[[], None]) -> str:
    """Give ``network`` weights from the cache; where there are none, fit it and cache them.

    On one machine, the same data, seed and number of threads give the same weights.

    Args:
        kind: what the network is.
        network: changed in place, and frozen.
        split: what it is trained on.
        seed: of its training.
        fit: trains it.

    Returns:
        Its name as an extractor: kind and first 12 digits of the SHA-256 of the weights.
    """
    # The key holds all that the weights depend on. A few samples identify the split of the data; the number of
    # threads changes the order of summation, and so the rounding.
    samples, labels = split.train.samples, split.train.labels
    every = max(len(split.train) // KEY_SAMPLES, 1)
    some = [torch.from_numpy(np.array(part[::every])) for part in tensors(samples)]
    content = digest(*some, None if labels is None else torch.from_numpy(labels))
    stored = [part.shape for part in tensors(samples)]
    key = file_name(str((VERSION, split.facts.fingerprint, stored, seed, torch.get_num_threads(), content)))
    path = cache_folder() / kind / f"{key}.safetensors"

    # Weights of other shapes come from another version of the network: train it again.
    shapes = {name: weight.shape for name, weight in network.state_dict().items()}
    weights = stored_tensors(path)
    if weights is not None and {name: weight.shape for name, weight in weights.items()} == shapes:
        network.load_state_dict(weights)
    else:
        fit()
        store_tensors(path, network.state_dict())
    network.eval().requires_grad_(False)
    return f"{kind}-{weights_digest(network.state_dict())}"


@final
@dataclass
class TrainingLimit:
    """Time at which training of these networks must be finished, on the clock of ``time.monotonic``.

    Attributes:
        exceeded: whether a network was not trained because it would have taken longer.
    """

    deadline: float = math.inf
    exceeded: bool = False


_limit: ContextVar[TrainingLimit | None] = ContextVar("training limit", default=None)


def training_was_cut_short() -> bool:
    """Return whether a training within the present ``training_limit`` was given up."""
    limit = _limit.get()
    return limit is not None and limit.exceeded


@contextmanager
def training_limit(deadline: float) -> Iterator[TrainingLimit]:
    """Refuse, inside ``with``, to train networks that would not be finished by ``deadline``."""
    limit = TrainingLimit(deadline)
    token = _limit.set(limit)
    try:
        yield limit
    finally:
        _limit.reset(token)


def descend(network: nn.Module, steps: int, loss: Callable[[int], Tensor]) -> None:
    """Minimise ``loss``, a function of the step, by AdamW under a one-cycle learning rate.

    Raises:
        SparringError: the training would exceed the ``training_limit``.
    """
    limit, began = _limit.get() or TrainingLimit(), time.monotonic()
    optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    for step in range(steps):
        # Give up as soon as it is clear that there is too little time, and at once if it was before.
        seconds = (time.monotonic() - began) * steps / step if step >= TRIAL_STEPS else 0.0
        if limit.exceeded or began + seconds > limit.deadline:
            limit.exceeded = True
            raise SparringError(
                found=f"a network whose training takes about {seconds:.0f} s",
                expected=f"a network that is trained within {max(limit.deadline - began, 0):.0f} s",
                remedy="use features that need no training",
            )
        optimiser.zero_grad()
        torch.autograd.backward(loss(step))
        optimiser.step()
        schedule.step()


@final
@dataclass(frozen=True)
class NetworkFeatures:
    """Output of a frozen network as an extractor.

    Args:
        network: images → (count, features).
        name: says what it is, and the first 12 digits of the SHA-256 of its weights.
    """

    network: nn.Module
    name: str
    cacheable = True

    def __call__(self, samples: Tensor) -> Float[Tensor, "count features"]:
        return in_chunks(self.network, samples)


def in_chunks(network: nn.Module, images: Tensor) -> Tensor:
    """Return the network's output for images in [-1, 1], (count, channels, height, width), without gradients."""
    with torch.inference_mode():
        parts: list[Tensor] = [network(part.float().cpu()) for part in torch.split(images, CHUNK)]
    return torch.cat(parts).clone()


def require_images(shape: tuple[int, ...]) -> None:
    """Refuse samples that these networks cannot take.

    Raises:
        SparringError: samples of ``shape`` are not images of at least 8 × 8.
    """
    if len(shape) != 3 or min(shape[1:]) < MIN_SIDE:
        raise SparringError(
            found=f"samples of shape {tuple(shape)}",
            expected=f"images of at least {MIN_SIDE} × {MIN_SIDE}",
            remedy="use the extractor pixels",
        )
