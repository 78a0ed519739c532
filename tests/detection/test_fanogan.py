"""The score of f-AnoGAN, its encoder and its conditions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import sparring
from sparring.data.dataset import Dataset
from sparring.detection.conditions import Given
from sparring.detection.fanogan import REACH, FAnoGAN, last_features
from sparring.detection.scoring import NetworkScorer
from sparring.flow import Anomaly, Batch, Verdict
from sparring.games.duel import Duel
from sparring.layers.packing import packed
from toys.small_recipes import small, toy

DUELS = ("images/r3gan", "images/dcgan", "images/gan", "tables/gan", "tables/ctgan", "points/ring")
"""Recipes whose games are duels from latents."""


def test_the_score_is_that_of_the_paper(tiny_duel: Callable[..., Duel]) -> None:
    game = tiny_duel()
    real = torch.randn(5, 2)
    detector = FAnoGAN(game, Batch(real), seed=0)
    found = detector.anomaly(Batch(real))
    back = game.players["generator"](detector.encoder(real, None))
    # The last features of the tiny discriminator are the sines of the sample.
    expected = (real - back).square().mean(1) + (real.sin() - back.sin()).square().mean(1)
    torch.testing.assert_close(found.score.float(), expected)
    torch.testing.assert_close(found.places.float(), (real - back).square())


def test_latents_are_bounded_and_gradients_reach_the_encoder_alone(tiny_duel: Callable[..., Duel]) -> None:
    game = tiny_duel()
    detector = FAnoGAN(game, Batch(torch.randn(2, 2)), seed=0)
    assert detector.encoder(1e6 * torch.randn(20, 2), None).abs().max() <= REACH
    detector.losses(Batch(torch.randn(8, 2)))[0].mean().backward()
    assert all(weight.grad is not None for weight in detector.encoder.last.parameters())
    assert all(weight.grad is None for player in game.players.values() for weight in player.parameters())


class Sum(nn.Module):
    """A discriminator whose only feature is the sum of the coordinates of a pack."""

    def forward(self, sample: torch.Tensor) -> Verdict:
        return Verdict([sample.sum(1)], [sample.sum(1, keepdim=True)])


def test_samples_do_not_share_packs() -> None:
    samples = torch.randn(5, 2)
    features = last_features(packed(Sum(), 3), samples, None)
    torch.testing.assert_close(features[:, 0], 3 * samples.sum(1))


@pytest.mark.parametrize(
    "name", ["images/r3gan", "images/dcgan", "images/gan", "tables/gan", "tables/ctgan", "points/ring"]
)
def test_every_duel_from_latents_can_be_inverted(name: str) -> None:
    recipe = small(name)
    facts, data = toy(recipe)
    game: Any = recipe.game(facts)
    model = sparring.Model(game, recipe, name, facts, {})
    given = Given(model)
    batch = given.known(data.batch(slice(0, 12)))
    detector = FAnoGAN(game, batch, seed=0)
    score, _ = detector.losses(batch)
    score.mean().backward()
    assert score.shape == (12,) and bool(score.isfinite().all())
    assert any(bool(weight.grad.abs().sum() > 0) for weight in detector.encoder.parameters() if weight.grad is not None)
    # A sample has the same score whatever stands beside it.
    scorer = NetworkScorer(model, detector, torch.device("cpu"))
    whole = torch.cat([part.score for part in scorer(data)])
    alone = scorer.of(data.batch(slice(3, 4)).real)
    torch.testing.assert_close(alone.score, whole[3:4], rtol=1e-3, atol=1e-5)
    if recipe.modality != "tables":
        assert alone.places.shape == data.batch(slice(3, 4)).real.shape
    else:
        assert alone.places.shape == (1, facts.shape[0])


class Farness:
    """A detector whose score is the distance to the number of the class."""

    def anomaly(self, batch: Batch) -> Anomaly:
        distance = (batch.real[:, 0] - batch.condition).abs()
        return Anomaly(distance, distance[:, None] + batch.condition[:, None])


def test_the_nearest_class_counts() -> None:
    recipe = small("images/r3gan")
    facts, _ = toy(recipe)
    model = sparring.Model(recipe.game(facts), recipe, "images/r3gan", facts, {})
    assert len(model.classes) == 2
    found = Given(model).anomaly(Farness(), Batch(torch.tensor([[0.1], [0.8], [5.0]])))
    torch.testing.assert_close(found.score, torch.tensor([0.1, 0.2, 4.0]))
    torch.testing.assert_close(found.places[:, 0], torch.tensor([0.1, 1.2, 5.0]))


def test_training_samples_keep_their_classes() -> None:
    recipe = small("images/r3gan")
    facts, _ = toy(recipe)
    model = sparring.Model(recipe.game(facts), recipe, "images/r3gan", facts, {})
    labels = np.array([1, 0, 1])
    batch = Dataset(np.zeros((3, 1, 16, 16), np.uint8), labels=labels, conditions=labels).batch(slice(None))
    assert Given(model).known(batch).condition.tolist() == [1, 0, 1]
