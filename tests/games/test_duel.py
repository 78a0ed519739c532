"""Objectives of the two players of a duel, and its controls."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from sparring.controls import Control
from sparring.flow import Batch, Figures, Progress, Verdict
from sparring.games.duel import AUGMENTATION_SAMPLES, MAX_AUGMENTATION, OVERFITTING_TARGET, STATISTICS_INTERVAL, Duel
from sparring.objectives.critic import Critic
from sparring.objectives.gamma import lead
from sparring.objectives.losses import LOSSES
from sparring.objectives.penalties import r1, r2
from sparring.objectives.schedules import Weighted, constant, cosine
from sparring.objectives.statistics import logit_statistics
from sparring.objectives.terms import reconstruction
from sparring.randomness import RandomStream

Make = Callable[..., Duel]
At = Callable[..., Progress]


@pytest.fixture
def batch() -> Batch:
    """Eight points."""
    return Batch(torch.linspace(-1, 1, 16).view(8, 2))


def logits_of(duel: Duel, batch: Batch, progress: Progress) -> tuple[list[Tensor], list[Tensor]]:
    """Return the logits of reals and of the fakes that ``progress`` gives."""
    fake = duel.generate(duel.latent(progress.random), None)
    discriminator = duel.players["discriminator"]
    return discriminator(batch.real).logits, discriminator(fake).logits


@pytest.mark.parametrize("loss", LOSSES)
def test_both_players_minimise_the_loss(loss: str, tiny_duel: Make, batch: Batch, progress: At) -> None:
    duel, now = tiny_duel(loss=loss), progress(8)
    real, fake = logits_of(duel, batch, now)
    for terms, formula in (
        (duel.discriminator_objective(batch, now).terms, duel.loss.discriminator),
        (duel.generator_objective(batch, now).terms, duel.loss.generator),
    ):
        assert list(terms) == ["adversarial"]
        torch.testing.assert_close(terms["adversarial"], formula(real, fake))


def test_the_losses_of_several_critics_add_up(tiny_duel: Make, batch: Batch, progress: At) -> None:
    duel, now = tiny_duel(critics=3), progress(8)
    pairs = list(zip(*logits_of(duel, batch, now), strict=True))
    assert len(pairs) == 3
    expected = torch.stack([duel.loss.discriminator([real], [fake]) for real, fake in pairs]).sum()
    torch.testing.assert_close(duel.discriminator_objective(batch, now).terms["adversarial"], expected)


@pytest.mark.parametrize(("loss", "passes"), [("relativistic", 2), ("hinge", 1)])
def test_reals_pass_the_discriminator_on_the_generators_turn_only_for_paired_losses(
    loss: str, passes: int, tiny_duel: Make, batch: Batch, progress: At
) -> None:
    duel, seen = tiny_duel(loss=loss), []
    duel.players["discriminator"].register_forward_hook(lambda *_: seen.append(1))
    duel.generator_objective(batch, progress(8))
    assert len(seen) == passes


def test_penalties_are_weighted_by_their_schedules(tiny_duel: Make, batch: Batch, progress: At) -> None:
    penalties = {"r1": Weighted(r1, cosine(4.0, 2.0)), "r2": Weighted(r2, constant(0.5))}
    duel, now = tiny_duel(penalties=penalties), progress(8, fraction=0.5)
    terms = duel.discriminator_objective(batch, now).terms
    real = batch.real.clone().requires_grad_()
    fake = duel.generate(duel.latent(now.random), None).detach().requires_grad_()
    critic = Critic(duel.players["discriminator"], None, now.random)
    assert list(terms) == ["adversarial", "r1", "r2"]
    torch.testing.assert_close(terms["r1"], 3.0 * r1(critic, real, fake).mean())
    torch.testing.assert_close(terms["r2"], 0.5 * r2(critic, real, fake).mean())


def test_extra_terms_belong_to_the_generator(tiny_duel: Make, batch: Batch, progress: At) -> None:
    duel, now = tiny_duel(terms={"l1": Weighted(reconstruction, constant(100.0))}), progress(8)
    fake = duel.generate(duel.latent(now.random), None)
    terms = duel.generator_objective(batch, now).terms
    torch.testing.assert_close(terms["l1"], 100 * (fake - batch.real).abs().mean())
    assert list(duel.discriminator_objective(batch, now).terms) == ["adversarial"]


def test_the_discriminators_turn_gives_the_generator_no_gradient(tiny_duel: Make, batch: Batch, progress: At) -> None:
    duel = tiny_duel()
    duel.discriminator_objective(batch, progress(8)).terms["adversarial"].backward()
    assert all(weight.grad is None for weight in duel.players["generator"].parameters())


def test_the_discriminator_takes_its_turns_before_the_generator(tiny_duel: Make, progress: At) -> None:
    first, second = tiny_duel(discriminator_turns=5).turns(progress(8))
    assert (first.trained, first.times, first.after) == (("discriminator",), 5, None)
    assert (second.trained, second.times, second.after) == (("generator",), 1, None)


def test_weights_of_the_discriminator_are_clipped_after_its_updates(tiny_duel: Make, progress: At) -> None:
    duel = tiny_duel(weight_limit=0.01)
    first, second = duel.turns(progress(8))
    assert second.after is None and first.after is not None
    first.after({}, progress(8))
    assert max(float(weight.detach().abs().max()) for weight in duel.players["discriminator"].parameters()) <= 0.01
    assert max(float(weight.detach().abs().max()) for weight in duel.players["generator"].parameters()) > 0.01


class Linear(nn.Module):
    """Two critics: D(x) = w·x for each of the rows of ``weights``."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        return Verdict([sample @ weight for weight in self.weights], [])


