"""Training of the encoder of f-AnoGAN."""

from collections.abc import Callable, Iterator
from typing import final

import torch
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.detection.conditions import Given
from sparring.detection.fanogan import FAnoGAN
from sparring.flow import Batch
from sparring.objectives.schedules import cosine
from sparring.randomness import generator
from sparring.samples import to_device

EPOCHS = 30
"""Passes through the training data."""
MAX_SAMPLES = 100_000
"""Training samples that the encoder sees at most."""
BATCH = 64
"""Samples in a batch."""
LEARNING_RATE = 1e-3
"""Learning rate of Adam at the start; it falls to 0 along a half cosine."""
MAX_GRADIENT = 1.0
"""Norm above which gradients are scaled down."""


@final
class EncoderTraining:
    """Trains the encoder with frozen generator and discriminator (Schlegl et al. 2019, section 2.2).

    Args:
        detector: its encoder is trained.
        data: the training data of the game.
        given: conditions of the samples.
        seed: of the order of the samples.
        device: where the networks are.
        on_progress: called with the number of samples seen, and with that of all to be seen.
    """

    def __init__(
        self,
        detector: FAnoGAN,
        data: Dataset,
        given: Given,
        seed: int,
        device: torch.device,
        on_progress: Callable[[int, int], None],
    ) -> None:
        self.detector, self.data, self.given, self.seed = detector, data, given, seed
        self.device, self.on_progress = device, on_progress
        self.samples = min(EPOCHS * len(data), MAX_SAMPLES)

    def run(self) -> None:
        """Minimise the mean score of the training samples by Adam."""
        encoder, rate, seen = self.detector.encoder, cosine(LEARNING_RATE, 0.0), 0
        optimiser = torch.optim.Adam(encoder.parameters(), LEARNING_RATE, betas=(0.9, 0.99))
        for batch in self._batches():
            for group in optimiser.param_groups:
                group["lr"] = rate(seen / self.samples)
            optimiser.zero_grad()
            score, _ = self.detector.losses(batch)
            score.mean().backward()
            # A single sample far from all others would undo what was learned.
            norm = torch.nn.utils.clip_grad_norm_(encoder.parameters(), MAX_GRADIENT)
            if bool(norm.isfinite()):
                optimiser.step()
            seen += len(score)
            self.on_progress(seen, self.samples)
        encoder.requires_grad_(False)

    def _batches(self) -> Iterator[Batch]:
        """Yield batches in a random order that is another one in each epoch."""
        seen, epoch = 0, 0
        while seen < self.samples:
            order = torch.randperm(len(self.data), generator=generator(self.seed, "encoder order", epoch))
            for rows in order[: self.samples - seen].split(BATCH):
                yield to_device(self.given.known(self._read(rows)), self.device)
                seen += len(rows)
            epoch += 1

    def _read(self, rows: Tensor) -> Batch:
        return self.data.batch(rows.numpy())
