"""Files of tensors are read as they were written, and refused if they are anything else."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from safetensors.torch import load, save

from sparring.errors import SparringError
from sparring.tensor_files import DTYPES, read_signed, read_tensors, shapes_in, signed

TENSORS = {
    "weight": torch.arange(6.0).reshape(2, 3),
    "empty": torch.zeros(0, 4),
    "one": torch.tensor(7),
    **{f"as {name}": torch.ones(3).to(dtype) for name, dtype in DTYPES.items()},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(save(TENSORS))
    return tmp_path / "file"


def header(tensors: dict[str, Any], values: int, length: int | None = None) -> bytes:
    content = json.dumps(tensors).encode()
    return struct.pack("<Q", len(content) if length is None else length) + content + bytes(values)


def one(dtype: str = "F32", shape: tuple[int, ...] = (2,), offsets: tuple[int, int] = (0, 8)) -> dict[str, Any]:
    return {"a": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


def test_tensors_are_those_of_the_reference_reader(file: Path) -> None:
    found, expected = read_tensors(file), load(file.read_bytes())
    assert found.keys() == expected.keys() == shapes_in(file).keys()
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor) and found[name].dtype == tensor.dtype
        assert shapes_in(file)[name] == tuple(tensor.shape)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1234567",
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 0),
        header({}, 3),
        header([], 0),
        header(one(), 7),
        header(one(), 9),
        header(one(), 8, length=5),
        header(one("F99"), 8),
        header(one("F32", (3,)), 8),
        header(one("F32", (2**40, 2**40)), 8),
        header(one("F32", (-2,)), 8),
        header(one("F32", (2,), (8, 0)), 8),
        header(one("F32", (2,), (4, 12)), 12),
        header(one() | {"b": one()["a"]}, 16),
        header(one() | {"b": 3}, 8),
        header({"a": {"dtype": "F32"}}, 8),
        struct.pack("<Q", 200_000) + b"[" * 200_000,
    ],
)
def test_a_file_that_does_not_describe_its_content_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    for read in (read_tensors, shapes_in):
        with pytest.raises(SparringError):
            read(tmp_path / "file")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(some.binary(max_size=300), some.integers(0, 400))
def test_random_bytes_never_end_in_another_error(file: Path, noise: bytes, place: int) -> None:
    content = save(TENSORS)
    damaged = file.with_name("damaged")
    damaged.write_bytes(content[:place] + noise + content[place + len(noise) :])
    try:
        read_tensors(damaged)
    except SparringError:
        return


def test_a_file_with_another_digest_is_refused(file: Path) -> None:
    with pytest.raises(SparringError, match="SHA-256"):
        read_tensors(file, digest="0" * 64)


def test_values_that_are_not_aligned_are_read(tmp_path: Path) -> None:
    tensors = {"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}
    tensors |= {name: {"dtype": "F32", "shape": [1], "data_offsets": [at, at + 4]} for name, at in (("b", 1), ("c", 5))}
    (tmp_path / "file").write_bytes(header(tensors, 0) + b"\x07" + struct.pack("<2f", 2.5, 3))
    assert {name: float(value) for name, value in read_tensors(tmp_path / "file").items()} == {"a": 7, "b": 2.5, "c": 3}


def test_signed_tensors_are_read_for_their_key_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    content = signed({"a": torch.ones(3), "b": torch.zeros(2, dtype=torch.int64)}, "key")
    path.write_bytes(content)
    assert torch.equal(read_signed(path, "key")["a"], torch.ones(3))
    with pytest.raises(SparringError, match="SHA-256"):
        read_signed(path, "other")
    for place in range(0, len(content), 7):
        damaged = bytearray(content)
        damaged[place] ^= 4
        path.write_bytes(damaged)
        with pytest.raises(SparringError):
            read_signed(path, "key")
    path.write_bytes(save({"a": torch.ones(3)}))
    with pytest.raises(SparringError):
        read_signed(path, "key")
