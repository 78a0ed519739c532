"""Data in memory becomes a file in the cache, under its content."""

import io
import os
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from sparring.data.in_memory import source_of
from sparring.errors import SparringError, SparringWarning
from sparring.modalities.images.data import survey
from sparring.modalities.points import data as points


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "cache"))


def noise(count=4, *shape):
    return np.random.default_rng(0).integers(0, 256, (count, *(shape or (8, 8))), dtype=np.uint8)


class Frame:
    """Data frame with the methods of pandas."""

    def __init__(self, columns, kind=None):
        self.columns = list(columns)
        self.values = np.stack([np.array(columns[name], kind) for name in columns], 1)
        self.shape = self.values.shape
        self.index = SimpleNamespace(names=[None], dtype=np.dtype(int))

    @property
    def iloc(self):
        return self.values

    def reset_index(self, level=None):
        raise AssertionError

    def to_csv(self, path=None, *, index=True):
        raise AssertionError


class LazyFrame(Frame):
    """Data frame with the methods of Polars."""

    def get_columns(self):
        return list(self.values.T)

    def write_csv(self, file=None):
        raise AssertionError


class NAType:
    """Missing value, as that of pandas."""


def test_paths_and_names_stay_as_they_are(tmp_path):
    assert source_of("digits") == "digits" and source_of(tmp_path) == str(tmp_path)
    assert source_of(Path("digits")) == "./digits"


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


@pytest.mark.parametrize(
    "tensor",
    [
        torch.eye(6).to_sparse(),
        torch.eye(6).to(torch.float8_e4m3fn),
        torch.complex(torch.eye(6), -torch.eye(6)).conj().imag,
    ],
)
def test_tensors_of_other_forms_are_arrays_of_their_values(tensor: torch.Tensor) -> None:
    assert np.array_equal(np.load(source_of(tensor)), np.eye(6))


def test_pictures_of_any_mode_are_written() -> None:
    for mode in (
        "1",
        "L",
        "P",
        "RGB",
        "RGBX",
        "RGBA",
        "CMYK",
        "YCbCr",
        "LAB",
        "HSV",
        "La",
        "LA",
        "RGBa",
        "PA",
        "I",
        "F",
    ):
        assert survey(source_of([Image.new(mode, (side, 9)) for side in (5, 6, 7)])).facts.count == 3
    shades = [Image.new("RGB", (side, 8), (200, 30, 40)) for side in (8, 9, 10)]
    path = source_of([one.convert("HSV") for one in shades])
    with zipfile.ZipFile(path) as archive, Image.open(archive.open("000000.png")) as picture:
        assert np.abs(np.asarray(picture).astype(int) - (200, 30, 40)).max() < 5


def test_a_picture_that_cannot_be_written_is_named() -> None:
    content = io.BytesIO()
    Image.fromarray(noise(1, 64, 64)[0]).save(content, "PNG")
    good, cut = Image.new("RGB", (8, 8)), Image.open(io.BytesIO(content.getvalue()[:3000]))
    for bad in (Image.new("RGB", (0, 4)), cut, np.zeros((0, 5, 3), np.uint8)):
        with pytest.raises(SparringError, match=r"picture 1 of the list, of mode .* pixels, which cannot be saved as"):
            source_of([good, bad])


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


def test_masked_values_are_refused_and_an_array_without_any_is_read():
    array = np.ma.masked_array(noise(), mask=False)
    assert source_of(array) == source_of(noise())
    array[1, 2, 3] = np.ma.masked
    for data in (array, [*array], (array, [0, 1, 0, 1])):
        with pytest.raises(SparringError, match=r", 1 of them masked, .* array.filled"):
            source_of(data)


def test_a_data_frame_that_is_too_large_is_refused_before_it_is_written(tmp_path):
    class Large(Frame):
        columns = ("x",)
        shape = (200_000_000, 1)
        iloc = None
        index = SimpleNamespace(names=[None], dtype=np.dtype(int))

    with pytest.raises(SparringError, match=r"a data frame of 200,000,000 cells.*at most 100,000,000"):
        source_of(Large.__new__(Large))
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("frame", [Frame, LazyFrame])
def test_data_frames_become_tables_without_an_index(frame):
    path = Path(source_of(frame({"x": [1.5, 2.0], "y": [3.0, 4.0]})))
    assert path.suffix == ".csv" and path.read_text().splitlines() == ["x,y", "1.5,3.0", "2.0,4.0"]


