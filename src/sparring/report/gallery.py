"""What a report shows of samples."""

from dataclasses import replace
from typing import final

import numpy as np
import torch

from sparring.data.dataset import Split, rows_by_class
from sparring.evaluation.result import Judgement
from sparring.flow import Batch
from sparring.modality import Modality
from sparring.model import Model
from sparring.rendering.exhibits import Exhibit
from sparring.samples import batch_size, concatenate, map_floats, take
from sparring.sampling import conditions_from

COLUMNS = 10
MOST_ROWS = 32
PATHS = 8


@final
class Gallery:
    """What a report shows."""

    def __init__(self, kind: Modality, split: Split, samples: Batch, model: Model | None = None) -> None:
        self.model, self.kind, self.split = model, kind, split
        self.samples = samples._replace(real=map_floats(torch.nan_to_num, samples.real))
        # A row for each class where players are told classes.
        self.labels = samples.label if model is not None and model.classes else None

    def generated(self) -> list[Exhibit]:
        """The first samples."""
        rows = rows_by_class(self.labels, COLUMNS, MOST_ROWS)
        order = "" if rows is None else ", one row a class"
        first = slice(0, self.kind.samples_per_picture) if rows is None else rows
        return self._shown(take(self.samples, first), f"Generated{order}; not selected.", "Generated samples")

    def real(self) -> list[Exhibit]:
        """Real samples in the same order."""
        train = self.split.train
        rows = rows_by_class(train.labels, COLUMNS, MOST_ROWS) if self.labels is not None else None
        first = np.arange(min(self.kind.samples_per_picture, len(train))) if rows is None else rows
        return self._shown(train.batch(first), "Real, from the training data.", "Real samples")

    def pairs(self, judgement: Judgement) -> list[Exhibit]:
        """The closest pairs, generated above, training below."""
        found = judgement.memorisation
        if found is None or not found.pairs:
            return []
        rows = np.array([row for _, row, _ in found.pairs])
        fake = take(self.samples, [row for row, _, _ in found.pairs]).real
        both = Batch(concatenate([fake, self.split.train.batch(rows).real]))
        caption = "Above: the generated samples closest to the training data. Below: their nearest training samples."
        title = "Closest pairs of generated and training samples"
        return self._shown(both, caption, title, columns=len(rows))

    def extremes(self, judgement: Judgement) -> list[Exhibit]:
        """The best and the worst samples by density."""
        if not judgement.best:
            return []
        by = f"by the density of real samples around them ({judgement.scores[0].extractor})"
        best, worst = (take(self.samples, list(rows)) for rows in (judgement.best, judgement.worst))
        return [
            *self._shown(best, f"The best {batch_size(best)} {by}, best first.", "Best samples"),
            *self._shown(worst, f"The worst {batch_size(worst)}, worst last.", "Worst samples"),
        ]

    def interpolations(self, seed: int) -> list[Exhibit]:
        """Paths from one noise to another, where the modality blends."""
        if self.model is None or not self.kind.blends:
            return []
        told = conditions_from(self.split.held_out, PATHS, seed).condition
        samples = map_floats(torch.nan_to_num, self.model.interpolate(PATHS, COLUMNS, seed=1, condition=told))
        order = "" if told is None else " under one condition"
        caption = f"From one noise to another, a path a row, each{order}."
        return self._shown(Batch(samples), caption, "Interpolations")

    def _shown(self, batch: Batch, caption: str, title: str, *, columns: int = COLUMNS) -> list[Exhibit]:
        words = f"{title}: {batch_size(batch)} in all."
        exhibits = self.kind.show(batch, self.split.facts, columns=columns)
        return [replace(exhibit, caption=caption, words=words) for exhibit in exhibits]
