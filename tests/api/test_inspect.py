"""`sparring inspect` describes data and the training run that would follow."""

import json

import numpy as np
import pytest
from PIL import Image

from sparring.api.inspect import inspect
from sparring.errors import SparringError
from sparring.training.trainer import Trainer


@pytest.fixture(autouse=True)
def cache_here(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path_factory.mktemp("cache")))


def two_classes(folder, count=20):
    rng = np.random.default_rng(0)
    for name, shade in (("dark", 0), ("light", 200)):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(shade, shade + 55, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def test_the_lines_describe_data_and_training(tmp_path):
    folder = two_classes(tmp_path / "in")
    (folder / "dark" / "bad.png").write_bytes(b"")
    found = inspect(str(folder), device="cpu", measure=False)
    text = "\n".join(found.lines())
    for part in (
        "40 images, most of shape 3 × 32 × 32",
        "sizes: 32 × 32 (40)",
        "classes: dark (20), light (20)",
        "unreadable: 1",
        "dark/bad.png: an empty file",
        "duplicates: 0",
        "held out: 4",
        "would train images/",
        "resolution = ",
    ):
        assert part in text, part
    # One size and classes of one size need no line.
    assert "different sizes" not in text and "class over" not in text and found.facts.details["balance"] == 1
    assert found.training.obstacle is None and found.training.shape == (3, 32, 32)


def test_json_contains_all_details(tmp_path):
    folder = two_classes(tmp_path / "in")
    for number in range(15):
        (folder / "dark" / f"bad {number}.png").write_bytes(b"")
    found = inspect(str(folder), json=tmp_path / "facts.json", device="cpu", measure=False)
    written = json.loads((tmp_path / "facts.json").read_text())
    assert written == {"software": "sparring"} | json.loads(json.dumps(found.as_json()))
    assert len(written["facts"]["details"]["unreadable"]) == 15
    assert sum("an empty file" in line for line in found.lines()) == 10
    assert any("and 5 more" in line for line in found.lines())
    assert written["training"]["choices"]["batch"]["reason"]


def test_the_sheet_has_rows_per_class_with_its_name(tmp_path):
    inspect(str(two_classes(tmp_path / "in")), sheet=tmp_path / "sheet.png", device="cpu", measure=False)
    with Image.open(tmp_path / "sheet.png") as sheet:
        pixels = np.asarray(sheet).astype(float)
    assert pixels.shape[0] > 2 * 66 and pixels.shape[1] > 8 * 66 + 2
    half = pixels.shape[0] // 2
    assert pixels[:half, -100:].mean() < 100 < 180 < pixels[half:, -100:].mean()
    assert (pixels[:66, :20] < 50).any()


def test_a_sheet_replaces_no_file_beside_it(tmp_path):
    """A sheet of a table is a table, and takes its ending; that of images is written at once under its own name."""
    table, picture = tmp_path / "people.csv", tmp_path / "sheet.png"
    table.write_text("age,pay\n" + "".join(f"{20 + row},{row * 13 % 70}\n" for row in range(60)))
    before = table.read_bytes()
    with pytest.raises(SparringError, match=r"the file .*people.csv, which sparring has not written"):
        inspect(str(table), sheet=table.with_suffix(".png"), device="cpu", measure=False)
    assert table.read_bytes() == before
    picture.write_bytes(b"mine")
    inspect(str(two_classes(tmp_path / "in")), sheet=tmp_path / "sheet.jpg", device="cpu", measure=False)
    assert picture.read_bytes() == b"mine" and (tmp_path / "sheet.jpg").read_bytes()[1:4] == b"PNG"


def test_the_sheet_of_classes_without_a_font_has_a_legend(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sparring.rendering.grids._chinese_font", lambda: None)
    (two_classes(tmp_path / "in") / "dark").rename(tmp_path / "in" / "猫")
    inspect(str(tmp_path / "in"), sheet=tmp_path / "sheet.png", device="cpu", measure=False)
    assert "Classes: 1: 猫." in capsys.readouterr().err


def test_data_in_memory_is_named_so(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (8, 8, 8), dtype=np.uint8)
    assert inspect(pictures, device="cpu", measure=False).lines()[0].startswith("the data in memory: 8 images")
    with pytest.raises(SparringError, match="1 readable image in the data in memory"):
        inspect(pictures[:1], device="cpu", measure=False)


def test_a_sheet_without_classes_shows_at_most_64(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.random.default_rng(0).integers(0, 255, (100, 32, 32), dtype=np.uint8))
    inspect(str(tmp_path / "a.npz"), sheet=tmp_path / "sheet.png", device="cpu", measure=False)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (8 * 66 + 2, 8 * 66 + 2)


def test_points_can_be_inspected_too(tmp_path):
    found = inspect("ring", sheet=tmp_path / "sheet.png", device="cpu", measure=False)
    assert any("would train points/" in line for line in found.lines())
    assert (tmp_path / "sheet.png").exists()


def test_time_and_memory_are_measured():
    found = inspect("ring", device="cpu")
    assert found.training.seconds > 0 and found.training.memory > 50 * 2**20
    text = "\n".join(found.lines())
    assert "expected time: " in text and "expected memory: " in text


def test_a_recipe_for_other_data_is_reported_in_one_sentence(tmp_path):
    with pytest.raises(SparringError, match="expected points, which is what the recipe points/ring is for"):
        inspect(str(two_classes(tmp_path / "in")), recipe="points/ring", measure=False)


def test_too_few_samples_for_a_batch_are_reported(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.random.default_rng(0).integers(0, 255, (3, 32, 32), dtype=np.uint8))
    found = inspect(str(tmp_path / "a.npz"), device="cpu", measure=False)
    if found.training.batch > 3:
        assert "fewer than a batch" in found.training.obstacle
    else:
        assert found.training.obstacle is None


def test_the_expected_time_is_that_of_the_fastest_step(monkeypatch):
    """Other programs that take the processor for a while do not change it."""
    now, steps = [0.0], iter([9.0, 0.5, 5.0, 0.25, 3.0])

    def advance(self: Trainer) -> None:
        now[0] += next(steps)
        self.samples += 64

    monkeypatch.setattr(Trainer, "advance", advance)
    monkeypatch.setattr("sparring.api.inspect.MAX_STEPS", 4)
    monkeypatch.setattr("sparring.api.inspect.MEASURING_SECONDS", 100.0)
    for clock in ("process_time", "perf_counter"):
        monkeypatch.setattr(f"sparring.api.inspect.time.{clock}", lambda: now[0])
    found = inspect("ring", device="cpu").training
    assert found.seconds == 0.25 / 64 * found.samples
