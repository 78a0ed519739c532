"""Exhibits of a report: generated beside real samples, extremes, closest pairs and interpolations."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray

from sparring.data.dataset import Split, rows_by_class, rows_to_show
from sparring.evaluation.result import Evaluation
from sparring.flow import Batch
from sparring.modality import ConditionedOnSamples, FindsNearest, HasContrasts, Modality
from sparring.model import Model
from sparring.rendering.exhibits import Exhibit, Picture
from sparring.samples import batch_size, concatenate, different_rows, floats, map_floats, map_tensors, take
from sparring.sampling import beside_own_condition, conditions_from

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
        seed: of the real samples, which are drawn at random.
    """

    def __init__(
        self, modality: Modality, split: Split, samples: Batch, model: Model | None = None, *, seed: int = 0
    ) -> None:
        self.modality, self.split, self.model, self.seed = modality, split, model, seed
        self.samples = samples._replace(real=map_floats(torch.nan_to_num, samples.real))
        # One row for each class, where the model is conditioned on classes.
        self.labels = samples.label if model is not None and model.classes else None
        self.spec = None if model is None else model.condition_spec
        self.by_input = self.spec is not None and self.spec.required

    def exhibits(self, evaluation: Evaluation | None = None) -> list[Exhibit]:
        """Show generated and real samples, interpolations and, with an evaluation, the best and the worst samples."""
        extremes = self.extremes(evaluation) if evaluation else []
        paths = self.interpolations(evaluation.seed if evaluation else self.seed)
        by_input = [*self.compared(), *self.answers(), *self.cycles()]
        return [*self.generated(), *self.real(), *self.contrasts(), *by_input, *extremes, *paths]

    def generated(self) -> list[Exhibit]:
        """Show the first samples, or the first of each class."""
        rows = rows_by_class(self.labels, COLUMNS, MAX_CLASSES)
        lines = isinstance(self.modality, FindsNearest)
        order = "" if rows is None else ", the first of each class" if lines else ", one row per class"
        first: Any = slice(0, self.modality.samples_per_picture) if rows is None else rows
        if self.by_input:
            every = range(batch_size(self.samples.real))
            first = different_rows(self.samples.condition, every, self.modality.samples_per_picture)
            order = ", each beside its input"
        batch, caption, title = take(self.samples, first), f"Generated{order}; not selected.", "Generated samples"
        return self._beside_nearest(batch, caption, title) or self._shown(batch, caption, title)

    def compared(self) -> list[Exhibit]:
        """Show held-out samples: what each was generated from, the generated one, and the true one."""
        if self.model is None or self.spec is None:
            return []
        if not isinstance(self.modality, ConditionedOnSamples):
            return []
        batch = self.split.held_out.batch(self._held_out_rows(COMPARED))
        samples = map_floats(torch.nan_to_num, self.model.sample(condition=batch.condition, seed=1))
        true = batch.real if self.spec.determines else None
        columns = "input, output" if true is None else "input, output, truth"
        direction = " → ".join(self.spec.direction(self.model.view, self.model.facts))
        named = f"Held-out samples, {direction}" if direction else "Held-out samples"
        exhibits = list[Exhibit]()
        for one in self.modality.compare(batch._replace(real=samples), true, self.split.facts):
            subtracted = true is not None and isinstance(one, Picture)
            given = f"{columns}, and the difference of the last two" if subtracted else columns
            caption = f"{named}, from left to right: {given}; not selected."
            exhibits.append(replace(one, caption=caption, words=f"{given.capitalize()}."))
        return exhibits

    def answers(self) -> list[Exhibit]:
        """Show several answers to one input, where they depend on the latent."""
        if self.model is None or not self.by_input:
            return []
        inputs = self.split.held_out.batch(self._held_out_rows(ASKED))
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
        headings = ("input", *map(str, range(1, COLUMNS + 1)))
        return self._shown(Batch(concatenate(lines)), caption, title, columns=COLUMNS + 1, headings=headings)

    def cycles(self) -> list[Exhibit]:
        """Show held-out samples, what they become, and what comes back, in each direction that the game has."""
        if self.model is None or self.spec is None:
            return []
        exhibits, names = [], self.spec.direction(self.model.view, self.model.facts)
        for cycle in self.model.there_and_back(self.split.held_out.batch(self._held_out_rows(COMPARED))):
            # Three columns for each sample: (count, 3, …) → (3 · count, …).
            rows = map_tensors(lambda *parts: torch.stack(parts, 1).flatten(0, 1), *cycle)
            way = f", {' → '.join([*names, names[0]])}" if names else ""
            caption = f"Held-out samples there and back{way}, two in a row; not selected."
            batch, headings = Batch(map_floats(torch.nan_to_num, rows)), ("input", "output", "back") * 2
            exhibits += self._shown(batch, caption, "Cycles", columns=6, headings=headings)
            names = names[::-1]
        return exhibits

    def real(self) -> list[Exhibit]:
        """Show real samples, drawn at random: one row per class, where there are classes."""
        train, count = self.split.train, self.modality.samples_per_picture
        rows = rows_to_show(train, count, seed=self.seed, columns=COLUMNS)
        batch = beside_own_condition(train.batch(rows), self.spec)
        return self._shown(batch, "Real, drawn at random from the training data.", "Real samples")

    def contrasts(self) -> Sequence[Exhibit]:
        """Show how generated and real samples differ as a whole."""
        if not isinstance(self.modality, HasContrasts):
            return []
        train = self.split.train
        real = train.batch(rows_to_show(replace(train, labels=None), CONTRASTED, seed=self.seed)).real
        return self.modality.contrasts(real, self.samples.real, self.split.facts)

    def pairs(self, evaluation: Evaluation) -> list[Exhibit]:
        """Show the closest pairs, generated samples above training samples."""
        found = evaluation.memorisation
        if found is None or not found.pairs:
            return []
        fake = take(self.samples, [row for row, _, _ in found.pairs]).real
        nearest = self._beside_nearest(Batch(fake), "The generated samples closest to the training data.", "Pairs")
        if nearest:
            return nearest
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
        if self.model is None or not self.modality.blends or self.by_input:
            return []
        condition = conditions_from(self.split.held_out, PATHS, seed).condition
        samples = map_floats(torch.nan_to_num, self.model.interpolate(PATHS, COLUMNS, seed=1, condition=condition))
        order = "" if condition is None else ", each under one condition"
        return self._shown(Batch(samples), f"Paths between two latents, one per row{order}.", "Interpolations")

    def _beside_nearest(self, batch: Batch, caption: str, title: str) -> list[Exhibit]:
        """Show samples beside their nearest training samples, where the modality finds these."""
        train = self.split.train
        if not isinstance(self.modality, FindsNearest):
            return []
        found = self.modality.nearest(batch.real, train)
        others = train.batch(found.rows.numpy()).real
        exhibit = self.modality.beside_nearest(batch, others, found.distances, self.split.facts)
        caption = f"{caption} Below each: the nearest training sample."
        return [replace(exhibit, caption=caption, words=f"{title}: {batch_size(batch)} in all.")]

    def _held_out_rows(self, count: int) -> NDArray[np.int64]:
        return rows_to_show(replace(self.split.held_out, labels=None), count, seed=self.seed)

    def _shown(
        self, batch: Batch, caption: str, title: str, *, columns: int = 0, headings: tuple[str, ...] = ()
    ) -> list[Exhibit]:
        # A sample beside its input takes the room of two.
        columns = columns or (COLUMNS // 2 if self.by_input and batch.condition is not None else COLUMNS)
        words = f"{title}: {batch_size(batch)} in all."
        exhibits = self.modality.show(batch, self.split.facts, columns=columns)
        exhibits = [replace(one, headings=headings) if isinstance(one, Picture) else one for one in exhibits]
        return [replace(one, caption=f"{caption} {one.caption}".strip(), words=words) for one in exhibits]
