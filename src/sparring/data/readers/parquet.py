"""Parquet in the layout of Hugging Face image data sets: a column of encoded images, and often a column of labels."""

import json
import threading
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sparring.data.labels import SOME_LABELS, NotClasses, class_name, label_text, listed, number_classes, singles
from sparring.data.parallel import thread_count
from sparring.data.parts import Role, role
from sparring.data.readers.arrays import missing_labels
from sparring.data.readers.label_files import choose_column, chosen_files, labels_in_order
from sparring.data.readers.parquet_pages import page_sizes
from sparring.data.source import Numbered, Source, require_count, stamp
from sparring.errors import SparringError, missing_extra, reading_file
from sparring.opening import size_words
from sparring.text import printable

IMAGE_NAMES = ("image", "img", "images", "picture", "photo", "pixel_values", "png", "jpg")
"""Names of the column of images, the preferred first."""
BATCH_BYTES, MAX_BATCH_ROWS = 16 * 1024 * 1024, 256
"""Bytes, on average, and rows that are decoded at a time."""
MAX_PAGES_BYTES = 512 * 1024 * 1024
"""Bytes of unpacked pages in memory; each reading thread has one page."""
MAX_COLUMN_BYTES, BYTES_PER_VALUE = 256 * 1024 * 1024, 8
"""Bytes of the unpacked labels up to which they are read, and bytes that a value takes at least."""
BUFFER_BYTES = 1024 * 1024
"""Bytes of a file that are read at a time."""


def parquet_source(path: Path, choice: bool | str | None = None) -> Source:
    """Open one Parquet file, or all files of a folder; of ``train-*`` beside ``test-*`` only the first.

    Args:
        path: the file or the folder.
        choice: False for no labels, or the column or the file of labels; otherwise they are found.

    Raises:
        SparringError: pyarrow is not installed, a file is damaged, no column holds images, or only some rows have a
            label.
    """
    files, unused = _training_files(path)
    rows = _Rows(files, str(path))
    labels, classes, remarks = _labels(rows, str(path), choice)
    kept = listed((file.name for file in unused), 3)
    remark = f"Trains on {len(files)} of {len(files + unused)} Parquet files; kept for `sparring evaluate`: {kept}."
    return Source(
        names=Numbered("row", rows.starts[-1]) if len(files) == 1 else rows.names(),
        read=rows.read,
        stamp=stamp([*files, *_label_files(rows, choice)]),
        labels=labels,
        classes=classes,
        remarks=(remark, *remarks) if unused else remarks,
    )


@final
@dataclass
class _Cursor:
    """Position of one thread in a row group.

    Args:
        group: number of the row group.
        batches: its rows, some at a time.
        start: number in the group of the first row of ``rows``.
        rows: the latest batch.
    """

    group: int
    batches: Iterator[Any]
    start: int = 0
    rows: Any = ()