def test_controls_start_at_their_defaults_and_keep_their_bounds(tiny_duel: Make) -> None:
    def augment(sample: Tensor, probability: float, random: RandomStream) -> Tensor:
        return sample

    for penalties, gamma in ((None, 0.0), ({"r1": Weighted(r1, constant(2.0))}, 1.0)):
        duel = tiny_duel(penalties=penalties, augment=augment)
        assert {name: control.value for name, control in duel.controls.items()} == {
            "gamma": gamma,
            "augmentation": 0.0,
            "lecam": 0.0,
            "real level": 0.0,
            "fake level": 0.0,
        }
        assert not duel.controls["gamma"].enabled
        duel.controls["augmentation"].set(1.0)
        assert duel.controls["augmentation"].value == MAX_AUGMENTATION
    given = Control(5.0)
    assert tiny_duel(gamma=given).controls["gamma"] is given


def test_augmentation_rises_when_observations_show_overfitting(tiny_duel: Make) -> None:
    """Figures of a step do not move it, and without an augmentation it stays zero."""
    duels = tiny_duel(augment=lambda sample, probability, random: sample), tiny_duel()
    for duel, highest in zip(duels, (MAX_AUGMENTATION, 0.0), strict=True):
        control = duel.controls["augmentation"]
        assert control.enabled and not duel.controls["lecam"].enabled
        control.update(Figures(notes={"discriminator": {"lead": 5.0}}, fraction=0.5))
        assert control.value == 0.0
        for step in range(1, 30):
            gap = {"held-out gap": OVERFITTING_TARGET + 0.01}
            control.update(Figures(signals=gap, samples=AUGMENTATION_SAMPLES // 20))
            assert control.value == pytest.approx(min(0.05 * step, highest))


def test_gamma_multiplies_all_penalties(tiny_duel: Make, batch: Batch, progress: At) -> None:
    penalties = {"r1": Weighted(r1, constant(2.0)), "r2": Weighted(r2, constant(0.5))}
    duel, now = tiny_duel(penalties=penalties), progress(8)
    once = duel.discriminator_objective(batch, now).terms
    duel.controls["gamma"].set(3.0)
    thrice = duel.discriminator_objective(batch, now).terms
    torch.testing.assert_close(thrice["adversarial"], once["adversarial"])
    for name in penalties:
        torch.testing.assert_close(thrice[name], 3 * once[name])


def test_r1_and_r2_are_the_default_penalties_once_gamma_is_raised(tiny_duel: Make, batch: Batch, progress: At) -> None:
    default, now = tiny_duel(), progress(8)
    assert list(default.discriminator_objective(batch, now).terms) == ["adversarial"]
    default.controls["gamma"].set(2.0)
    explicit = tiny_duel(penalties={"r1": Weighted(r1, constant(2.0)), "r2": Weighted(r2, constant(2.0))})
    found, expected = (duel.discriminator_objective(batch, now).terms for duel in (default, explicit))
    assert list(found) == ["adversarial", "r1", "r2"]
    torch.testing.assert_close(found, expected)


def test_lecam_is_a_penalty_once_its_control_is_raised(tiny_duel: Make, batch: Batch, progress: At) -> None:
    duel, now = tiny_duel(), progress(8)
    (real,), (fake,) = logits_of(duel, batch, now)
    for name, value in (("lecam", 4.0), ("real level", 0.5), ("fake level", -0.5)):
        duel.controls[name].set(value)
    expected = ((real + 0.5).relu().square() + (0.5 - fake).relu().square()).mean()
    torch.testing.assert_close(duel.discriminator_objective(batch, now).terms["lecam"], 4 * expected)


def test_the_levels_of_lecam_follow_the_logits(tiny_duel: Make, batch: Batch, progress: At) -> None:
    duel, now = tiny_duel(), progress(8)
    notes = {name: float(value) for name, value in duel.discriminator_objective(batch, now).notes.items()}
    for side in ("real", "fake"):
        duel.controls[f"{side} level"].update(Figures(notes={"discriminator": notes}))
        assert duel.controls[f"{side} level"].value == pytest.approx(0.1 * notes[f"{side} score"])


def test_logit_statistics_match_values_computed_by_hand(random: Callable[..., RandomStream]) -> None:
    """The critics sum to D(x) = 3 x₁ + 4 x₂: 3, -4 and 8 for reals, 0, 3 and 3 for fakes, whose mean is 2."""
    critic = Linear(torch.tensor([[1.0, 4.0], [2.0, 0.0]]))
    real = torch.tensor([[1.0, 0.0], [0.0, -1.0], [0.0, 2.0]], requires_grad=True)
    fake = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]], requires_grad=True)
    notes = {
        name: float(value) for name, value in logit_statistics(Critic(critic, None, random(3)), real, fake).items()
    }
    assert notes == pytest.approx(
        {
            "real score": 7 / 3,
            "fake score": 2.0,
            "sure": 1 / 3,
            "overlap": 1 / 3,
            "real slope": 5.0,
            "fake slope": 5.0,
        }
    )


