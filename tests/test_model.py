"""Models are loaded, sampled from and published."""

import json
import shutil
import struct
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from sparring import storage
from sparring.api.train import train
from sparring.errors import SparringError, SparringWarning
from sparring.evaluation.subject import of_model
from sparring.manifest import write_manifest
from sparring.model import Model, load
from sparring.publishing import last_name
from sparring.recipes import RECIPES, recipe_named
from sparring.runs.display import Silent
from sparring.runs.folder import Run
from sparring.sampling import SAMPLES_PER_PASS
from sparring.storage import read_json, write_json

FILES = ("config.json", "weights.safetensors", "README.md")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    train("ring", samples=640, batch=64, width=8, latent_size=2, judge="none", out=out, seed=3, display=Silent())
    return out


@pytest.fixture
def model(folder: Path) -> Model:
    return load(folder)


def test_samples_depend_on_the_seed_and_not_on_the_count(model: Model) -> None:
    many = model.sample(2 * SAMPLES_PER_PASS + 5, seed=7)
    assert many.shape == (2 * SAMPLES_PER_PASS + 5, 2) and many.dtype == torch.float32 and many.device.type == "cpu"
    for count in (1, SAMPLES_PER_PASS, SAMPLES_PER_PASS + 1):
        torch.testing.assert_close(model.sample(count, seed=7), many[:count])
    assert torch.equal(model.sample(100, seed=7), model.sample(100, seed=7))
    assert not torch.equal(model.sample(8, seed=8), many[:8])


def test_truncation_makes_samples_less_diverse(model: Model) -> None:
    middle = model.sample(3, truncation=0.0)
    assert torch.equal(middle[0], middle[1])
    spread = [float(model.sample(500, truncation=truncation).std()) for truncation in (0.1, 1.0)]
    assert spread[0] < spread[1]


def test_a_published_model_gives_the_same_samples(model: Model, folder: Path, tmp_path: Path) -> None:
    target = model.save_pretrained(tmp_path / "published")
    assert {path.name for path in target.iterdir()} == {*FILES, "manifest.json"}
    for copy in (load(target), load(folder / "model")):
        assert torch.equal(copy.sample(20, seed=1), model.sample(20, seed=1))
        assert copy.history["seed"] == 3 and copy.history["samples"] == 640
    card = (target / "README.md").read_text()
    assert "points/ring" in card and "synthetic" in card


@pytest.mark.parametrize("published_before", [False, True])
@pytest.mark.parametrize("stage", ["file-before-sync", "file-before-rename", "file-after-rename"])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_folder_that_was_left_unfinished_is_refused_until_it_is_written_again(
    stage: str, number: int, published_before: bool, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, reached = tmp_path / "published", list[str]()
    if published_before:
        model.save_pretrained(target)

    def stop(name: str) -> None:
        reached.append(name)
        if reached.count(stage) == number:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(storage, "on_stage", stop)
        with pytest.raises(KeyboardInterrupt):
            model.save_pretrained(target)
    finished = number == 4 and stage == "file-after-rename"
    if not (published_before or finished):
        with pytest.raises(SparringError):
            load(target)
    model.save_pretrained(target)
    assert torch.equal(load(target).sample(20, seed=1), model.sample(20, seed=1))


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"count": 0}, "count=0, but expected a whole number from 1 to"),
        ({"count": 10**18}, "count=10{18}, but expected a whole number from 1 to"),
        ({"count": 2.0}, "count=2.0"),
        ({"truncation": -0.1}, "a number from 0 to 2"),
        ({"truncation": 3.0}, "a number from 0 to 2"),
        ({"truncation": "1"}, "truncation='1'"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": 1.0}, "seed=1.0"),
        ({"device": "meta"}, "no device 'meta'"),
    ],
)
def test_numbers_out_of_range_are_refused_before_memory_is_taken(
    numbers: dict[str, Any], words: str, model: Model
) -> None:
    with pytest.raises(SparringError, match=words):
        model.sample(**{"count": 1, **numbers})


def test_interpolations_refuse_numbers_out_of_range(model: Model) -> None:
    for count, steps in ((0, 5), (5, 0), (1.5, 2), (10**9, 10**9)):
        with pytest.raises(SparringError, match="a whole number"):
            model.interpolate(count, steps)  # type: ignore[arg-type]


def test_a_seed_may_be_an_integer_of_any_type(model: Model) -> None:
    assert torch.equal(model.sample(2, seed=np.int64(3)), model.sample(np.int64(2), seed=3))


def test_samples_can_be_generated_in_parts(model: Model) -> None:
    whole = model.sample(150, seed=1)
    parts = [model.sample(count, seed=1, first=first) for first, count in ((0, 64), (64, 30), (94, 56))]
    torch.testing.assert_close(torch.cat(parts), whole)


def test_no_path_at_all_is_refused() -> None:
    with pytest.raises(SparringError, match="None for the model, but expected the path"):
        load(None)  # type: ignore[arg-type]


def test_an_unconditional_model_refuses_a_class(model: Model) -> None:
    with pytest.raises(SparringError, match="without conditions"):
        model.sample(2, label=1)


