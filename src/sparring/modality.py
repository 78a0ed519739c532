"""The protocol of a modality: reading its samples, asking for them, showing, saving and measuring them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from sparring.data.facts import Facts
from sparring.data.reading import DEFAULT_READING, Reading
from sparring.data.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image
    from torch import Tensor

    from sparring.data.conditions import ConditionSpec
    from sparring.data.dataset import Dataset, Split
    from sparring.flow import Batch
    from sparring.metrics.extractors.extractor import Extractor
    from sparring.metrics.sample_sets import Repeat, SampleMetrics
    from sparring.randomness import RandomStream
    from sparring.rendering.exhibits import Exhibit
    from sparring.samples import Sample

BY_NAME = 3
"""Claim to the name of a built-in data set, which wins over a folder or a file of the same name."""


class Survey(Protocol):
    """A data source that was read once, and can be prepared for training."""

    @property
    def facts(self) -> Facts:
        """Facts about the data."""
        ...

    def prepare(self, view: View, *, seed: int = 0) -> "Split":
        """Read all samples in the given view, and split them by ``seed`` into training and held-out samples."""
        ...


class Modality(Protocol):
    """A kind of samples, such as images or points."""

    @property
    def name(self) -> str:
        """Name in ``Facts.modality`` and before the slash in names of recipes."""
        ...

    @property
    def samples_per_picture(self) -> int:
        """Number of samples that fill one picture."""
        ...

    @property
    def preparation(self) -> str:
        """Conversion of samples to one shape, in a few words for the evaluation protocol."""
        ...

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Bounds of all floating-point values of a sample, or None."""
        ...

    @property
    def blends(self) -> bool:
        """True if samples between two others are meaningful, so that interpolations are shown and measured."""
        ...

    @property
    def conditions(self) -> Mapping[str, "ConditionSpec"]:
        """Kinds of conditions, by their name in ``View.condition``, with the options by which users ask for each.

        Under the empty name stands what users can ask of models without conditions, which a ``Selection`` has to meet.
        """
        ...

    @property
    def reading_options(self) -> frozenset[str]:
        """Names of the fields of ``Reading`` that it understands."""
        ...

    def claims(self, source: str) -> int:
        """Return how likely ``source``, a path or a name, is of this modality; cheap.

        ``BY_NAME`` for the name of a built-in data set, 2 surely, 1 possibly, 0 not.
        """
        ...

    def survey(self, source: str, reading: Reading = DEFAULT_READING, like: Facts | None = None) -> Survey:
        """Read all of ``source`` once.

        Args:
            source: a path or a name.
            reading: choices of the user.
            like: facts of other data, such as that of a model, whose coding (ranges, origin) these samples get, too.

        Raises:
            SparringError: nothing in it can be used.
        """
        ...

    def view_of(self, generated: Facts, real: Facts) -> View:
        """Return the view in which generated samples are compared with real ones: in their own size, coded alike.

        Nothing that either side shows is dropped: images are compared in colour if one side is in colour.

        Raises:
            SparringError: samples of these shapes cannot be compared.
        """
        ...

    def read(self, source: str, view: View, facts: Facts) -> "Dataset":
        """Read all samples of ``source`` in order, coded as the data of ``facts`` is.

        Args:
            source: samples that some tool generated, or inputs of a model.
            view: shape and condition of the samples.
            facts: of the training data or of the real samples; labels are returned only where the classes are equal.

        Raises:
            SparringError: nothing in it can be used in this view.
        """
        ...

    def decode(self, samples: "Sample", facts: Facts) -> Any:
        """Return samples as other programs use them: images as bytes, points in their units, texts as strings, …"""
        ...

    def show(self, batch: "Batch", facts: Facts, *, columns: int) -> Sequence["Exhibit"]:
        """Render samples in order, beside their conditions where these can be shown.

        Args:
            batch: the samples, with the conditions that they were generated under.
            facts: of the data.
            columns: samples per row, where samples form rows.
        """
        ...

    def save(self, samples: "Sample", facts: Facts, folder: Path, *, first: int = 0) -> list[Path]:
        """Write samples to files in ``folder``, numbered from ``first``, and return their paths."""
        ...

    def extractors(self, split: "Split", seed: int, names: Sequence[str] = ()) -> Mapping[str, "Extractor"]:
        """Return the named feature extractors, or the default ones; the most informative comes last.

        Raises:
            SparringError: there is no extractor of such a name for these samples.
        """
        ...

    def measure(self, split: "Split", seed: int, *, further: bool = True) -> "SampleMetrics":
        """Return the metrics of this modality alone (points: mode coverage; labelled images: class agreement).

        Without ``further``, expensive ones that do not belong to the default verdict are left out.
        """
        ...

    def paired(self, fake: "Sample", true: "Sample", condition: "Sample | None") -> Mapping[str, float]:
        """Return mean distances of generated samples from the true samples of the same conditions, by metric."""
        ...

    def cheap_features(self, samples: "Sample", facts: Facts) -> "Tensor":
        """Return a few features per sample, (count, features), for the watchdog's frequent comparisons. Cheap."""
        ...

    def extra_signals(self, real: "Sample", fake: "Sample", facts: Facts) -> Mapping[str, float]:
        """Return the watchdog's signals of this modality alone, by name."""
        ...

    def by_class(self, one: "Repeat", split: "Split", seed: int) -> Mapping[str, Mapping[str, float]]:
        """Return class → metric → value for data that has classes, and nothing for other data."""
        ...


