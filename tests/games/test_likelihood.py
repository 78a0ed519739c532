"""The evidence lower bound against values computed by hand."""

from collections.abc import Callable
from math import exp

import pytest
import torch
from torch import Tensor, nn

from sparring.flow import Batch, Code, Progress
from sparring.games.likelihood import Likelihood, Normal
from sparring.objectives.schedules import Schedule, constant, cosine


class Constant(nn.Module):
    """Autoencoder whose codes have mean 1 and variance exp(-2), and whose samples repeat the latent twice."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def encode(self, sample: Tensor, condition: Tensor | None = None) -> Code:
        mean = self.weight * torch.ones(len(sample), 1)
        return Code(mean, -2 * mean)

    def decode(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        return latent.repeat(1, 2)


def game(weight: Schedule) -> Likelihood:
    return Likelihood(Constant(), latent_size=1, observation=Normal(0.5), divergence_weight=weight)


def test_both_terms_match_their_closed_forms(progress: Callable[..., Progress]) -> None:
    now, real = progress(3), torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    latent = 1 + exp(-1) * now.random.normal("code", 1)
    terms = game(constant(1.0)).objective(Batch(real), now).terms
    torch.testing.assert_close(terms["reconstruction"], (latent - real).square().mean() / (2 * 0.5**2))
    # KL(N(1, e⁻²) ‖ N(0, 1)) = (1 + e⁻² + 2 - 1) / 2, over the two values of a sample.
    assert terms["divergence"].item() == pytest.approx((exp(-2) + 2) / 2 / 2)


def test_the_divergence_is_weighted_by_its_schedule(progress: Callable[..., Progress]) -> None:
    terms = [
        game(cosine(0.0, 4.0)).objective(Batch(torch.zeros(2, 2)), progress(2, fraction)).terms
        for fraction in (0.0, 0.5, 1)
    ]
    once = (exp(-2) + 2) / 4
    assert [term["divergence"].item() for term in terms] == pytest.approx([0, 2 * once, 4 * once])


def test_samples_are_the_mean_of_the_decoder(progress: Callable[..., Progress]) -> None:
    played = game(constant(1.0))
    (turn,) = played.turns(progress(2))
    assert turn.trained == ("autoencoder",) and turn.times == 1
    latent = played.latent(progress(2).random)
    torch.testing.assert_close(played.generate(latent, None), latent.repeat(1, 2))


def test_anomaly_is_the_bound_at_the_mean_and_the_surprise_of_each_value() -> None:
    real = torch.tensor([[0.0, 1.0], [2.0, 4.0]])
    found = game(cosine(0.0, 4.0)).anomaly(Batch(real))
    places = (1 - real).square() / (2 * 0.5**2)
    assert found.places is not None and not found.score.requires_grad
    torch.testing.assert_close(found.places, places)
    torch.testing.assert_close(found.score, places.sum(1) + 4 * (exp(-2) + 2) / 2)
