"""Models are loaded, sampled from and published."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from sparring.api.train import train
from sparring.errors import SparringError
from sparring.model import Model, load
from sparring.runs.display import Silent
from sparring.sampling import SAMPLES_PER_PASS
from sparring.storage import read_json, write_json


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    train("ring", samples=640, batch=64, width=8, latent_size=2, out=out, seed=3, display=Silent())
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
    assert {path.name for path in target.iterdir()} == {"config.json", "weights.safetensors", "README.md"}
    for copy in (load(target), load(folder / "model")):
        assert torch.equal(copy.sample(20, seed=1), model.sample(20, seed=1))
        assert copy.history["seed"] == 3 and copy.history["samples"] == 640
    card = (target / "README.md").read_text()
    assert "points/ring" in card and "synthetic" in card


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"count": 0}, "--count 0, but expected a whole number from 1 to"),
        ({"count": 10**18}, "--count 10{18}, but expected a whole number from 1 to"),
        ({"count": 2.0}, "--count 2.0"),
        ({"truncation": -0.1}, "a number from 0 to 2"),
        ({"truncation": 3.0}, "a number from 0 to 2"),
        ({"truncation": "1"}, "--truncation '1'"),
        ({"seed": -1}, "--seed -1"),
        ({"seed": 1.0}, "--seed 1.0"),
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
    with pytest.raises(SparringError, match="weights of other networks"):
        load(target)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 3},
        {"recipe": "no/such"},
        {"recipe": "os.py:system"},
        {"recipe": 3},
        {"fields": {"colour": 1}},
        {"fields": {"width": "wide"}},
        {"fields": [1]},
        {"facts": {}},
        {"facts": None},
        {"history": None},
    ],
)
def test_a_config_that_was_tampered_with_is_refused(change: dict[str, object], folder: Path, tmp_path: Path) -> None:
    """A folder from elsewhere is not trusted: its content is refused in one sentence, and never run."""
    target = published(folder, tmp_path)
    write_json(target / "config.json", {**read_json(target / "config.json"), **change})
    with pytest.raises(SparringError):
        load(target)


def test_a_config_that_is_not_an_object_is_refused(folder: Path, tmp_path: Path) -> None:
    target = published(folder, tmp_path)
    for content in ([], None, 3, "x", {}):
        (target / "config.json").write_text(json.dumps(content))
        with pytest.raises(SparringError):
            load(target)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SparringError, match=r"neither recipe\.json nor config\.json"):
        load(tmp_path)
