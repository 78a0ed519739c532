"""Subjects of an evaluation: a model, or samples that any tool has generated."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

import numpy as np
import torch

from sparring.data.conditions import needs_inputs
from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.data.labels import listed
from sparring.data.own_output import folder_of
from sparring.data.reading import DEFAULT_READING, Reading, reading_of_model
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.evaluation.protocol import MAX_SAMPLES, MIN_HELD_OUT, FreshSamples, Generated, shapes_text
from sparring.flow import Batch
from sparring.modalities import modality_of, other_than, surveyed
from sparring.modality import Modality, Survey
from sparring.model import Model, load
from sparring.randomness import derive, generator
from sparring.recipe import Recipe
from sparring.samples import Sample, batch_size
from sparring.sampling import conditions_from


@final
@dataclass(frozen=True)
class Subject:
    """A model, or samples of another origin.

    Args:
        name: what to call it.
        modality: what its samples are.
        view: form in which its samples are compared with real ones.
        model: None for samples of another origin.
        files: the samples in files, with labels where they lie in folders named after the real classes.
        fresh: gives other samples of the same origin, for the intervals; None for a model or files.
        remarks: full sentences to be read beside the scores.
        conditional: whether the real data has the conditions that the model was trained with.
    """

    name: str
    modality: Modality
    view: View = field(default_factory=lambda: View(()))
    model: Model | None = None
    files: Dataset | None = field(default=None, repr=False)
    fresh: FreshSamples | None = None
    remarks: tuple[str, ...] = ()
    conditional: bool = True

    @property
    def converted(self) -> bool:
        """True if samples of a model are compared in another shape than its own: grey ones in colour."""
        return self.model is not None and self.view.shape != self.model.view.shape

    @property
    def takes_inputs(self) -> bool:
        """True for a model that generates from inputs alone, such as images to translate."""
        return self.model is not None and needs_inputs(self.modality.conditions, self.view)

    def knows(self, real: Facts) -> bool:
        """Return whether these are samples of a model that was trained on the real data."""
        return self.model is not None and self.model.facts.fingerprint == real.fingerprint

    def batch(self, split: Split, count: int, seed: int) -> Generated:
        """Return ``count`` samples; fewer where there are fewer files, at most 10,000 of them.

        A model gets the conditions of held-out samples, or of training samples where fewer than 500 are held out, whose
        classes may have other shares than the data. A model that generates from inputs gets each held-out one once,
        and its samples come with the true ones where the inputs determine them.
        """
        if self.files is not None:
            # Files may be sorted by content, so draw a random subset of all of them.
            size = min(count, len(self.files), MAX_SAMPLES)
            rows = torch.randperm(len(self.files), generator=generator(seed, "judged"))[:size].numpy()
            return Generated(self.files.batch(rows if size < len(self.files) else slice(0, size)))
        assert self.model is not None
        if not self.conditional:
            # The data cannot say which conditions to use: the model's own, in turn.
            condition = self.model.conditions(count)
            return Generated(Batch(self._sample(self.model, count, condition, seed), condition))

        # Inputs are those that the model has not seen. A second answer to one of them would tell little more.
        few = len(split.held_out) < MIN_HELD_OUT and not self.takes_inputs
        data = split.train if few else split.held_out
        rows_of = conditions_from(data, min(count, len(data)) if self.takes_inputs else count, seed)
        samples = self._sample(self.model, batch_size(rows_of), rows_of.condition, seed)
        determines = bool(self.view.condition) and self.modality.conditions[self.view.condition].determines
        label = rows_of.label if self.view.condition else None
        return Generated(Batch(samples, rows_of.condition, label), rows_of.real if determines else None)

    def fresh_samples(self, split: Split, seed: int) -> FreshSamples | None:
        """Return a source of other samples for repeats; files have none, nor has a model without other inputs."""
        if self.model is None or self.takes_inputs:
            return self.fresh
        return lambda count, repeat: self.batch(split, count, derive(seed, "more samples", repeat))

    def _sample(self, model: Model, count: int, condition: Sample | None, seed: int) -> Sample:
        """Sample in the shape of the view, which repeats the only channel of grey samples."""
        samples = model.sample(count, condition=condition, seed=seed)
        if batch_size(samples) < count:
            raise SparringError(
                found=f"a model of which only {batch_size(samples):,} of {count:,} samples keep its rules",
                expected="one that nearly always keeps them within a thousand attempts",
                remedy="train longer, or with fewer rules",
            )
        return samples.expand(count, *self.view.shape).contiguous() if self.converted else samples


@final
@dataclass(frozen=True)
class WithoutLabels:
    """Labelled data whose labels are not used, though it is split as it is with them.

    Args:
        labelled: survey of the data with its labels.
    """

    labelled: Survey

    @property
    def facts(self) -> Facts:
        """Facts about the data, without classes."""
        return replace(self.labelled.facts, classes=())

    def prepare(self, view: View, *, seed: int = 0) -> Split:
        """Read and split the data; see ``Survey``."""
        split = self.labelled.prepare(view, seed=seed)
        return Split(replace(split.train, labels=None), replace(split.held_out, labels=None), self.facts)


def open_subject(
    place: str | Path,
    data: str | Path,
    recipe: str | Recipe | None = None,
    reading: Reading = DEFAULT_READING,
    *,
    real_shape: tuple[int, ...] | None = None,
) -> tuple[Subject, Survey]:
    """Open the model or the samples at ``place``, and survey the real data.

    Args:
        place: a run folder, a published folder, or a folder or file of samples, which are read as the real data is.
        data: the real data.
        recipe: needed for a model of the user's own recipe only.
        reading: choices about reading the real data, beside those by which the training data of a model was read.
        real_shape: what the natural shape of the real data counts as; None for its own.

    Raises:
        SparringError: there is nothing to evaluate, or the data cannot be read.
    """
    if Path(place).suffix in (".json", ".safetensors", ".html"):
        place = folder_of(Path(place))  # A file of a model stands for the model.
    if any((Path(place) / name).is_file() for name in ("recipe.json", "config.json")):
        model = load(place, recipe=recipe)
        _require_kind(model, str(place), str(data))
        same_data = str(data) == model.facts.source or Path(data).resolve() == Path(model.facts.source).resolve()
        choices = reading_of_model(model.facts.reading, reading, same_data=same_data)
        survey = surveyed(model.modality, str(data), choices, model.facts)
        if same_data and choices.labels is False and model.facts.classes:
            # The labels are part of the fingerprint, and of the split into what was trained on and what was held out.
            choices = choices.model_copy(update={"labels": model.facts.reading.get("labels")})
            labelled = surveyed(model.modality, str(data), choices, model.facts)
            survey = WithoutLabels(labelled) if labelled.facts.fingerprint == model.facts.fingerprint else survey
        subject = of_model(model, str(place))
        if not subject.knows(survey.facts):
            other = f"The model was trained on other data ({model.facts.source}) than it is judged on here"
            part = "half" if subject.takes_inputs else "part"
            remark = f"{other}, of which a random {part} is held out."
            subject = replace(subject, remarks=(*subject.remarks, remark))
        subject = _with_data(subject, survey.facts)
        own = replace(model.facts, source=str(place), shape=model.view.shape)
        view = model.modality.view_of(own, _shaped(survey.facts, real_shape))
        subject = replace(subject, view=replace(subject.view, shape=view.shape))
        conversions = _conversions(view, generated=own.shape) if subject.converted else []
        told = (*subject.remarks, *conversions, *_about_real(survey.facts, model.facts))
        return replace(subject, remarks=told), survey
    modality = modality_of(str(data), reading)
    survey = surveyed(modality, str(data), reading)
    facts = modality.survey(str(place), Reading(background=reading.background, pairs=False), survey.facts).facts
    view = modality.view_of(facts, _shaped(survey.facts, real_shape))
    conversions = _conversions(view, generated=facts.shape, real=survey.facts.shape)
    told = (*facts.remarks, *_mixed_sizes(facts), *conversions, *_about_real(survey.facts))
    remarks = (*told, *_remarks(facts.classes, survey.facts.classes))
    files = modality.read(str(place), view, survey.facts)
    return Subject(str(place), modality, view, files=files, remarks=remarks), survey


def split_for(subject: Subject, survey: Survey, seed: int, *, is_new: bool) -> Split:
    """Split the real data into samples to compare with, and held-out ones.

    Args:
        subject: what is compared with them.
        survey: of the real data.
        seed: of the random order.
        is_new: whether no model was trained on this data. Then every input is a new one, so half of them are asked.
    """
    split = survey.prepare(subject.view, seed=seed)
    if not (is_new and subject.takes_inputs):
        return split
    determines = subject.modality.conditions[subject.view.condition].determines
    # Without pairs, the inputs of held-out samples are others than those of training samples, and apart.
    data = split.train.followed_by(split.held_out) if determines else split.train
    order, half = np.random.default_rng(seed).permutation(len(data)), len(data) // 2
    return Split(data.subset(np.sort(order[half:])), data.subset(np.sort(order[:half])), split.facts)


def of_model(model: Model, name: str) -> Subject:
    """Return a model as a subject."""
    return Subject(name, model.modality, model.view, model=model, remarks=model.remarks)


def _require_kind(model: Model, place: str, data: str) -> None:
    """Refuse data that is surely of another kind than the samples of a model.

    Raises:
        SparringError: it is.
    """
    if other := other_than(model.modality, data):
        raise SparringError(
            found=f"a model of {model.modality.name} in {place}",
            expected=f"a model of {other.name}, which is what {data} holds",
            remedy="give data of the kind that the model was trained on, or another model",
        )


def _shaped(facts: Facts, shape: tuple[int, ...] | None) -> Facts:
    return facts if shape is None else replace(facts, shape=shape)


def _conversions(view: View, **natural: tuple[int, ...]) -> list[str]:
    """Return a sentence for each side whose natural shape is not the one that both are compared in."""
    return [
        f"The {side} samples, most of shape {shapes_text([shape])}, are compared at {shapes_text([view.shape])}."
        for side, shape in natural.items()
        if shape != view.shape
    ]


def _mixed_sizes(facts: Facts) -> list[str]:
    """Return a sentence about generated samples that are not of the most common size, if there are any."""
    usual, count = next(iter(facts.details.get("sizes", {}).items()), ("", facts.count))
    if count == facts.count:
        return []
    others = f"{facts.count - count:,} of the {facts.count:,} generated samples"
    return [f"{others} have another size than the most common one, {usual}: they are cropped and resized."]


def _about_real(real: Facts, trained_on: Facts | None = None) -> list[str]:
    """Return the remarks on the real data, but those that were made in training."""
    known = trained_on.remarks if trained_on else ()
    return [f"Real data: {remark}" for remark in real.remarks if remark not in known]


def _with_data(subject: Subject, real: Facts) -> Subject:
    """Return the subject for data that may lack the conditions of its model, or refuse the data."""
    model = subject.model
    assert model is not None
    available = model.view.condition in real.offers and (not model.classes or model.classes == real.classes)
    if model.condition_spec is None or available:
        return subject

    # A condition that the networks require has to come from the data.
    found = f"the classes {listed(real.classes)}" if real.classes else "no such conditions"
    if model.condition_spec.required:
        raise SparringError(
            found=f"{found} in {real.source}",
            expected=f"data with the condition {model.view.condition!r}, which the model was trained with",
            remedy="evaluate it with data like its training data",
        )

    # The model can draw its own classes, so it is still evaluated, but without conditions.
    if not model.classes:
        remark = f"The data lacks the condition {model.view.condition!r}, which the model was trained with."
    elif real.classes:
        remark = f"The model has other classes ({listed(model.classes)}) than the data ({listed(real.classes)})."
    else:
        remark = f"The model was trained with classes ({listed(model.classes)}), and the data has none."
    remark += " Whether samples show what was asked for is not measured."
    view = replace(subject.view, condition="")
    return replace(subject, view=view, conditional=False, remarks=(*subject.remarks, remark))


def _remarks(own: tuple[str, ...], real: tuple[str, ...]) -> list[str]:
    """Return what cannot be measured of samples in files with their own classes."""
    unknown = "It is not known whether these samples were generated from training or held-out data."
    if own == real:
        return [unknown]
    if own:
        classes = f"the classes {listed(real)}" if real else "no classes"
        return [f"The classes of the samples ({listed(own)}) are not used: the real data has {classes}.", unknown]
    return ["The samples have no classes, so whether they show the intended class is not measured.", unknown]