class _Rows:
    """Rows of several Parquet files, numbered consecutively.

    Each thread reads them in order, a few at a time; going back starts the row group again.
    """

    def __init__(self, files: list[Path], source: str) -> None:
        try:
            import pyarrow.parquet as parquet
        except ImportError:
            raise missing_extra("pyarrow", "parquet", "to read Parquet files") from None
        try:
            # Opening a file reads only its footer.
            opened = [parquet.ParquetFile(file) for file in files]
            require_count(sum(file.metadata.num_rows for file in opened))
            # Names of columns are decoded only here, and need not be valid UTF-8.
            self.columns = tuple(opened[0].schema_arrow.names)
            self.image = _image_column(opened[0].schema_arrow, source)

            # Values that many rows share, in a dictionary, are kept once.
            images = [leaf for leaf in _leaves(opened[0], self.image) if leaf in (self.image, f"{self.image}.bytes")]
            self.files = [parquet.ParquetFile(file, read_dictionary=images, buffer_size=BUFFER_BYTES) for file in files]
        except SparringError:
            raise
        except Exception as error:
            raise SparringError(
                found=f"a Parquet file in {source} that cannot be read ({' '.join(str(error).split())[:160]})",
                expected="complete Parquet files",
                remedy="copy or download the file again",
            ) from None
        self.source = source

        self.opened = list(zip(files, self.files, strict=True))
        # Row groups of all files in one sequence, and the number of the first row of each.
        self.groups = [
            (path, file, group, file.metadata.row_group(group).num_rows)
            for path, file in self.opened
            for group in range(file.metadata.num_row_groups)
        ]
        self.starts = np.cumsum([0, *(rows for _, _, _, rows in self.groups)]).tolist()
        self._cursors = threading.local()
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Return a name of every row, in order."""
        return [f"{path.name} row {row}" for path, file in self.opened for row in range(file.metadata.num_rows)]

    def read(self, position: int) -> bytes:
        """Return the encoded image of a row.

        Raises:
            ValueError: the row is empty.
        """
        group = bisect_right(self.starts, position) - 1
        row = position - self.starts[group]
        cursor: _Cursor | None = getattr(self._cursors, "latest", None)
        if cursor is None or cursor.group != group or row < cursor.start:
            cursor = self._cursors.latest = _Cursor(group, self._batches(group))
        try:
            while row >= cursor.start + len(cursor.rows):
                with self._lock:
                    batch = next(cursor.batches)
                cursor.start, cursor.rows = cursor.start + len(cursor.rows), batch
            value = cursor.rows[row - cursor.start].as_py()
        except BaseException as error:
            # Nothing can be read after a damaged page.
            self._cursors.latest = None
            if isinstance(error, StopIteration):
                raise ValueError("fewer rows than announced") from None
            raise
        content = value.get("bytes") if isinstance(value, dict) else value
        if not content:
            raise ValueError("the row is empty")
        return bytes(content)

    def column(self, name: str) -> list[Any]:
        """Return the values of a column of all files; text as bytes, which need not be valid UTF-8.

        Raises:
            NotClasses: they would take too much memory.
        """
        import pyarrow.parquet as parquet

        values: list[Any] = []
        with reading_file(self.source, "complete Parquet files"):
            size = sum(self._column_bytes(number, name) for number in range(len(self.groups)))
            # Equal texts are one object, however many rows have them.
            for path, opened in self.opened if size <= MAX_COLUMN_BYTES else ():
                file = parquet.ParquetFile(path, read_dictionary=_leaves(opened, name), buffer_size=BUFFER_BYTES)
                for chunk in file.read(columns=[name]).column(0).chunks:
                    values += _values(chunk)
        if size > MAX_COLUMN_BYTES:
            raise NotClasses(f"values of {size_words(size)}, of which at most {size_words(MAX_COLUMN_BYTES)} are read")
        return values

    def _column_bytes(self, number: int, name: str) -> int:
        """Return the bytes that a column of a row group takes at least, when it is unpacked."""
        path, file, group, _ = self.groups[number]
        metadata = file.metadata.row_group(group)
        chunks = [metadata.column(place) for place in range(metadata.num_columns)]
        own = [chunk for chunk in chunks if f"{chunk.path_in_schema}.".startswith(f"{name}.")]
        return sum(max(sum(_pages(path, chunk)), BYTES_PER_VALUE * chunk.num_values) for chunk in own)

    def _batches(self, number: int) -> Iterator[Any]:
        """Yield the images of a row group, some at a time, so that they take little memory.

        Raises:
            ValueError: a page would take too much.
        """
        path, file, group, _ = self.groups[number]
        metadata = file.metadata.row_group(group)
        total = 0
        for place in range(metadata.num_columns):
            chunk = metadata.column(place)
            if chunk.path_in_schema.partition(".")[0] == self.image:
                sizes = _pages(path, chunk)
                total += sum(sizes)
                if max(sizes, default=0) > MAX_PAGES_BYTES // thread_count():
                    size = f"{max(sizes) / 2**20:,.0f} MiB"
                    raise ValueError(f"a page of {size}; write the file with smaller row groups")
        rows = max(1, min(MAX_BATCH_ROWS, BATCH_BYTES * metadata.num_rows // max(1, total)))
        for batch in file.iter_batches(rows, row_groups=[group], columns=[self.image], use_threads=False):
            yield batch.column(0)


def _leaves(file: Any, name: str) -> list[str]:
    """Return the paths of the columns in a file that make up one column of values."""
    paths = [file.metadata.schema.column(place).path for place in range(len(file.schema))]
    return [path for path in paths if f"{path}.".startswith(f"{name}.")]


def _pages(path: Path, chunk: Any) -> list[int]:
    """Return the unpacked sizes of the pages of a column in a row group."""
    start = min(chunk.dictionary_page_offset or chunk.data_page_offset, chunk.data_page_offset)
    return list(page_sizes(path, start, start + chunk.total_compressed_size))


def _values(chunk: Any) -> list[Any]:
    """Return the values of an array; those of a dictionary are shared."""
    import pyarrow as arrow

    if not arrow.types.is_dictionary(chunk.type):
        return _undecoded(chunk).to_pylist()  # type: ignore[no-any-return]
    distinct = _undecoded(chunk.dictionary).to_pylist()
    return [None if place is None else distinct[place] for place in chunk.indices.to_pylist()]


def _undecoded(column: Any) -> Any:
    """Return a column of text as bytes; any other as it is."""
    import pyarrow as arrow

    text = arrow.types.is_string(column.type) or arrow.types.is_large_string(column.type)
    return column.cast(arrow.large_binary()) if text else column


def _training_files(path: Path) -> tuple[list[Path], list[Path]]:
    """Return the files to train on, and those of the other parts of a split."""
    if path.is_file():
        return [path], []
    files = sorted(file for file in path.rglob("*.parquet") if file.is_file() and not file.name.startswith("."))
    roles = {file: _part(file, path) for file in files}
    training = [file for file in files if roles[file] is Role.TRAIN]
    if training and Role.UNKNOWN not in roles.values():
        return training, [file for file in files if file not in training]
    return files, []


def _part(file: Path, top: Path) -> Role:
    """Return the part that a file holds: TRAIN for train-00000-of-00002.parquet and for train/0000.parquet."""
    names = [file.stem.replace("_", "-").partition("-")[0], *file.relative_to(top).parts[:-1]]
    parts = (Role.TRAIN, Role.OTHER_SPLIT, Role.UNLABELED)
    return next((found for name in names if (found := role(name)) in parts), Role.UNKNOWN)


def _image_column(schema: Any, source: str) -> str:
    """Return the name of the column that holds encoded images: by name, else the only column of bytes.

    Raises:
        SparringError: there is none, or it is ambiguous.
    """
    import pyarrow as arrow

    def holds_bytes(kind: Any) -> bool:
        # Data sets from the Hugging Face Hub store an image as a struct of its bytes and its path.
        if arrow.types.is_struct(kind):
            return any(kind.field(index).name == "bytes" for index in range(kind.num_fields))
        return bool(arrow.types.is_binary(kind) or arrow.types.is_large_binary(kind))

    # Where several columns hold bytes, a conventional name decides.
    candidates = [field.name for field in schema if holds_bytes(field.type)]
    named = [name for name in IMAGE_NAMES if name in candidates]
    if named or len(candidates) == 1:
        return str((named or candidates)[0])
    raise SparringError(
        found=f"the columns {', '.join(schema.names) or 'none'} in {source}",
        expected="one of encoded images, called image or img, as bytes or as a struct with bytes",
        remedy="write the images into such a column",
    )


def _labels(
    rows: _Rows, source: str, choice: bool | str | None
) -> tuple[NDArray[np.int64] | None, tuple[str, ...], tuple[str, ...]]:
    """Return class numbers, (count,), the names of the classes, and remarks; None and no names without labels.

    Raises:
        SparringError: only some rows have a label, or the choice is no column and no file.
    """
    if choice is False:
        return None, (), ()
    if isinstance(choice, str) and _label_files(rows, choice):
        return *labels_in_order(choice, rows.starts[-1], source), ()

    # Find the column; its values are read whole, so that any type of labels is understood.
    schema = rows.files[0].schema_arrow
    candidates = [name for name in rows.columns if name != rows.image]
    name, remarks = choose_column(candidates, source, choice if isinstance(choice, str) else None, guess=False)
    if name is None:
        return None, (), ()
    try:
        values = rows.column(name)
        texts = {value: label_text(value) for value in {one for one in values if isinstance(one, bytes)}}
        labels = [texts[value] if isinstance(value, bytes) else _label(value) for value in values]
    except NotClasses as error:
        shown = printable(name)
        return None, (), (f"The column '{shown}' holds {error}, which are no classes: trains without labels.",)
    missing = sum(label is None for label in labels)
    if missing == len(labels):
        return None, (), (f"The column '{printable(name)}' holds no labels: trains without labels.",)
    if missing:
        raise missing_labels(missing, len(labels), source)

    # A column of texts that hardly recur, such as captions, is used only on request.
    names = [label for label in labels if label is not None]
    if choice is None and (single := singles(names)):
        remark = (
            f"The column '{printable(name)}' is not used: {single} classes have a single row ({SOME_LABELS} uses it)."
        )
        return None, (), (remark,)

    # Use the published names of the classes where they fit; else number the values that occur.
    published = _published_names(schema.metadata, name)
    if published and all(isinstance(value, int) and 0 <= value < len(published) for value in values):
        return np.array(values, dtype=np.int64), published, remarks
    return *number_classes(names), remarks


def _label(value: Any) -> str | None:
    """Return the name of the class that a label stands for; None where it is missing, as -1 is."""
    return None if value == -1 and isinstance(value, int) else label_text(value)


def _label_files(rows: _Rows, choice: bool | str | None) -> list[Path]:
    """Return the file of labels that was given, in a list; none if the choice is a column."""
    return [] if choice in rows.columns else chosen_files(choice)


def _published_names(metadata: dict[bytes, bytes] | None, column: str) -> tuple[str, ...]:
    """Return the class names that the ``datasets`` library stores beside the schema, or none."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return tuple(class_name(str(name)) for name in features[column]["names"])
    except (KeyError, TypeError, ValueError):
        return ()
