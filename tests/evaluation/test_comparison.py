"""Comparison of two evaluations: a difference is significant where there is one, and only there."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import sparring
from sparring.errors import SparringError
from sparring.evaluation.comparison import compared, is_far
from sparring.evaluation.glossary import NO_DIFFERENCE, features
from sparring.evaluation.scores import Score
from sparring.modalities.images import render
from sparring.runs.display import Silent

pytestmark = pytest.mark.usefixtures("undrawn_figures")


def clusters(folder, name, seed, *, count=1200, spread=0.1, size=2):
    random = np.random.default_rng(seed)
    points = random.choice([-1.0, 1.0], size=(count, 1)) + spread * random.standard_normal((count, size))
    np.save(folder / f"{name}.npy", points.astype(np.float32))
    return folder / f"{name}.npy"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clusters")
    generated = {"fair": {"seed": 1}, "other": {"seed": 2}, "wide": {"seed": 3, "spread": 0.3}}
    return {"real": clusters(folder, "real", 0, count=12_000)} | {
        name: clusters(folder, name, **choices) for name, choices in generated.items()
    }


@pytest.mark.parametrize(
    ("extractor", "words"),
    [
        ("classifier-b5ee3598c330", "in the features of a classifier of the real samples"),
        ("self-supervised-b5ee3598c330", "in the features of a network trained on the real samples"),
        ("inception-b5ee3598c330", "inception-b5ee3598c330"),
    ],
)
def test_headings_say_in_words_what_is_compared(extractor, words):
    assert features(extractor) == words


def test_the_better_one_is_named_in_either_order(files):
    found = sparring.compare(files["fair"], files["wide"], files["real"], all=True)
    verdicts = {name: one.verdict for name, one in found.differences["coordinates"].items()}
    assert verdicts["frechet"] == verdicts["precision"] == verdicts["nearest_neighbour_test"] == "first"
    back = sparring.compare(files["wide"], files["fair"], files["real"], all=True)
    assert {name: one.verdict for name, one in back.differences["coordinates"].items()} == {
        name: {"first": "second", "second": "first"}.get(verdict, verdict) for name, verdict in verdicts.items()
    }
    (line,) = [line for line in found.lines() if "Fréchet" in line]
    assert line.endswith("A is better") and any(line.startswith("A is better in ") for line in found.lines())


def test_equally_good_samples_show_no_significant_difference(files):
    found = sparring.compare(files["fair"], files["other"], files["real"], all=True)
    verdicts = [one.verdict for one in found.differences["coordinates"].values()]
    assert verdicts.count(NO_DIFFERENCE) >= len(verdicts) - 1, verdicts


def test_equally_many_samples_of_both_are_compared(files, tmp_path):
    few = clusters(tmp_path, "few", 5, count=300)
    found = sparring.compare(few, files["fair"], files["real"], json=tmp_path / "both.json")
    assert found.first.count == found.second.count == 300
    content = json.loads((tmp_path / "both.json").read_text())
    one = content["differences"]["coordinates"]["frechet"]
    pair = [content[side]["scores"][0]["metrics"]["frechet"]["value"] for side in ("first", "second")]
    assert one["difference"] == pair[0] - pair[1] and one["plus_minus"] > 0


def test_models_are_compared(files, tmp_path):
    run = sparring.train(files["real"], recipe="points/ring", samples=2000, out=tmp_path / "run")
    found = sparring.compare(run.folder, files["fair"], files["real"], count=400)
    assert found.differences["coordinates"]["frechet"].verdict == "second"
    same = sparring.compare(run.folder, run.model, files["real"], count=400)
    assert all(one.verdict in ("", NO_DIFFERENCE) for rows in same.differences.values() for one in rows.values())


def test_samples_that_do_not_fit_are_refused(files, tmp_path):
    np.save(tmp_path / "three.npy", torch.zeros(100, 3).numpy())
    with pytest.raises(SparringError, match=r"points of shape \(3,\)"):
        sparring.compare(files["fair"], tmp_path / "three.npy", files["real"])
    with pytest.raises(SparringError, match="count=1"):
        sparring.compare(files["fair"], files["other"], files["real"], count=1)


def test_samples_of_different_sizes_are_refused(tmp_path):
    for size in (8, 12):
        render.save(torch.zeros(60, 1, size, size), tmp_path / str(size))
    with pytest.raises(SparringError, match=r"images of shape \(1, 8, 8\) and images of shape \(1, 12, 12\)"):
        sparring.compare(tmp_path / "8", tmp_path / "12", "digits")


def test_only_common_extractors_and_metrics_are_compared(files):
    """An evaluation with further metrics, and one without, by another extractor in addition."""
    every = sparring.evaluate(files["fair"], files["real"], all=True)
    default = sparring.evaluate(files["wide"], files["real"])
    found = compared(every, default)
    assert set(found.differences["coordinates"]) == set(default.scores[0].metrics) < set(every.scores[0].metrics)
    other = default.scores[0].model_copy(update={"extractor": "other"})
    assert "other" not in compared(every, default.model_copy(update={"scores": (*default.scores, other)})).differences


def test_the_name_of_the_data_is_followed_by_no_full_stop(files, monkeypatch):
    monkeypatch.chdir(files["real"].parent)
    found = sparring.evaluate("fair.npy", "real.npy")
    assert "fair.npy against ..: 1,200" in found.model_copy(update={"data": ".."}).figures()[0]
    real = found.model_copy(update={"data": "."})
    assert "1,200 samples of each against ." in compared(real, real).lines()


def test_tables_fit_into_a_hundred_columns(files):
    for further in (True, False):
        found = sparring.compare(files["fair"], files["wide"], files["real"], all=further)
        lines = found.lines(further=further)
        assert any(" ± " in line for line in lines)
        assert max(len(line) for line in lines if str(files["real"].parent) not in line) <= 100


def test_models_of_pairs_get_inputs_in_their_own_channels(tmp_path):
    """Compare a model of inputs in colour with one of grey inputs, on the data of the first."""
    random = np.random.default_rng(0)
    for name, mode in (("colour", "RGB"), ("grey", "L")):
        for side in ("a", "b"):
            (tmp_path / name / side).mkdir(parents=True)
            for number in range(12):
                image = Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8))
                image.convert(mode if side == "a" else "RGB").save(tmp_path / name / side / f"{number}.png")
    small = {"resolution": 16, "width": 8, "discriminator_width": 8, "samples": 16, "display": Silent()}
    runs = [
        sparring.train(
            tmp_path / name,
            recipe="images/pix2pix",
            pairs="folders",
            target="b",
            out=tmp_path / f"run {name}",
            **small,
        ).folder
        for name in ("colour", "grey")
    ]
    found = sparring.compare(*runs, tmp_path / "colour", pairs="folders", extractors="pixels")
    assert found.first.metrics["l1"].value > 0 < found.second.metrics["l1"].value


def test_values_far_apart_need_no_interval():
    def one(value, **fields):
        return Score(value=value, floor=1.0, **{"better": "lower", **fields})

    assert is_far(one(595.0), 9.6) and is_far(one(9.6), 595.0) and not is_far(one(12.0), 9.6)
    assert is_far(one(0.9, better="higher"), 0.0) and not is_far(one(0.004), 0.0) and not is_far(one(None), 1.0)
    assert not is_far(one(9.0, better="nearer to the floor"), 0.1)
