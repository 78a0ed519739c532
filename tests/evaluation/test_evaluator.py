"""Models and files are evaluated with one protocol, and a run ends with a report."""

import json

import numpy as np
import pytest
import torch

import sparring
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.evaluation.evaluator import Evaluator, better_comparators
from sparring.evaluation.quick import count_for, quick_score
from sparring.evaluation.result import Evaluation
from sparring.evaluation.subject import Subject
from sparring.flow import Batch
from sparring.modalities import modality
from sparring.model import load
from sparring.runs.folder import Run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Train briefly on 2,000 points in two clusters."""
    folder = tmp_path_factory.mktemp("evaluation")
    random = np.random.default_rng(0)
    clusters = random.choice([-1.0, 1.0], size=(2000, 1)) + 0.1 * random.standard_normal((2000, 2))
    np.save(folder / "clusters.npy", clusters.astype(np.float32))
    return sparring.train(folder / "clusters.npy", recipe="points/ring", samples=2000, out=folder / "run", seed=3)


def test_a_run_ends_with_scores_and_a_page(run):
    content = json.loads(run.scores.read_text())
    score = content["scores"][0]["metrics"]["frechet"]
    assert score["value"] > score["floor"] >= 0
    assert content["memorisation"] is None
    page = run.report.read_text()
    assert "Fréchet distance" in page and page.count("data:image/png;base64,") == 6
    assert run.picture.is_file() and (run.folder / "curves.png").is_file()
    assert Evaluation.from_run(run).model_dump(mode="json") == content


def test_evaluating_a_run_repeats_its_own_evaluation(run, tmp_path):
    source = run.record.facts.source
    found = sparring.evaluate(run.folder, source, json=tmp_path / "a.json", seed=3)
    then = Evaluation.from_run(run)
    assert (found.scores, found.metrics, found.remarks) == (then.scores, then.metrics, ())
    written = json.loads((tmp_path / "a.json").read_text())
    assert written.pop("software") == "sparring" and written == found.model_dump(mode="json")
    published = sparring.evaluate(run.model, source, seed=3)
    assert published.scores == found.scores


def test_the_protocol_is_one_line_that_names_the_extractor(run):
    (scores,) = Evaluation.from_run(run).scores
    assert scores.protocol.startswith("coordinates · data ") and "8 repeats" in scores.protocol
    assert "\n" not in scores.protocol and scores.count == scores.real_count


@pytest.mark.parametrize(
    ("content", "found"), [({"format": 1}, "format 1"), ([], "format None"), ({"format": 2}, "no value for 'subject'")]
)
def test_scores_of_other_formats_are_refused(content, found, tmp_path):
    (tmp_path / "scores.json").write_text(json.dumps(content))
    with pytest.raises(SparringError, match=f"{found}.*sparring evaluate"):
        Evaluation.from_run(Run(tmp_path))


def test_lines_show_scores_beside_real_against_real(run):
    lines = Evaluation.from_run(run).lines()
    (line,) = [line for line in lines if line.strip().startswith("Good?")]
    assert "Fréchet" in line and line.endswith("worse") and line.count(" ± ") == 2
    assert any(line.split()[:2] == ["this", "real"] for line in lines) and not any("floor" in line for line in lines)


def test_an_array_of_samples_is_evaluated(run, tmp_path):
    source = run.record.facts.source
    model = load(run.folder)
    model.save(model.sample(400, seed=1), tmp_path)
    found = sparring.evaluate(tmp_path / "points-000000.npy", source, count=300)
    assert found.count == 300 and found.scores[0].count == 300
    assert "not known" in found.remarks[-1]


def test_other_data_than_the_training_data_is_remarked(run):
    found = sparring.evaluate(run.folder, "ring", count=200, all=True)
    assert "trained on other data" in found.remarks[0]
    assert {"modes", "quality"} <= set(found.metrics)


def test_quick_score(run):
    model = load(run.folder)
    split = modality("points").survey(run.record.facts.source).prepare(View((2,)), seed=3)
    name, value = quick_score(model.game, split, model.modality, model.view, "frechet", seed=0)
    assert name.startswith("Fréchet distance (coordinates") and value > 0
    assert quick_score(model.game, split, model.modality, model.view, "frechet", seed=0) == (name, value)
    assert count_for(split) == 1000


def test_samples_that_are_not_finite_are_evaluated(run):
    split = modality("points").survey("ring").prepare(View((2,)))
    subject = Subject("broken", modality("points"))
    found = Evaluator(split).evaluate(subject, Batch(torch.full((50, 2), float("nan"))))
    assert found.scores[0].metrics["frechet"].value is None
    assert any("not finite" in line for line in found.lines())
    json.dumps(found.model_dump(mode="json"), allow_nan=False)


def test_impossible_requests_are_refused(tmp_path):
    with pytest.raises(SparringError, match="count=1"):
        sparring.evaluate(tmp_path, "ring", count=1)
    with pytest.raises(SparringError):
        sparring.evaluate(tmp_path / "none.npy", "ring")


def test_a_simple_model_that_is_better_is_named():
    rows = {
        "this": {"shapes": 0.9, "trends": 0.8, "exact_copies": 0.02},
        "trees": {"shapes": 0.95, "trends": 0.85, "exact_copies": 0.01},
        "marginals": {"shapes": 0.975, "trends": 0.2, "exact_copies": 0.0},
        "real": {"shapes": 0.98, "trends": 0.99, "exact_copies": 0.0},
    }
    (sentence,) = better_comparators(rows)
    metrics = "3 of 3 metrics (column shapes, pair trends, exact copies)"
    assert sentence == f"A simple model, trees, is better than this one by {metrics}."
    assert not better_comparators({**rows, "this": rows["real"]})
    assert not better_comparators({name: rows[name] for name in ("this", "trees")})
