"""Recipes of series learn sines whose frequency is an attribute, and keep lengths, attributes and known steps."""

from typing import Any

import pytest
import torch

from sparring.data.facts import Facts
from sparring.flow import Batch
from sparring.games.game import Role, phase_at, roles
from sparring.modalities.series.coding import Context, Series
from sparring.modalities.series.contexts import context_of
from sparring.randomness import seeded
from sparring.recipe import Machine, Recipe, resolve, with_fields
from sparring.recipes import RECIPES
from sparring.samples import take
from sparring.sampling import generate
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer
from toys.sines import FREQUENCIES, frequency, sines_data, with_speed

NAMES = [name for name, recipe in RECIPES.items() if recipe.modality == "series"]
SMALL = {"width": 8, "latent_size": 4, "batch": 8, "layers": 2}


def small(name: str) -> Recipe:
    recipe = RECIPES[name]
    return with_fields(recipe, {field: value for field, value in SMALL.items() if field in type(recipe).model_fields})


def trainer_of(recipe: Recipe, steps: int, count: int = 64) -> Trainer:
    facts, data = sines_data(count)
    with seeded(0, "weights"):
        game = recipe.game(facts)
    plan = Plan(recipe.optimisers(), recipe.batch, steps * recipe.batch, average_half_life=recipe.average_half_life)
    return Trainer(game, data, plan)


def context_of_sines(count: int, prefix: int = 0) -> tuple[Context, Series]:
    _, data = sines_data(count)
    series: Series = data.batch(slice(0, count)).real
    return context_of(series, torch.full((count,), prefix)), series


def generated(trainer: Trainer, condition: Any, seed: int = 0) -> Series:
    return generate(trainer.average, len(condition.length), condition, seed=seed, stream="test")


@pytest.mark.parametrize("name", NAMES)
def test_a_run_moves_every_player(name: str) -> None:
    trainer = trainer_of(small(name), steps=4)
    before = {key: torch.cat([w.detach().flatten() for w in one.parameters()]) for key, one in players(trainer)}
    list(trainer)
    assert trainer.guard.total == 0
    for key, one in players(trainer):
        after = torch.cat([w.detach().flatten() for w in one.parameters()])
        assert after.isfinite().all() and not torch.equal(after, before[key]), key


def players(trainer: Trainer) -> list[tuple[str, torch.nn.Module]]:
    return list(trainer.game.players.items())


@pytest.mark.parametrize("name", NAMES)
def test_samples_keep_what_their_context_tells_and_depend_on_seed_and_row_alone(name: str) -> None:
    trainer = trainer_of(small(name), steps=2)
    list(trainer)
    context, series = context_of_sines(70, prefix=5)
    found = generated(trainer, context)
    assert (found.length == series.length).all()
    assert (found.attributes.nan_to_num(9) == series.attributes.nan_to_num(9)).all()
    assert (found.values[:, :5] == series.values[:, :5]).all() and (found.missing[:, :5] == series.missing[:, :5]).all()
    ended = torch.arange(24) >= series.length[:, None]
    assert found.missing[ended].all() and (found.values[found.missing] == 0).all()
    assert found.values.isfinite().all() and found.values.dtype == torch.float64

    # The same seed gives the same bytes, and a sample does not depend on how many there are.
    again = generated(trainer, context)
    assert all(torch.equal(one.nan_to_num(9), two.nan_to_num(9)) for one, two in zip(found, again, strict=True))
    few = generated(trainer, take(context, slice(0, 3)))
    torch.testing.assert_close(few.values, found.values[:3], atol=2e-3, rtol=0)


@pytest.mark.parametrize("name", ["series/gan", "series/rcgan"])
def test_another_seed_gives_other_samples(name: str) -> None:
    """Codes of an untrained TimeGAN hardly differ, and are the same after rounding."""
    trainer = trainer_of(small(name), steps=1)
    context, _ = context_of_sines(8)
    one, other = (generated(trainer, context, seed=seed).values[..., 0] for seed in (0, 1))
    assert not torch.equal(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_games_publish_what_sampling_needs_and_score_samples(name: str) -> None:
    trainer = trainer_of(small(name), steps=1)
    game = trainer.game
    context, series = context_of_sines(6)
    opinion = game.opinion(Batch(series, context))
    assert opinion.score is not None and opinion.score.shape == (6,) and opinion.score.isfinite().all()

    # What is not published plays no part in sampling.
    before = generated(trainer, context)
    for key, one in trainer.average.players.items():
        if key not in game.published:
            with torch.no_grad():
                for weight in one.parameters():
                    weight.fill_(torch.nan)
    assert torch.equal(generated(trainer, context).values, before.values)


def test_timegan_has_three_phases_of_which_the_last_is_watched() -> None:
    trainer = trainer_of(small("series/timegan"), steps=8)
    game, seen = trainer.game, []
    for fraction in (0.0, 0.3, 0.6):
        now = trainer.progress.__class__(0, 0, fraction, trainer.progress.random)
        phase = game.phases[phase_at(game, fraction)]
        seen.append((phase.watched, roles(game, now)))
    assert [watched for watched, _ in seen] == [False, False, True]
    assert [list(found) for _, found in seen] == [
        ["autoencoder"],
        ["supervisor"],
        ["generator", "autoencoder", "discriminator"],
    ]
    assert seen[2][1]["discriminator"] is Role.CRITIC and seen[2][1]["generator"] is Role.PUBLISHED


def test_the_default_learns_waves_that_follow_their_attribute() -> None:
    fields = {"patch": 24, "width": 64, "latent_size": 16, "batch": 64, "learning_rate": 2e-3, "gamma": 4.0}
    trainer = trainer_of(with_fields(RECIPES["series/gan"], fields), steps=400, count=400)
    list(trainer)
    context, real = context_of_sines(256)
    both = [generated(trainer, with_speed(context, speed)) for speed in (0, 1)]
    right = [(frequency(one) - FREQUENCIES[speed]).abs() < 0.03 for speed, one in enumerate(both)]
    assert float(torch.cat(right).double().mean()) > 0.65, "at most a half if the attribute did not count"

    # Values spread as those of the data, a tenth of them are missing, and the counter counts.
    ended = torch.arange(24) >= real.length[:, None]
    for one in both:
        there = ~one.missing
        assert 0.6 < float(one.values[..., 0][there[..., 0]].std()) < 1.8
        assert 0.02 < float(one.missing[..., 0][~ended].double().mean()) < 0.2
        error = (one.values[..., 1] - torch.arange(24)).abs()[there[..., 1]]
        assert float(error.mean()) < 1.5


@pytest.mark.parametrize(
    ("steps", "count", "fields"),
    [(2, 50, {"batch": 50, "patch": 2}), (4096, 1000, {"patch": 16}), (24, 3000, {"patch": 24}), (100, 3000, {})],
)
def test_the_default_is_chosen_by_steps_and_number_of_series(steps: int, count: int, fields: dict[str, int]) -> None:
    facts = Facts("x", "series", count, (steps, 2), "0" * 64)
    chosen, _ = resolve(RECIPES["series/gan"], facts, Machine("cpu", 2**33, 2, False))
    given = {"batch": 128, "patch": 4} | fields
    assert {field: getattr(chosen, field) for field in given} == given
