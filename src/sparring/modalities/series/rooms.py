"""The modality of time series: one object in front of the modules of this folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

from torch import Tensor

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.data.reading import DEFAULT_READING, Reading
from sparring.data.view import View
from sparring.flow import Batch, Sample
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.sample_sets import Repeat, SampleMetrics
from sparring.modalities.series import asking, comparators, continuing, contrast, data, features, metrics, render
from sparring.modalities.series.coding import Context
from sparring.modalities.series.coding import Series as SeriesSamples
from sparring.modality import Listing, Modality, Survey
from sparring.rendering.exhibits import Exhibit


@final
class Series:
    """Implements ``Modality`` and five other protocols of ``sparring.modality``; see there for the methods."""

    name = "series"
    preparation = "channels by name, in the units of the data"
    samples_per_picture = render.MAX_SHOWN
    bounds = None
    blends = False
    conditions = asking.CONDITIONS
    reading_options = frozenset({"columns", "window"})

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

    def column_names(self, facts: Facts) -> Sequence[str]:
        return data.value_names(facts)

    def decode(self, samples: SeriesSamples, facts: Facts) -> list[dict[str, Any]]:
        return render.decoded(samples, facts)

    def columns(self, samples: SeriesSamples, facts: Facts) -> Mapping[str, Sequence[Any]]:
        return render.columns(samples, facts)

    def show(self, batch: Batch, facts: Facts, *, columns: int) -> Sequence[Exhibit]:
        known = batch.condition.known[..., 0] if isinstance(batch.condition, Context) else None
        return [render.shown(batch.real, facts, known)]

    def save(self, samples: SeriesSamples, facts: Facts, folder: Path, *, first: int = 0) -> list[Path]:
        return render.save(samples, folder, facts, first=first)

    def save_with_inputs(
        self,
        samples: SeriesSamples,
        rows: Tensor,
        facts: Facts,
        folder: Path,
        *,
        options: Mapping[str, Any],
        view: View,
    ) -> tuple[list[Path], Sequence[Exhibit]]:
        return continuing.save_with_inputs(samples, facts, folder, options=options, view=view)

    def extractors(self, split: Split, seed: int, names: Sequence[str] = ()) -> Mapping[str, Extractor]:
        return features.extractors(split, seed, names)

    def measure(self, split: Split, seed: int, *, further: bool = True) -> SampleMetrics:
        return metrics.measure(split, seed, further=further)

    def comparators(self, split: Split, count: int, seed: int) -> Mapping[str, SeriesSamples]:
        return comparators.samples(split, count, seed)

    def contrasts(self, real: SeriesSamples, fake: SeriesSamples, facts: Facts) -> Sequence[Exhibit]:
        return contrast.contrasts(real, fake, facts)

    def paired(self, fake: SeriesSamples, true: SeriesSamples, condition: Sample | None) -> Mapping[str, float]:
        return {}

    def cheap_features(self, samples: SeriesSamples, facts: Facts) -> Tensor:
        return features.cheap_features(samples, facts)

    def extra_signals(self, real: SeriesSamples, fake: SeriesSamples, facts: Facts) -> Mapping[str, float]:
        return features.extra_signals(real, fake)

    def by_class(self, one: Repeat, split: Split, seed: int) -> Mapping[str, Mapping[str, float]]:
        return {}


SERIES: Modality = Series()
