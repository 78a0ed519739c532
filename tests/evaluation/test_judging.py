"""Models and folders are judged with one protocol, and a run ends with a page about itself."""

import json

import numpy as np
import pytest
import torch

import sparring
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.evaluation.judging import count_for, judge, quick_score
from sparring.evaluation.result import Judgement
from sparring.flow import Batch
from sparring.modalities import modality
from sparring.model import load


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A short run on points of our own: 2,000 in two heaps."""
    folder = tmp_path_factory.mktemp("judging")
    random = np.random.default_rng(0)
    heaps = random.choice([-1.0, 1.0], size=(2000, 1)) + 0.1 * random.standard_normal((2000, 2))
    np.save(folder / "heaps.npy", heaps.astype(np.float32))
    return sparring.train(folder / "heaps.npy", recipe="points/ring", samples=2000, out=folder / "run", seed=3)


def test_a_run_ends_with_scores_and_a_page(run):
    content = json.loads(run.scores.read_text())
    score = content["scores"]["coordinates"]["measures"]["frechet"]
    assert score["value"] > score["floor"] >= 0
    assert content["memorisation"] is None
    page = run.report.read_text()
    assert "Fréchet distance" in page and page.count("data:image/png;base64,") == 5
    assert run.picture.is_file() and (run.folder / "curves.png").is_file()
    assert Judgement.from_run(run).as_json() == content


def test_evaluating_a_run_gives_what_the_run_gave(run, tmp_path):
    source = run.record.facts.source
    found = sparring.evaluate(run.folder, source, json=tmp_path / "a.json", seed=3)
    then = Judgement.from_run(run)
    assert (found.scores, found.measures, found.remarks) == (then.scores, then.measures, ())
    assert json.loads((tmp_path / "a.json").read_text()) == found.as_json()
    published = sparring.evaluate(run.model, source, seed=3)
    assert published.scores == found.scores


def test_lines_show_scores_beside_floors(run):
    lines = Judgement.from_run(run).lines()
    (line,) = [line for line in lines if "Fréchet" in line]
    assert line.endswith("lower is better") and line.count(" ± ") == 2 and line.split()[0] == "Good?"


def test_a_table_of_samples_is_judged_too(run, tmp_path):
    source = run.record.facts.source
    model = load(run.folder)
    model.save(model.sample(400, seed=1), tmp_path)
    found = sparring.evaluate(tmp_path / "points-000000.npy", source, count=300)
    assert found.count == 300 and found.scores[0].count == 300
    assert "not known" in found.remarks[-1]


def test_other_data_than_the_model_was_trained_on_is_said(run):
    found = sparring.evaluate(run.folder, "ring", count=200)
    assert "trained on other data" in found.remarks[0]
    assert {"modes", "quality"} <= set(found.measures)


def test_quick_score(run):
    model = load(run.folder)
    split = modality("points").survey(run.record.facts.source).prepare(View((2,)), seed=3)
    name, value = quick_score(model.game, split, model.modality, "frechet", seed=0)
    assert name.startswith("Fréchet distance (coordinates") and value > 0
    assert quick_score(model.game, split, model.modality, "frechet", seed=0) == (name, value)
    assert count_for(split) == 1000


def test_broken_samples_are_judged_without_falling(run):
    split = modality("points").survey("ring").prepare(View((2,)))
    found = judge("broken", Batch(torch.full((50, 2), float("nan"))), split, modality("points"))
    assert found.scores[0].measures["frechet"].value is None
    assert any("not finite" in line for line in found.lines())
    json.dumps(found.as_json(), allow_nan=False)


def test_what_is_said_of_no_subject(tmp_path):
    with pytest.raises(SparringError, match="--count 1"):
        sparring.evaluate(tmp_path, "ring", count=1)
    with pytest.raises(SparringError):
        sparring.evaluate(tmp_path / "none.npy", "ring")
