"""Pictures of samples during a run, from the same latents every time."""

from pathlib import Path
from typing import final

import numpy as np
import torch

from sparring.data.dataset import Split, rows_by_class
from sparring.data.facts import Facts
from sparring.flow import Batch
from sparring.games.game import Game
from sparring.modality import Modality
from sparring.rendering.exhibits import write_exhibits
from sparring.samples import batch_size
from sparring.sampling import generate

COLUMNS = 8
"""Samples in a row."""


@final
class SamplePictures:
    """Writes pictures of real and of generated samples.

    Args:
        split: the data.
        facts: of the data.
        modality: draws the samples.
        seed: of the latents.
    """

    def __init__(self, split: Split, facts: Facts, modality: Modality, seed: int) -> None:
        self.split, self.facts, self.modality, self.seed = split, facts, modality, seed

    def write_reals(self, stem: Path) -> None:
        """Write the first training samples.

        Raises:
            OSError: the picture cannot be written.
        """
        self._write(self.split.train.batch(slice(0, self.modality.samples_per_picture)), stem)

    def write_samples(self, game: Game, device: torch.device, stem: Path) -> None:
        """Write samples of ``game`` under conditions of held-out rows; where there are classes, one row per class.

        Raises:
            OSError: the picture cannot be written.
        """
        held_out = self.split.held_out
        rows = rows_by_class(held_out.labels, COLUMNS) if held_out.conditions is not None else None
        if rows is None:
            rows = np.resize(np.arange(len(held_out)), self.modality.samples_per_picture)
        batch = held_out.batch(rows)
        samples = generate(game, batch_size(batch), batch.condition, seed=self.seed, stream="shown/", device=device)
        self._write(batch._replace(real=samples), stem)

    def _write(self, batch: Batch, stem: Path) -> None:
        write_exhibits(self.modality.show(batch, self.facts, columns=COLUMNS), stem)
