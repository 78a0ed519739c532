"""Exhibits of a report: generated beside real samples, extremes, closest pairs and interpolations."""

from collections.abc import Sequence
from dataclasses import replace
from typing import final

import numpy as np
import torch

from sparring.data.dataset import Split, rows_by_class
from sparring.evaluation.result import Evaluation
from sparring.flow import Batch
from sparring.modality import ConditionedOnSamples, HasContrasts, Modality
from sparring.model import Model
from sparring.rendering.exhibits import Exhibit
from sparring.samples import batch_size, concatenate, floats, map_floats, map_tensors, take
from sparring.sampling import conditions_from

COLUMNS = 10
MAX_CLASSES = 32
PATHS = 8
SAME = 1e-2
"""Largest difference of values between answers that count as one."""
CONTRASTED = 20_000
"""Training samples that are set beside generated ones as a whole."""
COMPARED, ASKED = 12, 4
"""Held-out samples that are set beside the true ones, and those that are given several answers."""


@final
class Gallery:
    """Renders samples for a report.

    Args:
        modality: what the samples are.
        split: the data that they were evaluated with.
        samples: generated samples with their conditions and labels.
        model: the model that generated them, if it is known.
    """

    def __init__(self, modality: Modality, split: Split, samples: Batch, model: Model | None = None) -> None:
        self.modality, self.split, self.model = modality, split, model
        self.samples = samples._replace(real=map_floats(torch.nan_to_num, samples.real))
        # One row for each class, where the model is conditioned on classes.
        self.labels = samples.label if model is not None and model.classes else None

    def exhibits(self, evaluation: Evaluation) -> list[Exhibit]:
        """Show generated and real samples, the best and the worst ones, and interpolations."""
        extremes, paths = self.extremes(evaluation), self.interpolations(evaluation.seed)
        by_input = [*self.compared(), *self.answers(), *self.cycles()]
        return [*self.generated(), *self.real(), *self.contrasts(), *by_input, *extremes, *paths]

    def generated(self) -> list[Exhibit]:
        """Show the first samples, or the first of each class."""
        rows = rows_by_class(self.labels, COLUMNS, MAX_CLASSES)
        order = "" if rows is None else ", one row per class"
        first = slice(0, self.modality.samples_per_picture) if rows is None else rows
        return self._shown(take(self.samples, first), f"Generated{order}; not selected.", "Generated samples")

    def compared(self) -> list[Exhibit]:
        """Show held-out samples: what each was generated from, the generated one, and the true one."""
        if self.model is None or self.model.condition_spec is None:
            return []
        if not isinstance(self.modality, ConditionedOnSamples):
            return []
        batch = self.split.held_out.batch(slice(0, COMPARED))
        samples = map_floats(torch.nan_to_num, self.model.sample(condition=batch.condition, seed=1))
        true = batch.real if self.model.condition_spec.determines else None
        columns = "input, output" if true is None else "input, output, truth, and the difference of the last two"
        caption = f"Held-out samples, from left to right: {columns}; not selected."
        exhibits = self.modality.compare(batch._replace(real=samples), true, self.split.facts)
        return [replace(exhibit, caption=caption, words=f"{columns.capitalize()}.") for exhibit in exhibits]

    def answers(self) -> list[Exhibit]:
        """Show several answers to one input, where they depend on the latent."""
        if self.model is None or self.model.condition_spec is None or not self.model.condition_spec.required:
            return []
        inputs = self.split.held_out.batch(slice(0, ASKED))
        rows = torch.arange(batch_size(inputs)).repeat_interleave(COLUMNS)
        condition = take(inputs.condition, rows)
        samples = map_floats(torch.nan_to_num, self.model.sample(condition=condition, seed=1))
        first = take(samples, slice(0, COLUMNS))
        if all(torch.allclose(part, part[:1].expand_as(part), atol=SAME) for part in floats(first)):
            return []
        caption, title, given = "Several answers to one input", "Several answers", None
        if isinstance(self.modality, ConditionedOnSamples):
            given = self.modality.shown_inputs(inputs)
        if given is None:
            return self._shown(Batch(samples), f"{caption}, one input per row.", title)
        answers = [take(samples, slice(row, row + COLUMNS)) for row in range(0, len(rows), COLUMNS)]
        lines = [part for row, answer in enumerate(answers) for part in (take(given, [row]), answer)]
        caption += ", which comes first in its row."
        return self._shown(Batch(concatenate(lines)), caption, title, columns=COLUMNS + 1)

    def cycles(self) -> list[Exhibit]:
        """Show held-out samples, what they become, and what comes back, where the game has a way back."""
        cycle = self.model and self.model.there_and_back(self.split.held_out.batch(slice(0, COMPARED)))
        if cycle is None:
            return []
        # Three columns for each sample: (count, 3, …) → (3 · count, …).
        rows = map_tensors(lambda *parts: torch.stack(parts, 1).flatten(0, 1), *cycle)
        caption = "Held-out samples there and back, two in a row: input, output, and what comes back; not selected."
        return self._shown(Batch(map_floats(torch.nan_to_num, rows)), caption, "Cycles", columns=6)

    def real(self) -> list[Exhibit]:
        """Show real samples in the same order."""
        train = self.split.train
        rows = rows_by_class(train.labels, COLUMNS, MAX_CLASSES) if self.labels is not None else None
        first = np.arange(min(self.modality.samples_per_picture, len(train))) if rows is None else rows
        return self._shown(train.batch(first), "Real, from the training data.", "Real samples")

    def contrasts(self) -> Sequence[Exhibit]:
        """Show how generated and real samples differ as a whole."""
        if not isinstance(self.modality, HasContrasts):
            return []
        real = self.split.train.batch(slice(0, CONTRASTED)).real
        return self.modality.contrasts(real, self.samples.real, self.split.facts)

    def pairs(self, evaluation: Evaluation) -> list[Exhibit]:
        """Show the closest pairs, generated samples above training samples."""
        found = evaluation.memorisation
        if found is None or not found.pairs:
            return []
        fake = take(self.samples, [row for row, _, _ in found.pairs]).real
        real = self.split.train.batch(np.array([row for _, row, _ in found.pairs])).real
        caption = "Above: the generated samples closest to the training data. Below: their nearest training samples."
        title = "Closest pairs of generated and training samples"
        return self._shown(Batch(concatenate([fake, real])), caption, title, columns=len(found.pairs))

    def extremes(self, evaluation: Evaluation) -> list[Exhibit]:
        """Show the best and the worst samples by density."""
        if not evaluation.best:
            return []
        by = f"by the density of real samples around them ({evaluation.scores[0].extractor})"
        best, worst = (take(self.samples, list(rows)) for rows in (evaluation.best, evaluation.worst))
        return [
            *self._shown(best, f"The best {batch_size(best)} {by}, best first.", "Best samples"),
            *self._shown(worst, f"The worst {batch_size(worst)}, worst last.", "Worst samples"),
        ]

    def interpolations(self, seed: int) -> list[Exhibit]:
        """Show paths between latents, where the modality blends."""
        spec = None if self.model is None else self.model.condition_spec
        if self.model is None or not self.modality.blends or (spec is not None and spec.required):
            return []
        condition = conditions_from(self.split.held_out, PATHS, seed).condition
        samples = map_floats(torch.nan_to_num, self.model.interpolate(PATHS, COLUMNS, seed=1, condition=condition))
        order = "" if condition is None else ", each under one condition"
        return self._shown(Batch(samples), f"Paths between two latents, one per row{order}.", "Interpolations")

    def _shown(self, batch: Batch, caption: str, title: str, *, columns: int = COLUMNS) -> list[Exhibit]:
        words = f"{title}: {batch_size(batch)} in all."
        exhibits = self.modality.show(batch, self.split.facts, columns=columns)
        return [replace(exhibit, caption=caption, words=words) for exhibit in exhibits]
