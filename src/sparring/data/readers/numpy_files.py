"""NumPy's .npy and .npz files. Only headers are read at first, so that no size or type in them can do harm."""

import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any, final

import numpy as np

from sparring.data.readers import stored
from sparring.data.readers.arrays import Arrays, require_equal_counts
from sparring.data.readers.stored import Stored, StoredArray
from sparring.data.readers.zips import require_small_directory
from sparring.errors import damaged, reading_file

SAMPLE_NAMES = ("images", "image", "x", "x_train", "train_images", "samples", "data", "arr_0")
"""Names of the samples in an .npz file, the preferred first, in lower case."""
LABEL_NAMES = ("labels", "label", "y", "y_train", "train_labels", "targets")
"""Names of the labels in an .npz file, the preferred first, in lower case."""
EXPECTED = "arrays of numbers"
MAGIC = b"\x93NUMPY"
MAX_HEADER_BYTES = 10_000
LOCAL_HEADER_BYTES = 30
"""Size of the header before each member of a zip archive, without the name and the extra field."""


@final
@dataclass(frozen=True)
class Header:
    """Header of an array.

    Args:
        shape: of the array.
        fortran: whether the first index runs fastest.
        dtype: type of its numbers.
        offset: bytes of the header.
    """

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    offset: int


def shape_of(path: Path) -> tuple[int, ...] | None:
    """Return the shape of the array in a .npy file, from its header; None if there is none."""
    try:
        with path.open("rb") as file:
            return _header(file, str(path)).shape
    except Exception:
        return None  # Whatever it is, it is no array; reading it says why.


def read_numpy(path: Path) -> Arrays:
    """Read a .npy file, or the samples and labels of an .npz file.

    Samples of an .npz file are found by name (images, x, x_train, …), or are the only array of three or more
    dimensions.

    Raises:
        SparringError: the file is damaged, holds Python objects, or has several arrays that could be the samples.
    """
    with reading_file(path, EXPECTED):
        with path.open("rb") as file:
            is_archive = file.read(2) == b"PK"
        found = _from_npz(path) if is_archive else Arrays(_from_npy(path), files=(path,))
    return found


def _from_npy(path: Path) -> Stored:
    with path.open("rb") as file:
        header = _header(file, str(path))
    size = stored.require_plausible(header.dtype, header.shape, str(path))
    present = path.stat().st_size - header.offset
    if present != size:
        raise damaged(path, f"{present:,} bytes of data", f"{size:,}, as its header says")
    if header.fortran or not header.shape:
        return np.load(path, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]
    whole = StoredArray(path, header.offset, header.dtype, header.shape)
    return np.asarray(whole) if size <= stored.MAX_BYTES_IN_MEMORY else whole


def _from_npz(path: Path) -> Arrays:
    require_small_directory(path)
    with zipfile.ZipFile(path) as archive:
        # Headers of all arrays, by name without ".npy".
        headers: dict[str, Header] = {}
        for member in archive.infolist():
            with archive.open(member) as file:
                headers[member.filename.removesuffix(".npy")] = _header(file, str(path))
        chosen, label = _chosen(headers, path)
        unused = sorted(set(headers) - {chosen, label})
        remarks = (f"Trains on the array '{chosen}'; not used: {', '.join(unused)}.",) if unused else ()
        samples = _member(archive, path, chosen, headers[chosen])
        if label is None:
            return Arrays(samples, files=(path,), remarks=remarks)
        require_equal_counts(headers[label].shape, headers[chosen].shape, path)
        labels = np.asarray(_member(archive, path, label, headers[label]))
        return Arrays(samples, labels, (path,), remarks)


def _chosen(headers: Mapping[str, Header], path: Path) -> tuple[str, str | None]:
    """Return the names of the samples and of the labels."""
    # Samples: by name, else the only array that can hold images.
    names = {name.lower(): name for name in headers}
    candidates = [name for name, header in headers.items() if len(header.shape) >= 3]
    chosen = next((names[name] for name in SAMPLE_NAMES if names.get(name) in candidates), None)
    if chosen is None and len(candidates) == 1:
        chosen = candidates[0]
    if chosen is None:
        content = ", ".join(f"{name} {header.shape}" for name, header in list(headers.items())[:10]) or "nothing"
        raise damaged(
            path,
            f"an archive that holds {content}",
            "an array of images called 'images' or 'x'",
            "save the images under one of these names: np.savez(path, images=array)",
        )
    return chosen, next((names[name] for name in LABEL_NAMES if names.get(name, chosen) != chosen), None)


def _member(archive: zipfile.ZipFile, path: Path, name: str, header: Header) -> Stored:
    """Read an array of an archive; a large one that is not compressed stays in its file."""
    member = archive.getinfo(f"{name}.npy" if f"{name}.npy" in archive.namelist() else name)
    size = stored.require_plausible(header.dtype, header.shape, f"{path} ({name})")
    if member.file_size - header.offset != size:
        raise damaged(path, f"{member.file_size - header.offset:,} bytes of '{name}'", f"{size:,} of its header")
    if header.fortran:
        if size > 4 * stored.MAX_BYTES_IN_MEMORY:
            raise damaged(
                path,
                f"the large array '{name}' in Fortran order",
                "C order",
                "save np.ascontiguousarray(array) in its place",
            )
        with archive.open(member) as file:
            file.read(header.offset)
            flat = np.frombuffer(stored.exactly(file, size), header.dtype)
        return flat.reshape(header.shape, order="F")
    if size > stored.MAX_BYTES_IN_MEMORY and member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & 1:
        start = _start(path, member)
        return StoredArray(path, start + header.offset, header.dtype, header.shape)
    with archive.open(member) as file:
        file.read(header.offset)
        return stored.inflated(file, path, name, member.compress_size, header.dtype, header.shape)


def _start(path: Path, member: zipfile.ZipInfo) -> int:
    """Return the offset of a member's content in the archive."""
    with path.open("rb") as file:
        file.seek(member.header_offset)
        fields = stored.exactly(file, LOCAL_HEADER_BYTES)
    name, extra = struct.unpack("<HH", fields[26:30])
    return int(member.header_offset + LOCAL_HEADER_BYTES + name + extra)


def _header(file: IO[bytes], place: str) -> Header:
    """Read the header of an array: the magic string, the version, the length of a text, and the text.

    Raises:
        SparringError: it is the header of Python objects, or none.
    """
    start = file.read(8)
    if not start.startswith(MAGIC) or len(start) < 8:
        raise damaged(place, "Python objects, or no array at all", EXPECTED)
    major = start[6]
    length_bytes = 2 if major == 1 else 4
    length = int.from_bytes(stored.exactly(file, length_bytes), "little")
    if length > MAX_HEADER_BYTES:
        raise damaged(place, f"a header of {length:,} bytes", f"one of at most {MAX_HEADER_BYTES:,}")

    # NumPy's own reader understands the text, as a literal without any code.
    header = BytesIO(length.to_bytes(length_bytes, "little") + stored.exactly(file, length))
    read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(header, max_header_size=MAX_HEADER_BYTES)
    if dtype.hasobject:
        raise damaged(place, "an array of Python objects", EXPECTED, "save it as an array of numbers, such as uint8")
    return Header(tuple(int(side) for side in shape), bool(fortran), dtype, 8 + length_bytes + length)
