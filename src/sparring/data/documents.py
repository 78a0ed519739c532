"""Texts from files: a line each, a file each, or a cell of a table each; whatever is made of text reads them here."""

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from sparring.arguments import option
from sparring.data.labels import label_text, listed, number_classes
from sparring.data.readers.files import Tree, open_tree, reason, suffix
from sparring.data.readers.table_files import SUFFIXES as TABLE_SUFFIXES
from sparring.data.readers.table_files import TEXT_SUFFIXES, open_table
from sparring.data.readers.text_tables import marked_encoding
from sparring.errors import SparringError, nearest, shown
from sparring.text import number_of, printable

PROSE = (".txt", ".text", ".md", ".rst", ".tex", ".eml", ".abc", ".srt", ".log")
"""Suffixes of files of text."""
CODE = (
    *(".py", ".js", ".ts", ".java", ".c", ".h", ".cpp", ".hpp", ".cc", ".cs", ".go", ".rs", ".rb", ".php", ".sh"),
    *(".sql", ".html", ".css", ".lua", ".jl", ".swift", ".kt", ".scala", ".hs", ".pl", ".r", ".m"),
)
"""Suffixes of files of source code."""
TUNES = (".abc",)
"""Suffixes of files of tunes in ABC notation, several in a file."""
TUNE = re.compile(r"^(?=X:)", re.MULTILINE)
"""Beginning of a tune, the line of its number."""
JSON_LINES = (".jsonl", ".ndjson")
MAX_BYTES = 2**31
"""Bytes of a file of lines; more would not fit into memory as Python keeps them."""
MAX_LINE, MAX_FILE = 2**20, 2**24
"""Characters of a line, a cell or a tune, and of a file, beyond which nothing is read: networks see far fewer."""
USUAL_COLUMNS = ("text", "content", "body", "sentence", "caption")
"""Headings of columns of text, the preferred first."""


class Column(NamedTuple):
    """Choice of the columns of a table: of the texts, and of their classes."""

    text: str | None = None
    label: str | None = None


@final
@dataclass
class Documents:
    """Texts in a fixed order.

    Args:
        texts: none is empty.
        names: of each text in messages: its file, or the number of its line or row.
        labels: class numbers, (count,) int64, -1 where the class is unknown; None without classes.
        classes: names of the classes.
        whole: whether each text is a file, which may be cut into pieces; False for lines, cells and tunes.
        multiline: whether texts have line breaks, so that each needs a file of its own.
        suffix: of the files.
        remarks: full sentences about what was left out.
        sources: what the texts were made from, such as the sentences that they translate; None for plain texts.
        columns: names of the columns of sources and of texts; empty for plain texts.
    """

    texts: list[str]
    names: Sequence[str]
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    whole: bool = False
    multiline: bool = False
    suffix: str = ".txt"
    remarks: tuple[str, ...] = ()
    sources: list[str] | None = None
    columns: tuple[str, ...] = ()


def read_documents(path: Path, column: Column = Column(), *, with_labels: bool = True) -> Documents:  # noqa: B008
    """Read the texts at a path.

    Args:
        path: a file with a text on each line; a file of tunes; a table or JSON lines with a column of texts; a folder
            or a zip archive of files, whose sub-folders are their classes.
        column: columns of a table.
        with_labels: whether sub-folders are classes.

    Raises:
        SparringError: there is none, a file is not UTF-8, or a column is absent.
    """
    ending = path.suffix.lower()
    is_table = ending in JSON_LINES or (ending in TABLE_SUFFIXES and (ending != ".txt" or column.text is not None))
    if not is_table and column.label is not None:
        raise SparringError(
            found=f"{option('labels', column.label)} for {path}, which has no columns",
            expected="a table or JSON lines, with a column of classes",
            remedy="leave it out, or give each class a sub-folder",
        )
    if path.is_dir() or ending == ".zip":
        found = _of_tree(open_tree(path), path, with_labels=with_labels)
    elif is_table:
        found = _of_table(path, column)
    elif ending in TUNES:
        tunes = _tunes(_content(path))
        found = Documents(tunes, Numbered("tune", len(tunes)), multiline=True, suffix=ending)
    else:
        found = _of_lines(path)
    return _without_empty(found, path)


def is_text(path: Path) -> int:
    """Return how likely a path holds texts: 2 for files of text alone, 1 where it may also hold something else."""
    if path.is_dir():
        counts = dict[str, int]()
        for inside in itertools.islice(path.rglob("*"), 1000):
            counts[inside.suffix.lower()] = counts.get(inside.suffix.lower(), 0) + inside.is_file()
        texts = sum(count for ending, count in counts.items() if ending in (*PROSE, *CODE))
        return 2 if texts and texts >= 0.5 * sum(counts.values()) and not _are_tables(path) else 0
    ending = path.suffix.lower()
    if ending == ".txt":
        return 0 if _is_table(path) else 2
    if ending in (*PROSE, *CODE, *JSON_LINES):
        return 2
    return 1 if ending in (*TEXT_SUFFIXES, ".parquet", ".xlsx") else 0


