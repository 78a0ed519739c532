"""The modality of images: one object in front of the modules of this folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.data.reading import DEFAULT_READING, Reading
from sparring.data.view import View
from sparring.flow import Batch, Sample
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.paired import l1, psnr, ssim
from sparring.metrics.sample_sets import Repeat, SampleMetrics
from sparring.modalities.images import asking, baselines, data, extra_signals, inputs, label_maps, metrics, render
from sparring.modalities.images.conditions import Holed
from sparring.modalities.images.label_maps import LabelAccuracy
from sparring.modality import Input, Listing, Modality, Survey
from sparring.rendering.exhibits import Exhibit
from sparring.rendering.grids import to_uint8


@final
class Images:
    """Implements ``Modality``, ``ConditionedOnSamples``, ``AppliesInOwnSize``, ``ListsSamples`` and ``GivesImages``.

    See ``sparring.modality`` for the methods.
    """

    name = "images"
    preparation = "cut at the centre, resized by Lanczos"
    samples_per_picture = 64
    bounds = (-1.0, 1.0)
    blends = True
    conditions = asking.CONDITIONS
    reading_options = frozenset({"labels", "range", "background", "pairs", "to"})

    def claims(self, source: str) -> int:
        return data.claims(source)

    def survey(self, source: str, reading: Reading = DEFAULT_READING, like: Facts | None = None) -> Survey:
        return data.survey(source, reading, like=like)

    def view_of(self, generated: Facts, real: Facts) -> View:
        # In colour if either side is: otherwise a tint would be dropped before it is measured.
        return View((max(generated.shape[0], real.shape[0]), *generated.shape[1:]))

    def read(self, source: str, view: View, facts: Facts) -> Dataset:
        return data.read(source, view, facts)

    def listing(self, source: str, facts: Facts, labels: str | None = None) -> Listing:
        return data.listing(source, facts, labels)

    def inputs(
        self, given: Sequence[Any], options: Mapping[str, Any], view: View, facts: Facts, strength: float
    ) -> tuple[Sequence[Input], Sequence[str]]:
        return inputs.inputs(given, options, view, facts, strength)

    def decode(self, samples: Tensor, facts: Facts) -> NDArray[np.uint8]:
        return to_uint8(samples)

    def images(self, samples: Tensor, facts: Facts) -> list[Image]:
        return render.images(samples)

    def show(self, batch: Batch, facts: Facts, *, columns: int) -> Sequence[Exhibit]:
        return render.show(batch, facts.classes, columns=columns)

    def compare(self, batch: Batch, true: Tensor | None, facts: Facts) -> Sequence[Exhibit]:
        return render.compare(batch, true)

    def save(self, samples: Tensor, facts: Facts, folder: Path, *, first: int = 0) -> list[Path]:
        return render.save(samples, folder, first=first)

    def extractors(self, split: Split, seed: int, names: Sequence[str] = ()) -> Mapping[str, Extractor]:
        return metrics.extractors(split, seed, names)

    def measure(self, split: Split, seed: int, *, further: bool = True) -> SampleMetrics:
        return metrics.measure(split, seed, further=further)

    def paired(self, fake: Tensor, true: Tensor, condition: Sample | None) -> Mapping[str, float]:
        # Of fills only the holes count.
        mask = condition.mask if isinstance(condition, Holed) else None
        compared = fake, true, self.bounds
        return {"l1": l1(fake, true, mask), "psnr": psnr(*compared, mask), "ssim": ssim(*compared, mask)}

    def baselines(self, batch: Batch, split: Split) -> Mapping[str, Tensor]:
        return baselines.baselines(batch, split)

    def given(self, batch: Batch) -> Tensor | None:
        return baselines.given(batch)

    def shown_inputs(self, batch: Batch) -> Tensor | None:
        return baselines.shown_inputs(batch)

    def difference(self, one: Tensor, other: Tensor, condition: Sample | None = None) -> Tensor:
        return baselines.difference(one, other, condition)

    def label_accuracy(self, split: Split, seed: int) -> LabelAccuracy | None:
        return label_maps.label_accuracy(split, seed)

    def cheap_features(self, samples: Tensor, facts: Facts) -> Tensor:
        return extra_signals.cheap_features(samples)

    def extra_signals(self, real: Tensor, fake: Tensor, facts: Facts) -> Mapping[str, float]:
        return extra_signals.extra_signals(real, fake)

    def by_class(self, one: Repeat, split: Split, seed: int) -> Mapping[str, Mapping[str, float]]:
        return metrics.by_class(one, split, seed)


IMAGES: Modality = Images()
