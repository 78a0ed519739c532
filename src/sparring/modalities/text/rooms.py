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
from sparring.modalities.text import classes, data, features, metrics, nearest, render, translations
from sparring.modality import Listing, Modality, Neighbours, Survey
from sparring.rendering.exhibits import Exhibit
from sparring.samples import take


@final
class TextModality:
    """Implements ``Modality``, ``ConditionedOnSamples``, ``SavesInputs``, ``FindsNearest``, ``ListsSamples``, ….

    See ``sparring.modality`` for the methods.
    """

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
        sources = translations.sources_of(batch)
        if sources is None:
            return [render.shown(batch, facts)]
        first = take(batch, slice(0, render.MAX_SHOWN))
        return [translations.shown(first, sources[: render.MAX_SHOWN], facts)]

    def nearest(self, samples: Tensor, among: Dataset, own: Tensor | None = None) -> Neighbours:
        return nearest.nearest(samples, among, own)

    def beside_nearest(self, batch: Batch, others: Tensor, distances: Tensor, facts: Facts) -> Exhibit:
        return render.beside_nearest(batch, others, distances, facts)

    def compare(self, batch: Batch, true: Tensor | None, facts: Facts) -> Sequence[Exhibit]:
        sources = translations.sources_of(batch)
        return [] if sources is None else [translations.shown(batch, sources, facts, true)]

    def save(self, samples: Tensor, facts: Facts, folder: Path, *, first: int = 0) -> list[Path]:
        return render.save(samples, folder, facts, first=first)

    def save_with_inputs(
        self,
        samples: Tensor,
        rows: Tensor,
        facts: Facts,
        folder: Path,
        *,
        options: Mapping[str, Any],
        view: View,
    ) -> tuple[list[Path], Sequence[Exhibit]]:
        return render.save_with_inputs(samples, rows, facts, folder, options), ()

    def extractors(self, split: Split, seed: int, names: Sequence[str] = ()) -> Mapping[str, Extractor]:
        return features.extractors(split, seed, names)

    def measure(self, split: Split, seed: int, *, further: bool = True) -> SampleMetrics:
        return metrics.measure(split, seed, further=further)

    def paired(self, fake: Tensor, true: Tensor, condition: Sample | None) -> Mapping[str, float]:
        return translations.paired(fake, true)

    def baselines(self, batch: Batch, split: Split) -> Mapping[str, Tensor]:
        return translations.nearest(batch, split)

    def given(self, batch: Batch) -> Tensor | None:
        return None  # Sources have other tokens.

    def shown_inputs(self, batch: Batch) -> Tensor | None:
        return None

    def difference(self, one: Tensor, other: Tensor, condition: Sample | None = None) -> Tensor:
        return translations.difference(one, other)

    def label_accuracy(self, split: Split, seed: int) -> None:
        return None

    def cheap_features(self, samples: Tensor, facts: Facts) -> Tensor:
        return features.cheap_features(samples, facts)

    def extra_signals(self, real: Tensor, fake: Tensor, facts: Facts) -> Mapping[str, float]:
        return features.extra_signals(real, fake)

    def by_class(self, one: Repeat, split: Split, seed: int) -> Mapping[str, Mapping[str, float]]:
        return classes.by_class(one, split, seed)


TEXT: Modality = TextModality()
