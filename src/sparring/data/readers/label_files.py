"""Files of labels: CSV, JSON and JSON lines with the names of files and their classes."""

import csv
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from sparring.arguments import option
from sparring.data.labels import Classes, NotClasses, label_text, number_classes, singles
from sparring.data.readers.text_tables import marked_encoding
from sparring.errors import SparringError, nearest
from sparring.text import printable

LABEL_COLUMNS = ("label", "labels", "fine_label", "class", "class_name", "category", "target", "coarse_label")
"""Names of the column of labels, the preferred first."""
FILE_COLUMNS = ("file_name", "filename", "file", "path", "image_path", "image", "image_id", "img", "name", "id")
"""Names of the column of file names, the preferred first."""
MAX_LABEL_FILE_BYTES = 256 * 1024 * 1024
DELIMITERS = (",", "\t", ";", " ")
"""Characters between the cells of a table, the preferred first."""


class LabelTable(NamedTuple):
    """Labels as a file gives them.

    Args:
        by_name: name of a file, with "/" between parts → its label; a label is None where it is missing.
        in_order: labels without names, one for each sample; None if they have names.
        source: name of the file in messages.
        remarks: full sentences about columns that are not used.
    """

    by_name: Mapping[str, str | None]
    in_order: tuple[str | None, ...] | None = None
    source: str = "the table of labels"
    remarks: tuple[str, ...] = ()


def read_label_file(choice: str, folder: Path | None = None) -> LabelTable:
    """Read the file that the option ``--labels`` names: FILE, or FILE:COLUMN.

    Args:
        choice: as given.
        folder: of the data; a file that is not found is looked for in it.

    Raises:
        SparringError: there is no such file, or it does not hold one class for each picture.
    """
    path, column = label_path(choice)
    if path is None and folder is not None:
        path, column = label_path(str(folder / choice))
    if path is None:
        raise SparringError(
            found=f"no file of labels at {choice}",
            expected="true, false, or a file of labels: CSV, JSON or JSON lines",
            remedy="check the path",
        )
    try:
        if path.stat().st_size > MAX_LABEL_FILE_BYTES:
            raise unusable(str(path), "more than 256 MiB", "names of files with their labels")
        table = parse_labels(path.read_bytes(), str(path), column, guess=True)
    except OSError as error:
        raise unusable(str(path), f"no readable file ({error.strerror})", "names of files with labels") from None
    except NotClasses as error:
        raise SparringError(
            found=f"{error} in {path}",
            expected="one class for each picture",
            remedy=f"name a column of classes, as {option('labels', 'FILE:COLUMN')}, or give {option('labels', False)}",
        ) from None
    if table is None:
        raise unusable(str(path), "no labels", "names of files with their labels")
    return table


def labels_in_order(choice: str, count: int, source: str) -> Classes:
    """Read a file of labels without names: one for each sample of an array or a table, in its order.

    Raises:
        SparringError: the file cannot be used, names its samples, or has another number of labels.
    """
    table = read_label_file(choice)
    labels = [label for label in table.in_order or () if label is not None]
    if len(labels) != count:
        found = f"{len(labels):,} labels" if table.in_order is not None else "labels with names"
        raise SparringError(
            found=f"{found} in {table.source} for {count:,} samples without names in {source}",
            expected="one label for each sample, in one column or one JSON list",
            remedy="give a file with one label for each sample",
        )
    return number_classes(labels)


def label_path(choice: str) -> tuple[Path | None, str | None]:
    """Split FILE or FILE:COLUMN into the file, None where there is none, and the column."""
    name, _, column = choice.rpartition(":")
    for path, chosen in ((choice, None), (name, column)):
        if path and Path(path).is_file():
            return Path(path), chosen
    return None, None


def chosen_files(choice: bool | str | None) -> list[Path]:
    """Return the file of labels that was given, in a list, if there is one."""
    path = label_path(choice)[0] if isinstance(choice, str) else None
    return [] if path is None else [path]


def absolute_choice(choice: str) -> str:
    """Return FILE or FILE:COLUMN with the absolute path of the file; anything else, such as a column, as it is."""
    path, column = label_path(choice)
    if path is None:
        return choice
    return f"{path.absolute()}:{column}" if column else str(path.absolute())


def parse_labels(content: bytes, source: str, column: str | None = None, *, guess: bool = False) -> LabelTable | None:
    """Parse a table of labels.

    CSV has a column of file names and one of labels. JSON is ``{"labels": [[name, label], …]}``, as in StyleGAN's
    dataset.json, ``{name: label}``, a list of objects with a file name and a label, or a list of labels; JSON lines
    have one such object a line.

    Args:
        content: of the file.
        source: its name, whose suffix tells the format.
        column: the column of labels; None for the one that has a usual name.
        guess: take the first column where none has a usual name.

    Returns:
        The labels; None where the file holds none.

    Raises:
        SparringError: the file is malformed.
        NotClasses: what it holds cannot name classes.
    """
    try:
        text, remarks = _text(content, source)
        table = _parsed(text, source, column, guess)
        return table and table._replace(remarks=(*remarks, *table.remarks))
    except (SparringError, NotClasses):
        raise
    except (ValueError, RecursionError, csv.Error) as error:
        raise unusable(source, f"a malformed file ({error})", "CSV, JSON or JSON lines") from None


