"""What is judged: a model, or samples that any tool made."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

import torch

from sparring.data.dataset import Split
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.evaluation.protocol import MOST, SMALLEST_HELD_OUT, Generated, More
from sparring.flow import Batch
from sparring.modalities import modality_of
from sparring.modality import Modality, Survey
from sparring.model import Model, load
from sparring.randomness import derive, generator
from sparring.recipe import Recipe
from sparring.samples import batch_size, take
from sparring.sampling import conditions_from


@final
@dataclass(frozen=True)
class Subject:
    """A model, or samples that are there already.

    Args:
        name: what to call it.
        kind: what its samples are.
        view: how the real samples are to be looked at.
        model: where there is one.
        made: the samples where there is no model, with their classes where they lie in folders named after those of
            the real samples.
        remarks: full sentences to be read beside the scores.
        fits: whether the real data has the conditions that the model was trained with.
    """

    name: str
    kind: Modality
    view: View
    model: Model | None = None
    made: Batch | None = field(default=None, repr=False)
    remarks: tuple[str, ...] = ()
    fits: bool = True

    def batch(self, split: Split, count: int, seed: int) -> Generated:
        """So many samples; fewer where there are fewer files.

        A model makes them under the conditions of held-out samples, or of training samples where fewer than 500 are
        held out. Where a condition determines a sample, it is always a held-out one, and comes with that sample.
        """
        if self.model is not None and not self.fits:
            # The data cannot say what to ask for: what the model takes where nothing is asked.
            told = self.model.conditions(count)
            return Generated(Batch(self.model.sample(count, condition=told, seed=seed), told))
        if self.model is not None:
            asked = bool(self.view.condition)
            determines = asked and self.kind.conditions[self.view.condition].determines
            # A small held-out part has classes in other shares than the data.
            few = len(split.held_out) < SMALLEST_HELD_OUT and not determines
            told = conditions_from(split.train if few else split.held_out, count, seed)
            made = self.model.sample(count, condition=told.condition, seed=seed)
            true = told.real if determines else None
            return Generated(Batch(made, told.condition, told.label if asked else None), true)
        assert self.made is not None
        if count >= batch_size(self.made):
            return Generated(self.made)
        rows = torch.randperm(batch_size(self.made), generator=generator(seed, "judged"))[:count]
        return Generated(take(self.made, rows))

    def more(self, split: Split, seed: int) -> More | None:
        """Gives fresh samples for repeats; files give none."""
        if self.model is None:
            return None
        return lambda count, repeat: self.batch(split, count, derive(seed, "more samples", repeat))


def open_subject(place: str | Path, data: str | Path, recipe: str | Recipe | None = None) -> tuple[Subject, Survey]:
    """What lies at ``place``, and the real data looked at: as its own kind of samples for a model, as what it seems to
    be for files.

    Args:
        place: a run folder, a published folder, or a folder or file of samples.
        data: the real data; samples in files are coded as it is.
        recipe: only for a model of your own recipe.

    Raises:
        SparringError: there is nothing to judge, or the data cannot be read.
    """
    if any((Path(place) / name).is_file() for name in ("recipe.json", "config.json")):
        model = load(place, recipe=recipe)
        survey = model.modality.survey(str(data))
        return _beside(of_model(model, str(place)), survey.facts), survey
    kind = modality_of(str(data))
    real, files = kind.survey(str(data)), kind.survey(str(place)).facts
    view = kind.view_of(files, real.facts)
    made = kind.read(str(place), view, real.facts)
    remarks = (*files.remarks, *_remarks(files.classes, real.facts.classes))
    return Subject(str(place), kind, view, made=made.batch(slice(0, MOST)), remarks=remarks), real


def of_model(model: Model, name: str) -> Subject:
    """A model as what is judged."""
    return Subject(name, model.modality, model.view, model=model)


def _beside(subject: Subject, real: Facts) -> Subject:
    """A model beside data that may lack its conditions."""
    model = subject.model
    assert model is not None
    if model.condition_spec is None:
        return subject
    lacking = model.view.condition not in real.offers
    if not lacking and (not model.classes or model.classes == real.classes):
        return subject
    has = f"the classes {', '.join(real.classes[:5])}" if real.classes else "no such conditions"
    if model.condition_spec.required:
        raise SparringError(
            found=f"{has} in {real.source}",
            expected=f"data with the condition {model.view.condition!r}, which the model was trained with",
            remedy="judge it by data like that which it was trained on",
        )
    remark = (
        f"The model was trained with other classes ({', '.join(model.classes[:5])}) than the data has: {has}. It was "
    )
    remark += "asked for its own in turn, and whether it gave them is not measured."
    view = replace(subject.view, condition="")
    return replace(subject, view=view, fits=False, remarks=(*subject.remarks, remark))


def _remarks(made: tuple[str, ...], real: tuple[str, ...]) -> list[str]:
    unknown = "Whether these samples were made from training or held-out data is not known here."
    if made == real:
        return [unknown]
    if made:
        what = f"classes {', '.join(real[:5])}, …" if real else "no classes"
        return [f"The samples have classes of their own, which are not used: the real data has {what}.", unknown]
    return ["The samples have no classes: whether they are what was asked for is not measured.", unknown]