@runtime_checkable
class SavesInputs(Protocol):
    """A modality whose samples are inputs with what was missing, and are written together with these."""

    def save_with_inputs(
        self, samples: "Sample", rows: "Tensor", facts: Facts, folder: Path, *, options: Mapping[str, Any], view: View
    ) -> "tuple[list[Path], Sequence[Exhibit]]":
        """Write inputs with what samples add to them; return the paths of the files, and exhibits about samples.

        Args:
            samples: samples of all inputs, those of one input in a row.
            rows: number of the input of each sample, rising, (count,).
            facts: of the training data.
            folder: of the files.
            options: options of the condition, among them the inputs.
            view: view of the model.
        """
        ...


@runtime_checkable
class ClaimsByReading(Protocol):
    """A modality that choices about reading ask for, where sources that it can read are usually of another one."""

    def is_meant(self, reading: Reading) -> bool:
        """Return whether choices about reading are about samples of this modality, as only it has them."""
        ...


@runtime_checkable
class ConditionedOnSamples(Protocol):
    """A modality some of whose conditions are samples: inputs to translate, images with holes, …"""

    def compare(self, batch: "Batch", true: "Sample | None", facts: Facts) -> Sequence["Exhibit"]:
        """Render samples between the samples that they were generated from and the true ones, one row for each.

        Args:
            batch: the samples, with their conditions.
            true: the samples that belong to the conditions, or None where these determine none.
            facts: of the data.

        Returns:
            Nothing for other conditions.
        """
        ...

    def baselines(self, batch: "Batch", split: "Split") -> Mapping[str, "Sample"]:
        """Return answers to the conditions of a batch that need no model, by name: the input itself, …

        Args:
            batch: generated samples with their conditions.
            split: the data.

        Returns:
            Samples of the shape of the generated ones; none for other conditions.
        """
        ...

    def given(self, batch: "Batch") -> "Sample | None":
        """Return the samples that others were generated from; None unless they are whole and of the same shape."""
        ...

    def shown_inputs(self, batch: "Batch") -> "Sample | None":
        """Return what samples were generated from in the shape of these, to be shown; None for other conditions."""
        ...

    def difference(self, one: "Sample", other: "Sample", condition: "Sample | None" = None) -> "Tensor":
        """Return the mean absolute difference of samples and their counterparts, (count,), as networks see them.

        Args:
            one: samples.
            other: as many samples.
            condition: their common conditions: what these fix does not count, such as images outside their holes.
        """
        ...

    def label_accuracy(self, split: "Split", seed: int) -> "Callable[[Sample, Batch], float] | None":
        """Return the accuracy of labels in pairs of which one side is labels of each place; None for other data.

        Its arguments are samples, and the true samples with their conditions. It may be expensive to make.
        """
        ...


@runtime_checkable
class HasComparators(Protocol):
    """A modality with simple models that any generator has to be better than, such as trees for tables."""

    def comparators(self, split: "Split", count: int, seed: int) -> Mapping[str, "Sample"]:
        """Return samples of simple models that were fitted to the training samples, by name.

        Args:
            split: the data.
            count: samples of each.
            seed: of the fits and of the samples.
        """
        ...


@runtime_checkable
class HasContrasts(Protocol):
    """A modality whose samples differ from real ones in ways that single samples do not show, such as distributions."""

    def contrasts(self, real: "Sample", fake: "Sample", facts: Facts) -> Sequence["Exhibit"]:
        """Render real and generated samples, as a whole, side by side, and say where they differ most."""
        ...


class Neighbours(NamedTuple):
    """Nearest samples of others.

    Args:
        distances: to the nearest one, (count,) float64; 0 for equal samples, which are not the only ones.
        rows: its number, (count,).
    """

    distances: "Tensor"
    rows: "Tensor"


@runtime_checkable
class FindsNearest(Protocol):
    """A modality of discrete samples: two can be equal, and their distance is not that of features."""

    def nearest(self, samples: "Tensor", among: "Dataset", own: "Tensor | None" = None) -> Neighbours:
        """Return the nearest sample of a data set for each of the samples.

        Args:
            samples: one tensor, (count, …) int64.
            among: the data set.
            own: row of each sample itself in it, which does not count, (count,); None without.
        """
        ...

    def beside_nearest(self, batch: "Batch", others: "Tensor", distances: "Tensor", facts: Facts) -> "Exhibit":
        """Render samples in order, each beside the nearest one of others, (count, …), at a distance, (count,)."""
        ...


class Listing(NamedTuple):
    """Names and classes of samples in files.

    Args:
        names: of each sample: of its file, or the number of its row.
        labels: class numbers, (count,), -1 where the class is unknown; None without classes.
        classes: names of the classes.
    """

    names: "Sequence[str]"
    labels: "NDArray[np.int64] | None" = None
    classes: tuple[str, ...] = ()


