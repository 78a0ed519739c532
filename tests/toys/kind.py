"""A modality that consists of a few functions, shared by all toys."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from sparring.data.conditions import ConditionSpec
from sparring.data.dataset import Dataset, Split, split_rows
from sparring.data.facts import Facts
from sparring.data.reading import DEFAULT_READING, Reading
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.flow import Batch
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.sample_sets import Repeat, SampleMetrics
from sparring.modality import Survey
from sparring.rendering.exhibits import Exhibit
from sparring.samples import Sample, tensors


@final
@dataclass(frozen=True)
class ToySurvey:
    """See ``sparring.modality.Survey``."""

    facts: Facts
    load: Callable[[str, View], Dataset]

    def prepare(self, view: View, *, seed: int = 0) -> Split:
        return split_rows(self.load(self.facts.source, view), self.facts, seed)


@final
@dataclass(frozen=True)
class Kind:
    """See ``sparring.modality.Modality``.

    Args:
        name: name of the modality.
        load: (source, view) → all samples of the source.
        features: samples → (count, features), for metrics and for the watchdog.
        exhibits: (batch, facts, samples in a row) → pictures, sounds, texts or tables of the samples.
        suffix: ending of the files that it claims.
        classes: names of the labels.
        coding: source → facts that networks and decoding need.
        conditions: kinds of conditions by name.
        bounds, blends, paired: as in ``Modality``.
    """

    name: str
    load: Callable[[str, View], Dataset]
    features: Callable[[Sample], Tensor]
    exhibits: Callable[[Batch, Facts, int], Sequence[Exhibit]]
    suffix: str
    classes: tuple[str, ...] = ()
    coding: Callable[[str], dict[str, Any]] = lambda source: {}
    conditions: Mapping[str, ConditionSpec] = field(default_factory=dict)
    bounds: tuple[float, float] | None = None
    blends: bool = False
    paired: Callable[[Sample, Sample, Sample | None], Mapping[str, float]] = lambda fake, true, condition: {}
    samples_per_picture: int = 8
    preparation: str = "as it is"
    reading_options: frozenset[str] = frozenset()

    def claims(self, source: str) -> int:
        return 2 if source.endswith(self.suffix) else 0

    def survey(self, source: str, reading: Reading = DEFAULT_READING, like: Facts | None = None) -> Survey:
        whole = self.load(source, View(()))
        digest = sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in tensors(whole.samples))).hexdigest()
        offers, shape, coding = tuple(self.conditions), whole.shapes[0], self.coding(source)
        facts = Facts(source, self.name, len(whole), shape, digest, self.classes, offers=offers, coding=coding)
        return ToySurvey(facts, self.load)

    def view_of(self, made: Facts, real: Facts) -> View:
        return View(made.shape)

    def read(self, source: str, view: View, facts: Facts) -> Dataset:
        return self.load(source, view)

    def decode(self, samples: Sample, facts: Facts) -> list[Any]:
        return [part.numpy() for part in tensors(samples)]

    def show(self, batch: Batch, facts: Facts, *, columns: int) -> Sequence[Exhibit]:
        return self.exhibits(batch, facts, columns)

    def save(self, samples: Sample, facts: Facts, folder: Path, *, first: int = 0) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{first:06d}.npz"
        np.savez(path, *self.decode(samples, facts))
        return [path]

    def extractors(self, split: Split, seed: int, names: Sequence[str] = ()) -> Mapping[str, Extractor]:
        return {"features": Features(self.features)}

    def measure(self, split: Split, seed: int, *, further: bool = True) -> SampleMetrics:
        return lambda one: ({}, {})

    def cheap_features(self, samples: Sample, facts: Facts) -> Tensor:
        return self.features(samples)

    def extra_signals(self, real: Sample, fake: Sample, facts: Facts) -> Mapping[str, float]:
        return {}

    def by_class(self, one: Repeat, split: Split, seed: int) -> Mapping[str, Mapping[str, float]]:
        return {}


@final
@dataclass(frozen=True)
class Features:
    """See ``sparring.metrics.extractors.extractor.Extractor``."""

    compute: Callable[[Sample], Tensor]
    name: str = "features"
    cacheable: bool = False

    def __call__(self, samples: Sample) -> Tensor:
        with torch.no_grad():
            return self.compute(samples).float()


def input_arrays(options: Mapping[str, Any], name: str) -> np.ndarray:
    """Concatenate the arrays called ``name`` in the .npz files of ``--input``.

    Raises:
        SparringError: a file cannot be read or has no such array.
    """
    arrays = []
    for file in options["input"]:
        try:
            with np.load(file) as content:
                arrays.append(content[name])
        except (OSError, ValueError, TypeError, KeyError):
            raise SparringError(
                found=f"nothing to read in {file}", expected=f"an .npz file of {name!r}", remedy="check the path"
            ) from None
    return np.concatenate(arrays)