def test_named_levels_of_an_index_become_columns_and_others_are_said():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"city": ["Ulm", "Rome"], "day": ["2020-01-01", "2020-01-02"], "x": [1.5, 2.0]})
    written = Path(source_of(frame.set_index(["city", "day"]))).read_text()
    assert written == Path(source_of(frame)).read_text()
    assert Path(source_of(frame[::-1])).read_text().splitlines()[1] == "Rome,2020-01-02,2.0"
    with pytest.warns(SparringWarning, match=r"no name, such as 'Ulm' in its first row, and is left out"):
        path = source_of(frame.set_index("city").rename_axis(None))
    assert Path(path).read_text().splitlines()[0] == "day,x"


@pytest.mark.parametrize(
    ("columns", "heading", "coded"),
    [
        ({0: [5, 6, 7], 1: [1, 2, 3]}, "column 0,column 1", ["column 0", "column 1"]),
        ({2001: [5, 6, 7], "": [1, 2, 3]}, "column 2001,column", ["column 2001", "column"]),
        (
            {"": [0, 1, 2], "0": [5, 6, 7], "1": [1, 2, 3]},
            "column,column 0,column 1",
            ["column", "column 0", "column 1"],
        ),
        ({"a;b": [5, 6, 7], "x, y": [1, 2, 3]}, '"a,b","x, y"', ["a,b", "x, y"]),
        ({"a\tb": [5, 6, 7], 'c"\n': [1, 2, 3]}, '"a\\tb","c""\\n"', None),
    ],
)
def test_names_of_columns_are_never_taken_for_numbers(columns, heading, coded):
    path = source_of(Frame(columns))
    found = points.survey(path)
    assert heading.replace('"a\\tb"', "a\\tb") == Path(path).read_text().splitlines()[0]
    assert found.points.shape == (3, len(columns)) and not found.facts.remarks
    assert coded is None or found.facts.coding["columns"] == coded


def test_truth_values_and_missing_ones_of_a_data_frame_are_numbers_and_rows_left_out():
    frame = Frame({"x": [True, False, True], "y": [1.5, 2, 3]}, object)
    assert np.array_equal(points.survey(source_of(frame)).points, [[1, 1.5], [0, 2], [1, 3]])
    for missing in (None, np.nan, NAType()):
        found = points.survey(source_of(Frame({"x": [1, missing, 3, 4], "y": [1.5, 2, 3, 5]}, object)))
        assert np.array_equal(found.points, [[1, 1.5], [3, 3], [4, 5]])
        assert "Left out rows: 1 with an empty cell (first in line 3)" in found.facts.remarks[-1]


def test_columns_of_text_and_dates_are_written_as_they_are():
    day = np.array(["2020-01-01", "2020-01-02"], "datetime64[D]")
    frame = Frame({"x": [1, 2], "city": ["Ulm", "Bonn, am Rhein"], "note": [None, ""], "day": list(day)}, object)
    assert Path(source_of(frame)).read_text().splitlines() == [
        "x,city,note,day",
        "1,Ulm,,2020-01-01",
        '2,"Bonn, am Rhein",,2020-01-02',
    ]
    with pytest.raises(SparringError, match=r"the column 'x' of a data frame, with values such as '\[1\]'"):
        source_of(Frame({"x": [[1], {}], "y": [1, 2]}, object))
    with pytest.raises(SparringError, match="an empty data frame"):
        source_of(Frame({"x": []}))


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
        (torch.zeros(4, 3, device="meta"), r"a tensor \(torch.float32, torch.strided, on meta\) that holds no numbers"),
        ((np.zeros((4, 3)), torch.zeros(4, device="meta")), "on meta"),
        ("", "'' as the data.* a single dot means the current folder"),
        ("  ", "as the data"),
        ("a\udcff", "valid UTF-8"),
        ("a\0b", "as the data"),
        ("a" * 5000, r"the path 'a{99} \(.*\), but expected a folder, a file or the name of a data set"),
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