@runtime_checkable
class ListsSamples(Protocol):
    """A modality whose samples have names or classes in their files."""

    def listing(self, source: str, facts: Facts, labels: str | None = None) -> Listing:
        """List the samples that ``read`` returns, in its order.

        Args:
            source: as for ``read``.
            facts: as for ``read``.
            labels: where their classes are: a file of labels for images, a column of a table; None to find them.

        Raises:
            SparringError: nothing in the source can be used, or there are no such labels.
        """
        ...


@runtime_checkable
class NamesColumns(Protocol):
    """A modality whose samples are of values that have names: the columns of a row, the steps of a series."""

    def column_names(self, facts: Facts) -> Sequence[str]:
        """Return the names of the values of a sample, in order; none where they have no names."""
        ...


@runtime_checkable
class GivesImages(Protocol):
    """A modality whose samples are images."""

    def images(self, samples: "Sample", facts: Facts) -> "list[Image]":
        """Return samples as images of Pillow, as ``save`` writes them."""
        ...


@runtime_checkable
class GivesColumns(Protocol):
    """A modality whose samples are rows of a table, or have a row for each of their parts."""

    def columns(self, samples: "Sample", facts: Facts) -> Mapping[str, Sequence[Any]]:
        """Return the values of all rows by name of the column, as data frames take them.

        Numbers are numbers, categories and dates are text as in the data, and missing values are None or NaN.
        """
        ...


class Selection(Protocol):
    """Acceptance of generated samples: whatever it refuses is generated again (rejection sampling)."""

    def condition(self, condition: "Sample", random: "RandomStream") -> "Sample":
        """Return the condition that players are given for a condition, row by row; parts of it may be random."""
        ...

    def select(self, samples: "Sample", condition: "Sample") -> "tuple[Sample, Tensor]":
        """Return samples, with the parts that follow from others computed, and which are accepted, (count,) bool.

        Args:
            samples: generated samples.
            condition: what ``condition`` returned for them.
        """
        ...


@runtime_checkable
class SelectsSamples(Protocol):
    """A modality that can refuse samples: those that were not asked for, or that break a rule."""

    def selection(self, options: Mapping[str, Any], view: View, facts: Facts) -> Selection | None:
        """Return the acceptance of the samples of a model; None if every sample is accepted.

        Args:
            options: option of the condition → its value; None if it was not given.
            view: view of the model.
            facts: facts of its training data.

        Raises:
            SparringError: a value is not valid.
        """
        ...


@runtime_checkable
class ScoresSamples(Protocol):
    """A modality that can score generated samples by an objective; they are written in descending order of it."""

    def scores(self, samples: "Sample", facts: Facts, options: Mapping[str, Any]) -> "Tensor | None":
        """Return the score of each sample, (count,); None if the options ask for none.

        Raises:
            SparringError: there is no such objective, or it fails.
        """
        ...

    def save_scored(
        self, samples: "Sample", scores: "Tensor", facts: Facts, folder: Path, *, first: int = 0
    ) -> list[Path]:
        """Write samples with their scores to files in ``folder``, as ``save`` does."""
        ...


class AnySize(NamedTuple):
    """A convolutional generator, which takes conditions of any size.

    Args:
        generate: condition, one row → its sample, one row; every call has the same latent.
        multiple: number of which the sides of a condition are multiples.
        scale: factor between the sides of sample and condition.
    """

    generate: "Callable[[Sample], Sample]"
    multiple: int = 1
    scale: int = 1


class Input(Protocol):
    """One input of a model, in its own size. It is read when it is needed, and released afterwards."""

    @property
    def name(self) -> str:
        """Name of the input, a relative path with "/" between its parts."""
        ...

    @property
    def suffix(self) -> str:
        """Suffix of the file that ``write`` writes, with its dot."""
        ...

    @property
    def stamp(self) -> str:
        """Text that changes whenever the content of the input does, found without decoding it."""
        ...

    def result(self, generator: AnySize) -> "Sample":
        """Return the result, one row.

        Raises:
            SparringError: the input cannot be read or used.
        """
        ...

    def write(self, generator: AnySize, path: Path) -> Sequence[str]:
        """Write the result to a file and return full sentences about it; errors as for ``result``."""
        ...


@runtime_checkable
class AppliesInOwnSize(Protocol):
    """A modality whose generators take inputs one at a time, each in its own size, rather than in that of the model."""

    def inputs(
        self, given: Sequence[Any], options: Mapping[str, Any], view: View, facts: Facts, strength: float
    ) -> "tuple[Sequence[Input], Sequence[str]]":
        """List inputs, none of which is decoded yet, and what was left out, in full sentences.

        Args:
            given: paths, or values in memory.
            options: further options of the condition, all checked.
            view: view of the model.
            facts: facts of its training data.
            strength: share of the change that is made, in [0, 1]: 0 for the input itself, 1 for the sample.

        Raises:
            SparringError: there are none, or an option does not fit.
        """
        ...
