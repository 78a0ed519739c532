"""Every penalty against exact values, and its second derivatives against finite differences."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from sparring.controls import Control
from sparring.flow import Verdict
from sparring.layers.augment import Augment
from sparring.layers.packing import packed
from sparring.objectives.critic import Critic
from sparring.objectives.penalties import (
    Penalty,
    clip_weights,
    dragan,
    finite_r1,
    finite_r2,
    gradient_penalty,
    lecam,
    packed_gradient_penalty,
    r1,
    r2,
    sparse,
)
from sparring.randomness import RandomStream

EXACT: dict[str, tuple[Penalty, Callable[[float], float]]] = {
    "r1": (r1, lambda norm: norm**2 / 2),
    "r2": (r2, lambda norm: norm**2 / 2),
    "gradient_penalty": (gradient_penalty, lambda norm: (norm - 1) ** 2),
    "dragan": (dragan, lambda norm: (norm - 1) ** 2),
}


class Linear(nn.Module):
    """Discriminator D(x) = w·x, with one critic for each w."""

    def __init__(self, *weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.ParameterList(weights)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        return Verdict([(sample * weight).flatten(1).sum(1) for weight in self.weights], [])


class Smooth(nn.Module):
    """A small network with derivatives of every order, whose weights are arguments."""

    def __init__(self, first: Tensor, second: Tensor) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        return Verdict([(sample @ self.first).tanh() @ self.second], [])


def samples(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return values.requires_grad_()


@pytest.mark.parametrize("shape", [(2,), (3, 4, 5)])
@pytest.mark.parametrize("name", EXACT)
def test_penalties_of_a_linear_critic_match_their_closed_forms(
    name: str, shape: tuple[int, ...], random: Callable[..., RandomStream]
) -> None:
    penalty, formula = EXACT[name]
    weight = samples(*shape, seed=1).detach()
    found = penalty(Critic(Linear(weight), None, random(6)), samples(6, *shape, seed=2), samples(6, *shape, seed=3))
    torch.testing.assert_close(found, torch.full((6,), formula(float(weight.norm()))), rtol=1e-5, atol=1e-6)


def test_the_penalty_of_packs_has_the_norm_of_a_whole_pack(random: Callable[..., RandomStream]) -> None:
    """At each of its rows, with one place between real and generated rows."""
    weight = samples(6, seed=1).detach()
    critic = Critic(packed(Linear(weight), 3), None, random(6))
    found = packed_gradient_penalty(3)(critic, samples(6, 2, seed=2), samples(6, 2, seed=3))
    torch.testing.assert_close(found, torch.full((6,), (float(weight.norm()) - 1) ** 2))

    points: list[Tensor] = []

    class Keeping(nn.Module):
        def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
            points.append(sample.detach())
            return Verdict([sample.sum(1)], [])

    packed_gradient_penalty(3)(Critic(Keeping(), None, random(6)), torch.zeros(6, 1), torch.ones(6, 1))
    places = points[0][:, 0].unflatten(0, (2, 3))
    assert (places == places[:, :1]).all() and places[0, 0] != places[1, 0]
    assert packed_gradient_penalty(1) is gradient_penalty


def test_penalties_of_several_critics_add_up(random: Callable[..., RandomStream]) -> None:
    weights = torch.tensor([3.0, 4.0]), torch.tensor([0.0, 2.0])
    found = r1(Critic(Linear(*weights), None, random(4)), samples(4, 2), samples(4, 2))
    torch.testing.assert_close(found, torch.full((4,), (25 + 4) / 2))


def test_the_norm_is_over_the_values_of_one_sample_and_not_over_the_batch(
    random: Callable[..., RandomStream],
) -> None:
    class Quadratic(nn.Module):
        def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
            return Verdict([sample.square().flatten(1).sum(1) / 2], [])

    real, fake = samples(5, 3, 2, 2, seed=1), samples(5, 3, 2, 2, seed=2)
    critic = Critic(Quadratic(), None, random(5))
    torch.testing.assert_close(r1(critic, real, fake), real.square().flatten(1).sum(1) / 2)
    torch.testing.assert_close(r2(critic, real, fake), fake.square().flatten(1).sum(1) / 2)


@pytest.mark.parametrize("name", EXACT)
def test_second_derivatives_match_finite_differences(name: str, random: Callable[..., RandomStream]) -> None:
    real, fake = samples(3, 2, seed=1, dtype=torch.float64), samples(3, 2, seed=2, dtype=torch.float64)
    weights = samples(2, 4, seed=3, dtype=torch.float64), samples(4, seed=4, dtype=torch.float64)

    def value(first: Tensor, second: Tensor) -> Tensor:
        found = EXACT[name][0](Critic(Smooth(first, second), None, random(3)), real, fake)
        assert found.dtype == torch.float64
        return found

    assert torch.autograd.gradcheck(value, weights)
    assert torch.autograd.gradgradcheck(value, weights)


def test_logits_in_reduced_precision_become_float32_and_others_stay(random: Callable[..., RandomStream]) -> None:
    critic = Critic(Linear(torch.ones(2)), None, random(2))
    for given, expected in (
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ):
        critic.discriminator.to(given)
        assert critic(torch.ones(2, 2, dtype=given)).logits[0].dtype == expected


@pytest.mark.parametrize("make", [finite_r1, finite_r2])
def test_the_finite_penalty_matches_the_exact_one_in_the_mean(
    make: Callable[..., Penalty], random: Callable[..., RandomStream]
) -> None:
    """The relative deviation of one sample is √2, so that of the mean of n is √(2/n); four of these are allowed."""
    count = 20_000
    weights = samples(2, 8, seed=3).detach(), samples(8, seed=4).detach()
    critic = Critic(Smooth(*weights), None, random(count))
    point = samples(1, 2, seed=1).detach().expand(count, 2).clone().requires_grad_()
    exact = r1(critic, point, point).mean().item()
    assert make(step=1e-2)(critic, point, point).mean().item() == pytest.approx(exact, rel=4 * (2 / count) ** 0.5)


@pytest.mark.parametrize("penalty", [r1, r2, gradient_penalty, dragan, finite_r1()])
def test_sparse_penalises_every_third_sample_scaled_by_three(
    penalty: Penalty, random: Callable[..., RandomStream]
) -> None:
    weights = samples(2, 8, seed=3).detach(), samples(8, seed=4).detach()
    real, fake = samples(9, 2, seed=1), samples(9, 2, seed=2)
    found = sparse(penalty, 3)(Critic(Smooth(*weights), None, random(9)), real, fake)
    assert found[1::3].eq(0).all() and found[2::3].eq(0).all()
    few = Critic(Smooth(*weights), None, replace(random(9), rows=slice(0, 9, 3)))
    expected = penalty(few, *(side[::3].detach().requires_grad_() for side in (real, fake)))
    torch.testing.assert_close(found[::3], 3 * expected)


def test_sparse_penalises_at_least_one_sample(random: Callable[..., RandomStream]) -> None:
    """It is scaled by the size of the batch."""
    critic, real = Critic(Linear(torch.ones(2)), None, random(2)), samples(2, 2)
    assert sparse(r1, 4)(critic, real, real).mean() == r1(critic, real, real).mean()


def test_sparse_passes_the_conditions_of_its_rows(random: Callable[..., RandomStream]) -> None:
    seen = []

    def discriminator(sample: Tensor, condition: Tensor | None) -> Verdict:
        seen.append(condition)
        return Verdict([sample.sum(1)], [])

    here = replace(random(8), rows=slice(2, 8))
    sparse(r1, 4)(Critic(discriminator, torch.arange(2, 8), here), samples(6, 2), samples(6, 2))
    assert [condition.tolist() for condition in seen] == [[4]]


def test_finite_r1_and_r2_take_different_random_directions(random: Callable[..., RandomStream]) -> None:
    critic, point = Critic(Linear(torch.ones(2)), None, random(8)), samples(8, 2)
    assert not torch.equal(finite_r1()(critic, point, point), finite_r2()(critic, point, point))


def test_a_flat_critic_has_finite_derivatives(random: Callable[..., RandomStream]) -> None:
    critic = Linear(torch.zeros(2))
    gradient_penalty(Critic(critic, None, random(4)), samples(4, 2, seed=1), samples(4, 2, seed=2)).mean().backward()
    assert critic.weights[0].grad is not None and critic.weights[0].grad.isfinite().all()


def test_the_discriminator_runs_once_for_the_same_samples(random: Callable[..., RandomStream]) -> None:
    seen = []
    critic = Linear(torch.ones(2))
    critic.register_forward_hook(lambda *_: seen.append(1))
    critic, real, fake = Critic(critic, None, random(4)), samples(4, 2, seed=1), samples(4, 2, seed=2)
    critic(real), critic(fake), r1(critic, real, fake), r2(critic, real, fake)
    assert len(seen) == 2


def shifted(sample: Tensor, random: RandomStream) -> Tensor:
    """Scale by 2 and shift at random."""
    return 2 * sample + random.normal("shift", *sample.shape[1:])


def test_input_gradients_are_with_respect_to_the_samples_before_augmentation(
    random: Callable[..., RandomStream],
) -> None:
    weight, sample = torch.tensor([3.0, -1.0]), samples(4, 2)
    (gradient,) = Critic(Linear(weight), None, random(4), shifted).input_gradients(sample)
    torch.testing.assert_close(gradient, (2 * weight).expand(4, 2))


def test_equal_views_are_augmented_alike_and_others_differently(random: Callable[..., RandomStream]) -> None:
    critic, sample = Critic(Linear(torch.ones(2)), None, random(4), shifted), samples(4, 2)
    (first,), (again,), (other,) = (critic.forward(sample, view).logits for view in ("a", "a", "b"))
    assert torch.equal(first, again)
    assert not torch.isclose(first, other).any()
    assert critic(sample) is critic(sample)
    twin = sample.detach().clone()
    assert not torch.isclose(critic(sample).logits[0], critic(twin).logits[0]).any()


def test_a_subsampled_critic_augments_its_rows_as_the_whole_critic_does(random: Callable[..., RandomStream]) -> None:
    critic, sample = Critic(Linear(torch.ones(2)), None, replace(random(10), rows=slice(1, 9)), shifted), samples(8, 2)
    few, rows = critic.subsample(3)
    assert len(range(8)[rows]) == 2
    torch.testing.assert_close(few.forward(sample[rows], "a").logits[0], critic.forward(sample, "a").logits[0][rows])


@pytest.mark.parametrize("make", [finite_r1, finite_r2])
def test_finite_differences_augment_both_points_alike(
    make: Callable[..., Penalty], random: Callable[..., RandomStream]
) -> None:
    """Otherwise the penalty would be the squared effect of the augmentation, divided by the square of a tiny step."""
    critic, point = Linear(torch.tensor([3.0, 4.0])), samples(8, 2)
    plain = make(step=1e-3)(Critic(critic, None, random(8)), point, point)
    augmented = make(step=1e-3)(Critic(critic, None, random(8), shifted), point, point)
    torch.testing.assert_close(augmented, 4 * plain, rtol=2e-2, atol=1e-2)


def test_the_finite_penalty_matches_the_exact_one_under_augmentation_of_images(
    random: Callable[..., RandomStream],
) -> None:
    """Every image is augmented, and a step of 0.001 still gives the size of the exact penalty."""

    def augmented(sample: Tensor, random: RandomStream) -> Tensor:
        return Augment(("geometry", "turns"))(sample, 1.0, random)

    critic = Critic(Linear(samples(1, 8, 8, seed=1).detach()), None, random(64), augmented)
    images = samples(64, 1, 8, 8, seed=2)
    exact = r1(critic, images, images).mean().item()
    assert finite_r1(step=1e-3)(critic, images, images).mean().item() == pytest.approx(exact, rel=4 * (2 / 64) ** 0.5)


def test_lecam_matches_its_formula(random: Callable[..., RandomStream]) -> None:
    """The sum over two critics of relu(D(real) - fake level)² and relu(real level - D(fake))²."""
    weights = torch.tensor([3.0, 4.0]), torch.tensor([0.0, -2.0])
    real, fake = samples(6, 2, seed=1).detach(), samples(6, 2, seed=2).detach()
    found = lecam(Control(0.7), Control(-0.4, lowest=-1.0))(Critic(Linear(*weights), None, random(6)), real, fake)
    expected = sum(relu(real @ weight + 0.4) ** 2 + relu(0.7 - fake @ weight) ** 2 for weight in weights)
    torch.testing.assert_close(found, expected)
    assert found.eq(0).sum() < 6


def test_lecam_follows_its_controls_and_ignores_logits_between_the_levels(random: Callable[..., RandomStream]) -> None:
    high, low = Control(0.0), Control(0.0)
    penalty, sample = lecam(high, low), torch.tensor([[1.0]])
    critic = Critic(Linear(torch.ones(1)), None, random(1))
    assert penalty(critic, sample, sample).item() == 1.0
    high.set(3.0)
    assert penalty(critic, sample, sample).item() == 1.0 + 4.0
    low.set(5.0)
    assert penalty(critic, sample, 3 * sample).item() == 0.0


def test_clip_weights_clamps_every_weight() -> None:
    layer = nn.Linear(8, 8)
    before = [weight.detach().clone() for weight in layer.parameters()]
    clip_weights(layer, 0.05)
    for weight, old in zip(layer.parameters(), before, strict=True):
        torch.testing.assert_close(weight.detach(), old.clamp(-0.05, 0.05))
