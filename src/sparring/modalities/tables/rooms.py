"""The modality of tables: one object in front of the modules of this folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

from torch import Tensor

from sparring.data.conditions import INPUT
from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.data.reading import DEFAULT_READING, Reading
from sparring.data.view import View
from sparring.flow import Batch, Sample
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.sample_sets import Repeat, SampleMetrics
from sparring.modalities.tables import asking, comparators, completing, contrast, data, features, metrics, render
from sparring.modalities.tables.coding import Rows, coding_of
from sparring.modality import Listing, Modality, Selection, Survey
from sparring.rendering.exhibits import Exhibit


@final
class Tables:
    """Implements ``Modality``, ``HasComparators``, ``HasContrasts``, ``SelectsSamples``, ``SavesInputs``,
    ``ListsSamples``, ``NamesColumns`` and ``GivesColumns``; see ``sparring.modality`` for the methods.
    """

    name = "tables"
    preparation = "columns by name, coded as for training"
    samples_per_picture = render.MAX_SHOWN
    bounds = None
    blends = False
    conditions = asking.CONDITIONS
    reading_options = frozenset({"columns", "keep", "target"})

    def claims(self, source: str) -> int:
        return data.claims(source)

    def survey(self, source: str, reading: Reading = DEFAULT_READING, like: Facts | None = None) -> Survey:
        return data.survey(source, reading, like)

    def view_of(self, generated: Facts, real: Facts) -> View:
        return View(real.shape)

    def read(self, source: str, view: View, facts: Facts) -> Dataset:
        return data.read(source, view, facts)

    def listing(self, source: str, facts: Facts, labels: str | None = None) -> Listing:
        return data.listing(source, labels)

    def column_names(self, facts: Facts) -> Sequence[str]:
        return [column.name for column in coding_of(facts).learned]

    def decode(self, samples: Rows, facts: Facts) -> render.TextRows:
        return render.decoded(samples, facts)

    def columns(self, samples: Rows, facts: Facts) -> Mapping[str, Sequence[Any]]:
        return render.columns(samples, facts)

    def show(self, batch: Batch, facts: Facts, *, columns: int) -> Sequence[Exhibit]:
        return [render.shown(batch.real, facts)]

    def save(self, samples: Rows, facts: Facts, folder: Path, *, first: int = 0) -> list[Path]:
        return render.save(samples, folder, facts, first=first)

    def save_with_inputs(
        self, samples: Rows, rows: Tensor, facts: Facts, folder: Path, *, options: Mapping[str, Any], view: View
    ) -> tuple[list[Path], Sequence[Exhibit]]:
        return completing.save_completed(samples, rows.numpy(), facts, folder, options[INPUT]), ()

    def extractors(self, split: Split, seed: int, names: Sequence[str] = ()) -> Mapping[str, Extractor]:
        return features.extractors(split, seed, names)

    def measure(self, split: Split, seed: int, *, further: bool = True) -> SampleMetrics:
        return metrics.measure(split, seed, further=further, target=split.facts.reading.get("target"))

    def comparators(self, split: Split, count: int, seed: int) -> Mapping[str, Rows]:
        return comparators.samples(split, count, seed)

    def contrasts(self, real: Rows, fake: Rows, facts: Facts) -> Sequence[Exhibit]:
        return contrast.contrasts(real, fake, coding_of(facts).learned)

    def selection(self, options: Mapping[str, Any], view: View, facts: Facts) -> Selection | None:
        return asking.selection(options, view, facts)

    def paired(self, fake: Rows, true: Rows, condition: Sample | None) -> Mapping[str, float]:
        return {}

    def cheap_features(self, samples: Rows, facts: Facts) -> Tensor:
        return features.cheap_features(samples, facts)

    def extra_signals(self, real: Rows, fake: Rows, facts: Facts) -> Mapping[str, float]:
        return features.extra_signals(real, fake)

    def by_class(self, one: Repeat, split: Split, seed: int) -> Mapping[str, Mapping[str, float]]:
        return {}


TABLES: Modality = Tables()
