"""Arrays in files: IDX, and tar archives of labelled records. Nothing is unpickled."""

import gzip
import math
import struct
import tarfile
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sparring.arguments import option
from sparring.data.catalogue import RecordLayout
from sparring.data.labels import class_name, number_classes
from sparring.data.readers import stored
from sparring.data.readers.stored import Stored, StoredArray
from sparring.errors import SparringError, damaged, reading_file

IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""Type code of an IDX header → NumPy type."""
MAX_ARCHIVE_BYTES = 2 * 1024**3
"""Unpacked bytes of a tar archive that are read; more are refused."""


@final
@dataclass(frozen=True)
class Arrays:
    """Samples and labels as they are stored in files.

    Args:
        samples: (count, …).
        labels: (count,), or (count, …) as they are stored; or None.
        files: the files that were read.
        remarks: full sentences about what was left out.
    """

    samples: Stored
    labels: NDArray[Any] | None = None
    files: tuple[Path, ...] = ()
    remarks: tuple[str, ...] = ()


def read_idx(path: Path) -> Stored:
    """Read an IDX file, compressed by gzip or not; a large one stays in the file, or is unpacked into the cache.

    Raises:
        SparringError: it is not IDX, or is shorter or longer than its header says.
    """
    with reading_file(path, "a complete IDX file"), _opened(path) as file:
        # Header: two zero bytes, the type, the number of dimensions, and each dimension as a big-endian uint32.
        start = file.read(4)
        if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in IDX_TYPES or not 1 <= start[3] <= 8:
            raise damaged(path, f"a file that starts with {start.hex(' ') or 'nothing'}", "an IDX file (00 00 …)")
        dtype = np.dtype(IDX_TYPES[start[2]])
        sizes = file.read(4 * start[3])
        if len(sizes) < 4 * start[3]:
            raise damaged(path, "an IDX file cut short in its header", "a complete one")
        shape = struct.unpack(f">{start[3]}I", sizes)
        expected = stored.require_plausible(dtype, shape, str(path))
        offset, present = 4 + 4 * start[3], path.stat().st_size

        # Compare the size before anything is read, where it is known.
        if isinstance(file, gzip.GzipFile):
            content: Stored = _unpacked_idx(file, path, present, dtype, shape)
        else:
            if present - offset != expected:
                raise _wrong_size(path, present - offset, expected)
            content = StoredArray(path, offset, dtype, shape)
            content = content if expected > stored.MAX_BYTES_IN_MEMORY else np.asarray(content)
    return content


def _unpacked_idx(
    file: gzip.GzipFile, path: Path, compressed: int, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> Stored:
    """Unpack the data of an IDX file, and require that nothing follows."""
    expected = dtype.itemsize * math.prod(shape)
    try:
        content = stored.inflated(file, path, "", compressed, dtype, shape)
    except ValueError as error:
        if isinstance(error, SparringError):
            raise
        raise damaged(path, str(error), f"{expected:,}, as its header says") from None
    if expected <= stored.MAX_BYTES_IN_MEMORY and file.read(1):
        raise _wrong_size(path, expected + 1, expected)
    return content


def _wrong_size(path: Path, found: int, expected: int) -> SparringError:
    amount = f"{found:,}" if found < expected else f"more than {expected:,}"
    return damaged(path, f"{amount} bytes of data", f"{expected:,}, as its header says")


def is_idx_images(name: str) -> bool:
    """Return whether a file is named like IDX images: "train-images-idx3-ubyte", "t10k-images.idx3-ubyte.gz"."""
    return "idx3" in name.lower()


def read_idx_pair(images: Path) -> Arrays:
    """Read an IDX file of images, and the file of labels beside it whose name corresponds, if there is one.

    Raises:
        SparringError: a file is damaged, or the numbers of labels and images differ.
    """
    samples = read_idx(images)
    if samples.ndim < 3:
        raise damaged(images, f"IDX data of {samples.ndim} dimensions", "images: count × height × width")
    labels_path = _labels_beside(images)
    if labels_path is None:
        return Arrays(samples, files=(images,))
    labels = read_idx(labels_path)
    require_equal_counts(labels.shape, samples.shape, labels_path)
    return Arrays(samples, np.asarray(labels), (images, labels_path))


def read_idx_folder(folder: Path) -> Arrays:
    """Read the training part of a folder of IDX files; the "t10k" or "test" files are kept for evaluation.

    Raises:
        SparringError: there are several files of images and not exactly one has "train" in its name; or as
            ``read_idx_pair``.
    """
    # A file may be there both compressed and uncompressed: the uncompressed one is read.
    visible = (path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    found = sorted(path for path in visible if is_idx_images(path.name))
    unpacked = {path.name.removesuffix(".gz"): path for path in reversed(found)}
    training = [path for name, path in unpacked.items() if "train" in name.lower()]
    if len(unpacked) > 1 and len(training) != 1:
        raise SparringError(
            found=f"{len(unpacked)} files of images in {folder} ({', '.join(sorted(unpacked))})",
            expected="one whose name contains 'train'",
            remedy="give the file itself as the data",
        )
    chosen = training[0] if training else found[0]
    pair = read_idx_pair(chosen)
    unused = sorted(name for name in unpacked if name != chosen.name.removesuffix(".gz"))
    remarks = (f"Trains on {chosen.name}; kept for `sparring evaluate`: {', '.join(unused)}.",) if unused else ()
    return Arrays(pair.samples, pair.labels, pair.files, remarks)


def read_records(archive: Path, layout: RecordLayout) -> Arrays:
    """Read the training images of a gzipped tar archive of labelled records, in place: (count, *layout.shape) uint8.

    Raises:
        SparringError: the archive is damaged or has another layout.
    """
    record = 1 + math.prod(layout.shape)
    parts: dict[str, bytes] = {}
    with reading_file(archive, "the archive as published"), tarfile.open(archive, "r:gz") as files:
        for member in files:
            if member.offset_data + member.size > MAX_ARCHIVE_BYTES:
                raise damaged(archive, "an archive of more than 2 GiB", "the archive as published")
            name = member.name.rpartition("/")[2]
            # Members of another size are never unpacked, so that no archive can exhaust the memory.
            if member.isfile() and name in layout.files and member.size == layout.count * record:
                content = files.extractfile(member)
                parts[name] = stored.exactly(content, member.size)
    if len(parts) != len(layout.files):
        raise damaged(archive, f"{len(parts)} training files", f"the {len(layout.files)} of the published archive")

    # Each record is a label and the pixels of one image: (count, 1 + channels · height · width).
    records = np.frombuffer(b"".join(parts[name] for name in layout.files), dtype=np.uint8).reshape(-1, record)
    remark = f"Trains on the {len(layout.files)} training files; other files are kept for `sparring evaluate`."
    return Arrays(records[:, 1:].reshape(-1, *layout.shape), records[:, 0], (archive,), (remark,))


def class_numbers(labels: NDArray[Any], source: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Convert labels of any type to numbers of classes: class numbers, (count,), one-hot rows, or names.

    Returns:
        Positions of the labels in the sorted list of those that occur, (count,), and that list as text; names in
        natural order.

    Raises:
        SparringError: some labels are missing (NaN), or there is not exactly one for each sample.
    """
    flat = labels.reshape(len(labels), -1)  # (count, values per label)

    # One-hot rows → class numbers.
    if flat.shape[1] > 1 and np.isin(flat, (0, 1)).all() and (flat.sum(axis=1) == 1).all():
        flat = flat.argmax(axis=1)[:, None]
    if flat.shape[1] != 1:
        raise SparringError(
            found=f"labels of shape {labels.shape} in {source}",
            expected="one for each sample",
            remedy="give class numbers, or leave the labels out",
        )
    if flat.dtype.kind == "f" and (missing := int((~np.isfinite(flat)).sum())):
        raise missing_labels(missing, len(flat), source)

    # Class numbers saved as floats are named 3, not 3.0.
    if flat.dtype.kind in "SU":
        decoded = np.char.decode(flat, "utf-8", "backslashreplace") if flat.dtype.kind == "S" else flat
        return number_classes([class_name(name) for name in decoded[:, 0].tolist()])
    if flat.dtype.kind == "f" and not (flat == np.round(flat)).all():
        raise SparringError(
            found=f"labels that are numbers with a fraction in {source}",
            expected="class numbers or names",
            remedy=f"give {option('labels', False)} to use none",
        )
    values, numbers = np.unique(flat[:, 0], return_inverse=True)
    return numbers.astype(np.int64), tuple(
        str(int(value)) if flat.dtype.kind == "f" else str(value) for value in values
    )


