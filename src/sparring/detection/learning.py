"""Training of the encoder of f-AnoGAN."""

from collections.abc import Callable, Iterator
from typing import final

import torch

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
        on_progress: called with the number of finished batches, and with that of all.
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
        encoder, rate, steps = self.detector.encoder, cosine(LEARNING_RATE, 0.0), -(-self.samples // BATCH)
        optimiser = torch.optim.Adam(encoder.parameters(), LEARNING_RATE, betas=(0.9, 0.99))
        for step, batch in enumerate(self._batches()):
            for group in optimiser.param_groups:
                group["lr"] = rate(step / steps)
            optimiser.zero_grad()
            score, _ = self.detector.losses(batch)
            score.mean().backward()
            # A single sample far from all others would undo what was learned.
            norm = torch.nn.utils.clip_grad_norm_(encoder.parameters(), MAX_GRADIENT)
            if bool(norm.isfinite()):
                optimiser.step()
            self.on_progress(step + 1, steps)
        encoder.requires_grad_(False)

    def _batches(self) -> Iterator[Batch]:
        """Yield batches; the order is another one in each epoch."""
        epochs = -(-self.samples // len(self.data))
        orders = [
            torch.randperm(len(self.data), generator=generator(self.seed, "encoder order", epoch))
            for epoch in range(epochs)
        ]
        for rows in torch.cat(orders)[: self.samples].split(BATCH):
            batch = self.data.batch(rows.numpy())
            yield to_device(self.given.known(batch), self.device)
