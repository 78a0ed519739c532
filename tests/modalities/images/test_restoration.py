"""Recipes whose condition is computed from the image: holes, smaller and grey images."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.flow import Batch, Verdict
from sparring.games.game import Game
from sparring.modalities.images import terms
from sparring.modalities.images.conditions import LUMINANCE, Holed, grey, reader, small
from sparring.modalities.images.networks import colour
from sparring.modalities.images.networks.enlarge import enlarged
from sparring.modalities.images.recipes import restoration
from sparring.modalities.images.recipes.restoration import RestorationRecipe
from sparring.modalities.images.terms import masked_difference
from sparring.objectives.critic import Critic
from sparring.objectives.terms import GeneratorPass
from sparring.randomness import RandomStream, seeded
from sparring.recipe import Machine, resolve, with_fields
from sparring.recipes import RECIPES
from sparring.rendering.grids import to_uint8
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

NETWORKS = ("gated", "context", "fourier")
CASES: list[tuple[str, dict[str, Any]]] = [
    *(("images/fill", {"network": network}) for network in NETWORKS),
    ("images/super-resolution", {"factor": 2}),
    ("images/super-resolution", {"factor": 4}),
    ("images/colourise", {}),
]
MACHINE = Machine("cpu", 8 * 1024**3, 2, False)


def facts(channels: int = 3, side: int = 16, count: int = 64) -> Facts:
    return Facts("toy", "images", count, (channels, side, side), "0" * 64)


def recipe(name: str, **fields: Any) -> RestorationRecipe:
    found = with_fields(RECIPES[name], {"width": 8, "discriminator_width": 8, "batch": 8, "resolution": 16, **fields})
    assert isinstance(found, RestorationRecipe)
    return found


def game_of(one: RestorationRecipe, about: Facts) -> Game:
    with seeded(0, "weights"):
        return one.game(about)


def noise(count: int, channels: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, channels, height, width), dtype=np.uint8)


def filled(game: Game, batch: Batch, seed: int = 0) -> torch.Tensor:
    count = len(batch.real)
    for player in game.players.values():
        player.eval()
    with torch.no_grad():
        return game.generate(game.latent(RandomStream(seed, 0, count, slice(0, count))), batch.condition)


def data_for(one: RestorationRecipe, samples: np.ndarray) -> Dataset:
    return Dataset(samples, read=reader(one.view(facts(samples.shape[1]))))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("name", "fields"), CASES)
def test_generators_work_on_any_size_that_is_a_multiple(name: str, fields: Mapping[str, Any], channels: int) -> None:
    if name == "images/colourise" and channels == 1:
        pytest.skip("needs colour")
    one = recipe(name, **fields)
    game = game_of(one, facts(channels))
    generator = game.players["generator"]
    sizes = [(generator.multiple * down, generator.multiple * across) for down, across in ((4, 4), (5, 7), (12, 3))]
    for height, width in sizes:
        size = height * generator.scale, width * generator.scale
        batch = data_for(one, noise(2, channels, *size)).batch(slice(None))
        found = filled(game, batch)
        assert found.shape == (2, channels, *size) and found.isfinite().all()
        (logits,) = game.players["discriminator"](found, batch.condition).logits
        assert logits.dim() == 3 and len(logits) == 2


@pytest.mark.parametrize("network", NETWORKS)
def test_not_a_byte_changes_outside_the_hole(network: str) -> None:
    samples = noise(8, 3, 16, 16)
    one = recipe("images/fill", network=network)
    batch = data_for(one, samples).batch(slice(None))
    assert isinstance(batch.condition, Holed)
    saved = to_uint8(filled(game_of(one, facts()), batch)).transpose(0, 3, 1, 2)
    inside = (batch.condition.mask > 0).expand(-1, 3, -1, -1).numpy()
    assert np.array_equal(saved[~inside], samples[~inside])
    assert (saved[inside] != samples[inside]).mean() > 0.9


@pytest.mark.parametrize("network", NETWORKS)
def test_hidden_part_does_not_reach_the_generator(network: str) -> None:
    one = recipe("images/fill", network=network, holes="centre")
    game, samples = game_of(one, facts()), noise(4, 3, 16, 16)
    changed = samples.copy()
    changed[:, :, 4:12, 4:12] = 255
    first, second = (filled(game, data_for(one, part).batch(slice(None))) for part in (samples, changed))
    assert torch.equal(first, second)


@pytest.mark.parametrize("network", NETWORKS)
def test_latent_changes_the_fill(network: str) -> None:
    one = recipe("images/fill", network=network)
    game, batch = game_of(one, facts()), data_for(one, noise(4, 3, 16, 16)).batch(slice(None))
    first, again, other = (filled(game, batch, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_fourier_convolutions_see_the_whole_image() -> None:
    """A pixel in one corner changes the fill in the other; of gated convolutions it would be out of sight at 128."""
    changes = {}
    for network in ("gated", "fourier"):
        one = recipe("images/fill", network=network)
        game = game_of(one, facts())
        image, mask = torch.zeros(1, 3, 160, 160), torch.zeros(1, 1, 160, 160)
        mask[:, :, -8:, -8:] = 1
        corner = image.clone()
        corner[:, :, :4, :4] = 1
        batches = [Batch(image, Holed(part, mask)) for part in (image, corner)]
        changes[network] = float((filled(game, batches[0]) - filled(game, batches[1]))[:, :, -8:, -8:].abs().max())
    assert changes["gated"] == 0 and changes["fourier"] > 0


@pytest.mark.parametrize("factor", [2, 4])
def test_enlarging_begins_as_the_bicubic_enlargement(factor: int) -> None:
    one = recipe("images/super-resolution", factor=factor)
    batch = data_for(one, noise(3, 3, 16, 16)).batch(slice(None))
    assert isinstance(batch.condition, torch.Tensor) and batch.condition.shape == (3, 3, 16 // factor, 16 // factor)
    found, bicubic = filled(game_of(one, facts()), batch).clamp(-1, 1), enlarged(batch.condition, factor).clamp(-1, 1)
    torch.testing.assert_close(found, bicubic)
    assert torch.equal(batch.condition, small(batch.real, factor))


def test_colouring_keeps_the_luminance_and_the_range() -> None:
    one = recipe("images/colourise")
    batch = data_for(one, noise(8, 3, 16, 16)).batch(slice(None))
    found = filled(game_of(one, facts()), batch)
    assert found.abs().max() <= 1 + 1e-6 and (found[:, 0] != found[:, 1]).float().mean() > 0.9
    # Within one level of bytes, which are rounded in each channel and in the luminance.
    again = grey(torch.from_numpy(to_uint8(found)).permute(0, 3, 1, 2) / 127.5 - 1)
    assert (again - batch.condition).abs().max() <= 1.01 / 127.5


def test_tint_stops_at_the_border_of_the_range() -> None:
    shade = torch.tensor([-1.0, -0.5, 0.0, 0.9, 1.0]).view(5, 1, 1, 1)
    tint = torch.tensor([5.0, 0.0, -5.0]).view(1, 3, 1, 1).expand(5, 3, 1, 1)
    found = colour.tinted(shade, tint, LUMINANCE)
    assert found.abs().max() <= 1 + 1e-6
    torch.testing.assert_close((found * torch.tensor(LUMINANCE).view(1, 3, 1, 1)).sum(1, keepdim=True), shade)
    assert torch.equal(found[0], shade[0].expand(3, 1, 1)) and found[2, 0] > 0.5


def test_constants_of_the_recipes_are_those_of_the_conditions() -> None:
    from sparring.modalities.images import conditions
    from sparring.modalities.images.recipes import completion

    assert completion.HOLE == conditions.HOLE
    assert (restoration.SMALL, restoration.GREY, restoration.LUMINANCE) == (
        conditions.SMALL,
        conditions.GREY,
        conditions.LUMINANCE,
    )


def test_views_name_the_condition_and_its_options() -> None:
    assert recipe("images/fill", holes="wide").view(facts()).options == {"holes": "wide"}
    assert recipe("images/super-resolution", factor="2").view(facts()).options == {"factor": 2}
    views = [recipe(name, **fields).view(facts()) for name, fields in CASES]
    assert [view.condition for view in views] == ["hole"] * 3 + ["small"] * 2 + ["grey"]
    assert {view.shape for view in views} == {(3, 16, 16)}


def test_grey_images_cannot_teach_colours() -> None:
    with pytest.raises(SparringError, match="grey images in toy, but expected colour images"):
        recipe("images/colourise").view(facts(1))


@pytest.mark.parametrize("name", ["images/fill", "images/super-resolution", "images/colourise"])
def test_sides_that_do_not_fit_are_refused(name: str) -> None:
    with pytest.raises(SparringError, match="resolution 18x16, but expected sides that are multiples of 4"):
        recipe(name, resolution="18x16").view(facts())


def test_context_encoder_has_the_objective_of_its_paper_unless_given() -> None:
    resolved, choices = resolve(recipe("images/fill", network="context", hole=2.0), facts(), MACHINE)
    values = {field: choices[field]["value"] for field in ("loss", "distance", "hole", "adversarial", "diversity")}
    assert values == {
        "loss": "non_saturating", "distance": "l2", "hole": 2.0, "adversarial": 0.001, "diversity": 0.0,
    }  # fmt: skip
    assert resolved.model_dump()["hole"] == 2.0


def test_terms_have_the_weights_of_the_fields_and_none_at_zero() -> None:
    duel: Any = recipe("images/fill", known=3.0, diversity=0).game(facts())
    assert {name: term.weight(0.5) for name, term in duel.terms.items()} == {"hole": 10.0, "known": 3.0}
    duel = recipe("images/super-resolution", features=0).game(facts())
    assert set(duel.terms) == {"content"}


def test_adversarial_weight_scales_the_generators_loss_alone() -> None:
    real, fake = [torch.tensor([0.5])], [torch.tensor([-0.5])]
    whole, half = (recipe("images/fill", adversarial=weight).game(facts()).loss for weight in (1.0, 0.5))  # type: ignore[attr-defined]
    assert half.generator(real, fake) == 0.5 * whole.generator(real, fake) != 0
    assert half.discriminator(real, fake) == whole.discriminator(real, fake)


def trained(one: RestorationRecipe, samples: np.ndarray, steps: int) -> Game:
    game = game_of(one, facts(samples.shape[1], samples.shape[2]))
    plan = Plan(one.optimisers(), one.batch, steps * one.batch, average_half_life=lambda seen: 0.05 * seen)
    trainer = Trainer(game, data_for(one, samples), plan)
    assert len(list(trainer)) == steps and trainer.guard.total == 0
    return trainer.average


def halves(count: int, side: int = 16) -> np.ndarray:
    """Images of one colour on the left and another on the right: what a hole hides follows from what is around it."""
    random = np.random.default_rng(0)
    left, right = random.integers(0, 256, (2, count, 3, 1, 1))
    return np.where(np.arange(side) < side // 2, left, right).repeat(side, 2).astype(np.uint8)


@pytest.mark.parametrize(("network", "steps"), [("gated", 120), ("context", 200), ("fourier", 160)])
def test_fills_learn_to_continue_what_is_around_the_hole(network: str, steps: int) -> None:
    """The error in the hole is far below that of the mean colour of the rest."""
    one = recipe("images/fill", network=network, holes="centre", diversity=0, learning_rate=2e-3)
    batch = data_for(one, halves(272)).batch(slice(256, 272))
    assert isinstance(batch.condition, Holed)
    left = 1 - batch.condition.mask
    mean = (batch.real * left).sum((2, 3), keepdim=True) / left.sum((2, 3), keepdim=True)
    found = filled(trained(one, halves(256), steps), batch)
    trivial, learned = (
        float(masked_difference(images, batch.real, batch.condition.mask, "l1").mean()) for images in (mean, found)
    )
    assert learned < 0.7 * trivial


def test_diversity_term_makes_fills_differ() -> None:
    """Without the term the latent is ignored more and more; with it fills differ by up to the limit."""
    apart = []
    for weight in (0.0, 10.0):
        one = recipe("images/fill", holes="centre", adversarial=0, diversity=weight, learning_rate=4e-3)
        batch = data_for(one, halves(80)).batch(slice(64, 80))
        assert isinstance(batch.condition, Holed)
        game = trained(one, halves(64), 120)
        fills = [filled(game, batch, seed) for seed in (0, 1)]
        apart.append(float(masked_difference(*fills, batch.condition.mask, "l1").mean()))
    assert apart[1] > 0.09 and apart[1] > 1.3 * apart[0]


def test_terms_follow_their_formulas() -> None:
    """Two images at 0 whose fills are 0.2 and 0.4 times the mean of the latent, in a hole of a quarter and of all."""
    latent, scales = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([0.2, 0.4]).view(2, 1, 1, 1)
    mask = torch.zeros(2, 1, 4, 4)
    mask[0, :, :2, :2] = 1
    mask[1] = 1

    def regenerate(other: torch.Tensor) -> torch.Tensor:
        return other.mean(1).view(2, 1, 1, 1) * scales * mask.expand(-1, 3, -1, -1)

    zeros, random = torch.zeros(2, 3, 4, 4), RandomStream(0, 0, 2, slice(0, 2))
    critic = Critic(lambda sample, condition: Verdict([sample[:, 0, 0, 0]], [sample, 2 * sample]), None, random)
    made = GeneratorPass(latent, regenerate(latent), Batch(zeros, Holed(zeros, mask)), critic, regenerate)

    # Fills are 0.1 and 0.4; with the other latent 0.2 and 0.2; latents differ by 1.5.
    assert float(terms.in_hole("l1")(made)) == pytest.approx((0.1 + 0.4) / 2)
    assert float(terms.in_hole("l2")(made)) == pytest.approx((0.01 + 0.16) / 2)
    assert float(terms.diverse(9.0)(made)) == pytest.approx(-(0.1 + 0.2) / 1.5 / 2, rel=1e-4)
    assert float(terms.diverse(0.1)(made)) == pytest.approx(-(0.1 / 1.5 + 0.1) / 2, rel=1e-4)
    assert float(terms.paired_features(made)) == pytest.approx(3 * (0.1 / 4 + 0.4) / 2)
    outside = terms.outside(lambda latent, condition: torch.full((2, 3, 4, 4), 0.5), "l1")
    assert float(outside(made)) == pytest.approx(0.25)  # The second image has no outside.


def edges(count: int, side: int = 16) -> np.ndarray:
    """Images with one sharp vertical and one sharp horizontal edge."""
    random = np.random.default_rng(0)
    down, across = np.mgrid[:side, :side]
    places = random.integers(3, side - 3, (2, count, 1, 1))
    dark, bright = random.integers(20, 80, (count, 1, 1)), random.integers(170, 235, (count, 1, 1))
    shown = np.where((down < places[0]) ^ (across < places[1]), dark, bright)
    return np.repeat(shown[:, None], 3, 1).astype(np.uint8)


def test_enlarging_learns_that_edges_are_sharp() -> None:
    one = recipe("images/super-resolution", factor=2, width=16, blocks=2, batch=16)
    batch = data_for(one, edges(320)).batch(slice(256, 320))
    assert isinstance(batch.condition, torch.Tensor)
    found = filled(trained(one, edges(256), 250), batch)
    errors = [float((images - batch.real).square().mean()) for images in (enlarged(batch.condition, 2), found)]
    assert errors[1] < 0.6 * errors[0]


def test_colouring_learns_which_colour_belongs_to_a_brightness() -> None:
    """Dark images are red and bright ones blue."""
    random = np.random.default_rng(0)
    dark = random.integers(2, size=80).astype(bool)
    samples = np.where(dark[:, None], [120, 40, 40], [150, 150, 230])[:, :, None, None]
    samples = (samples + random.integers(-10, 11, (80, 1, 16, 16))).astype(np.uint8)
    one = recipe("images/colourise", learning_rate=2e-3)
    batch = data_for(one, samples).batch(slice(64, 80))
    assert isinstance(batch.condition, torch.Tensor)
    found = filled(trained(one, samples[:64], 100), batch)
    errors = [float((images - batch.real).abs().mean()) for images in (batch.condition.expand(-1, 3, -1, -1), found)]
    assert errors[1] < 0.3 * errors[0]
