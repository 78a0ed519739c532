"""GANomaly against values computed by hand, on two networks of one weight, and on points of a line."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from sparring.data.dataset import Dataset
from sparring.flow import Batch, Progress, Verdict
from sparring.games.game import Detecting, Role, roles
from sparring.games.reconstruction import Coded, GANomaly
from sparring.randomness import RandomStream, seeded
from sparring.training.checkpoint import load_checkpoint, restore, save_checkpoint, take
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

PLAYERS = ("generator", "encoder", "discriminator")


class Halves(nn.Module):
    """Codes are the sum of the two values of a sample, times a weight; samples repeat half of their code."""

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def encode(self, sample: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.weight * sample.sum(1, keepdim=True)

    def decode(self, code: Tensor, condition: Tensor | None = None) -> Tensor:
        return (code / 2).repeat(1, 2)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.encode(sample)


class First(nn.Module):
    """Discriminator whose logit is the first value, times a weight, and whose last feature is the second."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(3.0))

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        return Verdict([self.weight * sample[:, 0]], [sample[:, :1], self.weight * sample[:, 1:]])


def game() -> GANomaly:
    return GANomaly(Coded(Halves(), 1), Halves(2.0), First(), contextual=50.0, adversarial=0.5, coding=0.25)


REAL = torch.tensor([[0.0, 2.0], [1.0, 1.0], [-1.0, 2.0], [3.0, 5.0]])
"""Codes 2, 2, 1, 8 and reconstructions (1, 1), (1, 1), (½, ½), (4, 4), whose codes are twice as large."""


def test_terms_are_those_of_the_paper(progress: Callable[..., Progress]) -> None:
    terms = game().generator_objective(Batch(REAL), progress(4)).terms
    # |x - G(x)| over 8 values; 3 times the second value as feature; codes that differ by themselves.
    assert terms["contextual"].item() == pytest.approx(50 * (2 + 0 + 3 + 2) / 8)
    assert terms["adversarial"].item() == pytest.approx(0.5 * (9 + 0 + 9 * 1.5**2 + 9) / 4)
    assert terms["code"].item() == pytest.approx(0.25 * (4 + 4 + 1 + 64) / 4)


def test_the_discriminator_minimises_the_cross_entropy(progress: Callable[..., Progress]) -> None:
    one = game()
    terms = one.discriminator_objective(Batch(REAL), progress(4)).terms
    real, fake = 3 * REAL[:, 0], 3 * torch.tensor([1.0, 1.0, 0.5, 4.0])
    expected = -(real.sigmoid().log() + (1 - fake.double().sigmoid()).log()).mean()
    assert terms["adversarial"].item() == pytest.approx(expected.item(), rel=1e-5)
    # The reconstructions of the generator's turn are used again.
    made = {"fakes": torch.zeros(4, 2)}
    again = one.discriminator_objective(Batch(REAL), replace(progress(4), made=made)).terms["adversarial"]
    assert again.item() == pytest.approx((-real.sigmoid().log().mean() + torch.tensor(2.0).log()).item(), rel=1e-5)


def test_anomaly_is_the_distance_of_codes_and_the_error_of_each_value() -> None:
    one = game()
    assert isinstance(one, Detecting)
    found = one.anomaly(Batch(REAL))
    assert found.score.tolist() == [2.0, 2.0, 1.0, 8.0] and not found.score.requires_grad
    assert found.places is not None
    assert found.places.tolist() == [[1.0, 1.0], [0.0, 0.0], [1.5, 1.5], [1.0, 1.0]]


def test_a_turn_trains_its_own_players(progress: Callable[..., Progress]) -> None:
    one = game()
    generator, discriminator = one.turns(progress(4))
    assert generator.trained == ("generator", "encoder") and discriminator.trained == ("discriminator",)
    assert roles(one, progress(4)) == {"generator": Role.PUBLISHED, "discriminator": Role.CRITIC}
    discriminator.objective(Batch(REAL), progress(4)).terms["adversarial"].backward()
    assert one.players["discriminator"].weight.grad is not None
    assert all(weight.grad is None for name in generator.trained for weight in one.players[name].parameters())
    # The contextual term is the generator's alone, the term of codes both encoders'.
    generator.objective(Batch(REAL), progress(4)).terms["contextual"].backward()
    assert one.players["encoder"].weight.grad is None
    generator.objective(Batch(REAL), progress(4)).terms["code"].backward()
    assert one.players["encoder"].weight.grad is not None


