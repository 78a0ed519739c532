"""Arrays in files: IDX (as MNIST is published), NumPy's .npy and .npz, CIFAR's binary archive; nothing is unpickled."""

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

from sparring.errors import SparringError

IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
LARGEST_ARRAY = 16 * 1024**3
SAMPLE_NAMES = ("images", "image", "x", "x_train", "train_images", "samples", "data", "arr_0")
LABEL_NAMES = ("labels", "label", "y", "y_train", "train_labels", "targets")
CIFAR_BATCH = 10_000
CIFAR_RECORD = 1 + 3 * 32 * 32


@final
@dataclass(frozen=True)
class Arrays:
    """Samples, (count, ...), as they lie in the files; their labels, (count,), or None; and what was left out."""

    samples: NDArray[Any]
    labels: NDArray[Any] | None = None
    files: tuple[Path, ...] = ()
    remarks: tuple[str, ...] = ()


def read_idx(path: Path) -> NDArray[Any]:
    """An IDX file, compressed by gzip or not.

    Raises:
        SparringError: it is not IDX, or shorter or longer than its own header says.
    """
    try:
        with _opened(path) as file:
            start = file.read(4)
            if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in IDX_TYPES or not 1 <= start[3] <= 8:
                raise _damaged(path, f"a file that starts with {start.hex(' ') or 'nothing'}", "an IDX file (00 00 …)")
            kind = np.dtype(IDX_TYPES[start[2]])
            sizes = file.read(4 * start[3])
            if len(sizes) < 4 * start[3]:
                raise _damaged(path, "an IDX file cut short in its header", "a whole one")
            shape = struct.unpack(f">{start[3]}I", sizes)
            expected = math.prod(shape) * kind.itemsize
            if expected > LARGEST_ARRAY:
                raise _damaged(path, f"a header that announces {expected / 2**30:.0f} GiB", "at most 16 GiB")
            content = file.read(expected + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, f"a file that cannot be read ({error})", "a whole IDX file") from None
    if len(content) != expected:
        amount = f"{len(content):,}" if len(content) < expected else f"more than {expected:,}"
        raise _damaged(path, f"{amount} bytes of data", f"{expected:,}, as its header says")
    return np.frombuffer(content, dtype=kind).reshape(shape)


def is_idx_images(name: str) -> bool:
    """Whether a file is called as IDX images are: ``train-images-idx3-ubyte``, ``t10k-images.idx3-ubyte.gz``."""
    return "idx3" in name.lower()


def read_idx_pair(images: Path) -> Arrays:
    """An IDX file of images and the file of labels that its name promises, if it lies beside it.

    Raises:
        SparringError: a file is damaged, or labels and images differ in number.
    """
    samples = read_idx(images)
    if samples.ndim < 3:
        raise _damaged(images, f"IDX data of {samples.ndim} dimensions", "images: count × height × width")
    labels_path = _labels_beside(images)
    if labels_path is None:
        return Arrays(samples, files=(images,))
    labels = read_idx(labels_path)
    _require_as_many(labels, samples, labels_path)
    return Arrays(samples, labels, (images, labels_path))


def read_idx_folder(folder: Path) -> Arrays:
    """The training part of a folder of IDX files; ``t10k`` (or ``test``) files are left for evaluation.

    Raises:
        SparringError: there are several files of images and none is called ``train``; or as ``read_idx_pair``.
    """
    found = sorted(path for path in folder.iterdir() if path.is_file() and is_idx_images(path.name))
    unpacked = {path.name.removesuffix(".gz"): path for path in reversed(found)}
    training = [path for name, path in unpacked.items() if "train" in name.lower()]
    if len(unpacked) > 1 and len(training) != 1:
        raise SparringError(
            found=f"{len(unpacked)} files of images in {folder} ({', '.join(sorted(unpacked))})",
            expected="one whose name holds 'train'",
            remedy="name the file itself as the data",
        )
    chosen = training[0] if training else found[0]
    pair = read_idx_pair(chosen)
    left = sorted(name for name in unpacked if name != chosen.name.removesuffix(".gz"))
    said = (f"Trains on {chosen.name}; {', '.join(left)} left for `evaluate`.",) if left else ()
    return Arrays(pair.samples, pair.labels, pair.files, said)


def dimensions(path: Path) -> int:
    """Of the array in a ``.npy`` file, from its header; 0 if there is none."""
    try:
        return 0 if _is_zip(path) else int(np.load(path, mmap_mode="r", allow_pickle=False).ndim)
    except (OSError, ValueError, EOFError):
        return 0


