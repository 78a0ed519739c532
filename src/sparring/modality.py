"""What a modality promises: how to read its samples, show them, keep them and measure them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sparring.data.facts import Facts
from sparring.data.view import View

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from sparring.data.dataset import Split
    from sparring.evaluation.extractors import Extractor
    from sparring.evaluation.scores import Measure
    from sparring.evaluation.sides import Round


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
        """What all values of a sample lie between, or None."""
        ...

    def claims(self, source: str) -> bool:
        """Whether ``source``, a path or a name, looks like this modality's. Cheap."""
        ...

    def survey(self, source: str) -> Survey:
        """Look at all of ``source`` once.

        Raises:
            SparringError: nothing in it can be used.
        """
        ...

    def picture(self, samples: "Tensor", *, columns: int) -> "Image":
        """Samples as one picture that a person can look at, row by row (points: as one plot)."""
        ...

    def save(self, samples: "Tensor", folder: Path, *, first: int = 0) -> list[Path]:
        """Each sample as a file of its own, numbered from ``first``."""
        ...

    def extractors(self, split: "Split", seed: int, names: Sequence[str] = ()) -> Mapping[str, "Extractor"]:
        """The features by which samples are judged, by name, the most telling last; those that are asked for.

        Raises:
            SparringError: there is no extractor of such a name for these samples.
        """
        ...

    def measure(self, split: "Split", seed: int) -> "Measure":
        """What only this modality can measure (points: modes and quality; images with labels: agreement)."""
        ...

    def sketch(self, samples: "Tensor", facts: Facts) -> "Tensor":
        """A few numbers per sample, (count, features), by which the watchdog compares them. Cheap."""
        ...

    def signs(self, real: "Tensor", fake: "Tensor") -> Mapping[str, float]:
        """Further signals of the watchdog that only this modality has, by name."""
        ...

    def by_class(self, one: "Round", split: "Split", seed: int) -> Mapping[str, Mapping[str, float]]:
        """Class → measure → value, for data that has classes."""
        ...
