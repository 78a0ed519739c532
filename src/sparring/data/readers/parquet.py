"""Parquet in the layout of Hugging Face image data sets: a column of encoded images, perhaps a column of labels."""

import json
import threading
from bisect import bisect_right
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.data.readers.arrays import missing_labels
from sparring.data.readers.files import SPLITS, TRAINING
from sparring.data.source import Source, stamp
from sparring.errors import SparringError, missing_extra

IMAGE_NAMES = ("image", "img", "images", "picture", "photo", "pixel_values", "png", "jpg")
LABEL_NAMES = ("label", "labels", "fine_label", "class", "target", "coarse_label")
HELD_GROUPS = 2


def parquet_source(path: Path) -> Source:
    """One file, or all files of a folder; of ``train-*`` beside ``test-*`` only the first.

    Raises:
        SparringError: pyarrow is not installed, a file is damaged, or no column holds images.
    """
    files, left = _training_files(path)
    pages = _Pages(files, str(path))
    remarks = (
        f"Trains on {len(files)} of {len(files) + len(left)} Parquet files; {_names(left)} left for `evaluate`.",
    )
    labels, classes = _labels(pages, str(path))
    return Source(
        names=[f"row {row}" if len(files) == 1 else f"{files[part].name} row {row}" for part, row in pages.rows()],
        read=pages.read,
        stamp=stamp(files),
        labels=labels,
        classes=classes,
        remarks=remarks if left else (),
    )


class _Pages:
    """Rows of several Parquet files; a row group is decoded once and kept while its neighbours are read."""

    def __init__(self, files: list[Path], source: str) -> None:
        try:
            import pyarrow as arrow
            import pyarrow.parquet as parquet
        except ImportError:
            raise missing_extra("pyarrow", "parquet", "to read Parquet files") from None
        try:
            self.files = [parquet.ParquetFile(file) for file in files]
        except (arrow.ArrowException, OSError) as error:
            raise SparringError(
                found=f"a Parquet file in {source} that cannot be read ({str(error).splitlines()[0]})",
                expected="whole Parquet files",
                remedy="copy or download it again",
            ) from None
        self.image = _image_column(self.files[0].schema_arrow, source)
        self.groups = [
            (file, group, file.metadata.row_group(group).num_rows)
            for file in self.files
            for group in range(file.metadata.num_row_groups)
        ]
        self.starts = np.cumsum([0, *(rows for _, _, rows in self.groups)]).tolist()
        self._held: OrderedDict[int, Any] = OrderedDict()
        self._lock = threading.Lock()

    def rows(self) -> list[tuple[int, int]]:
        """(file, row) of every row, in order."""
        return [(part, row) for part, file in enumerate(self.files) for row in range(file.metadata.num_rows)]

    def read(self, position: int) -> bytes:
        place = bisect_right(self.starts, position) - 1
        with self._lock:
            column = self._group(place)
        value = column[position - self.starts[place]].as_py()
        content = value.get("bytes") if isinstance(value, dict) else value
        if not content:
            raise ValueError("the row holds no bytes")
        return bytes(content)

    def column(self, name: str) -> list[Any]:
        return [value for file in self.files for value in file.read(columns=[name]).column(0).to_pylist()]

    def _group(self, place: int) -> Any:
        if place not in self._held:
            file, group, _ = self.groups[place]
            self._held[place] = file.read_row_group(group, columns=[self.image]).column(0).combine_chunks()
            while len(self._held) > HELD_GROUPS:
                self._held.popitem(last=False)
        return self._held[place]


def _training_files(path: Path) -> tuple[list[Path], list[Path]]:
    if path.is_file():
        return [path], []
    files = sorted(file for file in path.rglob("*.parquet") if file.is_file() and not file.name.startswith("."))
    training = [file for file in files if _part(file, path) in TRAINING]
    if training and all(_part(file, path) in SPLITS for file in files):
        return training, [file for file in files if file not in training]
    return files, []


def _part(file: Path, top: Path) -> str:
    """``train`` for ``train-00000-of-00002.parquet`` and for ``train/0000.parquet``."""
    name = file.stem.lower().replace("_", "-").partition("-")[0]
    folders = [part.lower() for part in file.relative_to(top).parts[:-1]]
    return name if name in SPLITS else next((part for part in folders if part in SPLITS), name)


def _image_column(schema: Any, source: str) -> str:
    import pyarrow as arrow

    def holds_bytes(kind: Any) -> bool:
        if arrow.types.is_struct(kind):
            return any(kind.field(place).name == "bytes" for place in range(kind.num_fields))
        return bool(arrow.types.is_binary(kind) or arrow.types.is_large_binary(kind))

    candidates = [field.name for field in schema if holds_bytes(field.type)]
    named = [name for name in IMAGE_NAMES if name in candidates]
    if named or len(candidates) == 1:
        return str((named or candidates)[0])
    raise SparringError(
        found=f"the columns {', '.join(schema.names) or 'none'} in {source}",
        expected="one of encoded images, called image or img, as bytes or as a struct with bytes",
        remedy="write the images into such a column",
    )


def _labels(pages: _Pages, source: str) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    import pyarrow as arrow

    schema = pages.files[0].schema_arrow
    whole = [field.name for field in schema if arrow.types.is_integer(field.type)]
    name = next((name for name in LABEL_NAMES if name in whole), None)
    if name is None:
        return None, ()
    values = pages.column(name)
    missing = sum(value is None or value == -1 for value in values)
    if missing == len(values):
        return None, ()
    if missing:
        raise missing_labels(missing, len(values), source)
    published = _published_names(schema.metadata, name)
    present = sorted(set(values))
    if published and present[0] >= 0 and present[-1] < len(published):
        return np.array(values, dtype=np.int64), published
    number = {value: place for place, value in enumerate(present)}
    return np.array([number[value] for value in values], dtype=np.int64), tuple(str(value) for value in present)


def _published_names(metadata: dict[bytes, bytes] | None, column: str) -> tuple[str, ...]:
    """Class names from the features that the ``datasets`` library keeps beside the schema."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return tuple(str(name) for name in features[column]["names"])
    except (KeyError, TypeError, ValueError):
        return ()


def _names(files: list[Path]) -> str:
    return ", ".join(file.name for file in files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
