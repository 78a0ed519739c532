"""Texts: which sources can be some, and reading them, also as the training data was read."""

import warnings
from pathlib import Path
from typing import Any

from sparring.data.dataset import Dataset
from sparring.data.documents import is_text
from sparring.data.facts import Facts
from sparring.data.reading import DEFAULT_READING, Reading
from sparring.data.sequences import SOURCE
from sparring.data.sequences.rows import TokenSurvey, require_shape
from sparring.data.text_pairs import are_pairs
from sparring.data.view import View
from sparring.errors import SparringWarning
from sparring.modalities.text.survey import TEXT, survey_texts
from sparring.modality import Listing


def claims(source: str) -> int:
    """Return 2 for files and folders of text and for pairs, 1 for other tables, which may have texts; 0 otherwise."""
    return 2 if are_pairs(Path(source)) else is_text(Path(source))


def is_meant(reading: Reading) -> bool:
    """Return whether choices about reading are about texts."""
    return reading.tokens is not None or not {SOURCE, TEXT}.isdisjoint((reading.columns or {}).values())


def survey(source: str, reading: Reading = DEFAULT_READING, like: Facts | None = None) -> TokenSurvey:
    """Read texts: ``facts.coding`` is a ``TokenCoding``; see ``survey_texts``."""
    return survey_texts(source, reading, like)


def read(source: str, view: View, facts: Facts) -> Dataset:
    """Read all texts of ``source`` in order, encoded by the tokeniser of ``facts``.

    Raises:
        SparringError: there is none.

    Warns:
        SparringWarning: texts are cut, or tokens are not in the vocabulary.
    """
    found = survey_texts(source, Reading.recorded(_columns(facts)), facts)
    require_shape(found.facts, view)
    for remark in found.facts.remarks:
        warnings.warn(remark, SparringWarning, stacklevel=2)
    return found.whole(view)


def listing(source: str, facts: Facts, labels: str | None = None) -> Listing:
    """Return names and classes of the samples that ``read`` returns."""
    given = {**_columns(facts), **({} if labels is None else {"labels": labels})}
    found = survey_texts(source, Reading.recorded(given), facts)
    return Listing(found.rows.names, found.rows.labels, found.facts.classes)


def _columns(facts: Facts) -> dict[str, Any]:
    return {name: value for name, value in facts.reading.items() if name == "columns"}
