"""Answers to conditions that are samples: beside others that need no model, there and back, several for one input."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.evaluation.evaluator import Evaluator, cycles, diversity
from sparring.evaluation.protocol import Generated
from sparring.evaluation.result import Evaluation
from sparring.evaluation.subject import Subject
from sparring.flow import Batch
from sparring.games.exchange import CycleGAN, StarGAN
from sparring.games.pool import Pooled
from sparring.modalities.images.conditions import Holed, Translation, partnered
from sparring.modalities.images.rooms import IMAGES
from sparring.model import Model
from sparring.recipe import with_fields
from sparring.recipes import RECIPES

RANDOM = torch.Generator().manual_seed(0)
INPUTS = torch.rand(60, 3, 8, 8, generator=RANDOM) * 1.6 - 0.8
FACTS = Facts("made up", "images", 60, (3, 8, 8), "0" * 64)


def split(real: Tensor, conditions: Tensor | None = None) -> Split:
    """Return 40 samples to train on and 20 held out."""
    parts = [real.numpy(), None, None if conditions is None else conditions.numpy()]
    data = Dataset(*parts, read=lambda stored, random: stored)
    return Split(data.subset(slice(0, 40)), data.subset(slice(40, 60)), FACTS)


def table(answers: Tensor, *, pairs: bool) -> dict[str, dict[str, float]]:
    """Return the table for answers to the held-out inputs, whose true answers are 0.1 brighter."""
    true = INPUTS + 0.1
    inputs = INPUTS[40:]
    condition = inputs if pairs else Translation(inputs, torch.ones(20, dtype=torch.int64))
    generated = Generated(Batch(answers, condition), true[40:] if pairs else None)
    evaluator = Evaluator(split(true, INPUTS if pairs else None), extractors=["pixels"], further=False)
    found = evaluator.evaluate(Subject("answers", IMAGES, View((3, 8, 8))), generated)
    assert max(map(len, found.lines())) <= 100
    assert Evaluation.model_validate_json(found.model_dump_json()) == found
    return found.baselines


@pytest.mark.parametrize("pairs", [True, False])
def test_every_answer_is_compared_with_its_input(pairs: bool) -> None:
    changed = INPUTS[40:].clone()
    changed[:, 0, :2] += 0.1  # A quarter of the pixels in one channel.
    found = table(changed, pairs=pairs)
    assert found["this"]["unchanged"] == 0.75 and found["input as output"]["unchanged"] == 1
    assert found["this"]["input_distance"] == pytest.approx(0.1 * np.sqrt(16), rel=1e-4)
    assert found["input as output"]["input_distance"] == 0
    assert found["nearest training image"]["unchanged"] < 0.5 < found["nearest training image"]["input_distance"]
    assert all(row.keys() == found["this"].keys() for row in found.values())


def test_the_truth_stands_beside_the_answers_where_it_is_known() -> None:
    found = table(INPUTS[40:] + 0.05, pairs=True)
    assert found["truth"]["l1"] == found["truth"]["perceptual"] == found["truth"]["unchanged"] == 0
    assert found["this"]["perceptual"] == pytest.approx(0.05 * np.sqrt(192), rel=1e-4)
    assert found["input as output"]["perceptual"] == pytest.approx(found["truth"]["input_distance"])
    unpaired = table(INPUTS[40:] + 0.05, pairs=False)
    assert "truth" not in unpaired and "perceptual" not in unpaired["this"]


class Shift(nn.Module):
    """Adds a number, or that of the target and -0.05 for the last one."""

    def __init__(self, number: float = 0.0) -> None:
        super().__init__()
        self.number = number

    def forward(self, latent: Tensor, condition: Tensor | Translation) -> Tensor:
        if isinstance(condition, Translation):
            return condition.image + torch.tensor([0.1, 0.2, -0.05])[condition.target][:, None, None, None]
        return condition + self.number


def translated() -> Split:
    """Return samples of the domain 1, each beside a sample of another one."""
    stored = (np.ones((60, 3, 8, 8), np.uint8), np.ones(60, np.int64), np.arange(60))
    inputs = ((INPUTS + 1) * 127.5).byte()
    data = Dataset(*stored, read=partnered(lambda rows: inputs[rows], 60))
    return Split(data.subset(slice(0, 40)), data.subset(slice(40, 60)), FACTS_OF_DOMAINS)


FACTS_OF_DOMAINS = Facts("made up", "images", 60, (3, 8, 8), "0" * 64, classes=("a", "b", "c"))


def model(name: str, game: Any = None, facts: Facts = FACTS_OF_DOMAINS, **fields: Any) -> Model:
    """Return an untrained model, or one of a given game."""
    recipe = with_fields(RECIPES[name], {"resolution": 8, "width": 4, **fields})
    return Model(game or recipe.game(facts), recipe, name, facts, {})


def test_the_error_of_a_cycle_is_what_two_generators_leave() -> None:
    critics = [Pooled(nn.Identity(), (3, 8, 8), 0) for _ in range(2)]
    for back, error in ((-0.2, 0.0), (-0.05, 0.15)):
        one = model("images/cyclegan", CycleGAN(Shift(0.2), Shift(back), *critics, target=1))
        score = cycles(one, translated())["cycle_error"]
        assert score.value == pytest.approx(error, abs=1e-6) and score.floor == pytest.approx(error, abs=1e-6)


def test_a_cycle_between_several_domains_ends_in_the_domain_of_its_start() -> None:
    """From domain 1 into 2, which subtracts 0.05, and back into 1, which adds 0.2."""
    one = model("images/stargan", StarGAN(Shift(), nn.Identity(), domains=3))
    assert cycles(one, translated())["cycle_error"].value == pytest.approx(0.15)
    assert cycles(model("images/cut", blocks=1), translated()) == {}


class Answering(nn.Module):
    """Answers 0.3 above or below the input by the sign of the latent."""

    def forward(self, latent: Tensor, condition: Any) -> Tensor:
        images = condition.image if isinstance(condition, Holed) else condition
        answers = images + 0.3 * latent[:, :1, None, None].sign()
        return torch.where(condition.mask > 0, answers, images) if isinstance(condition, Holed) else answers


def test_a_model_without_latents_has_no_diversity_of_answers() -> None:
    one = model("images/cyclegan", blocks=1)
    assert not one.has_latents and diversity(one, translated(), 0) == {}
    assert diversity(model("images/dcgan", width=8), translated(), 0) == {}


@pytest.mark.parametrize("name", ["images/pix2pix", "images/fill"])
def test_answers_differ_as_their_latents_do(name: str) -> None:
    """Two signs differ in half of all pairs, by 0.6 each; of fills only the hole counts."""
    inputs = 0.8 * INPUTS  # No answer is clamped.
    coding = {"pair": {"sides": ["b", "a"], "channels": [3, 3]}}
    facts = Facts("made up", "images", 60, (3, 8, 8), "0" * 64, coding=coding)
    one = model(name, facts=facts, width=8)
    (player,) = one.game.published
    one.game.players[player] = Answering()
    mask = torch.zeros(60, 1, 8, 8)
    mask[:, :, 2:4] = 1
    holed = Holed(np.where(mask.numpy() > 0, 0, inputs.numpy()), mask.numpy())
    stored = inputs.numpy() if name == "images/pix2pix" else holed
    data = Dataset(inputs.numpy(), None, stored, read=lambda batch, random: batch)
    found = diversity(one, Split(data, data, facts), 3)["answer_diversity"]
    assert found == diversity(one, Split(data, data, facts), 3)["answer_diversity"]
    differing = found.value / 0.6 * 60  # Rows whose signs differ.
    assert found.value == pytest.approx(0.3, abs=0.12) and differing == pytest.approx(round(differing), abs=1e-3)
