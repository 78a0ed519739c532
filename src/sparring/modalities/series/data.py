"""Time series: which sources can be some, and reading them, also as the training data was read."""

import warnings
from pathlib import Path

from sparring.arguments import option
from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.data.readers.table_files import SUFFIXES, table_files
from sparring.data.reading import DEFAULT_READING, Reading
from sparring.data.view import View
from sparring.errors import SparringError, SparringWarning
from sparring.modalities.series.arrays import ARRAY_SUFFIX
from sparring.modalities.series.coding import coding_of
from sparring.modalities.series.sources import ENTITY, TIME
from sparring.modalities.series.survey import SeriesSurvey, require_shape, survey_series
from sparring.modality import Listing


def claims(source: str) -> int:
    """Return 1 for tables, folders of tables and .npy files, which may be of another kind; 0 otherwise."""
    path = Path(source)
    if path.is_dir():
        return int(bool(table_files(path)))
    return int(path.suffix.lower() in (*SUFFIXES, ARRAY_SUFFIX))


def is_meant(reading: Reading) -> bool:
    """Return whether choices about reading are about series: windows, or a column of entities or of times."""
    return reading.window is not None or not {ENTITY, TIME}.isdisjoint((reading.columns or {}).values())


def survey(source: str, reading: Reading = DEFAULT_READING, like: Facts | None = None) -> SeriesSurvey:
    """Read series: a table, a folder of tables with one series each, or a .npy file of (count, time, channels).

    ``facts.coding`` is a ``SeriesCoding``, and ``facts.details["columns"]`` says the kind of each column.

    Args:
        source: the file or the folder.
        reading: choices of the user.
        like: facts of other series, such as the training data, whose coding and number of steps these get.

    Raises:
        SparringError: there is none, a column cannot be used, or one of ``like`` is absent.
    """
    return survey_series(source, reading, like)


def listing(source: str, facts: Facts, labels: str | None = None) -> Listing:
    """Return the names of the samples that ``read`` returns, without classes.

    Raises:
        SparringError: there are no series, or labels are asked for.
    """
    if labels is not None:
        raise SparringError(
            found=f"{option('labels', labels)} for series", expected="images, or rows of a table", remedy="leave it out"
        )
    return Listing(survey_series(source, DEFAULT_READING, facts).names)


def value_names(facts: Facts) -> list[str]:
    """Return the name of each value of a series, step by step: "price at step 3"."""
    channels = [channel.name for channel in coding_of(facts).channels]
    return [f"{channel} at step {step + 1}" for step in range(facts.shape[0]) for channel in channels]


def read(source: str, view: View, facts: Facts) -> Dataset:
    """Read all series of ``source`` in order, coded as those of ``facts``: columns by name, categories by text.

    Raises:
        SparringError: there is none, or a column is absent or holds something else.

    Warns:
        SparringWarning: cells count as missing, columns are left out, or series are cut.
    """
    found = survey_series(source, DEFAULT_READING, facts)
    require_shape(found.facts, view)
    for remark in found.facts.remarks:
        warnings.warn(remark, SparringWarning, stacklevel=2)
    return found.whole(view)