def read_numpy(path: Path) -> Arrays:
    """A ``.npy`` file, or the samples and labels of an ``.npz`` file.

    Samples of an ``.npz`` are found by name (images, x, x_train, …) or as the only array of three dimensions or more.

    Raises:
        SparringError: the file is damaged or holds Python objects, or it is not clear which array is meant.
    """
    try:
        if not _is_zip(path):
            return Arrays(np.load(path, mmap_mode="r", allow_pickle=False), files=(path,))
        with path.open("rb") as file, np.load(file, allow_pickle=False) as loaded:
            size = sum(member.file_size for member in loaded.zip.infolist())
            if size > LARGEST_ARRAY:
                raise _damaged(path, f"{size / 2**30:.0f} GiB of arrays", "at most 16 GiB")
            return _from_npz({name: loaded[name] for name in loaded.files}, path)
    except SparringError:
        raise
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        objects = any(word in str(error).lower() for word in ("pickle", "object"))
        found = "Python objects, or no array at all" if objects else f"a file that cannot be read ({error})"
        raise _damaged(path, found, "arrays of numbers") from None


def _from_npz(arrays: Mapping[str, NDArray[Any]], path: Path) -> Arrays:
    names = {name.lower(): name for name in arrays}
    chosen = next((names[name] for name in SAMPLE_NAMES if name in names and arrays[names[name]].ndim >= 3), None)
    if chosen is None:
        candidates = [name for name, array in arrays.items() if array.ndim >= 3]
        if len(candidates) != 1:
            held = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "nothing"
            raise _damaged(path, f"an archive that holds {held}", "one array of images called 'images' or 'x'")
        chosen = candidates[0]
    label = next((names[name] for name in LABEL_NAMES if name in names), None)
    left = sorted(set(arrays) - {chosen, label})
    said = (f"Trains on the array '{chosen}'; {', '.join(left)} left aside.",) if left else ()
    if label is None:
        return Arrays(arrays[chosen], files=(path,), remarks=said)
    _require_as_many(arrays[label], arrays[chosen], path)
    return Arrays(arrays[chosen], arrays[label], (path,), said)


def read_cifar(archive: Path) -> Arrays:
    """The five training batches of ``cifar-10-binary.tar.gz``, read in place: (50000, 3, 32, 32) uint8.

    Raises:
        SparringError: the archive is damaged or holds something else.
    """
    batches: dict[str, bytes] = {}
    size = CIFAR_BATCH * CIFAR_RECORD
    try:
        with tarfile.open(archive, "r:gz") as files:
            for member in files:
                name = member.name.rpartition("/")[2]
                if member.isfile() and name.startswith("data_batch_") and member.size == size:
                    content = files.extractfile(member)
                    batches[name] = content.read(size) if content else b""
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise _damaged(archive, f"an archive that cannot be read ({error})", "CIFAR-10's binary archive") from None
    if len(batches) != 5:
        raise _damaged(archive, f"{len(batches)} training batches", "the 5 of CIFAR-10's binary archive")
    records = np.frombuffer(b"".join(batches[name] for name in sorted(batches)), dtype=np.uint8)
    records = records.reshape(-1, CIFAR_RECORD)
    said = "Trains on the five training batches; test_batch is left for `evaluate`."
    return Arrays(records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0], (archive,), (said,))


def class_numbers(labels: NDArray[Any], source: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels of any kind as positions in the sorted list of those that occur.

    Raises:
        SparringError: some labels are missing (NaN), or there is not exactly one for each sample.
    """
    flat = labels.reshape(len(labels), -1)
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
    values, numbers = np.unique(flat[:, 0], return_inverse=True)
    names = tuple(
        str(int(value)) if values.dtype.kind == "f" and value == int(value) else str(value) for value in values
    )
    return numbers.astype(np.int64), names


def missing_labels(missing: int, count: int, source: str) -> SparringError:
    """The one sentence for data of which only a part has labels."""
    return SparringError(
        found=f"no label for {missing:,} of {count:,} samples in {source}",
        expected="a label for each of them, or none at all",
        remedy="add the missing labels, or take those samples or the labels out",
    )


def _opened(path: Path) -> gzip.GzipFile | BufferedReader:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _labels_beside(images: Path) -> Path | None:
    plain = images.name.removesuffix(".gz")
    named = plain.replace("images", "labels").replace("idx3", "idx1")
    candidates = (images.with_name(name) for name in (named, f"{named}.gz") if name != plain)
    return next((path for path in candidates if path.is_file()), None)


def _require_as_many(labels: NDArray[Any], samples: NDArray[Any], path: Path) -> None:
    if labels.ndim == 0 or len(labels) != len(samples):
        count = len(labels) if labels.ndim else 0
        raise SparringError(
            found=f"{count:,} labels in {path} for {len(samples):,} samples",
            expected="a label for each sample",
            remedy="check that both belong together",
        )


def _damaged(path: Path, found: str, expected: str) -> SparringError:
    return SparringError(found=f"{found} in {path}", expected=expected, remedy="copy or download the file again")