def _text(content: bytes, source: str) -> tuple[str, tuple[str, ...]]:
    """Decode UTF-8, UTF-16 or UTF-32 with a byte order mark, or else Latin-1, with a remark that it is."""
    if marked := marked_encoding(content):
        return content.decode(marked), ()
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        return content.decode("latin-1"), (f"{source} is not UTF-8: it is read as Latin-1.",)


def _parsed(text: str, source: str, column: str | None, guess: bool) -> LabelTable | None:
    if source.lower().endswith(".json"):
        return _from_json(json.loads(text), source, column, guess)
    if source.lower().endswith((".jsonl", ".ndjson")):
        rows = [json.loads(line) for line in text.split("\n") if line.strip()]
        return _from_rows(rows, source, column, guess)
    return _from_csv(text, source, column, guess)


def _from_json(content: Any, source: str, column: str | None, guess: bool) -> LabelTable | None:
    if isinstance(content, dict) and isinstance(content.get("labels", ""), list | dict | None):
        content = content["labels"]
    if isinstance(content, dict):
        return _table(content.items(), source)
    if not isinstance(content, list) or not content:
        return None
    if all(isinstance(one, list) and len(one) == 2 and isinstance(one[0], str) for one in content):
        return _table(content, source)
    if all(isinstance(one, dict) for one in content):
        return _from_rows(content, source, column, guess)
    return LabelTable({}, tuple(label_text(one) for one in content), source)


def csv_rows(text: str) -> list[list[str]]:
    """Return the rows of CSV, by the delimiter of its first line, without empty ones.

    Raises:
        csv.Error: it is malformed.
    """
    # Lines end as files have them: characters such as U+2028 are part of a cell.
    lines = StringIO(text, newline="")
    first = next((line for line in lines if line.strip()), "")
    delimiter = next((mark for mark in DELIMITERS if mark in first), ",")
    lines.seek(0)
    return [row for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if any(row)]


def _from_csv(text: str, source: str, column: str | None, guess: bool) -> LabelTable | None:
    rows = csv_rows(text)
    if not rows:
        return None

    # Without a heading: labels in one column, or names and labels in two.
    heading = [name.strip() for name in rows[0]]
    if column is None and not any(name.lower() in (*FILE_COLUMNS, *LABEL_COLUMNS) for name in heading):
        if len(heading) == 1:
            return LabelTable({}, tuple(label_text(row[0]) for row in rows), source)
        if len(heading) == 2 and ("/" in heading[0] or re.search(r"\.[A-Za-z0-9]{2,4}$", heading[0])):
            return _table([(*row, "")[:2] for row in rows], source)
    return _from_rows([dict(zip(heading, row, strict=False)) for row in rows[1:]], source, column, guess)


def _from_rows(rows: Sequence[Any], source: str, column: str | None, guess: bool) -> LabelTable | None:
    """Take the column of file names and the column of labels of a table with a heading."""
    if not all(isinstance(row, dict) for row in rows):
        raise unusable(source, "lines that are no objects", "objects of a file name and a label")
    columns, files = _columns(rows)
    candidates = [name for name in columns if name != files]
    chosen, remarks = choose_column(candidates, source, column, guess=guess)
    if chosen is None:
        return None
    if files is None:
        return LabelTable({}, tuple(label_text(row.get(chosen)) for row in rows), source, remarks)
    return _table([(row[files], row.get(chosen)) for row in rows if row.get(files)], source)._replace(remarks=remarks)


def _columns(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], str | None]:
    """Return the columns of a table, and which of them holds the names of files.

    It is the first one where none is called so; a single column holds the labels in order: None.
    """
    columns = list(dict.fromkeys(str(name) for row in rows for name in row))
    lower = {name.lower(): name for name in reversed(columns)}
    return columns, next((lower[name] for name in FILE_COLUMNS if name in lower), columns[0] if columns[1:] else None)


def class_columns(content: bytes, source: str, names: Sequence[str]) -> list[str]:
    """Return the columns of a table with a heading that can be classes of files; none where it does not list them.

    Args:
        content: of the table.
        source: its name, whose suffix tells the format.
        names: of the files.
    """
    try:
        rows = _rows(_text(content, source)[0], source)
        columns, files = _columns(rows)
        if files is None:
            return []
        listed = _table([(row[files], number) for number, row in enumerate(rows) if row.get(files)], source)
    except (ValueError, RecursionError, csv.Error):
        return []
    found = [rows[int(number)] for number in labels_by_name(listed, names)[0] if number is not None]
    return [name for name in columns if name != files and _is_class(row.get(name) for row in found)]


