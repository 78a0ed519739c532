"""Every loss against values computed by hand, for both players."""

from math import exp, log

import pytest
import torch

from sparring.objectives.losses import LOSSES

REAL, FAKE = (2.0, -1.0), (0.5, -3.0)


def softplus(value: float) -> float:
    return log(1 + exp(value))


HALF = {"real": [softplus(-2), softplus(1)], "fake": [softplus(0.5), softplus(-3)]}
BY_HAND = {
    "minimax": (sum(HALF["real"]) / 2 + sum(HALF["fake"]) / 2, -sum(HALF["fake"]) / 2),
    "non_saturating": (sum(HALF["real"]) / 2 + sum(HALF["fake"]) / 2, (softplus(-0.5) + softplus(3)) / 2),
    "least_squares": (((1 + 4) / 2 + (0.25 + 9) / 2) / 2, (0.25 + 16) / 2 / 2),
    "hinge": ((0 + 2) / 2 + (1.5 + 0) / 2, 1.25),
    "wasserstein": (-1.25 - 0.5, 1.25),
    "relativistic": ((softplus(-1.5) + softplus(-2)) / 2, (softplus(1.5) + softplus(2)) / 2),
}


def test_every_loss_has_values_computed_by_hand() -> None:
    assert set(BY_HAND) == set(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
def test_both_formulas_match_values_computed_by_hand(name: str) -> None:
    real, fake = [torch.tensor(REAL)], [torch.tensor(FAKE)]
    discriminator, generator = BY_HAND[name]
    assert LOSSES[name].discriminator(real, fake).item() == pytest.approx(discriminator, rel=1e-6)
    assert LOSSES[name].generator(real, fake).item() == pytest.approx(generator, rel=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_only_paired_losses_use_the_logits_of_reals_in_the_generator(name: str) -> None:
    real = torch.tensor(REAL, requires_grad=True)
    value = LOSSES[name].generator([real], [torch.tensor(FAKE)])
    uses_real = value.requires_grad and bool(torch.autograd.grad(value, real)[0].any())
    assert uses_real == LOSSES[name].paired


@pytest.mark.parametrize("name", LOSSES)
def test_both_players_push_the_logit_of_a_fake_in_opposite_directions(name: str) -> None:
    real, fake = torch.tensor(REAL), torch.tensor(FAKE, requires_grad=True)
    (down,) = torch.autograd.grad(LOSSES[name].discriminator([real], [fake]), fake)
    (up,) = torch.autograd.grad(LOSSES[name].generator([real], [fake]), fake)
    assert down[0] > 0 > up[0]


@pytest.mark.parametrize("name", ["minimax", "non_saturating", "relativistic"])
def test_logits_of_any_size_give_finite_losses(name: str) -> None:
    real, fake = [torch.tensor([1e4, -1e4])], [torch.tensor([-1e4, 1e4])]
    assert LOSSES[name].discriminator(real, fake).isfinite()
    assert LOSSES[name].generator(real, fake).isfinite()


@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_of_several_critics_is_the_sum(name: str) -> None:
    loss, real, fake = LOSSES[name], torch.tensor(REAL), torch.tensor(FAKE)
    patches = torch.randn(2, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    for formula in (loss.discriminator, loss.generator):
        expected = formula([real], [fake]) + formula([patches], [2 * patches])
        torch.testing.assert_close(formula([real, patches], [fake, 2 * patches]), expected)


@pytest.mark.parametrize("name", ["relativistic"])
def test_paired_losses_refuse_different_numbers_of_critics(name: str) -> None:
    with pytest.raises(ValueError, match="shorter"):
        LOSSES[name].discriminator([torch.zeros(2)] * 2, [torch.zeros(2)])