def published(folder: Path, tmp_path: Path) -> Path:
    return load(folder).save_pretrained(tmp_path / "published")


def test_unreadable_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    target = published(folder, tmp_path)
    for content in (b"", b"x" * 100, struct.pack("<Q", 2**60) + b"{}"):
        (target / "weights.safetensors").write_bytes(content)
        write_manifest(target, FILES, "", 0)
        with pytest.raises(SparringError, match="cannot be read"):
            load(target)
    (target / "weights.safetensors").unlink()
    with pytest.raises(SparringError, match="cannot be read"):
        load(target)


def test_weights_of_other_networks_are_refused(folder: Path, tmp_path: Path) -> None:
    target = published(folder, tmp_path)
    weights = load_file(target / "weights.safetensors")
    name = next(iter(weights))
    save_file({**weights, name: torch.zeros(1)}, target / "weights.safetensors")
    write_manifest(target, FILES, "", 0)
    with pytest.raises(SparringError, match="weights of other networks"):
        load(target)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 4},
        {"format": True},
        {"recipe": "no/such"},
        {"recipe": "os.py:system"},
        {"recipe": 3},
        {"fields": {"colour": 1}},
        {"fields": {"width": "wide"}},
        {"fields": [1]},
        {"facts": {}},
        {"facts": None},
        {"history": None},
        {"history": {"samples": "many"}},
        {"more": 1},
        {"fields": {"width": 10**9}},
    ],
)
def test_a_config_that_was_tampered_with_is_refused(change: dict[str, object], folder: Path, tmp_path: Path) -> None:
    """A folder from elsewhere is not trusted: its content is refused in one sentence, and never run."""
    target = published(folder, tmp_path)
    write_json(target / "config.json", {**read_json(target / "config.json"), **change})
    write_manifest(target, FILES, "", 0)
    with pytest.raises(SparringError):
        load(target)


def test_a_config_that_is_not_an_object_is_refused(folder: Path, tmp_path: Path) -> None:
    target = published(folder, tmp_path)
    for content in ([], None, 3, "x", {}):
        (target / "config.json").write_text(json.dumps(content))
        write_manifest(target, FILES, "", 0)
        with pytest.raises(SparringError):
            load(target)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SparringError, match=r"neither recipe\.json nor config\.json"):
        load(tmp_path)


def test_a_model_of_an_older_checkpoint_says_so(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "run")
    older = copy / "checkpoints" / "000000600"
    shutil.copytree(copy / "checkpoints" / "000000640", older)
    state = read_json(older / "state.json")
    write_json(older / "state.json", {**state, "samples": 600})
    write_manifest(
        older, ("players.safetensors", "optimisers.safetensors", "state.json"), Run(copy).record.identity, 600
    )
    (copy / "checkpoints" / "000000640" / "state.json").unlink()
    with pytest.warns(SparringWarning) as told:
        model = load(copy)
    assert model.history["samples"] == 600 and len(told) == len(model.remarks) == 2
    assert "Checkpoint 000000640 is damaged and was skipped" in str(told[0].message)
    assert "The model is the one that was saved at 600 samples." in str(told[1].message)
    assert of_model(model, "it").remarks == model.remarks


def test_every_flip_in_a_published_folder_is_refused_or_told(folder: Path, tmp_path: Path) -> None:
    target = published(folder, tmp_path)
    for path in sorted(target.iterdir()):
        content = path.read_bytes()
        for place in range(0, len(content), max(len(content) // 12, 1)):
            path.write_bytes(content[:place] + bytes([content[place] ^ 2]) + content[place + 1 :])
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                try:
                    load(target)
                except SparringError:
                    assert path.name != "README.md"
                else:
                    assert path.name == "README.md" and "README.md was edited after it was written" in str(
                        told[0].message
                    )
        path.write_bytes(content)
    load(target)


def test_a_folder_of_an_earlier_version_is_read_and_said_to_be_unverified(folder: Path, tmp_path: Path) -> None:
    target = published(folder, tmp_path)
    config = read_json(target / "config.json")
    del config["history"]["run"]
    (target / "manifest.json").unlink()
    with pytest.raises(SparringError, match=r"no file .*manifest\.json"):
        load(target)
    write_json(target / "config.json", {**config, "format": 2})
    with pytest.warns(SparringWarning, match="without a manifest"):
        load(target)
    facts = {name: value for name, value in config["facts"].items() if name not in ("offers", "coding")}
    write_json(
        target / "config.json", {**config, "format": 1, "facts": {**facts, "details": config["facts"]["coding"]}}
    )
    (target / "weights.safetensors").rename(target / "generator.safetensors")
    with pytest.warns(SparringWarning, match="without a manifest"):
        assert torch.equal(load(target).sample(5), load(folder).sample(5))


def test_only_the_name_of_the_data_is_published(model: Model, tmp_path: Path) -> None:
    facts = replace(model.facts, source="/private/photos_of_*me*", remarks=("1 file of /private was skipped.",))
    facts = replace(facts, reading={"labels": "/private/labels.csv", "range": [0, 9]})
    own = Model(model.game, model.recipe, "/private/mine.py:Mine", facts, model.history)
    target = own.save_pretrained(tmp_path / "published")
    for path in target.iterdir():
        assert b"private" not in path.read_bytes()
    assert read_json(target / "config.json")["facts"]["source"] == "photos_of_*me*"
    assert read_json(target / "config.json")["recipe"] == "mine.py:Mine"
    assert r"photos\_of\_\*me\*" in (target / "README.md").read_text()


def test_the_model_card_says_gan_of_gans_alone_and_names_columns(model: Model, tmp_path: Path) -> None:
    assert "\ntags: [gan, points]\n" in (model.save_pretrained(tmp_path / "gan") / "README.md").read_text()
    recipe = RECIPES["points/vae"].model_copy(update={"width": 8, "latent_size": 2})
    facts = replace(model.facts, coding={**model.facts.coding, "columns": ["a|*b*", "<i>"]})
    vae = Model(recipe.game(facts), recipe, "points/vae", facts, model.history)
    card = (vae.save_pretrained(tmp_path / "vae") / "README.md").read_text()
    assert "\ntags: [points]\n" in card and "* columns: a\\|\\*b\\*, &lt;i&gt;\n" in card


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("ring", "ring"),
        ("/a/b/", "b"),
        ("..", "data"),
        ("/", "data"),
        (r"C:\photos\cats", "cats"),
        ("a/b.zip", "b.zip"),
    ],
)
def test_the_last_name_of_a_path_is_published(path: str, name: str) -> None:
    assert last_name(path) == name


