"""Output of this program is recognised among a person's data, and nothing else is ever replaced."""

import json
import zipfile

import pytest

from sparring.data.facts import Facts
from sparring.data.own_output import MARKER, earlier_files, record_own, replace_own
from sparring.data.readers.files import open_tree
from sparring.errors import SparringError
from sparring.model import Model
from sparring.recipes import find_recipe
from sparring.runs.folder import Record, create, versions


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


def write_samples(folder, *names):
    """Write samples as `sparring sample --out FOLDER` does."""
    stem = folder.with_name(f"{folder.name}-grid")
    replace_own(folder, earlier_files(folder, stem))
    touch(folder, *names)
    stem.with_suffix(".png").write_bytes(b"grid")
    record_own(folder, [folder / name for name in names], [stem.with_suffix(".png")])


def names(path):
    return [entry.name for entry in open_tree(path).entries]


def test_samples_and_their_overview_below_the_data_are_left_out(tmp_path):
    touch(tmp_path, "1.png", "cat/2.png")
    write_samples(tmp_path / "samples", "000000.png")
    write_samples(tmp_path / "cat" / "made", "000000.png")
    assert names(tmp_path) == ["1.png", "cat/2.png"]
    assert open_tree(tmp_path).own == ("cat/made/", "samples/")


def test_a_folder_of_samples_that_is_given_itself_is_read(tmp_path):
    write_samples(tmp_path / "samples", "000000.png")
    assert names(tmp_path / "samples") == ["000000.png"] and open_tree(tmp_path / "samples").own == ()


def test_runs_and_published_models_below_the_data_are_left_out(tmp_path):
    facts = Facts("ring", "points", 100, (2,), "0" * 64, coding={"scale": 1.0})
    recipe = find_recipe("points/ring").model_copy(update={"width": 8})
    create(
        tmp_path / "runs" / "photos-001", Record("points/ring", {}, facts, 0, 64, None, None, "cpu", None, versions())
    )
    Model(recipe.game(facts), recipe, "points/ring", facts, {}).save_pretrained(tmp_path / "published")
    touch(tmp_path, "1.png", "runs/photos-001/samples/000000.png")
    touch(tmp_path, "published/example.png", "mine/recipe.json", "mine/2.png")
    assert names(tmp_path) == ["1.png", "mine/2.png", "mine/recipe.json"]
    assert open_tree(tmp_path).own == ("published/", "runs/photos-001/")


def test_the_cache_below_the_data_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "cache"))
    touch(tmp_path, "1.png", "cache/in-memory/2.png")
    assert names(tmp_path) == ["1.png"]


def test_own_folders_in_an_archive_are_left_out(tmp_path):
    write_samples(tmp_path / "samples", "000000.png")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("1.png", b"")
        for name in ("000000.png", MARKER):
            archive.write(tmp_path / "samples" / name, f"samples/{name}")
        archive.write(tmp_path / "samples-grid.png", "samples-grid.png")
    assert names(tmp_path / "a.zip") == ["1.png"]


def test_samples_of_an_earlier_call_are_replaced(tmp_path):
    write_samples(tmp_path / "samples", "000000.png", "000001.png")
    write_samples(tmp_path / "samples", "000000.png")
    assert names(tmp_path / "samples") == ["000000.png"]


@pytest.mark.parametrize("foreign", ["samples/mine.png", "samples/000000.png", "samples-grid.png"])
def test_files_that_sample_did_not_write_are_never_replaced(tmp_path, foreign):
    write_samples(tmp_path / "samples", "000000.png")
    (tmp_path / foreign).write_bytes(b"the user's own")
    with pytest.raises(SparringError, match=r"that sparring did not write \(.*png\).*another folder: out="):
        earlier_files(tmp_path / "samples", tmp_path / "samples-grid")
    assert (tmp_path / foreign).read_bytes() == b"the user's own"


def test_a_marker_of_a_stranger_deletes_nothing(tmp_path):
    touch(tmp_path, "thesis.pdf", "samples/1.png")
    listed = {"../thesis.pdf": "0"}
    for content in ("[1]", "{", json.dumps({"format": 1, "files": listed, "beside": {}}), '{"format": 1}'):
        (tmp_path / "samples" / MARKER).write_text(content)
        with pytest.raises(SparringError, match=r"did not write \(1.png\)"):
            earlier_files(tmp_path / "samples", tmp_path / "samples-grid")
    (tmp_path / "samples" / "1.png").unlink()
    assert earlier_files(tmp_path / "samples", tmp_path / "samples-grid") == []


def test_a_model_is_published_into_an_empty_folder_or_over_another_model(tmp_path):
    facts = Facts("ring", "points", 100, (2,), "0" * 64, coding={"scale": 1.0})
    recipe = find_recipe("points/ring").model_copy(update={"width": 8})
    model = Model(recipe.game(facts), recipe, "points/ring", facts, {})
    touch(tmp_path, "clone/.gitattributes", "project/README.md", "photos/1.png", "node/config.json")
    for name in ("clone", "clone", "new/deeper"):
        model.save_pretrained(tmp_path / name)
    for name, file in (("project", "README.md"), ("photos", "1.png"), ("node", "config.json")):
        with pytest.raises(SparringError, match=rf"not those of a model \({file}\).* another folder"):
            model.save_pretrained(tmp_path / name)
        assert (tmp_path / name / file).read_bytes() == f"{name}/{file}".encode()


def test_samples_of_a_model_in_memory_are_saved_beside_each_other_only(tmp_path):
    facts = Facts("ring", "points", 100, (2,), "0" * 64, coding={"scale": 1.0})
    recipe = find_recipe("points/ring").model_copy(update={"width": 8})
    model = Model(recipe.game(facts), recipe, "points/ring", facts, {})
    for first in (0, 5, 5):
        model.save(model.sample(5), tmp_path / "samples", first=first)
    assert len(names(tmp_path / "samples")) == 4
    touch(tmp_path, "samples/mine.csv", "mine/points-000000.npy")
    for name in ("samples", "mine"):
        with pytest.raises(SparringError, match=r"sparring did not write \((mine.csv|points-000000.npy)\)"):
            model.save(model.sample(5), tmp_path / name)
    assert (tmp_path / "mine" / "points-000000.npy").read_bytes() == b"mine/points-000000.npy"
