"""The generator's extra terms against values computed by hand."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from sparring.flow import Batch, Verdict
from sparring.objectives.critic import Critic
from sparring.objectives.terms import GeneratorPass, feature_matching, mode_seeking, moment_matching, reconstruction
from sparring.randomness import RandomStream

LATENT = torch.tensor([[0.0], [2.0]])
REAL = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
FAKE = torch.tensor([[1.5, 2.0], [3.0, 2.0]])


class Layers(nn.Module):
    """Two layers of features: the sample, and its double."""

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        return Verdict([sample.sum(1)], [sample, 2 * sample])


@pytest.fixture
def generated(random: Callable[..., RandomStream]) -> GeneratorPass:
    """GeneratorPass with two fakes; generated again, samples are G(z) = (z, 3z)."""
    fake = FAKE.clone().requires_grad_()
    critic = Critic(Layers(), None, random(2))
    return GeneratorPass(LATENT, fake, Batch(REAL), critic, lambda latent: torch.cat([latent, 3 * latent], dim=1))


def test_reconstruction_is_the_mean_absolute_error(generated: GeneratorPass) -> None:
    assert reconstruction(generated).item() == pytest.approx((0.5 + 0 + 0 + 2) / 4)


def test_feature_matching_matches_the_value_computed_by_hand(generated: GeneratorPass) -> None:
    """The means are (2, 3) and (2.25, 2): squared gaps of 0.25² and 1², and four times that in the doubled layer."""
    assert feature_matching(generated).item() == pytest.approx((0.0625 + 1) / 2 * (1 + 4))


def test_feature_matching_has_gradients_for_the_fakes_only(generated: GeneratorPass) -> None:
    (gradient,) = torch.autograd.grad(feature_matching(generated), generated.fake)
    assert gradient.any()
    assert not generated.critic(generated.batch.real).features[0].requires_grad


def test_mode_seeking_matches_the_value_computed_by_hand(generated: GeneratorPass) -> None:
    """The other latents are 2 and 0, the other samples (2, 6) and (0, 0)."""
    apart = (0.5 + 4 + 3 + 2) / 4
    assert mode_seeking(generated).item() == pytest.approx(2 / (apart + 1e-5))


def test_mode_seeking_of_a_collapsed_generator_is_large_but_finite(generated: GeneratorPass) -> None:
    collapsed = generated._replace(fake=torch.zeros(2, 2), regenerate=lambda latent: torch.zeros(2, 2))
    assert mode_seeking(collapsed).item() == pytest.approx(2e5, rel=1e-3)


def test_moment_matching_sees_samples_that_are_all_alike(generated: GeneratorPass) -> None:
    """Fakes like the reals cost least, those at the mean of the reals more, and gradients pull them apart."""
    numbers = torch.randn(2, 64, 2, generator=torch.Generator().manual_seed(0))
    real, alike = numbers[0], (0.01 * numbers[1]).requires_grad_()
    of = {
        name: moment_matching(generated._replace(fake=fake, batch=Batch(real)))
        for name, fake in {"as real": numbers[1], "alike": alike}.items()
    }
    assert abs(of["as real"].item()) < 0.05 < 0.3 < of["alike"].item()
    (slope,) = torch.autograd.grad(of["alike"], alike)
    assert (slope * (alike - alike.mean(0))).sum() < 0
