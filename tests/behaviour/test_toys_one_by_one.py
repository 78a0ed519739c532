"""Features that single toys cover: true targets, unpaired domains, sampling rates, phases, unknown labels."""

import math
import wave
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import norm

import sparring
from sparring.data.dataset import Split
from sparring.data.view import View
from sparring.evaluation.evaluator import Evaluator
from sparring.evaluation.protocol import Generated
from sparring.evaluation.result import Evaluation
from sparring.evaluation.subject import Subject, of_model, split_for
from sparring.model import Model
from sparring.randomness import RandomStream
from sparring.runs.display import Silent
from sparring.training.trainer import Trainer
from sparring.watchdog.signals import Observer, due
from toys.trainers import CENTRES, SHARES, SPREADS

Make = Callable[..., tuple[Trainer, Split]]


@pytest.mark.parametrize("toy", ["pairs"], indirect=True)
def test_pairs_are_evaluated_against_their_own_targets(toy: ModuleType, trainer: Make, tmp_path: Path) -> None:
    played, split = trainer(200)
    for _ in played:
        pass
    model = Model(played.average, toy.RECIPE, "toys/pairs", split.facts, {})
    generated = of_model(model, "pairs").batch(split, 64, 0)
    shuffled = generated._replace(true=generated.true.roll(1, 0))
    own, other = (Evaluator(split).evaluate(Subject("pairs", toy.KIND), one).metrics for one in (generated, shuffled))
    assert own["l1"].value < 0.6 * other["l1"].value
    assert own["psnr"].value > 3 + other["psnr"].value and own["ssim"].value > 0.3 + other["ssim"].value

    # Each held-out input is asked once, and true answers reach the floor.
    assert len(generated.batch.condition.flatten(1).unique(dim=0)) == len(generated.true) == len(split.held_out)
    perfect = Generated(generated.batch._replace(real=generated.true), generated.true)
    found = Evaluator(split).evaluate(Subject("pairs", toy.KIND), perfect).scores[0]
    assert found.count == len(split.held_out) and found.metrics["frechet"].value == found.metrics["frechet"].floor

    # Of data that the model was not trained on, half is asked and half is compared with.
    survey = toy.KIND.survey(toy.write(tmp_path, 81, "new", seed=2))
    halves = split_for(of_model(model, "pairs"), survey, 0, is_new=True)
    both = [part.batch(slice(None)).condition.flatten(1) for part in (halves.train, halves.held_out)]
    assert [len(part) for part in both] == [41, 40] and len(torch.cat(both).unique(dim=0)) == 81

    # Samples come in the order of their input files.
    inputs = toy.options(tmp_path)["input"]
    samples, true = model.apply(inputs), toy.load(inputs, View(())).batch(slice(None)).real
    distances = (samples[:, None] - true[None]).abs().flatten(2).mean(2)
    assert distances.argmin(1).tolist() == list(range(7))


@pytest.mark.parametrize("toy", ["domains"], indirect=True)
def test_domains_may_have_different_sizes(toy: ModuleType, tmp_path: Path) -> None:
    """Partners are redrawn for every batch in training, and are fixed in evaluation."""
    source = toy.write(tmp_path, 250, 90)
    data, others = toy.load(source, View((2,), "other")), np.load(source)["b"]
    rows = np.arange(250)
    again = [data.batch(rows, random=RandomStream(0, step, 250, slice(0, 250))).condition for step in (0, 0, 1)]
    assert torch.equal(again[0], again[1]) and not torch.equal(again[0], again[2])
    assert len(again[0].unique(dim=0)) > 80 and not torch.equal(again[0][:90], again[0][90:180])
    assert data.batch(rows).condition.numpy() == pytest.approx(others[rows % 90])
    assert data.subset(rows[200:]).batch(slice(0, 5)).condition.numpy() == pytest.approx(others[20:25])


