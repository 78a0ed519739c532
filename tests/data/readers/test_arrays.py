import gzip
import io
import struct
import tarfile

import numpy as np
import pytest

from sparring.data.catalogue import CIFAR_LAYOUT
from sparring.data.readers import arrays, numpy_files
from sparring.errors import SparringError


def idx(array):
    codes = {"uint8": 8, "int8": 9, "int16": 11, "int32": 12, "float32": 13, "float64": 14}
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, codes[array.dtype.name], array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("kind", ["uint8", "int8", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("compressed", [False, True])
def test_idx_of_every_type_is_read(tmp_path, kind, compressed):
    array = np.arange(24).reshape(4, 3, 2).astype(kind)
    path = tmp_path / "some-idx3-ubyte"
    path.write_bytes(gzip.compress(idx(array)) if compressed else idx(array))
    assert np.array_equal(arrays.read_idx(path), array)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Found a file that starts with nothing"),
        (b"\x89PNG\r\n", "Found a file that starts with 89 50 4e 47"),
        (b"\0\0\x08\x03\0\0", "Found an IDX file cut short in its header"),
        (idx(np.zeros((4, 3, 2), np.uint8))[:-1], "Found 23 bytes of data .* expected 24, as its header says"),
        (idx(np.zeros((4, 3, 2), np.uint8)) + b"x", "Found more than 24 bytes"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "announces .* GiB .* expected at most 16 GiB"),
        (gzip.compress(idx(np.zeros((40, 30, 20), np.uint8)), mtime=0)[:-20], "cannot be read"),
    ],
)
def test_damaged_idx_is_reported_in_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "bad-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(SparringError, match=sentence):
        arrays.read_idx(path)


def test_labels_are_found_by_file_name(tmp_path):
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros((3, 2, 2), np.uint8)))
    assert arrays.read_idx_pair(tmp_path / "t10k-images-idx3-ubyte").labels is None
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.array([2, 0, 1], np.uint8))))
    assert arrays.read_idx_pair(tmp_path / "t10k-images-idx3-ubyte").labels.tolist() == [2, 0, 1]


def test_the_training_part_of_an_idx_folder_is_read(tmp_path):
    for part, count in (("train", 4), ("t10k", 2)):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(np.zeros((count, 2, 2), np.uint8)))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.zeros(count, np.uint8)))
    found = arrays.read_idx_folder(tmp_path)
    assert len(found.samples) == len(found.labels) == 4
    assert found.remarks == (
        "Trains on train-images-idx3-ubyte; kept for `sparring evaluate`: t10k-images-idx3-ubyte.",
    )


def test_unequal_counts_are_reported_in_one_sentence(tmp_path):
    (tmp_path / "a-images-idx3-ubyte").write_bytes(idx(np.zeros((3, 2, 2), np.uint8)))
    (tmp_path / "a-labels-idx1-ubyte").write_bytes(idx(np.zeros(2, np.uint8)))
    with pytest.raises(SparringError, match=r"Found 2 labels .* for 3 samples, but expected a label for each"):
        arrays.read_idx_pair(tmp_path / "a-images-idx3-ubyte")


def test_hidden_files_beside_idx_files_are_left_out(tmp_path):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(np.zeros((3, 2, 2), np.uint8)))
    (tmp_path / "._train-images-idx3-ubyte").write_bytes(b"AppleDouble")
    assert arrays.read_idx_folder(tmp_path).files == (tmp_path / "train-images-idx3-ubyte",)


def test_ambiguous_idx_files_are_reported_in_one_sentence(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}-images-idx3-ubyte").write_bytes(idx(np.zeros((3, 2, 2), np.uint8)))
    with pytest.raises(SparringError, match=r"Found 2 files of images .* expected one whose name contains 'train'"):
        arrays.read_idx_folder(tmp_path)


def test_numpy_files_are_read(tmp_path):
    images, labels = np.zeros((5, 4, 4), np.uint8), np.arange(5)
    np.save(tmp_path / "a.npy", images)
    assert numpy_files.read_numpy(tmp_path / "a.npy").samples.shape == (5, 4, 4)
    assert len(numpy_files.shape_of(tmp_path / "a.npy") or ()) == 3
    for names in (("x", "y"), ("images", "labels"), ("photos", "label"), ("X_train", "y_train")):
        np.savez(tmp_path / "a.npz", **dict(zip(names, (images, labels), strict=True)))
        assert numpy_files.read_numpy(tmp_path / "a.npz").labels.tolist() == [0, 1, 2, 3, 4]