def _are_tables(folder: Path) -> bool:
    """Return whether the first files of text in a folder are tables of numbers."""
    some = list(itertools.islice((one for one in sorted(folder.iterdir()) if one.suffix.lower() == ".txt"), 3))
    return bool(some) and all(_is_table(one) for one in some)


def _is_table(path: Path) -> bool:
    """Return whether the first lines of a file have equally many cells, several, of which most are numbers."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = [line for line in itertools.islice((line.rstrip("\n") for line in file), 40) if line][1:]
    except OSError:
        return False
    for delimiter in ("\t", ";", ",", "|"):
        cells = [line.split(delimiter) for line in lines]
        if len(cells) > 1 and len({len(row) for row in cells}) == 1 and len(cells[0]) > 1:
            every = [cell for row in cells for cell in row]
            return sum(_is_number(cell) for cell in every) >= 0.5 * len(every)
    return False


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _of_lines(path: Path) -> Documents:
    """Read a text from each line of a file."""
    texts = [line.removesuffix("\r") for line in _content(path).split("\n")]
    return Documents(texts, Numbered("line", len(texts)))


def _content(path: Path) -> str:
    """Read a file of texts."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise SparringError(
                found=f"{size / 2**30:.1f} GiB of text in {path}",
                expected=f"at most {MAX_BYTES // 2**30} GiB",
                remedy="give a part of it",
            )
        content = path.read_bytes()
    except OSError as error:
        raise SparringError(
            found=f"no text that can be read at {path} ({reason(error)})",
            expected="a file with a text on each line",
            remedy="check the path",
        ) from None
    return decoded(content, str(path))


def _tunes(content: str) -> list[str]:
    """Cut a file at the numbers of its tunes, "X:"; what stands before the first is left out."""
    before, *tunes = TUNE.split(content.replace("\r\n", "\n"))
    return [f"{tune.rstrip()}\n" for tune in tunes or [before]]


def _of_tree(tree: Tree, path: Path, *, with_labels: bool) -> Documents:
    """Read a text from each file of a folder or an archive."""
    endings = [suffix(entry.name) for entry in tree.entries]
    counts = {ending: endings.count(ending) for ending in set(endings) if ending in (*PROSE, *CODE)}
    if not counts:
        raise SparringError(
            found=f"no text in {path}",
            expected=f"files that end in {', '.join(PROSE[:4])}, or of source code such as {', '.join(CODE[:4])}",
            remedy="check the path, or rename the files",
        )
    # Code and tunes are not mixed with prose about them: of the three, what there is most of.
    prose = tuple(ending for ending in PROSE if ending not in TUNES)
    kept = max((prose, CODE, TUNES), key=lambda kind: sum(counts.get(ending, 0) for ending in kind))
    places = [number for number, ending in enumerate(endings) if ending in kept]
    names = [tree.entries[place].name for place in places]
    texts = list[str]()
    for place, name in zip(places, names, strict=True):
        try:
            texts.append(decoded(tree.read(place), name).replace("\r\n", "\n"))
        except (OSError, ValueError) as error:
            raise SparringError(
                found=f"{name}, which cannot be read ({error})", expected="text", remedy="leave the file out"
            ) from None
    common = max(kept, key=lambda ending: counts.get(ending, 0))
    left_out = len(tree.entries) - len(places)
    remarks = (f"Left out {number_of(left_out, 'file')} that are no texts of this kind.",) if left_out else ()
    folders, names = [name.rpartition("/")[0] for name in names], [printable(name) for name in names]
    if kept == TUNES:
        cut = [_tunes(text) for text in texts]
        folders = [folder for folder, tunes in zip(folders, cut, strict=True) for _ in tunes]
        names = [f"{name}, tune {1 + at}" for name, tunes in zip(names, cut, strict=True) for at in range(len(tunes))]
        texts = [tune for tunes in cut for tune in tunes]
    found = Documents(texts, names, whole=kept != TUNES, multiline=True, suffix=common, remarks=remarks)
    if with_labels and all(folders) and len(set(folders)) > 1:
        found.labels, found.classes = number_classes(folders)
    return found


