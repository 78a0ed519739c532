"""Files of molecules: which are some, and the SMILES in them as they are written."""

import itertools
import re
from pathlib import Path

import numpy as np

from sparring.data.documents import JSON_LINES, Column, Documents, json_rows, read_documents
from sparring.data.labels import number_classes
from sparring.data.readers.table_files import SUFFIXES as TABLE_SUFFIXES
from sparring.data.readers.table_files import open_table
from sparring.errors import SparringError, reading_file
from sparring.modalities.molecules.chemistry import records

LINES = (".smi", ".smiles", ".ism")
"""Suffixes of files with a SMILES, and perhaps a name, on each line."""
RECORDS = (".sdf", ".sd")
"""Suffixes of files of records with the atoms and bonds of each molecule."""
HEADINGS = ("smiles", "canonical_smiles", "smiles_canonical", "smi")
"""Headings of columns of SMILES in lower case, the preferred first."""
SOME = 200
"""Cells by which a column is recognised."""
DISTINCT = 0.5
"""Share of different ones among them from which the rows of a table are molecules, rather than about molecules."""
SMILES = re.compile(r"(\[[^\[\]\s]+\]|Br|Cl|[BCNOPSFIbcnops*]|%\d\d|%\(\d+\)|[-=#$:/\\~().\d])+")
"""Text of the letters of SMILES; see http://opensmiles.org/opensmiles.html."""


def claims(source: str) -> int:
    """Return 2 for files of molecules and for tables of SMILES, 1 for other tables, 0 otherwise; see ``_is_table``."""
    path = Path(source)
    ending = path.suffix.lower()
    if path.is_dir():
        return 2 * bool(molecule_files(path))
    if ending in (*LINES, *RECORDS):
        return 2
    if ending in (*TABLE_SUFFIXES, *JSON_LINES) and path.is_file():
        return 2 if ending != ".txt" and _is_table(path) else 1
    return 0


def molecule_files(folder: Path) -> list[Path]:
    """Return the files of SMILES in a folder in the order of their names, or else those of records."""
    inside = sorted(file for file in folder.iterdir() if not file.name.startswith(".") and file.is_file())
    some = [file for file in inside if file.suffix.lower() in LINES]
    return some or [file for file in inside if file.suffix.lower() in RECORDS]


def smiles_in(path: Path, column: Column, *, with_labels: bool = True) -> Documents:
    """Return the SMILES at a path as they are written, valid or not.

    Args:
        path: a file of lines, of records or of rows, or a folder of files of lines or of records.
        column: columns of a table; of records, the property that names their classes.
        with_labels: whether classes are read.

    Raises:
        SparringError: there is none.
    """
    files = molecule_files(path) if path.is_dir() else [path]
    if not files:
        raise SparringError(
            found=f"no molecules in {path}",
            expected=f"files that end in {', '.join((*LINES, *RECORDS))}",
            remedy="check the path",
        )
    parts = [_in_file(file, column if with_labels else column._replace(label=None)) for file in files]
    if len(parts) == 1:
        return parts[0]
    names = [f"{name} of {file.name}" for file, part in zip(files, parts, strict=True) for name in part.names]
    return Documents(list(itertools.chain(*(part.texts for part in parts))), names)


def _in_file(path: Path, column: Column) -> Documents:
    ending = path.suffix.lower()
    if ending in RECORDS:
        return _records(path, column.label)
    if ending not in (*TABLE_SUFFIXES, *JSON_LINES) or (ending == ".txt" and column.text is None):
        return _lines(path)
    names = _head(path)[0]
    found = read_documents(path, column._replace(text=column.text or _heading(names)))
    return found


def _lines(path: Path) -> Documents:
    """Return the first word of each line; what follows it is a name, which nothing uses."""
    found = read_documents(path)
    # A line that begins with a tab has a name alone: a sample without any token.
    words = [(text if text.startswith("\t") else text.lstrip()).split(maxsplit=1) for text in found.texts]
    found.texts = [
        "" if text.startswith("\t") else word[0] if word else "" for text, word in zip(found.texts, words, strict=True)
    ]
    if found.texts[0].lower() in HEADINGS:
        found.texts, found.names = found.texts[1:], found.names[1:]
    return found


def _records(path: Path, label: str | None) -> Documents:
    """Return the SMILES of the records of an SDF file, "" for those that cannot be read."""
    with reading_file(path, "records of molecules"):
        rows = list(records(path.read_bytes(), label))
    if not rows:
        raise SparringError(found=f"no records in {path}", expected="at least three", remedy="check the file")
    found = Documents([smiles for smiles, _ in rows], [f"record {number}" for number in range(1, len(rows) + 1)])
    known = [value for _, value in rows if value]
    if label is not None and not known:
        raise SparringError(
            found=f"no property {label!r} in {path}", expected="one of the records", remedy="check the spelling"
        )
    if known:
        _, found.classes = number_classes(known)
        place = {name: number for number, name in enumerate(found.classes)}
        found.labels = np.array([place.get(value or "", -1) for _, value in rows], dtype=np.int64)
    return found


def _is_table(path: Path) -> bool:
    """Return whether the rows of a table are molecules.

    They are if a column has one of the ``HEADINGS``, its first cells are written in the letters of SMILES, and most of
    them differ: where they repeat, the table is about something else, such as measurements of a few substances.
    """
    try:
        names, rows = _head(path)
    except (SparringError, OSError):
        return False
    heading = _heading(names)
    if heading is None:
        return False
    cells = [row[names.index(heading)].strip() for row in rows]
    some = [cell for cell in cells if cell]
    fit = sum(SMILES.fullmatch(cell) is not None for cell in some)
    return bool(some) and fit >= 0.9 * len(some) and len(set(some)) >= DISTINCT * len(some)


def _heading(names: "tuple[str, ...] | list[str]") -> str | None:
    """Return the name of the column of SMILES by its heading."""
    by_word = {name.strip().lower(): name for name in reversed(names)}
    return next((by_word[one] for one in HEADINGS if one in by_word), None)


def _head(path: Path) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the names of the columns of a table, and its first rows."""
    if path.suffix.lower() in JSON_LINES:
        names, rows = json_rows(path)
        return names, [tuple(row.get(name, "") for name in names) for row in itertools.islice(rows, SOME)]
    table = open_table(path)
    first = next(iter(table.chunks), [[] for _ in table.names])
    return tuple(table.names), list(itertools.islice(zip(*first, strict=True), SOME))