def test_statistics_leave_the_gradients_of_the_terms_unchanged(tiny_duel: Make, batch: Batch, progress: At) -> None:
    duel, gradients = tiny_duel(penalties={"r1": Weighted(r1, constant(1.0))}), []
    for step in (0, 1):
        terms = duel.discriminator_objective(batch, replace(progress(8), step=step)).terms
        weights = list(duel.players["discriminator"].parameters())
        gradients.append(torch.autograd.grad(sum(terms.values()), weights))
        assert all(weight.grad is None for weight in weights)
    torch.testing.assert_close(gradients[0], gradients[1])


def test_the_lead_is_noted_at_every_step_and_statistics_at_their_interval(
    tiny_duel: Make, batch: Batch, progress: At
) -> None:
    duel = tiny_duel(critics=2)
    for step in range(2 * STATISTICS_INTERVAL):
        now = replace(progress(8), step=step)
        notes = duel.discriminator_objective(batch, now).notes
        torch.testing.assert_close(notes["lead"], lead(*logits_of(duel, batch, now)))
        assert len(notes) == (8 if step % STATISTICS_INTERVAL == 0 else 1)
        assert not any(note.requires_grad for note in notes.values())


def test_the_score_is_the_sum_over_critics(tiny_duel: Make, batch: Batch) -> None:
    duel = tiny_duel(critics=3)
    expected = sum(duel.players["discriminator"](batch.real).logits)
    torch.testing.assert_close(duel.opinion(batch).score, expected)


