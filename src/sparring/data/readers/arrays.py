"""Arrays in files: IDX, NumPy's .npy and .npz, tar archives of labelled records. Nothing is unpickled."""

import gzip
import math
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sparring.data.catalogue import RecordLayout
from sparring.data.labels import class_name, number_classes
from sparring.errors import SparringError

IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""Type code of an IDX header → NumPy type."""
MAX_ARRAY_BYTES = 16 * 1024**3
SAMPLE_NAMES = ("images", "image", "x", "x_train", "train_images", "samples", "data", "arr_0")
"""Names of the samples in an .npz file, the preferred first, in lower case."""
LABEL_NAMES = ("labels", "label", "y", "y_train", "train_labels", "targets")
"""Names of the labels in an .npz file, the preferred first, in lower case."""


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

    samples: NDArray[Any]
    labels: NDArray[Any] | None = None
    files: tuple[Path, ...] = ()
    remarks: tuple[str, ...] = ()


def read_idx(path: Path) -> NDArray[Any]:
    """Read an IDX file, compressed by gzip or not.

    Raises:
        SparringError: it is not IDX, or is shorter or longer than its header says.
    """
    try:
        with _opened(path) as file:
            # Header: two zero bytes, the type, the number of dimensions, and each dimension as a big-endian uint32.
            start = file.read(4)
            if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in IDX_TYPES or not 1 <= start[3] <= 8:
                raise _damaged(path, f"a file that starts with {start.hex(' ') or 'nothing'}", "an IDX file (00 00 …)")
            dtype = np.dtype(IDX_TYPES[start[2]])
            sizes = file.read(4 * start[3])
            if len(sizes) < 4 * start[3]:
                raise _damaged(path, "an IDX file cut short in its header", "a complete one")
            shape = struct.unpack(f">{start[3]}I", sizes)

            # Read one byte more than announced, to notice a file that is too long.
            expected = math.prod(shape) * dtype.itemsize
            if expected > MAX_ARRAY_BYTES:
                raise _damaged(path, f"a header that announces {expected / 2**30:.0f} GiB", "at most 16 GiB")
            content = file.read(expected + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, f"a file that cannot be read ({error})", "a complete IDX file") from None
    if len(content) != expected:
        amount = f"{len(content):,}" if len(content) < expected else f"more than {expected:,}"
        raise _damaged(path, f"{amount} bytes of data", f"{expected:,}, as its header says")
    return np.frombuffer(content, dtype=dtype).reshape(shape)


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
        raise _damaged(images, f"IDX data of {samples.ndim} dimensions", "images: count × height × width")
    labels_path = _labels_beside(images)
    if labels_path is None:
        return Arrays(samples, files=(images,))
    labels = read_idx(labels_path)
    _require_equal_counts(labels, samples, labels_path)
    return Arrays(samples, labels, (images, labels_path))


def read_idx_folder(folder: Path) -> Arrays:
    """Read the training part of a folder of IDX files; the "t10k" or "test" files are kept for evaluation.

    Raises:
        SparringError: there are several files of images and not exactly one has "train" in its name; or as
            ``read_idx_pair``.
    """
    # A file may be there both compressed and uncompressed: the uncompressed one is read.
    found = sorted(path for path in folder.iterdir() if path.is_file() and is_idx_images(path.name))
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


def dimensions(path: Path) -> int:
    """Return the number of dimensions of the array in a .npy file, from its header; 0 if there is none."""
    try:
        return 0 if _is_zip(path) else int(np.load(path, mmap_mode="r", allow_pickle=False).ndim)
    except (OSError, ValueError, EOFError):
        return 0


def read_numpy(path: Path) -> Arrays:
    """Read a .npy file, or the samples and labels of an .npz file.

    Samples of an .npz file are found by name (images, x, x_train, …), or are the only array of three or more
    dimensions.

    Raises:
        SparringError: the file is damaged, holds Python objects, or has several arrays that could be the samples.
    """
    try:
        # A single array stays a memory map. Those of an .npz file are unpacked into memory, so check their size.
        if not _is_zip(path):
            return Arrays(np.load(path, mmap_mode="r", allow_pickle=False), files=(path,))
        with path.open("rb") as file, np.load(file, allow_pickle=False) as loaded:
            size = sum(member.file_size for member in loaded.zip.infolist())
            if size > MAX_ARRAY_BYTES:
                raise _damaged(path, f"{size / 2**30:.0f} GiB of arrays", "at most 16 GiB")
            return _from_npz({name: loaded[name] for name in loaded.files}, path)
    except SparringError:
        raise
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        # NumPy takes any format that it does not recognise for a pickle, and says so only in its message.
        objects = any(word in str(error).lower() for word in ("pickle", "object"))
        found = "Python objects, or no array at all" if objects else f"a file that cannot be read ({error})"
        raise _damaged(path, found, "arrays of numbers") from None


def _from_npz(arrays: Mapping[str, NDArray[Any]], path: Path) -> Arrays:
    # Samples: by name, else the only array that can hold images.
    names = {name.lower(): name for name in arrays}
    chosen = next((names[name] for name in SAMPLE_NAMES if name in names and arrays[names[name]].ndim >= 3), None)
    if chosen is None:
        candidates = [name for name, array in arrays.items() if array.ndim >= 3]
        if len(candidates) != 1:
            content = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "nothing"
            raise _damaged(path, f"an archive that holds {content}", "one array of images called 'images' or 'x'")
        chosen = candidates[0]

    # Labels: by name.
    label = next((names[name] for name in LABEL_NAMES if name in names), None)
    unused = sorted(set(arrays) - {chosen, label})
    remarks = (f"Trains on the array '{chosen}'; not used: {', '.join(unused)}.",) if unused else ()
    if label is None:
        return Arrays(arrays[chosen], files=(path,), remarks=remarks)
    _require_equal_counts(arrays[label], arrays[chosen], path)
    return Arrays(arrays[chosen], arrays[label], (path,), remarks)


def read_records(archive: Path, layout: RecordLayout) -> Arrays:
    """Read the training images of a gzipped tar archive of labelled records, in place: (count, *layout.shape) uint8.

    Raises:
        SparringError: the archive is damaged or has another layout.
    """
    record = 1 + math.prod(layout.shape)
    parts: dict[str, bytes] = {}
    try:
        with tarfile.open(archive, "r:gz") as files:
            for member in files:
                name = member.name.rpartition("/")[2]
                # Members of another size are never unpacked, so that no archive can exhaust the memory.
                if member.isfile() and name in layout.files and member.size == layout.count * record:
                    content = files.extractfile(member)
                    parts[name] = content.read(member.size) if content else b""
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise _damaged(archive, f"an archive that cannot be read ({error})", "the archive as published") from None
    if len(parts) != len(layout.files):
        raise _damaged(archive, f"{len(parts)} training files", f"the {len(layout.files)} of the published archive")

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
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        missing = int((~np.isfinite(flat)).sum())
        raise missing_labels(missing, len(flat), source)

    # Class numbers saved as floats are named 3, not 3.0.
    if flat.dtype.kind in "SU":
        decoded = np.char.decode(flat, "utf-8", "backslashreplace") if flat.dtype.kind == "S" else flat
        return number_classes([class_name(name) for name in decoded[:, 0].tolist()])
    if flat.dtype.kind == "f" and not (flat == np.round(flat)).all():
        raise SparringError(
            found=f"labels that are numbers with a fraction in {source}",
            expected="class numbers or names",
            remedy="give --labels false to use none",
        )
    values, numbers = np.unique(flat[:, 0], return_inverse=True)
    names = tuple(
        str(int(value)) if values.dtype.kind == "f" and value == int(value) else str(value) for value in values
    )
    return numbers.astype(np.int64), names


def missing_labels(missing: int, count: int, source: str) -> SparringError:
    """Return the error for data of which only some samples have a label."""
    return SparringError(
        found=f"no label for {missing:,} of {count:,} samples in {source}",
        expected="a label for each of them, or none at all",
        remedy="add the missing labels, or give --labels false to use none",
    )


def _opened(path: Path) -> gzip.GzipFile | BufferedReader:
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if compressed else path.open("rb")


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _labels_beside(images: Path) -> Path | None:
    plain = images.name.removesuffix(".gz")
    labels = plain.replace("images", "labels").replace("idx3", "idx1")
    candidates = (images.with_name(name) for name in (labels, f"{labels}.gz") if name != plain)
    return next((path for path in candidates if path.is_file()), None)


def _require_equal_counts(labels: NDArray[Any], samples: NDArray[Any], path: Path) -> None:
    if labels.ndim == 0 or len(labels) != len(samples):
        count = len(labels) if labels.ndim else 0
        raise SparringError(
            found=f"{count:,} labels in {path} for {len(samples):,} samples",
            expected="a label for each sample",
            remedy="check that both belong together",
        )


def _damaged(path: Path, found: str, expected: str) -> SparringError:
    return SparringError(found=f"{found} in {path}", expected=expected, remedy="copy or download the file again")
