"""What a modality promises: how to read its samples, ask for them, show them, keep them and measure them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sparring.data.facts import Facts
from sparring.data.view import View

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.data.conditions import ConditionSpec
    from sparring.data.dataset import Dataset, Split
    from sparring.flow import Batch
    from sparring.metrics.extractors.extractor import Extractor
    from sparring.metrics.sample_sets import Repeat, SampleMetrics
    from sparring.rendering.exhibits import Exhibit
    from sparring.samples import Sample


class Survey(Protocol):
    """A source that has been looked at, and can be made ready for training."""

    @property
    def facts(self) -> Facts: ...

    def prepare(self, view: View, *, seed: int = 0) -> "Split":
        """Every sample as ``view`` has it, split into what is trained on and what is held out."""
        ...


class Modality(Protocol):
    """What a sample is."""

    @property
    def name(self) -> str: ...

    @property
    def shown(self) -> int:
        """How many samples make a good picture."""
        ...

    @property
    def preparation(self) -> str:
        """How samples are brought to one shape, in a few words for the protocol."""
        ...

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Limits of all floating-point values of a sample, or None."""
        ...

    @property
    def blends(self) -> bool:
        """Whether samples between two others mean something, so that paths between them are shown and measured."""
        ...

    @property
    def conditions(self) -> Mapping[str, "ConditionSpec"]:
        """The kinds of conditions, by the names of ``View.condition``, and how a person asks for each."""
        ...

    def claims(self, source: str) -> int:
        """How much ``source``, a path or a name, looks like this modality's: 2 surely, 1 perhaps, 0 not. Cheap."""
        ...

    def survey(self, source: str) -> Survey:
        """Look at all of ``source`` once.

        Raises:
            SparringError: nothing in it can be used.
        """
        ...

    def view_of(self, made: Facts, real: Facts) -> View:
        """How samples in files are compared with real ones: in their own size, coded as the real ones are."""
        ...

    def read(self, source: str, view: View, facts: Facts) -> "Dataset":
        """All samples of ``source`` in order, coded as those of ``facts`` are.

        Args:
            source: what some tool has made, or inputs to a model.
            view: how they are looked at.
            facts: of the training data or of the real samples; labels are given only where the classes are the same.

        Raises:
            SparringError: nothing in it can be used so.
        """
        ...

    def decode(self, samples: "Sample", facts: Facts) -> Any:
        """Samples as other programs have them: images as bytes, points in their units, texts as strings, …"""
        ...

    def show(self, batch: "Batch", facts: Facts, *, columns: int) -> Sequence["Exhibit"]:
        """Samples for a person, in order, beside their conditions where these can be shown.

        Args:
            batch: the samples, with the conditions that they were made under.
            facts: of the data.
            columns: samples in a row, where they stand in rows.
        """
        ...

    def save(self, samples: "Sample", facts: Facts, folder: Path, *, first: int = 0) -> list[Path]:
        """Samples as files, numbered from ``first``."""
        ...

    def extractors(self, split: "Split", seed: int, names: Sequence[str] = ()) -> Mapping[str, "Extractor"]:
        """The features by which samples are judged, by name, the most telling last; those that are asked for.

        Raises:
            SparringError: there is no extractor of such a name for these samples.
        """
        ...

    def measure(self, split: "Split", seed: int, *, further: bool = True) -> "SampleMetrics":
        """What only this modality can measure (points: modes and quality; images with labels: agreement).

        Without ``further``, expensive metrics that do not belong to the default verdict are left out.
        """
        ...

    def paired(self, fake: "Sample", true: "Sample") -> Mapping[str, float]:
        """Mean distances of samples from those that really belonged to their conditions, by the names of measures."""
        ...

    def cheap_features(self, samples: "Sample", facts: Facts) -> "Tensor":
        """A few numbers per sample, (count, features), by which the watchdog compares them. Cheap."""
        ...

    def extra_signals(self, real: "Sample", fake: "Sample") -> Mapping[str, float]:
        """Further signals of the watchdog that only this modality has, by name."""
        ...

    def by_class(self, one: "Repeat", split: "Split", seed: int) -> Mapping[str, Mapping[str, float]]:
        """Class → measure → value, for data that has classes."""
        ...
