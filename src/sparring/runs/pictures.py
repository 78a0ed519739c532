"""Pictures of samples during a run, from the same latents every time."""

import io
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import final

import numpy as np
import torch
from PIL import Image

from sparring.data.conditions import ConditionSpec
from sparring.data.dataset import Split, rows_by_class, rows_to_show
from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.flow import Batch
from sparring.games.game import Game
from sparring.modality import Modality
from sparring.model import Model
from sparring.opening import file_bytes
from sparring.rendering.exhibits import write_exhibits
from sparring.rendering.moments import animated
from sparring.runs.folder import Run
from sparring.samples import batch_size, different_rows, take
from sparring.sampling import beside_own_condition, generate
from sparring.storage import write_bytes

COLUMNS = 8
"""Samples in a row."""
MAX_BYTES = 2**26
"""Bytes of a file above which a picture is left out of the animation."""


def moments(run: Run) -> list[tuple[int, Image.Image]]:
    """Return the pictures of samples during a run, each with the real samples seen by then, in this order.

    Pictures that are damaged are left out.
    """
    found: list[tuple[int, Image.Image]] = []
    for path in sorted(run.samples.glob("*.png")):
        if path.stem.isdecimal():
            with suppress(OSError, SparringError, Image.DecompressionBombError):
                image = Image.open(io.BytesIO(file_bytes(path, MAX_BYTES)), formats=["PNG"])
                image.load()
                found.append((int(path.stem), image))
    return found


def write_animation(run: Run) -> None:
    """Write samples.gif from the pictures of samples during a run, if there are any.

    Raises:
        OSError: it cannot be written.
    """
    if pictures := [picture for _, picture in moments(run)]:
        write_bytes(run.animation, animated(pictures))


@final
class SamplePictures:
    """Writes pictures of real and of generated samples.

    Args:
        split: the data.
        facts: of the data.
        modality: draws the samples.
        seed: of the latents.
        spec: kind of the conditions; None for a model without conditions.
    """

    def __init__(
        self, split: Split, facts: Facts, modality: Modality, seed: int, spec: ConditionSpec | None = None
    ) -> None:
        self.split, self.facts, self.modality, self.seed, self.spec = split, facts, modality, seed, spec

    def write_reals(self, stem: Path) -> None:
        """Write training samples, drawn at random: a line for each class, where there are classes.

        Raises:
            OSError: the picture cannot be written.
        """
        train, count = self.split.train, self.modality.samples_per_picture
        batch = train.batch(rows_to_show(train, count, seed=self.seed, columns=COLUMNS))
        self._write(beside_own_condition(batch, self.spec), stem)

    def write_samples(self, game: Game, device: torch.device, stem: Path) -> None:
        """Write samples of ``game`` under conditions of held-out rows: one row per class, or each input once.

        Raises:
            OSError: the picture cannot be written.
        """
        batch = self._asked()
        samples = generate(game, batch_size(batch), batch.condition, seed=self.seed, stream="shown/", device=device)
        self._write(batch._replace(real=samples), stem)

    def write_last(self, model: Model, device: torch.device, stem: Path) -> None:
        """Write samples of the trained model, under the same conditions; only those that keep its rules, if it has any.

        Raises:
            OSError: the picture cannot be written.
        """
        batch = self._asked()
        found = model.accepted(batch_size(batch), batch.condition, {}, seed=self.seed, device=str(device))
        if len(found.rows):
            self._write(take(batch, found.rows)._replace(real=found.samples), stem)

    def _asked(self) -> Batch:
        """Return held-out rows whose conditions samples are generated under."""
        held_out = self.split.held_out
        rows = rows_by_class(held_out.labels, COLUMNS) if held_out.conditions is not None else None
        if rows is None:
            # Without classes of its own a model has no class to name beside a line.
            held_out = replace(held_out, labels=None)
            count = self.modality.samples_per_picture
            rows = np.resize(rows_to_show(held_out, count, seed=self.seed), count)
        batch = held_out.batch(rows)
        if self.spec is not None and self.spec.required:
            batch = take(batch, different_rows(batch.condition, range(len(rows))))
        return batch

    def _write(self, batch: Batch, stem: Path) -> None:
        write_exhibits(self.modality.show(batch, self.facts, columns=COLUMNS), stem)
