"""The modality of molecules: one object in front of the modules of this folder."""

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
from sparring.modalities.molecules import asking, data, features, metrics, render, sources
from sparring.modalities.molecules.forms import Samples, smiles_of
from sparring.modality import Listing, Modality, Selection, Survey
from sparring.rendering.exhibits import Exhibit


@final
class MoleculesModality:
    """Implements ``Modality`` and five more of ``sparring.modality``.

    These are ``ClaimsByReading``, ``ListsSamples``, ``GivesColumns``, ``SelectsSamples`` and ``ScoresSamples``.
    """

    name = "molecules"
    preparation = "canonical SMILES"
    samples_per_picture = render.MAX_SHOWN
    bounds = None
    blends = False
    conditions = asking.CONDITIONS
    reading_options = frozenset({"labels", "columns", "window"})

    def claims(self, source: str) -> int:
        return sources.claims(source)

    def is_meant(self, reading: Reading) -> bool:
        return data.is_meant(reading)

    def survey(self, source: str, reading: Reading = DEFAULT_READING, like: Facts | None = None) -> Survey:
        return data.survey(source, reading, like)

    def view_of(self, generated: Facts, real: Facts) -> View:
        return View(generated.shape)

    def read(self, source: str, view: View, facts: Facts) -> Dataset:
        return data.read(source, view, facts)

    def listing(self, source: str, facts: Facts, labels: str | None = None) -> Listing:
        return data.listing(source, facts, labels)

    def decode(self, samples: Samples, facts: Facts) -> list[str]:
        return smiles_of(samples, facts)

    def columns(self, samples: Samples, facts: Facts) -> Mapping[str, Sequence[Any]]:
        return {"smiles": smiles_of(samples, facts)}

    def show(self, batch: Batch, facts: Facts, *, columns: int) -> Sequence[Exhibit]:
        return [render.shown(batch.real, facts, columns)]

    def save(self, samples: Samples, facts: Facts, folder: Path, *, first: int = 0) -> list[Path]:
        return render.save(samples, folder, facts, first=first)

    def selection(self, options: Mapping[str, Any], view: View, facts: Facts) -> Selection | None:
        return asking.selection(options, view, facts)

    def scores(self, samples: Sample, facts: Facts, options: Mapping[str, Any]) -> Tensor | None:
        return asking.scores(samples, facts, options)

    def save_scored(
        self, samples: Samples, scores: Tensor, facts: Facts, folder: Path, *, first: int = 0
    ) -> list[Path]:
        return render.save(samples, folder, facts, first=first, scores=scores.tolist())

    def extractors(self, split: Split, seed: int, names: Sequence[str] = ()) -> Mapping[str, Extractor]:
        return features.extractors(split, seed, names)

    def measure(self, split: Split, seed: int, *, further: bool = True) -> SampleMetrics:
        return metrics.measure(split, seed, further=further)

    def paired(self, fake: Samples, true: Samples, condition: Sample | None) -> Mapping[str, float]:
        return {}

    def cheap_features(self, samples: Samples, facts: Facts) -> Tensor:
        return features.cheap_features(samples, facts)

    def extra_signals(self, real: Samples, fake: Samples, facts: Facts) -> Mapping[str, float]:
        return features.extra_signals(real, fake, facts)

    def by_class(self, one: Repeat, split: Split, seed: int) -> Mapping[str, Mapping[str, float]]:
        return {}


MOLECULES: Modality = MoleculesModality()