def test_samples_are_augmented_only_if_the_probability_is_above_zero(
    tiny_duel: Make, batch: Batch, progress: At
) -> None:
    seen: list[tuple[int, float]] = []

    def augment(sample: Tensor, probability: float, random: RandomStream) -> Tensor:
        seen.append((len(sample), probability))
        return sample + random.normal("shift", 2)

    duel, now = tiny_duel(augment=augment), progress(8)
    plain = (
        duel.discriminator_objective(batch, now).terms["adversarial"],
        duel.generator_objective(batch, now).terms["adversarial"],
    )
    assert not seen
    duel.controls["augmentation"].set(0.25)
    augmented = (
        duel.discriminator_objective(batch, now).terms["adversarial"],
        duel.generator_objective(batch, now).terms["adversarial"],
    )
    assert seen == [(8, 0.25)] * 4
    assert not any(torch.isclose(*pair) for pair in zip(plain, augmented, strict=True))
    augmented[1].backward()
    assert any(weight.grad.any() for weight in duel.players["generator"].parameters())


class Thousands:
    """Normalizer of data in units of a thousandth, and far from zero."""

    def normalize(self, sample: Tensor, random: RandomStream | None = None) -> Tensor:
        return (sample - 5000) / 1000

    def denormalize(self, sample: Tensor, condition: None = None) -> Tensor:
        return sample * 1000 + 5000


def test_losses_penalties_and_scores_do_not_depend_on_the_units_of_the_data(
    tiny_duel: Make, batch: Batch, progress: At
) -> None:
    """They equal those of the same data in standard units; generated samples are in the units of the data."""
    penalties = {"r1": Weighted(r1, constant(1.0)), "r2": Weighted(r2, constant(1.0))}
    plain, other = tiny_duel(penalties=penalties), tiny_duel(penalties=penalties)
    other.normalizer = Thousands()
    now, large = progress(8), Batch(Thousands().denormalize(batch.real))
    for one, two in (
        (plain.discriminator_objective(batch, now).terms, other.discriminator_objective(large, now).terms),
        (plain.generator_objective(batch, now).terms, other.generator_objective(large, now).terms),
    ):
        torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(other.opinion(large).score, plain.opinion(batch).score, rtol=1e-3, atol=1e-3)
    latent = plain.latent(now.random)
    torch.testing.assert_close(other.generate(latent, None), Thousands().denormalize(plain.generate(latent, None)))


class Patches(nn.Module):
    """Two heads: one logit per coordinate of a point, and one per point."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(2))

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        scores = (sample * self.scale).tanh()
        return Verdict([scores, scores.mean(1)], [scores])


@pytest.mark.parametrize("loss", LOSSES)
def test_logits_of_patches_count_as_their_mean(loss: str, tiny_duel: Make, batch: Batch, progress: At) -> None:
    """Penalties, statistics and opinions treat the mean of the patches as the logit of the sample."""
    duel = tiny_duel(loss=loss)
    duel.players["discriminator"] = Patches()
    duel.controls["gamma"].value = duel.controls["lecam"].value = 1.0
    found = duel.discriminator_objective(batch, progress(8))
    critic = Critic(Patches(), None, progress(8).random)
    points = batch.real.clone().requires_grad_()
    by_patches, by_mean = critic.input_gradients(points)
    torch.testing.assert_close(by_patches, by_mean)
    assert set(found.terms) == {"adversarial", "r1", "r2", "lecam"}
    assert all(value.isfinite() for value in (*found.terms.values(), *found.notes.values()))
    scores = duel.opinion(batch).score
    assert scores is not None
    torch.testing.assert_close(scores, 2 * batch.real.tanh().mean(1))
    assert duel.generator_objective(batch, progress(8)).terms["adversarial"].isfinite()
