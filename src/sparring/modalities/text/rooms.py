"""The modality of text: one object in front of the modules of this folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

from torch import Tensor

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.data.reading import DEFAULT_READING, Reading
from sparring.data.sequences import asking
from sparring.data.view import View
from sparring.flow import Batch, Sample
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.sample_sets import Repeat, SampleMetrics
from sparring.modalities.text import data, features, metrics, render
from sparring.modality import Listing, Modality, Survey
from sparring.rendering.exhibits import Exhibit


@final
class TextModality:
    """Implements ``Modality``, ``ClaimsByReading``, ``ListsSamples`` and ``GivesColumns`` of ``sparring.modality``."""

    name = "text"
    preparation = "tokens of the training data"
    samples_per_picture = render.MAX_SHOWN
    bounds = None
    blends = False
    conditions = asking.CONDITIONS
    reading_options = frozenset({"labels", "columns", "tokens", "window"})

    def claims(self, source: str) -> int:
        return data.claims(source)

    def is_meant(self, reading: Reading) -> bool:
        return data.is_meant(reading)

    def survey(self, source: str, reading: Reading = DEFAULT_READING, like: Facts | None = None) -> Survey:
        return data.survey(source, reading, like)

    def view_of(self, generated: Facts, real: Facts) -> View:
        return View(real.shape)

    def read(self, source: str, view: View, facts: Facts) -> Dataset:
        return data.read(source, view, facts)

    def listing(self, source: str, facts: Facts, labels: str | None = None) -> Listing:
        return data.listing(source, facts, labels)

    def decode(self, samples: Tensor, facts: Facts) -> list[str]:
        return render.decoded(samples, facts)

    def columns(self, samples: Tensor, facts: Facts) -> Mapping[str, Sequence[Any]]:
        return {"text": render.decoded(samples, facts)}

    def show(self, batch: Batch, facts: Facts, *, columns: int) -> Sequence[Exhibit]:
        return [render.shown(batch.real, facts)]

    def save(self, samples: Tensor, facts: Facts, folder: Path, *, first: int = 0) -> list[Path]:
        return render.save(samples, folder, facts, first=first)

    def extractors(self, split: Split, seed: int, names: Sequence[str] = ()) -> Mapping[str, Extractor]:
        return features.extractors(split, seed, names)

    def measure(self, split: Split, seed: int, *, further: bool = True) -> SampleMetrics:
        return metrics.measure(split, seed, further=further)

    def paired(self, fake: Tensor, true: Tensor, condition: Sample | None) -> Mapping[str, float]:
        return {}

    def cheap_features(self, samples: Tensor, facts: Facts) -> Tensor:
        return features.cheap_features(samples, facts)

    def extra_signals(self, real: Tensor, fake: Tensor) -> Mapping[str, float]:
        return features.extra_signals(real, fake)

    def by_class(self, one: Repeat, split: Split, seed: int) -> Mapping[str, Mapping[str, float]]:
        return {}


TEXT: Modality = TextModality()
