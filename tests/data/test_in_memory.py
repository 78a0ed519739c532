"""Data in memory becomes a file in the cache, under its content."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sparring.data.in_memory import source_of
from sparring.errors import SparringError
from sparring.modalities.images.data import survey


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "cache"))


def noise(count=4, *shape):
    return np.random.default_rng(0).integers(0, 256, (count, *(shape or (8, 8))), dtype=np.uint8)


class Frame:
    """Data frame with the methods of pandas."""

    def __init__(self, columns):
        self.columns = list(columns)
        self.values = np.stack([np.array(columns[name]) for name in columns], 1)

    def __array__(self, dtype=None, copy=None):
        return self.values.astype(dtype)

    def to_csv(self, path=None, *, index=True):
        content = io.StringIO()
        np.savetxt(content, self.values, "%s", ",", header=",".join(self.columns), comments="")
        return content.getvalue() if not index else ",index\n"


class LazyFrame(Frame):
    """Data frame with the methods of Polars."""

    def write_csv(self, file=None):
        return self.to_csv(index=False)


def test_paths_and_names_stay_as_they_are(tmp_path):
    assert source_of("digits") == "digits" and source_of(tmp_path) == str(tmp_path)


def test_an_array_becomes_one_file_that_is_written_once():
    path = Path(source_of(noise()))
    written = path.stat().st_mtime_ns
    assert path.suffix == ".npy" and np.array_equal(np.load(path), noise())
    assert source_of(noise()) == str(path) and path.stat().st_mtime_ns == written
    assert source_of(noise() ^ 1) != str(path)
    path.write_bytes(b"damaged")
    assert np.array_equal(np.load(source_of(noise())), noise())
    assert len(list(path.parent.iterdir())) == 2


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32, torch.bfloat16])
def test_tensors_are_arrays(kind):
    tensor = torch.from_numpy(noise(4, 3, 8, 8)).to(kind).requires_grad_(kind.is_floating_point)
    assert np.load(source_of(tensor)).shape == (4, 3, 8, 8)
    assert np.load(source_of([*tensor])).shape == (4, 3, 8, 8)


def test_pictures_of_several_sizes_become_an_archive():
    pictures = [Image.fromarray(noise(1, side, 9)[0]) for side in (5, 6, 7)]
    path = source_of([*pictures, np.zeros((4, 4, 3), np.uint8), Image.new("CMYK", (3, 3))])
    assert path.endswith(".zip") and survey(path).facts.count == 5
    assert source_of(pictures) == source_of(tuple(pictures))


def test_labels_go_with_the_samples():
    labels = ["cat", "dog", "cat", "dog"]
    for data in ((noise(), labels), (list(map(Image.fromarray, noise())), labels)):
        assert survey(source_of(data)).facts.details["classes"] == {"cat": 2, "dog": 2}
    assert survey(source_of((noise(), torch.tensor([1, 0, 1, 2])))).facts.classes == ("0", "1", "2")
    with pytest.raises(SparringError, match="3 labels for 4 samples"):
        source_of((noise(), [1, 2, 3]))


@pytest.mark.parametrize("frame", [Frame, LazyFrame])
def test_data_frames_become_tables_without_an_index(frame):
    path = Path(source_of(frame({"x": [1.5, 2.0], "y": [3.0, 4.0]})))
    assert path.suffix == ".csv" and path.read_text().splitlines() == ["x,y", "1.5,3.0", "2.0,4.0"]
    with pytest.raises(SparringError, match=r"other values than numbers \(columns name\)"):
        source_of(frame({"name": ["a", "b"]}))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "None as the data"),
        (3, "a value of type int as the data"),
        ([], "no samples: a list of 0 values"),
        (["a.png", "b.png"], r"a list of 2 values \(str, …\)"),
        (np.array([{}, None]), "an array of object"),
        (np.zeros((0, 8, 8)), r"no samples: an array of float64 and shape \(0, 8, 8\)"),
        (Image.new("L", (8, 8)), "a value of type Image"),
        ([Image.new("L", (8, 8)), "x.png"], "a value of type str in a list of pictures"),
        ([np.zeros((4, 4)), np.zeros((5, 5))], r"an array of float64 and shape \(4, 4\) in a list of pictures"),
        ([[1, 2], [3]], "a list of 2 values"),
        ("", "'' as the data.* a single dot means the current folder"),
        ("  ", "as the data"),
        ("a\udcff", "valid UTF-8"),
        ("a\0b", "as the data"),
    ],
)
def test_anything_else_is_refused_in_one_sentence(data, message):
    with pytest.raises(SparringError, match=message):
        source_of(data)
    assert not Path(zipfile.os.environ["SPARRING_CACHE"]).exists()


@pytest.mark.parametrize("name", ["x.npy", "x.csv", "x-idx3-ubyte", "x.parquet", "x.zip"])
def test_a_pipe_or_a_device_as_data_is_refused_before_it_is_opened(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(SparringError, match="no regular file"):
        source_of(tmp_path / name)
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(SparringError, match="no regular file"):
        source_of(tmp_path / name)
