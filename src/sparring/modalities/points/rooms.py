"""The modality of points: one object in front of the modules of this folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, final

import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.conditions import ConditionSpec
from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.data.reading import DEFAULT_READING, Reading
from sparring.data.view import View
from sparring.flow import Batch, Sample
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.paired import l1
from sparring.metrics.sample_sets import Repeat, SampleMetrics
from sparring.modalities.points import data, metrics, render
from sparring.modalities.points.coding import coding_of
from sparring.modalities.points.normalizer import ColumnNormalizer
from sparring.modality import Modality, Survey
from sparring.rendering.exhibits import Exhibit, picture_of
from sparring.rendering.scatter import scatter_plot


@final
class Points:
    """Implements ``Modality``, ``NamesColumns`` and ``GivesColumns``; see ``sparring.modality`` for the methods."""

    name = "points"
    preparation = "scaled as for training"
    samples_per_picture = 2500
    bounds = None
    blends = False
    conditions = MappingProxyType[str, ConditionSpec]({})
    reading_options = frozenset[str]()

    def claims(self, source: str) -> int:
        return data.claims(source)

    def survey(self, source: str, reading: Reading = DEFAULT_READING, like: Facts | None = None) -> Survey:
        return data.survey(source, like)

    def view_of(self, generated: Facts, real: Facts) -> View:
        return View(generated.shape)

    def read(self, source: str, view: View, facts: Facts) -> Dataset:
        return data.read(source, view, facts)

    def column_names(self, facts: Facts) -> Sequence[str]:
        return coding_of(facts).columns

    def decode(self, samples: Tensor, facts: Facts) -> NDArray[Any]:
        return render.decoded(samples, facts)

    def columns(self, samples: Tensor, facts: Facts) -> Mapping[str, Sequence[Any]]:
        return render.columns(samples, facts)

    def show(self, batch: Batch, facts: Facts, *, columns: int) -> Sequence[Exhibit]:
        points = torch.from_numpy(render.decoded(batch.real, facts))
        names, usual = self.column_names(facts), render.usual_axes(facts)
        return [picture_of(scatter_plot(points, columns=columns, names=names, usual=usual))]

    def save(self, samples: Tensor, facts: Facts, folder: Path, *, first: int = 0) -> list[Path]:
        return render.save(samples, folder, facts, first=first)

    def extractors(self, split: Split, seed: int, names: Sequence[str] = ()) -> Mapping[str, Extractor]:
        return metrics.extractors(split, seed, names)

    def measure(self, split: Split, seed: int, *, further: bool = True) -> SampleMetrics:
        return metrics.measure(split, seed)

    def paired(self, fake: Tensor, true: Tensor, condition: Sample | None) -> Mapping[str, float]:
        return {"l1": l1(fake, true)}

    def cheap_features(self, samples: Tensor, facts: Facts) -> Tensor:
        return ColumnNormalizer(facts).normalize(samples)

    def extra_signals(self, real: Tensor, fake: Tensor, facts: Facts) -> Mapping[str, float]:
        return {}

    def by_class(self, one: Repeat, split: Split, seed: int) -> Mapping[str, Mapping[str, float]]:
        return {}


POINTS: Modality = Points()
