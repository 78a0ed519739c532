"""All modalities, written out. Each is imported on demand, since modalities need torch."""

import warnings
from importlib import import_module
from pathlib import Path

from sparring.arguments import option
from sparring.data.catalogue import NAMES
from sparring.data.facts import Facts
from sparring.data.reading import DEFAULT_READING, Reading, require_known
from sparring.errors import SparringError, SparringWarning
from sparring.modality import ClaimsByReading, Modality, Survey
from sparring.opening import require_data

MODALITIES: dict[str, str | Modality] = {
    "images": "sparring.modalities.images.rooms:IMAGES",
    "points": "sparring.modalities.points.rooms:POINTS",
    "molecules": "sparring.modalities.molecules.rooms:MOLECULES",
    "tables": "sparring.modalities.tables.rooms:TABLES",
    "series": "sparring.modalities.series.rooms:SERIES",
    "text": "sparring.modalities.text.rooms:TEXT",
}
"""Name → "module:attribute", or the modality itself; of equal claims the first wins, so molecules before tables."""


def modality(name: str) -> Modality:
    """Return the modality called ``name``.

    Raises:
        SparringError: there is none.
    """
    if name not in MODALITIES:
        raise SparringError(
            found=f"the unknown modality {name!r}",
            expected=" or ".join(MODALITIES),
            remedy="give the recipe that it came with, whose file adds it to sparring.modalities.MODALITIES",
        )
    entry = MODALITIES[name]
    if not isinstance(entry, str):
        return entry
    module, _, attribute = entry.partition(":")
    found: Modality = getattr(import_module(module), attribute)
    return found


def modality_of(source: str, reading: Reading = DEFAULT_READING) -> Modality:
    """Return the modality with the strongest claim to ``source``; the first one listed wins a tie.

    One that the choices about reading ask for comes first, if it claims ``source`` at all.
    """
    every = [modality(name) for name in MODALITIES]
    meant = [one for one in every if isinstance(one, ClaimsByReading) and one.is_meant(reading) and one.claims(source)]
    return max(meant or every, key=lambda one: one.claims(source))


def other_than(kind: Modality, source: str) -> Modality | None:
    """Return the modality that claims ``source`` where ``kind`` does not; None where ``kind`` may read it."""
    other = modality_of(source)
    return other if kind.claims(source) == 0 < other.claims(source) else None


def surveyed(kind: Modality, source: str, reading: Reading, like: Facts | None = None) -> Survey:
    """Read all of ``source`` once, as samples of one modality, coded as the data of ``like`` is.

    Raises:
        SparringError: nothing in it can be used, the modality does not have a choice of ``reading``, or labels are
            required and there are none.

    Warns:
        SparringWarning: the name of a built-in data set is also a path.
    """
    require_known(reading, kind.reading_options, kind.name)
    require_data(Path(source))
    if source in NAMES and Path(source).exists():
        remark = f"{source} names a built-in data set; for what lies at this path, give ./{source}."
        warnings.warn(remark, SparringWarning, stacklevel=2)
    survey = kind.survey(source, reading, like)
    if reading.labels not in (None, False) and not survey.facts.classes:
        raise SparringError(
            found=f"no classes in {source}",
            expected="at least two, because labels are required",
            remedy=f"give {option('labels', 'FILE')}, give each class a sub-folder, or do not require labels",
        )
    return survey