@pytest.mark.parametrize("toy", ["domains"], indirect=True)
def test_domains_are_observed_through_two_critics_and_have_no_targets(
    toy: ModuleType, trainer: Make, tmp_path: Path
) -> None:
    played, split = trainer(192)
    observer, observations = Observer(played, split, toy.KIND, 0), []
    for _ in played:
        observer.step()
        if due(played.step):
            leads = [played.figures.notes[f"critic {domain}"]["lead"] for domain in "ab"]
            observations.append(observer.observe())
    critics = [observations[-1][f"critic {domain} gradient"] for domain in "ab"]
    assert len(observations) == 3 and observations[-1]["discriminator gradient"] == pytest.approx(
        sum(critics) / 2, rel=1e-4
    )
    assert observations[-1]["lead"] == pytest.approx(sum(leads) / 2, rel=0.2)
    assert observations[-1]["generator gradient"] == observations[-1]["generators gradient"]
    assert all(math.isfinite(observations[-1][name]) for name in ("swing", "distance", "coverage", "moved", "outside"))
    assert all(played.game.players[f"critic {domain}"].filled.all() for domain in "ab")

    # The sample of an input does not depend on the rest of the batch, and there are no true targets.
    model = Model(played.average, toy.RECIPE, "toys/domains", split.facts, {})
    conditions = model.conditions(**toy.options(tmp_path))
    samples = model.sample(condition=conditions)
    assert model.sample(condition=conditions.flip(0)).flip(0) == pytest.approx(samples, abs=1e-5)
    generated = of_model(model, "domains").batch(split, 64, 0)
    assert generated.true is None and len(generated.batch.condition) == len(split.held_out)


@pytest.mark.parametrize("toy", ["tokens", "halves"], indirect=True)
def test_micro_batches_sum_to_the_whole_batch(trainer: Make) -> None:
    """This holds in each phase, and for micro-batches without any known label."""
    (whole, split), (parts, _) = trainer(steps=2), trainer(steps=2, micro_batch=1)
    for _ in zip(whole, parts, strict=True):
        assert whole.fresh.terms and whole.fresh.terms.keys() == parts.fresh.terms.keys()
        for turn, terms in whole.fresh.terms.items():
            assert terms == pytest.approx(parts.fresh.terms[turn], rel=1e-3, abs=1e-6)
        assert whole.fresh.gradients == pytest.approx(parts.fresh.gradients, rel=1e-3, abs=1e-6)
    assert split.train.labels is None or {-1, 0, 1, 2} == set(split.train.labels)


@pytest.mark.parametrize("toy", ["halves"], indirect=True)
def test_rows_without_a_known_label_give_the_classifier_no_gradient(trainer: Make) -> None:
    played, split = trainer()
    batch = split.train.subset(split.train.labels < 0).batch(slice(0, 8))
    terms: Any = played.game.turns(played.progress)[-1].objective(batch, played.progress).terms
    terms["labels"].backward()
    gradients = [weight.grad for weight in played.game.players["classifier"].parameters()]
    assert terms["labels"] == 0 and not torch.cat([gradient.flatten() for gradient in gradients]).any()


@pytest.mark.parametrize("toy", ["waves"], indirect=True)
def test_sounds_are_written_at_the_sampling_rate_of_the_data(toy: ModuleType, tmp_path: Path) -> None:
    source = toy.write(tmp_path)
    run = sparring.train(source, samples=4 * toy.RECIPE.batch, out=tmp_path / "run", display=Silent())
    assert {path.suffix for path in run.samples.iterdir()} == {".wav"}
    page = run.report.read_text()
    assert '<audio controls src="data:audio/wav;base64,' in page
    assert "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'\"" in page

    published = sparring.load(run.model)
    assert published.facts.coding == {"rate": 8000}
    (path,) = published.show(published.sample(3), tmp_path / "sounds")
    with wave.open(str(path)) as sound:
        assert sound.getframerate() == 8000 and 3 * 48 <= sound.getnframes() <= 3 * 64


@pytest.mark.parametrize("toy", ["clusters"], indirect=True)
def test_the_mixture_reaches_the_likelihood_of_the_true_density(toy: ModuleType, tmp_path: Path) -> None:
    source = toy.write(tmp_path)
    run = sparring.train(source, samples=60 * toy.RECIPE.batch, out=tmp_path / "run", display=Silent())
    found = Evaluation.from_run(run).metrics["likelihood"].value
    points = toy.KIND.survey(source).prepare(View((2,))).held_out.samples
    densities = norm.pdf(points[:, None], CENTRES, SPREADS).prod(2) @ SHARES
    assert found is not None and abs(found - np.log(densities).mean()) < 0.2
