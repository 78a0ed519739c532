"""What is judged: a model, or samples that any tool made."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import torch
from torch import Tensor

from sparring.data.view import View
from sparring.evaluation.sides import MOST, More
from sparring.flow import Batch
from sparring.modalities import modality_of
from sparring.modality import Modality, Survey
from sparring.model import Model, load
from sparring.randomness import derive, generator
from sparring.recipe import Recipe
from sparring.samples import take


@final
@dataclass(frozen=True)
class Subject:
    """A model, or samples that are there already.

    Args:
        name: what to call it.
        kind: what its samples are.
        view: how the real samples are to be looked at.
        model: where there is one.
        samples: where there is no model.
        labels: their classes, where they lie in folders named after those of the real samples.
        remarks: full sentences to be read beside the scores.
    """

    name: str
    kind: Modality
    view: View
    model: Model | None = None
    samples: Tensor | None = field(default=None, repr=False)
    labels: Tensor | None = field(default=None, repr=False)
    remarks: tuple[str, ...] = ()

    def batch(self, count: int, seed: int) -> Batch:
        """So many samples and the classes they were asked for; fewer where there are fewer files."""
        if self.model is not None:
            labels = self.model.labels(count)
            return Batch(self.model.sample(count, seed=seed), labels, labels)
        assert self.samples is not None
        if count >= len(self.samples):
            return Batch(self.samples, None, self.labels)
        rows = torch.randperm(len(self.samples), generator=generator(seed, "judged"))[:count]
        return take(Batch(self.samples, None, self.labels), rows)

    def more(self, seed: int) -> More | None:
        """Gives fresh samples for repeats; files give none."""
        if self.model is None:
            return None
        return lambda count, repeat: self.batch(count, derive(seed, "more samples", repeat))


def open_subject(place: str | Path, data: str | Path, recipe: str | Recipe | None = None) -> tuple[Subject, Survey]:
    """What lies at ``place``, and the real data looked at: as its own kind of samples for a model, as what it seems to
    be for files.

    Args:
        place: a run folder, a published folder, or a folder (points: a file) of samples.
        data: the real data; samples of files take its number of channels.
        recipe: only for a model of your own recipe.

    Raises:
        SparringError: there is nothing to judge, or the data cannot be read.
    """
    if any((Path(place) / name).is_file() for name in ("recipe.json", "config.json")):
        model = load(place, recipe=recipe)
        return of_model(model, str(place)), model.modality.survey(str(data))
    kind = modality_of(str(data))
    real, survey = kind.survey(str(data)), kind.survey(str(place))
    view = View((real.facts.shape[0], *survey.facts.shape[1:]))
    named = bool(real.facts.classes) and survey.facts.classes == real.facts.classes
    split = survey.prepare(view)
    parts = [part.batch(slice(0, MOST)) for part in (split.train, split.held_out)]
    labels = torch.cat([part.label for part in parts if part.label is not None])[:MOST] if named else None
    return Subject(
        str(place),
        kind,
        view,
        samples=torch.cat([part.real for part in parts])[:MOST],
        labels=labels,
        remarks=(*survey.facts.remarks, *_remarks(survey.facts.classes, real.facts.classes)),
    ), real


def _remarks(made: tuple[str, ...], real: tuple[str, ...]) -> list[str]:
    unknown = "Whether these samples were made from training or held-out data is not known here."
    if made == real:
        return [unknown]
    if made:
        what = f"classes {', '.join(real[:5])}, …" if real else "no classes"
        return [f"The samples have classes of their own, which are not used: the real data has {what}.", unknown]
    return ["The samples have no classes: whether they are what was asked for is not measured.", unknown]


def of_model(model: Model, name: str) -> Subject:
    """A model as what is judged."""
    return Subject(name, model.modality, model.recipe.view(model.facts), model=model)