def _of_table(path: Path, column: Column) -> Documents:
    """Read a text from each row of a table."""
    if path.suffix.lower() in JSON_LINES:
        names, rows = json_rows(path)
    else:
        table = open_table(path)
        names = table.names
        rows = (dict(zip(names, row, strict=True)) for chunk in table.chunks for row in zip(*chunk, strict=True))
    wanted = column.text or next((name for usual in USUAL_COLUMNS for name in names if name.lower() == usual), None)
    if wanted is None and len(names) == 1:
        wanted = names[0]
    for name, is_text in ((wanted, True), (column.label, False)):
        if (name is None and is_text) or (name is not None and name not in names):
            given = option("columns", f"{names[0]}=text") if is_text else option("labels", names[0])
            raise SparringError(
                found=f"no column {name!r} in {path}" if name else f"a table of several columns, {path}",
                expected=f"the column of the texts: {listed(names)}" if is_text else f"one of {listed(names)}",
                remedy=f"name it, as {given}{nearest(name or '', list(names))}",
            )
    texts, labels = list[str](), list[str | None]()
    without = list[int]()
    for number, row in enumerate(rows):
        if wanted not in row:
            without.append(number)
        texts.append(row.get(str(wanted)) or "")
        labels.append(label_text(row.get(column.label)) if column.label else None)
    found = Documents(texts, Numbered("row", len(texts)))
    if without:
        have = f"{number_of(len(without), 'row')} {'has' if len(without) == 1 else 'have'}"
        found.remarks = (f"{have} no {wanted!r}, such as row {without[0] + 1:,}.",)
    if column.label:
        known = [label for label in labels if label]
        numbers, classes = number_classes(known) if known else (None, ())
        if numbers is not None and len(classes) > 1:
            by_name = dict(zip(classes, range(len(classes)), strict=True))
            found.labels = np.array([by_name.get(label or "", -1) for label in labels], dtype=np.int64)
            found.classes = tuple(classes)
    return found


def json_rows(path: Path) -> tuple[tuple[str, ...], Iterator[Mapping[str, str]]]:
    """Return the names in the first line of JSON lines, and all rows, values that are no text as text."""
    try:
        content = decoded(path.read_bytes(), str(path))
    except OSError as error:
        raise SparringError(
            found=f"no file that can be read at {path} ({reason(error)})",
            expected="JSON lines",
            remedy="check the path",
        ) from None
    lines = [(number, line) for number, line in enumerate(content.split("\n"), 1) if line.strip()]

    def row(place: int) -> Mapping[str, Any]:
        number, line = lines[place]
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            raise SparringError(
                found=f"line {number:,} of {path}, which is no JSON object: {shown(line[:80])}",
                expected='one such as {"text": "…"} on each line',
                remedy="correct the line",
            )
        return {name: one if isinstance(one, str) else "" if one is None else str(one) for name, one in values.items()}

    if not lines:
        return (), iter(())
    return tuple(row(0)), (row(place) for place in range(len(lines)))


def decoded(content: bytes, name: str) -> str:
    """Return bytes as text.

    Raises:
        SparringError: they are not UTF-8, nor marked as UTF-16; the message names the line.
    """
    encoding = marked_encoding(content[:4]) or "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SparringError(
            found=f"line {line:,} of {printable(name)}, which is not UTF-8",
            expected="text in UTF-8",
            remedy="convert the file, as by iconv -f ENCODING -t UTF-8, or correct the line",
        ) from None


def _without_empty(found: Documents, path: Path) -> Documents:
    """Leave out texts of nothing but white space, and what is longer than anything that is read.

    Raises:
        SparringError: no text is left.
    """
    kept = [number for number, text in enumerate(found.texts) if text.strip()]
    if not kept:
        raise SparringError(
            found=f"no text in {path}", expected="at least two texts", remedy="check the file, or the column"
        )
    empty = len(found.texts) - len(kept)
    # The last line of a file ends with a line break.
    if empty > 1 or (empty and found.texts[-1].strip()):
        found.remarks += (f"Left out {number_of(empty, 'empty text')}.",)
    most = MAX_FILE if found.whole else MAX_LINE
    long = sum(len(found.texts[number]) > most for number in kept)
    if long:
        found.remarks += (f"Cut {number_of(long, 'text')} after {most:,} characters.",)
    if empty:
        names = found.names
        found.names = names[np.array(kept)] if isinstance(names, Numbered) else [names[number] for number in kept]
        found.labels = None if found.labels is None else found.labels[kept]
    found.texts = [found.texts[number][:most] for number in kept] if empty or long else found.texts
    return found


@final
class Numbered(Sequence[str]):
    """Names such as "line 3", made when they are asked for.

    Args:
        noun: what is counted.
        numbers: of the names, or how many there are, numbered from 1.
    """

    def __init__(self, noun: str, numbers: int | NDArray[np.int64]) -> None:
        self._noun = noun
        self._numbers = np.arange(1, numbers + 1) if isinstance(numbers, int) else numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, int | np.integer):
            return f"{self._noun} {self._numbers[place]}"
        return Numbered(self._noun, self._numbers[place])
