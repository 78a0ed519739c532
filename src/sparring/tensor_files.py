"""Files of tensors in the safetensors format, read without trusting them: sizes are checked before memory is taken.

A file is 8 bytes with the length of the header, the header (JSON: name → type, shape and offsets), and the values.
"""

import json
import math
import os
from collections.abc import Mapping
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import torch
from pydantic import Field
from safetensors.torch import save
from torch import Tensor, nn

from sparring import opening
from sparring.errors import SparringError
from sparring.schema import Count, Stored, validated
from sparring.storage import parsed_json

MAX_HEADER_BYTES = 16 * 1024 * 1024
MAX_BYTES = 2**40
"""Size above which a file of tensors is refused."""
DTYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
}
"""Types of tensors that are read."""
DIGEST = "sha256"
"""Key of the header's metadata that holds the digest of ``signed``."""

Shapes: TypeAlias = dict[str, tuple[int, ...]]
"""Name of a tensor → its shape."""
Value = TypeVar("Value")


class Entry(Stored):
    """Description of one tensor in the header."""

    dtype: str
    shape: Annotated[tuple[Count, ...], Field(max_length=16)]
    data_offsets: tuple[Count, Count]


def named_tensors(modules: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Return the weights and buffers of modules, each named by what stands for its module and its key there."""
    return {f"{start}{key}": value for start, module in modules.items() for key, value in module.state_dict().items()}


def below(named: Mapping[str, Value], start: str) -> dict[str, Value]:
    """Return what is named ``start``…, by the rest of the name."""
    return {name.removeprefix(start): value for name, value in named.items() if name.startswith(start)}


def shapes_of(tensors: Mapping[str, Tensor]) -> Shapes:
    """Return the shape of each tensor."""
    return {name: tuple(part.shape) for name, part in tensors.items()}


def shapes_in(path: Path) -> Shapes:
    """Return the names and shapes of the tensors in a file, of which only the header is read.

    Raises:
        SparringError: the file cannot be read, or its header does not describe its content.
    """
    try:
        with opening.reading(path) as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            header = file.read(min(length, MAX_HEADER_BYTES)) if length <= size - 8 else b""
    except OSError as error:
        raise _unreadable(path, error.strerror or error) from None
    entries, _ = _entries(header, length, size, path)
    return {name: entry.shape for name, entry in entries.items()}


def read_tensors(path: Path, *, size: int = MAX_BYTES, digest: str | None = None) -> dict[str, Tensor]:
    """Return the tensors of a file, on the CPU.

    Args:
        path: of the file.
        size: bytes that it may have.
        digest: SHA-256 that the whole file must have, in hexadecimal; None if it is not known.

    Raises:
        SparringError: the file cannot be read, has another digest, or is no safetensors file.
    """
    content = _content(path, size)
    if digest is not None and sha256(content).hexdigest() != digest:
        raise _unreadable(path, "its SHA-256 is not the one that was written")
    return tensors_of(content, path)


def tensors_of(content: bytearray, path: Path) -> dict[str, Tensor]:
    """Return the tensors in the ``content`` of a file, whose memory they share.

    Raises:
        SparringError: it is no safetensors file.
    """
    length = int.from_bytes(content[:8], "little")
    entries, start = _entries(bytes(content[8 : 8 + min(length, MAX_HEADER_BYTES)]), length, len(content), path)
    found = {}
    for name, entry in entries.items():
        dtype, count = DTYPES[entry.dtype], math.prod(entry.shape)
        begin = start + entry.data_offsets[0]
        memory = content
        if begin % dtype.itemsize:  # Only files of other writers are not aligned.
            memory, begin = content[begin : start + entry.data_offsets[1]], 0
        values = torch.frombuffer(memory, dtype=dtype, count=count, offset=begin) if count else torch.empty(0)
        found[name] = values.to(dtype).reshape(entry.shape)
    return found


def signed(tensors: Mapping[str, Tensor], key: str) -> bytes:
    """Return a file of tensors with a digest of ``key``, names, types, shapes and values, for ``read_signed``."""
    return save(dict(tensors), metadata={DIGEST: _digest(tensors, key)})


def read_signed(path: Path, key: str) -> dict[str, Tensor]:
    """Return the tensors of a file that ``signed`` made for the same ``key``.

    Raises:
        SparringError: it is damaged, was made for another key, or cannot be read.
    """
    content = _content(path, MAX_BYTES)
    found = tensors_of(content, path)
    length = int.from_bytes(content[:8], "little")
    written = json.loads(content[8 : 8 + length]).get("__metadata__", {})
    if written != {DIGEST: _digest(found, key)}:
        raise _unreadable(path, "its SHA-256 is not the one that was written")
    return found


def _content(path: Path, limit: int) -> bytearray:
    try:
        return opening.file_bytes(path, limit)
    except (OSError, MemoryError) as error:
        raise _unreadable(path, error) from None


def _digest(tensors: Mapping[str, Tensor], key: str) -> str:
    found = sha256(key.encode())
    for name in sorted(tensors):
        part = tensors[name].detach().cpu().contiguous()
        found.update(f"\n{name}\n{part.dtype}{tuple(part.shape)}".encode())
        found.update(part.reshape(-1).view(torch.uint8).numpy().data if part.numel() else b"")
    return found.hexdigest()


def _entries(header: bytes, length: int, size: int, path: Path) -> tuple[dict[str, Entry], int]:
    """Return the entries of a header of ``length`` bytes in a file of ``size`` bytes, and where the values begin.

    They must fill the rest of the file without gap or overlap, each with the bytes that its type and shape need.
    """
    if not len(header) == length > 0:
        raise _unreadable(path, f"a header of {length:,} bytes in {size:,}")
    try:
        content = parsed_json(header.decode())
    except ValueError as error:
        raise _unreadable(path, error) from None
    if not isinstance(content, dict):
        raise _unreadable(path, "a header that is no object")
    content.pop("__metadata__", None)
    entries = validated(dict[str, Entry], content, path)
    for entry in entries.values():
        begin, end = entry.data_offsets
        dtype = DTYPES.get(entry.dtype)
        if dtype is None or end - begin != math.prod(entry.shape) * dtype.itemsize:
            raise _unreadable(path, f"{entry.dtype[:20]!r} of shape {entry.shape} in {end - begin:,} bytes")
    spans = [(0, 0), *sorted(entry.data_offsets for entry in entries.values()), (size - 8 - length, 0)]
    if any(end != begin for (_, end), (begin, _) in pairwise(spans)):
        raise _unreadable(path, "tensors that do not fill the file")
    return entries, 8 + length


def _unreadable(path: Path, reason: object) -> SparringError:
    return SparringError(
        found=f"tensors in {path} that cannot be read ({reason})",
        expected="safetensors as they were written",
        remedy="copy the file again",
    )
