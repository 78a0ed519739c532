"""Readers of arrays and tables within bounds: sizes are checked before anything is unpacked, damage is one sentence."""

import gzip
import struct
import zipfile

import numpy as np
import pytest

from sparring.data import memory, parallel
from sparring.data.array_file import ArrayFile
from sparring.data.readers import arrays, numpy_files, parquet, stored
from sparring.data.readers.parquet_pages import page_sizes
from sparring.data.readers.stored import StoredArray
from sparring.data.source import MAX_SAMPLES, Numbered, Source
from sparring.errors import SparringError


@pytest.fixture(autouse=True)
def small_memory(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr(stored, "MAX_BYTES_IN_MEMORY", 1000)


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


IMAGES = np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8)


def test_a_large_array_stays_in_its_file(tmp_path):
    np.save(tmp_path / "a.npy", IMAGES)
    np.savez(tmp_path / "a.npz", x=IMAGES)
    (tmp_path / "a-idx3-ubyte").write_bytes(idx(IMAGES))
    found = [
        numpy_files.read_numpy(tmp_path / "a.npy").samples,
        numpy_files.read_numpy(tmp_path / "a.npz").samples,
        arrays.read_idx(tmp_path / "a-idx3-ubyte"),
    ]
    for one in found:
        assert isinstance(one, StoredArray) and np.array_equal(one[7], IMAGES[7]) and np.array_equal(one, IMAGES)


def test_a_large_compressed_array_is_unpacked_into_the_cache(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=IMAGES)
    (tmp_path / "a-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES)))
    for one in (numpy_files.read_numpy(tmp_path / "a.npz").samples, arrays.read_idx(tmp_path / "a-idx3-ubyte.gz")):
        assert isinstance(one, ArrayFile) and np.array_equal(one, IMAGES)


def test_an_archive_that_unpacks_to_far_more_is_refused_unread(tmp_path, monkeypatch):
    empty = np.zeros((4000, 8, 8), np.uint8)
    np.savez_compressed(tmp_path / "a.npz", x=empty)
    (tmp_path / "a-idx3-ubyte.gz").write_bytes(gzip.compress(idx(empty)))
    monkeypatch.setattr(stored, "exactly", lambda file, size: file.read(size) if size < 1000 else pytest.fail("read"))
    with pytest.raises(SparringError, match=r"bytes that unpack to 256,000 in .*a.npz \(x\), but expected at most 100"):
        numpy_files.read_numpy(tmp_path / "a.npz")
    with pytest.raises(SparringError, match=r"bytes that unpack to 256,000 in .*a-idx3"):
        arrays.read_idx(tmp_path / "a-idx3-ubyte.gz")


def test_an_array_cut_short_is_refused_before_it_is_read(tmp_path):
    np.save(tmp_path / "a.npy", IMAGES)
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content[:-1])
    with pytest.raises(SparringError, match=r"Found 1,279 bytes of data in .*, but expected 1,280, as its header says"):
        numpy_files.read_numpy(tmp_path / "a.npy")


@pytest.mark.parametrize("shape", ["(-1, 8)", "(10**9,)", "(1000000000000, 8, 8)", "((((", "(" * 900])
def test_an_impossible_header_is_refused_in_one_sentence(tmp_path, shape):
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(64))
    with pytest.raises(SparringError, match=r"Found .* in .*a.npy, but expected") as caught:
        numpy_files.read_numpy(tmp_path / "a.npy")
    assert "\n" not in str(caught.value)
    assert len(numpy_files.shape_of(tmp_path / "a.npy") or ()) in (0, 2, 3)


def test_a_source_of_too_many_samples_is_refused():
    with pytest.raises(SparringError, match=r"Found 3,000,001 samples, but expected at most 3,000,000"):
        Source(Numbered("row", MAX_SAMPLES + 1), lambda position: b"", "")


def test_names_made_when_needed_are_a_sequence():
    names = Numbered("image", 3)
    assert list(names) == ["image 0", "image 1", "image 2"] and names[-1] == "image 2" and names[1:] == list(names)[1:]


def table(path, values, **options):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet as writer

    writer.write_table(arrow.table({"image": arrow.array(values, arrow.binary())}), path, **options)
    return writer.ParquetFile(path).metadata.row_group(0).column(0)


@pytest.mark.parametrize(
    "options", [{}, {"use_dictionary": False}, {"compression": "gzip", "data_page_version": "2.0"}]
)
def test_sizes_of_parquet_pages_are_those_of_the_footer(tmp_path, options):
    values = [bytes([number]) * 5000 for number in range(200)]
    chunk = table(tmp_path / "a.parquet", values, **options)
    start = min(chunk.dictionary_page_offset or chunk.data_page_offset, chunk.data_page_offset)
    sizes = list(page_sizes(tmp_path / "a.parquet", start, start + chunk.total_compressed_size))
    assert sum(sizes) <= chunk.total_uncompressed_size <= sum(sizes) + 100_000 and max(sizes) > 5000


def test_a_page_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    table(tmp_path / "a.parquet", [bytes(400_000)] * 3, use_dictionary=False, compression="gzip")
    monkeypatch.setattr(parquet, "MAX_PAGES_BYTES", 1_000_000)
    source = parquet.parquet_source(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match="a page of 1 MiB; write the file with smaller row groups"):
        source.read(0)


def test_rows_of_parquet_are_read_in_any_order(tmp_path):
    values = [bytes([number]) * 50 for number in range(40)]
    table(tmp_path / "a.parquet", values, row_group_size=15)
    source = parquet.parquet_source(tmp_path / "a.parquet")
    for position in (39, 0, 3, 2, 20, 14, 15):
        assert source.read(position) == values[position]
    assert source.names[39] == "row 39"


def test_room_bounds_what_is_decoded_at_once():
    room, used, most = memory.Room(10 * 2**20), [0], [0]

    def work(positions):
        with room.taken(4 * 2**20 if positions.start % 3 else 100 * 2**20):
            used[0] += 1
            most[0] = max(most[0], used[0])
            used[0] -= 1
        return positions.start

    assert list(parallel.in_order(work, 50, 1)) == list(range(50))
    assert most[0] <= 2
    with room.taken(10 * 2**20):
        pass


def test_encrypted_and_unknown_members_of_a_zip_are_no_traceback(tmp_path):
    np.savez(tmp_path / "a.npz", x=IMAGES)
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(SparringError, match=r"Found a file that cannot be read .* in .*a.npz"):
        numpy_files.read_numpy(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("x.npy", b"nothing")
    with pytest.raises(SparringError, match="Found Python objects, or no array at all"):
        numpy_files.read_numpy(tmp_path / "b.npz")