@pytest.mark.parametrize("own", ["", "mine.py", "no/such"])
def test_a_recipe_that_is_given_is_never_replaced_by_one_that_a_folder_names(
    own: str, folder: Path, tmp_path: Path
) -> None:
    """Also where it is the empty text: the code that the folder names is not run."""
    (tmp_path / "mine.py").write_text("raise SystemExit('it ran')")
    assert recipe_named("points/ring", None) is RECIPES["points/ring"]
    for name in ("points/ring", f"{tmp_path / 'mine.py'}:Recipe"):
        with pytest.raises(SparringError, match="no recipe"):
            recipe_named(name, own)
    with pytest.raises(SparringError, match="code is never run"):
        recipe_named(f"{tmp_path / 'mine.py'}:Recipe", None)


@pytest.mark.parametrize("place", ["recipe.json", "config.json", "README.md", "beside", "deep/er"])
def test_links_in_a_folder_are_refused_by_load(place: str, folder: Path, tmp_path: Path) -> None:
    run = shutil.copytree(folder, tmp_path / "run")
    for target in (run, run / "model"):
        path = target / place
        path.parent.mkdir(exist_ok=True)
        kept = path.rename(tmp_path / "elsewhere") if path.exists() else Path("/dev/zero")
        path.symlink_to(kept)
        with pytest.raises(SparringError, match="a link at"):
            load(target)
        path.unlink()
        if kept != Path("/dev/zero"):
            kept.rename(path)
    load(run)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("t.csv/x", "where nothing can be written"),
        ("t.csv", "the name of a file"),
        (None, "None for the model"),
        ("a\0b", "for the model, but expected the path"),
    ],
)
def test_a_model_is_not_published_where_nothing_can_be_written(
    path: str | None, words: str, model: Model, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text("kept")
    with pytest.raises(SparringError, match=words):
        model.save_pretrained(path if path is None else tmp_path / path)  # type: ignore[arg-type]
    assert [one.name for one in tmp_path.iterdir()] == ["t.csv"] and (tmp_path / "t.csv").read_text() == "kept"


def test_samples_are_shown_in_a_folder_that_is_created(model: Model, tmp_path: Path) -> None:
    assert model.show(model.sample(3), tmp_path / "new" / "er" / "x") == [tmp_path / "new" / "er" / "x.png"]


@pytest.mark.parametrize("value", [np.zeros((4, 2)), [1, 2], None, "x", torch.zeros(2), torch.zeros(4, 3), ()])
def test_only_samples_of_the_model_are_shown_and_saved(value: Any, model: Model, tmp_path: Path) -> None:
    for write in (model.show, model.save):
        with pytest.raises(SparringError, match=r"but expected samples of this model, of shape \(count, 2\)"):
            write(value, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_numbers_and_paths_of_files_are_checked(model: Model, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for write, words in (
        (lambda: model.show(model.sample(1), tmp_path / "x", columns=0), "columns=0"),
        (lambda: model.show(model.sample(1), tmp_path / "file" / "x"), "where nothing can be written"),
        (lambda: model.show(model.sample(1), None), "None for the files"),  # type: ignore[arg-type]
        (lambda: model.save(model.sample(1), tmp_path / "x", first=-1), "first=-1"),
    ):
        with pytest.raises(SparringError, match=words):
            write()
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_a_model_without_conditions_refuses_one(model: Model) -> None:
    for call in (lambda: model.sample(2, condition=[0, 1]), lambda: model.interpolate(2, 3, condition=[0, 1])):
        with pytest.raises(SparringError, match="but expected none: this model was trained without conditions"):
            call()
