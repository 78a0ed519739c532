"""Readers of arrays and tables within bounds: sizes are checked before anything is unpacked, damage is one sentence."""

import gzip
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from sparring.data import memory, parallel
from sparring.data.array_file import ArrayFile
from sparring.data.readers import arrays, numpy_files, parquet, stored, zips
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


@pytest.mark.parametrize("more", [-1, 1])
def test_an_array_of_another_size_than_its_header_says_is_refused(tmp_path, more):
    """Fewer bytes cannot be read; with more, the header is damaged, or further arrays would be left out in silence."""
    np.save(tmp_path / "a.npy", IMAGES)
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes((content + b"?")[: len(content) + more])
    found = f"Found {1280 + more:,} bytes of data in .*, but expected 1,280, as its header says"
    with pytest.raises(SparringError, match=found):
        numpy_files.read_numpy(tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.write(tmp_path / "a.npy", "x.npy")
    with pytest.raises(SparringError, match=f"Found {1280 + more:,} bytes of 'x' in .*, but expected 1,280"):
        numpy_files.read_numpy(tmp_path / "a.npz")


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


def labelled(path, labels, **options):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet as writer

    images = arrow.array([bytes([number % 256]) for number in range(len(labels))], arrow.binary())
    writer.write_table(arrow.table({"image": images, "label": labels}), path, **options)
    return path


@pytest.mark.parametrize(
    ("label", "options"),
    [
        (lambda row: "ab"[row % 2] * 300, {"use_dictionary": False, "compression": "gzip"}),
        (lambda row: [row % 2] * 200, {}),
    ],
)
def test_a_column_of_labels_that_would_take_too_much_is_not_read(tmp_path, monkeypatch, label, options):
    labelled(tmp_path / "a.parquet", [label(row) for row in range(200)], **options)
    monkeypatch.setattr(parquet, "MAX_COLUMN_BYTES", 50_000)
    monkeypatch.setattr(parquet, "_values", lambda chunk: pytest.fail("read"))
    source = parquet.parquet_source(tmp_path / "a.parquet")
    assert source.labels is None and len(source) == 200
    assert "'label' holds values of " in source.remarks[0] and "at most 50 kB are read" in source.remarks[0]


def test_a_long_label_of_many_rows_is_kept_once(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    long = arrow.DictionaryArray.from_arrays([row % 2 for row in range(2000)], ["b" * 2**18, "a" * 2**18])
    path = labelled(tmp_path / "a.parquet", long, store_schema=False)
    assert path.stat().st_size < 2**20
    tracemalloc.start()
    source = parquet.parquet_source(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(source.classes) == 2 and source.labels.tolist() == [1, 0] * 1000
    assert peak < 100 * 2**20


@pytest.mark.parametrize(
    "labels", [["a", None] * 4, [b"\xff", b"x"] * 4, [1, 0] * 4, [[0, 1], [1, 0]] * 4, [1.0, 2.0] * 4]
)
def test_labels_of_any_type_are_those_of_pyarrow(tmp_path, labels):
    path = labelled(tmp_path / "a.parquet", labels * 4, row_group_size=3)
    wanted = [value.encode() if isinstance(value, str) else value for value in labels * 4]
    assert parquet._Rows([path], "a").column("label") == wanted


def test_an_archive_with_a_huge_directory_is_refused_before_it_is_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(zips, "MAX_DIRECTORY_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(20):
            archive.writestr(f"{number}.png", b"")
    # The same directory behind a comment, and announced by the record for archives above 4 GB.
    content = (tmp_path / "a.zip").read_bytes()
    end = content.rindex(b"PK\5\6")
    size, start = struct.unpack("<II", content[end + 12 : end + 20])
    assert size > 1000
    commented = content[:-2] + struct.pack("<H", 60_000) + b"c" * 60_000
    large = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, 20, 20, size, start)
    locator = struct.pack("<IIQI", 0x07064B50, 0, end, 1)
    marked = content[end : end + 12] + struct.pack("<II", 2**32 - 1, 2**32 - 1) + content[end + 20 :]
    (tmp_path / "b.zip").write_bytes(commented)
    (tmp_path / "c.zip").write_bytes(content[:end] + large + locator + marked)
    (tmp_path / "d.npz").write_bytes(content)
    for name in ("b.zip", "c.zip", "d.npz"):
        assert len(zipfile.ZipFile(tmp_path / name).namelist()) == 20
    with monkeypatch.context() as patch:
        patch.setattr(zipfile, "ZipFile", lambda path: pytest.fail("listed"))
        for name in ("a.zip", "b.zip", "c.zip"):
            with pytest.raises(SparringError, match=r"whose list of files has 1\.\d kB, but expected at most 1\.0 kB"):
                zips.open_members(tmp_path / name)
        with pytest.raises(SparringError, match="whose list of files"):
            numpy_files.read_numpy(tmp_path / "d.npz")
    monkeypatch.setattr(zips, "MAX_DIRECTORY_BYTES", 1500)
    for name in ("a.zip", "b.zip", "c.zip"):
        assert len(zips.open_members(tmp_path / name).names) == 20


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
