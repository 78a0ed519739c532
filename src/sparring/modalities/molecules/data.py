"""Molecules: which sources can be some, and reading them, also as the training data was read."""

import warnings
from typing import Any

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.data.reading import DEFAULT_READING, Reading
from sparring.data.sequences.rows import require_shape
from sparring.data.view import View
from sparring.errors import SparringWarning
from sparring.modalities.molecules.graph_survey import MoleculeSurvey, is_of_graphs
from sparring.modalities.molecules.survey import COLUMN_KIND, survey_molecules
from sparring.modality import Listing


def is_meant(reading: Reading) -> bool:
    """Return whether choices about reading are about molecules: a column of SMILES."""
    return COLUMN_KIND in (reading.columns or {}).values()


def survey(source: str, reading: Reading = DEFAULT_READING, like: Facts | None = None) -> MoleculeSurvey:
    """Read molecules: ``facts.coding`` is a ``TokenCoding`` with a ``GraphCoding``; see ``survey_molecules``."""
    return survey_molecules(source, reading, like)


def read(source: str, view: View, facts: Facts) -> Dataset:
    """Read all samples of ``source`` in order, with those that are no molecule, by the tokeniser of ``facts``.

    Raises:
        SparringError: there is none.

    Warns:
        SparringWarning: samples are cut, or tokens are not in the vocabulary, so that they count as no molecule.
    """
    found = survey_molecules(source, Reading.recorded(_columns(facts)), facts, all_rows=True)
    if not is_of_graphs(view):
        require_shape(found.facts, view)
    for remark in found.facts.remarks:
        warnings.warn(remark, SparringWarning, stacklevel=2)
    return found.whole(view)


def listing(source: str, facts: Facts, labels: str | None = None) -> Listing:
    """Return names and classes of the samples that ``read`` returns."""
    given = {**_columns(facts), **({} if labels is None else {"labels": labels})}
    found = survey_molecules(source, Reading.recorded(given), facts, all_rows=True)
    return Listing(found.rows.names, found.rows.labels, found.facts.classes)


def _columns(facts: Facts) -> dict[str, Any]:
    return {name: value for name, value in facts.reading.items() if name == "columns"}
