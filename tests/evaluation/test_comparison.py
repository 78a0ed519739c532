"""Two judgements side by side: a difference is told where there is one, and only there."""

import json

import numpy as np
import pytest
import torch

import sparring
from sparring.errors import SparringError
from sparring.evaluation.comparison import UNTOLD
from sparring.modalities.images import render


def heaps(folder, name, seed, *, count=1200, spread=0.1, size=2):
    random = np.random.default_rng(seed)
    points = random.choice([-1.0, 1.0], size=(count, 1)) + spread * random.standard_normal((count, size))
    np.save(folder / f"{name}.npy", points.astype(np.float32))
    return folder / f"{name}.npy"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("heaps")
    made = {"fair": {"seed": 1}, "other": {"seed": 2}, "wide": {"seed": 3, "spread": 0.3}}
    return {"real": heaps(folder, "real", 0, count=12_000)} | {
        name: heaps(folder, name, **choices) for name, choices in made.items()
    }


def test_the_better_one_is_named_and_the_other_way_round_too(files):
    found = sparring.compare(files["fair"], files["wide"], files["real"])
    verdicts = {name: one.verdict for name, one in found.differences()["coordinates"].items()}
    assert verdicts["frechet"] == verdicts["precision"] == verdicts["nearest_neighbour_test"] == "first"
    back = sparring.compare(files["wide"], files["fair"], files["real"])
    assert {name: one.verdict for name, one in back.differences()["coordinates"].items()} == {
        name: {"first": "second", "second": "first"}.get(verdict, verdict) for name, verdict in verdicts.items()
    }
    (line,) = [line for line in found.lines() if "Fréchet" in line]
    assert line.endswith("A is better") and found.lines()[-1].startswith("A is better in ")


def test_equally_good_ones_are_not_told_apart(files):
    found = sparring.compare(files["fair"], files["other"], files["real"])
    verdicts = [one.verdict for one in found.differences()["coordinates"].values()]
    assert verdicts.count(UNTOLD) >= len(verdicts) - 1, verdicts


def test_of_unequally_many_files_equally_many_are_taken(files, tmp_path):
    few = heaps(tmp_path, "few", 5, count=300)
    found = sparring.compare(few, files["fair"], files["real"], json=tmp_path / "both.json")
    assert found.first.count == found.second.count == 300
    content = json.loads((tmp_path / "both.json").read_text())
    one = content["differences"]["coordinates"]["frechet"]
    pair = [content[side]["scores"]["coordinates"]["measures"]["frechet"]["value"] for side in ("first", "second")]
    assert one["difference"] == pair[0] - pair[1] and one["plus_minus"] > 0


def test_fresh_samples_of_models_are_compared(files, tmp_path):
    run = sparring.train(files["real"], recipe="points/ring", samples=2000, out=tmp_path / "run")
    found = sparring.compare(run.folder, files["fair"], files["real"], count=400)
    assert found.differences()["coordinates"]["frechet"].verdict == "second"
    same = sparring.compare(run.folder, run.model, files["real"], count=400)
    assert all(one.verdict in ("", UNTOLD) for rows in same.differences().values() for one in rows.values())


def test_what_does_not_fit_is_said(files, tmp_path):
    np.save(tmp_path / "three.npy", torch.zeros(100, 3).numpy())
    with pytest.raises(SparringError, match=r"points of shape \(3,\)"):
        sparring.compare(files["fair"], tmp_path / "three.npy", files["real"])
    with pytest.raises(SparringError, match="--count 1"):
        sparring.compare(files["fair"], files["other"], files["real"], count=1)


def test_samples_of_other_sizes_are_not_compared(tmp_path):
    for size in (8, 12):
        render.save(torch.zeros(60, 1, size, size), tmp_path / str(size))
    with pytest.raises(SparringError, match=r"images of shape \(1, 8, 8\) and images of shape \(1, 12, 12\)"):
        sparring.compare(tmp_path / "8", tmp_path / "12", "digits")