def test_unused_arrays_of_an_archive_are_reported(tmp_path):
    images = np.zeros((5, 4, 4), np.uint8)
    np.savez(tmp_path / "a.npz", x_train=images, x_test=images)
    assert numpy_files.read_numpy(tmp_path / "a.npz").remarks == ("Trains on the array 'x_train'; not used: x_test.",)


def test_python_objects_are_never_loaded(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}, []], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "a.npz", x=np.array([{}, []], dtype=object), allow_pickle=True)
    for name in ("a.npy", "a.npz"):
        with pytest.raises(
            SparringError, match=r"Found an array of Python objects in .* expected arrays of numbers.* Save it"
        ):
            numpy_files.read_numpy(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04nonsense", b"\x93NUMPY\x01\x00"])
@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_damaged_numpy_is_reported_in_one_sentence(tmp_path, content, suffix):
    path = tmp_path / f"bad.{suffix}"
    path.write_bytes(content)
    with pytest.raises(SparringError, match=r"in .*bad.*, but expected arrays of numbers"):
        numpy_files.read_numpy(path)
    assert numpy_files.shape_of(path) is None


def test_ambiguous_arrays_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", one=np.zeros((2, 2, 2)), two=np.zeros((2, 2, 2)))
    with pytest.raises(
        SparringError,
        match=r"holds one \(2, 2, 2\), two .* an array of images called .* np.savez\(path, images=array\)",
    ):
        numpy_files.read_numpy(tmp_path / "a.npz")


def test_samples_called_labels_are_not_their_own_labels(tmp_path):
    np.savez(tmp_path / "maps.npz", labels=np.zeros((4, 8, 8), np.uint8))
    found = numpy_files.read_numpy(tmp_path / "maps.npz")
    assert found.samples.shape == (4, 8, 8) and found.labels is None


@pytest.mark.parametrize(
    ("labels", "numbers", "names"),
    [
        ([5, 7, 5], [0, 1, 0], ("5", "7")),
        ([1.0, 0.0, 1.0], [1, 0, 1], ("0", "1")),
        (["dog", "cat", "dog"], [1, 0, 1], ("cat", "dog")),
        (["10", "2", "1.5"], [2, 1, 0], ("1.5", "2", "10")),
        ([b"a\xff", b"b", b"b"], [0, 1, 1], ("a\\xff", "b")),
        ([[0, 1], [1, 0], [0, 1]], [1, 0, 1], ("0", "1")),
        ([[2], [1], [2]], [1, 0, 1], ("1", "2")),
    ],
)
def test_labels_of_any_type_become_class_numbers(labels, numbers, names):
    found = arrays.class_numbers(np.array(labels), "here")
    assert found[0].tolist() == numbers and found[1] == names


def test_missing_labels_are_reported_in_one_sentence():
    with pytest.raises(SparringError, match="Found no label for 1 of 3 samples in here, but expected a label for each"):
        arrays.class_numbers(np.array([1.0, np.nan, 0.0]), "here")
    with pytest.raises(SparringError, match=r"numbers with a fraction in here.*labels=False"):
        arrays.class_numbers(np.array([1.0, 0.5]), "here")
    with pytest.raises(SparringError, match=r"Found labels of shape \(3, 2\)"):
        arrays.class_numbers(np.zeros((3, 2)), "here")


def cifar(path, batches=5, content=None):
    record = np.zeros((10_000, 3073), np.uint8)
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for number in reversed(range(1, batches + 1)):
            record[:, 0], record[:, 1:] = number, 10 * number
            body = record.tobytes() if content is None else content
            member = tarfile.TarInfo(f"cifar-10-batches-bin/data_batch_{number}.bin")
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return path


def test_an_archive_of_records_is_read_in_place(tmp_path):
    found = arrays.read_records(cifar(tmp_path / "cifar-10-binary.tar.gz"), CIFAR_LAYOUT)
    assert found.samples.shape == (50_000, 3, 32, 32)
    assert found.labels[[0, 10_000, 49_999]].tolist() == [1, 2, 5]
    assert found.samples[10_000].min() == found.samples[10_000].max() == 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cifar-10-binary.tar.gz"]


def test_another_archive_is_reported_in_one_sentence(tmp_path):
    path = cifar(tmp_path / "cifar-10-binary.tar.gz", content=b"short")
    with pytest.raises(SparringError, match=r"Found 0 training files .* expected the 5 of the published archive"):
        arrays.read_records(path, CIFAR_LAYOUT)
    path.write_bytes(b"nonsense")
    with pytest.raises(SparringError, match=r"Found a file that cannot be read .*cifar-10-binary"):
        arrays.read_records(path, CIFAR_LAYOUT)
