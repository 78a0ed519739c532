"""The rooms of this modality behind one object."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import final

from PIL.Image import Image
from torch import Tensor

from sparring.data.dataset import Split
from sparring.data.facts import Facts
from sparring.evaluation.extractors import Extractor
from sparring.evaluation.scores import Measure
from sparring.evaluation.sides import Round
from sparring.modalities.points import data, metrics, render
from sparring.modalities.points.units import ColumnUnits
from sparring.modality import Modality, Survey


@final
class Points:
    """See ``sparring.modality.Modality``."""

    name = "points"
    preparation = "scaled as for training"
    shown = 2500
    bounds = None

    def claims(self, source: str) -> bool:
        return data.claims(source)

    def survey(self, source: str) -> Survey:
        return data.survey(source)

    def picture(self, samples: Tensor, *, columns: int) -> Image:
        return render.picture(samples, columns=columns)

    def save(self, samples: Tensor, folder: Path, *, first: int = 0) -> list[Path]:
        return render.save(samples, folder, first=first)

    def extractors(self, split: Split, seed: int, names: Sequence[str] = ()) -> Mapping[str, Extractor]:
        return metrics.extractors(split, seed, names)

    def measure(self, split: Split, seed: int) -> Measure:
        return metrics.measure(split, seed)

    def sketch(self, samples: Tensor, facts: Facts) -> Tensor:
        return ColumnUnits(facts).standard(samples)

    def signs(self, real: Tensor, fake: Tensor) -> Mapping[str, float]:
        return {}

    def by_class(self, one: Round, split: Split, seed: int) -> Mapping[str, Mapping[str, float]]:
        return {}


POINTS: Modality = Points()