def missing_labels(missing: int, count: int, source: str) -> SparringError:
    """Return the error for data of which only some samples have a label."""
    return SparringError(
        found=f"no label for {missing:,} of {count:,} samples in {source}",
        expected="a label for each of them, or none at all",
        remedy=f"add the missing labels, or give {option('labels', False)} to use none",
    )


def _opened(path: Path) -> gzip.GzipFile | BufferedReader:
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if compressed else path.open("rb")


def _labels_beside(images: Path) -> Path | None:
    plain = images.name.removesuffix(".gz")
    labels = plain.replace("images", "labels").replace("idx3", "idx1")
    candidates = (images.with_name(name) for name in (labels, f"{labels}.gz") if name != plain)
    return next((path for path in candidates if path.exists()), None)


def require_equal_counts(labels: tuple[int, ...], samples: tuple[int, ...], path: Path) -> None:
    """Refuse labels of another number than the samples.

    Args:
        labels: shape of the labels.
        samples: shape of the samples.
        path: file of the labels.

    Raises:
        SparringError: the first dimensions differ.
    """
    count = labels[0] if labels else 0
    if count != samples[0]:
        raise SparringError(
            found=f"{count:,} labels in {path} for {samples[0]:,} samples",
            expected="a label for each sample",
            remedy="check that the two files belong together",
        )
