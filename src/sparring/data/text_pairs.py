"""Pairs of texts, such as sentences and their translations: two columns of a table, or two keys of JSON lines."""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from sparring.arguments import option
from sparring.data.documents import JSON_LINES, MAX_LINE, Documents, Numbered, decoded, json_rows
from sparring.data.labels import listed
from sparring.data.readers.files import reason
from sparring.data.readers.table_files import TEXT_SUFFIXES, open_table
from sparring.data.words import IDEOGRAPHS
from sparring.errors import SparringError, nearest
from sparring.text import number_of

SUFFIXES = (".tsv", ".tab", ".csv", ".psv", *JSON_LINES)
"""Suffixes of files that are looked at for pairs."""
RAW = (".tsv", ".tab", ".txt")
"""Suffixes of files whose lines are cut at tabs alone: quotation marks belong to the sentences."""
LOOKED_AT, LOOKED_AT_BYTES = 200, 2**18
"""Rows by which pairs are found, and bytes of the file that hold them."""
HEADINGS = frozenset(
    {
        *("source", "target", "src", "tgt", "trg", "text", "translation", "original"),
        *("input", "output", "question", "answer", "prompt", "response"),
        *("english", "chinese", "german", "french", "spanish", "italian", "russian", "japanese", "korean"),
    }
)
"""Words that name a column of sentences."""
LANGUAGE = re.compile(r"[a-z]{2}([-_][A-Za-z]{2,4})?")
"""Code of a language, such as en or zh-Hans."""
SENTENCE = re.compile(rf"\S\s+\S|[.!?…。！？]$|[{IDEOGRAPHS}]")
"""A part of a sentence: two words, a full stop, or a character that is a word."""
TEXTS = 0.5
"""Share of different cells, and of cells that are sentences, from which a column holds texts."""


def are_pairs(path: Path) -> bool:
    """Return whether the first rows of a file have two cells each, both of which are texts, most of them different."""
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        return False
    try:
        names, rows = _table(path, LOOKED_AT)
    except SparringError:
        return False
    rows = [row for row in rows if any(row)]
    return len(names) == 2 and len(rows) > 1 and all(_are_texts(column) for column in zip(*rows, strict=True))


def has_columns(path: Path) -> bool:
    """Return whether a file may have columns of texts."""
    return path.is_file() and path.suffix.lower() in (*SUFFIXES, *TEXT_SUFFIXES, ".parquet", ".xlsx")


def read_pairs(path: Path, source: str | None = None, text: str | None = None) -> Documents:
    """Read pairs of texts.

    Args:
        path: a table or JSON lines. A first row that names no columns is a pair: then the columns are "column 1", ….
        source: column of the sources; None for the first, or for none where only ``text`` is given.
        text: column of what belongs to them; None for the second, or for the only other one.

    Returns:
        Documents with ``sources``, none where only ``text`` was given.

    Raises:
        SparringError: the file cannot be read, a column is absent, or no pair is complete.
    """
    names, rows = _table(path, known=[name for name in (source, text) if name])
    for name, kind in ((source, "source"), (text, "text")):
        if name is not None and name not in names:
            raise SparringError(
                found=f"no column {name!r} in {path}",
                expected=f"one of {listed(names)}",
                remedy=f"name it, as {option('columns', f'{names[0]}={kind}')}{nearest(name, list(names))}",
            )
    alone = source is None and text is not None
    source = source or next(name for name in names if name != text)
    others = [name for name in names if name != source]
    if text is None and len(others) != 1:
        raise SparringError(
            found=f"{number_of(len(others), 'column')} beside {source!r} in {path}",
            expected="the column of the translations",
            remedy=f"name it, as {option('columns', f'{source}=source,{(others or names)[0]}=text')}",
        )
    text = text or others[0]
    at = names.index(source), names.index(text)
    cells = [[row[one][:MAX_LINE] for one in at] for row in rows]
    kept = [number for number, pair in enumerate(cells) if all(one.strip() for one in pair[alone:])]
    if not kept:
        raise SparringError(
            found=f"no pair of texts in {path}", expected="at least two pairs", remedy="check the file, or the columns"
        )
    left_out = len(cells) - len(kept)
    numbered = Numbered("row", len(cells))
    found = Documents(
        [cells[row][1] for row in kept],
        [numbered[row] for row in kept] if left_out else numbered,
        remarks=(f"Left out {number_of(left_out, 'row')} of which a text is empty.",) if left_out else (),
    )
    if not alone:
        found.sources, found.columns = [cells[row][0] for row in kept], (source, text)
    return found


def column_of(path: Path, name: str) -> list[str]:
    """Return the cells of one column of a table, the first one where none has the name.

    Raises:
        SparringError: the file cannot be read.
    """
    names, rows = _table(path)
    at = names.index(name) if name in names else 0
    return [row[at] for row in rows]


def _table(path: Path, most: int | None = None, known: Sequence[str] = ()) -> tuple[list[str], list[list[str]]]:
    """Return names of columns and rows, the first ``most`` of them; a first row without names is one of the rows.

    Raises:
        SparringError: the file cannot be read, or its rows are of several lengths.
    """
    ending = path.suffix.lower()
    if ending in JSON_LINES:
        keys, values = json_rows(path)
        rows = [[one.get(name, "") for name in keys] for one in itertools.islice(values, most)]
        return list(keys), rows
    if ending in RAW:
        rows = _cut_at_tabs(path, most)
    else:
        table = open_table(path, known)
        below = (list(row) for chunk in table.chunks for row in zip(*chunk, strict=True))
        # Words over words may be a heading or a first row.
        is_numbered = table.names[0] == "column 1"
        rows = [*([] if is_numbered else [list(table.names)]), *itertools.islice(below, most)]
    first = [cell.strip() for cell in rows[0]] if rows else []
    if known and set(known) <= set(first):
        return first, rows[1:]
    if first and all(map(_names_a_column, first)):
        return first, rows[1:]
    return [f"column {number}" for number in range(1, len(first) + 1)], rows


def _cut_at_tabs(path: Path, most: int | None) -> list[list[str]]:
    try:
        with path.open("rb") as file:
            content = file.read() if most is None else file.read(LOOKED_AT_BYTES).rpartition(b"\n")[0]
    except OSError as error:
        raise SparringError(
            found=f"no file that can be read at {path} ({reason(error)})",
            expected="two texts in a line, with a tab between",
            remedy="check the path",
        ) from None
    lines = [line.removesuffix("\r") for line in decoded(content, str(path)).split("\n")]
    rows = [(number, line.split("\t")) for number, line in enumerate(lines, 1) if line.strip()][:most]
    uneven = next((number for number, row in rows if len(row) != len(rows[0][1])), None)
    if uneven is not None:
        cells = len(lines[uneven - 1].split("\t"))
        raise SparringError(
            found=f"{number_of(cells, 'cell')} in line {uneven:,} of {path}, and {len(rows[0][1])} in the first",
            expected="as many in every line, with a tab between",
            remedy="correct the line",
        )
    return [row for _, row in rows]


def _names_a_column(cell: str) -> bool:
    return cell.lower() in HEADINGS or LANGUAGE.fullmatch(cell) is not None


def _are_texts(cells: Sequence[str]) -> bool:
    present = [cell.strip() for cell in cells if cell.strip()]
    sentences = sum(SENTENCE.search(cell) is not None for cell in present)
    return bool(present) and min(len(set(present)), sentences) >= TEXTS * len(cells)