def _rows(text: str, source: str) -> list[dict[str, Any]]:
    """Return the rows of a table with a heading, whose format its suffix tells; none of anything else."""
    if source.lower().endswith(".json"):
        rows = json.loads(text)
    elif source.lower().endswith((".jsonl", ".ndjson")):
        rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    else:
        heading, *lines = csv_rows(text) or [[]]
        rows = [dict(zip([name.strip() for name in heading], row, strict=False)) for row in lines]
    return rows if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else []


def _is_class(values: Iterable[Any]) -> bool:
    """Return whether values of a column name classes: two or more, most of which occur several times."""
    try:
        names = [name for value in values if (name := label_text(value)) is not None]
    except NotClasses:
        return False
    sizes = Counter(names).values()
    return len(sizes) > 1 and max(sizes) > 1 and not singles(names)


def choose_column(
    candidates: Sequence[str], source: str, column: str | None, *, guess: bool
) -> tuple[str | None, tuple[str, ...]]:
    """Choose the column of labels.

    Args:
        candidates: columns that may hold labels.
        source: name of the table in messages.
        column: the choice of the user, or None.
        guess: take the first column where none has a usual name.

    Returns:
        The column, or None if there is none, and a remark on others that might be meant.

    Raises:
        SparringError: the choice is not among the columns.
    """
    if column is not None and column not in candidates:
        raise SparringError(
            found=f"no column {column!r} of labels in {source}",
            expected=f"one of {', '.join(candidates)}" if candidates else "one",
            remedy=f"check the name of the column{nearest(column, list(candidates))}",
        )
    if column is not None:
        return column, ()
    lower = {name.lower(): name for name in reversed(candidates)}
    likely = [lower[name] for name in LABEL_COLUMNS if name in lower] or (list(candidates) if guess else [])
    if len(likely) < 2:
        return (likely[0] if likely else None), ()
    others = ", ".join(map(printable, likely[1:6])) + (" …" if len(likely) > 6 else "")
    remark = (
        f"Classes are read from the column '{printable(likely[0])}' of {source}; --labels (labels= in Python) can name "
        f"another: {others}."
    )
    return likely[0], (remark,)


def _table(pairs: Iterable[Sequence[Any]], source: str) -> LabelTable:
    """Build a table from pairs of name and label.

    Raises:
        NotClasses: a label is no class, or a file has several.
    """
    labels: dict[str, str | None] = {}
    for name, value in pairs:
        key, label = file_key(str(name)), label_text(value)
        if labels.setdefault(key, label) != label:
            raise NotClasses(f"several labels of {key} ({labels[key]} and {label})")
    return LabelTable(labels, source=source)


def file_key(name: str) -> str:
    """Return a file name in one spelling: printable, composed (NFC), with "/" between parts and no "./" before it."""
    return unicodedata.normalize("NFC", printable(name.strip().replace("\\", "/"))).removeprefix("./")


Spelling: TypeAlias = Callable[[str], str]
"""Part of a file name that tells files apart."""


def _stem(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return stem if stem and dot and "/" not in ending else name


SPELLINGS: tuple[Spelling, ...] = (
    lambda name: name,
    lambda name: name.rpartition("/")[2],
    _stem,
    lambda name: _stem(name.rpartition("/")[2]),
)
"""Whole names; names without folders; and both without their endings."""


def labels_by_name(table: LabelTable, names: Sequence[str]) -> tuple[list[str | None], Spelling]:
    """Return the label of each file, None for a file that the table does not list, and the spelling that found them.

    Files are found by their whole name, or by their name without folders or ending where that tells them apart.
    """
    keys = [file_key(name) for name in names]
    best: list[str | None] = [None] * len(keys)
    chosen = SPELLINGS[0]
    for spelling in SPELLINGS:
        listed = Counter(spelling(key) for key in table.by_name)
        present = Counter(spelling(key) for key in keys)
        labels = {spelling(key): label for key, label in table.by_name.items() if listed[spelling(key)] == 1}
        found = [labels.get(spelling(key)) if present[spelling(key)] == 1 else None for key in keys]
        if sum(label is not None for label in found) > sum(label is not None for label in best):
            best, chosen = found, spelling
    return best, chosen


def missing_files(table: LabelTable, names: Iterable[str], spelling: Spelling) -> list[str]:
    """Return the files that a table lists and that are not among ``names``."""
    present = {spelling(file_key(name)) for name in names}
    return [key for key in table.by_name if spelling(key) not in present]


def examples(names: Sequence[str]) -> str:
    """Return a number of files with the first as an example: "12 files (such as a/1.png)"."""
    first = printable(names[0])
    return f"1 file ({first})" if len(names) == 1 else f"{len(names):,} files (such as {first})"


def unusable(source: str, found: str, expected: str) -> SparringError:
    """Return the error for a file that gives no labels."""
    return SparringError(
        found=f"{found} in {source}",
        expected=expected,
        remedy=f"correct the file, or give {option('labels', False)} to use none",
    )