def test_statistics_of_codes_move_after_the_turn_alone(progress: Callable[..., Progress]) -> None:
    one, now = game(), progress(4)
    coded, turn = one.players["generator"], one.turns(now)[0]
    assert isinstance(coded, Coded) and turn.after is not None
    first, again = (turn.objective(Batch(REAL), now) for _ in range(2))
    assert all(first.terms[name].equal(again.terms[name]) for name in first.terms)
    assert coded.mean.tolist() == [0.0] and coded.variance.tolist() == [1.0]
    with torch.no_grad():
        turn.after(first.rows, now)
    codes = torch.tensor([2.0, 2.0, 1.0, 8.0])
    assert coded.mean.item() == pytest.approx(0.1 * codes.mean().item())
    assert coded.variance.item() == pytest.approx(0.9 + 0.1 * codes.var(correction=0).item())


def test_samples_are_decoded_from_codes_of_the_same_mean_and_variance() -> None:
    one = game()
    coded = one.players["generator"]
    assert isinstance(coded, Coded)
    coded.mean.fill_(4.0)
    coded.variance.fill_(9.0)
    samples = one.generate(one.latent(RandomStream(0, 0, 4000, slice(0, 4000))), None)
    assert samples.shape == (4000, 2) and samples[:, 0].equal(samples[:, 1])
    assert samples.mean().item() == pytest.approx(2.0, abs=0.1) and samples.std().item() == pytest.approx(1.5, abs=0.1)


@pytest.fixture
def trainer(plan: Callable[..., Plan]) -> Callable[..., Trainer]:
    """Trainer of dense networks on points of a line in three dimensions: ``trainer(micro_batch=4)``."""

    class Dense(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encode_layers, self.decode_layers = nn.Linear(3, 1), nn.Linear(1, 3)

        def encode(self, sample: Tensor, condition: Tensor | None = None) -> Tensor:
            return self.encode_layers(sample)

        def decode(self, code: Tensor, condition: Tensor | None = None) -> Tensor:
            return self.decode_layers(code)

    class Head(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.score = nn.Linear(3, 8), nn.Linear(8, 1)

        def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
            features = self.hidden(sample).tanh()
            return Verdict([self.score(features)[:, 0]], [features])

    class Encode(nn.Linear):
        def forward(self, sample: Tensor, condition: Tensor | None = None) -> Tensor:
            return super().forward(sample)

    def make(**numbers: int) -> Trainer:
        with seeded(0, "weights"):
            played = GANomaly(Coded(Dense(), 1), Encode(3, 1), Head())
        along = torch.randn(64, 1, generator=torch.Generator().manual_seed(0))
        points = (along * torch.tensor([[1.0, -1.0, 0.5]])).numpy()
        return Trainer(played, Dataset(points), plan(players=PLAYERS, rate=1e-2, **numbers))

    return make


def weights(of: Trainer) -> dict[str, Tensor]:
    return {f"{name}/{key}": one for name in PLAYERS for key, one in of.game.players[name].state_dict().items()}


def test_micro_batches_change_nothing(trainer: Callable[..., Trainer]) -> None:
    whole, parts = trainer(batch=16, samples=160), trainer(batch=16, samples=160, micro_batch=4)
    assert len(list(whole)) == len(list(parts)) == 10
    torch.testing.assert_close(weights(parts), weights(whole), rtol=1e-3, atol=1e-4)
    assert not weights(whole)["generator/mean"].equal(torch.zeros(1))


def test_resume_continues_bit_for_bit(trainer: Callable[..., Trainer], tmp_path: Path) -> None:
    straight, stopped, resumed = (trainer(batch=16, samples=160) for _ in range(3))
    for _ in range(5):
        stopped.advance()
    save_checkpoint(tmp_path, stopped)
    restore(resumed, load_checkpoint(tmp_path)[0])
    assert len(list(straight)) == 10 and len(list(resumed)) == 5
    expected, found = take(straight), take(resumed)
    for one, other in ((expected.players, found.players), (expected.optimisers, found.optimisers)):
        assert one.keys() == other.keys() and all(one[name].equal(other[name]) for name in one)
    assert {"generator/mean", "generator/variance"} <= weights(resumed).keys()
