"""What the two players of a duel minimise."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from sparring.flow import Batch, Progress
from sparring.games.duel import Duel
from sparring.objectives.judge import Judge
from sparring.objectives.losses import LOSSES
from sparring.objectives.penalties import r1, r2
from sparring.objectives.schedules import Weighted, constant, cosine
from sparring.objectives.terms import reconstruction

Make = Callable[..., Duel]
At = Callable[..., Progress]


@pytest.fixture
def batch() -> Batch:
    """Eight points."""
    return Batch(torch.linspace(-1, 1, 16).view(8, 2))


def played(duel: Duel, batch: Batch, progress: Progress) -> tuple[list[Tensor], list[Tensor]]:
    """The scores of reals and of the fakes that ``progress`` gives."""
    fake = duel.generate(duel.noise(progress.draw), None)
    discriminator = duel.players["discriminator"]
    return discriminator(batch.real).scores, discriminator(fake).scores


@pytest.mark.parametrize("loss", LOSSES)
def test_both_players_minimise_the_loss(loss: str, tiny_duel: Make, batch: Batch, progress: At) -> None:
    duel, now = tiny_duel(loss=loss), progress(8)
    (real,), (fake,) = played(duel, batch, now)
    for terms, formula in (
        (duel.discriminator_terms(batch, now), duel.loss.discriminator),
        (duel.generator_terms(batch, now), duel.loss.generator),
    ):
        assert list(terms) == ["adversarial"]
        torch.testing.assert_close(terms["adversarial"], formula(real, fake))


def test_the_verdicts_of_several_judges_add_up(tiny_duel: Make, batch: Batch, progress: At) -> None:
    duel, now = tiny_duel(judges=3), progress(8)
    pairs = list(zip(*played(duel, batch, now), strict=True))
    assert len(pairs) == 3
    expected = torch.stack([duel.loss.discriminator(*pair) for pair in pairs]).sum()
    torch.testing.assert_close(duel.discriminator_terms(batch, now)["adversarial"], expected)


@pytest.mark.parametrize(("loss", "passes"), [("relativistic", 2), ("hinge", 1)])
def test_reals_are_judged_on_the_generators_turn_only_if_they_count(
    loss: str, passes: int, tiny_duel: Make, batch: Batch, progress: At
) -> None:
    duel, seen = tiny_duel(loss=loss), []
    duel.players["discriminator"].register_forward_hook(lambda *_: seen.append(1))
    duel.generator_terms(batch, progress(8))
    assert len(seen) == passes


def test_penalties_are_weighted_by_their_schedules(tiny_duel: Make, batch: Batch, progress: At) -> None:
    penalties = {"r1": Weighted(r1, cosine(4.0, 2.0)), "r2": Weighted(r2, constant(0.5))}
    duel, now = tiny_duel(penalties=penalties), progress(8, fraction=0.5)
    terms = duel.discriminator_terms(batch, now)
    real = batch.real.clone().requires_grad_()
    fake = duel.generate(duel.noise(now.draw), None).detach().requires_grad_()
    judge = Judge(duel.players["discriminator"], None, now.draw)
    assert list(terms) == ["adversarial", "r1", "r2"]
    torch.testing.assert_close(terms["r1"], 3.0 * r1(judge, real, fake).mean())
    torch.testing.assert_close(terms["r2"], 0.5 * r2(judge, real, fake).mean())


def test_extra_terms_are_the_generators(tiny_duel: Make, batch: Batch, progress: At) -> None:
    duel, now = tiny_duel(terms={"l1": Weighted(reconstruction, constant(100.0))}), progress(8)
    fake = duel.generate(duel.noise(now.draw), None)
    terms = duel.generator_terms(batch, now)
    torch.testing.assert_close(terms["l1"], 100 * (fake - batch.real).abs().mean())
    assert list(duel.discriminator_terms(batch, now)) == ["adversarial"]


def test_the_discriminators_turn_leaves_the_generator_alone(tiny_duel: Make, batch: Batch, progress: At) -> None:
    duel = tiny_duel()
    duel.discriminator_terms(batch, progress(8))["adversarial"].backward()
    assert all(weight.grad is None for weight in duel.players["generator"].parameters())


def test_turns(tiny_duel: Make, progress: At) -> None:
    first, second = tiny_duel(discriminator_turns=5).turns(progress(8))
    assert (first.player, first.times, first.after) == ("discriminator", 5, None)
    assert (second.player, second.times, second.after) == ("generator", 1, None)


def test_the_weight_limit_follows_each_update_of_the_discriminator(tiny_duel: Make, progress: At) -> None:
    duel = tiny_duel(weight_limit=0.01)
    first, second = duel.turns(progress(8))
    assert second.after is None and first.after is not None
    first.after()
    assert max(float(weight.detach().abs().max()) for weight in duel.players["discriminator"].parameters()) <= 0.01
    assert max(float(weight.detach().abs().max()) for weight in duel.players["generator"].parameters()) > 0.01
