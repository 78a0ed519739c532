"""Networks of every image recipe: sizes from 8 to 256, aspect ratios, conditioning, initial scale, gradients."""

import json

import pytest
import torch

from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.games.game import Game
from sparring.modalities.images.networks.residual import Block, Discriminator, Generator
from sparring.randomness import RandomStream, seeded
from sparring.recipe import Recipe, with_fields
from sparring.recipes import RECIPES

NAMES = ["images/r3gan", "images/gan", "images/dcgan", "images/vae"]
SIZES = [(8, 8), (8, 256), (30, 21), (256, 192)]


def facts(channels: int, classes: int = 0) -> Facts:
    return Facts("toy", "images", 64, (channels, 40, 40), "0" * 64, classes=tuple("abcdef"[:classes]))


def small(name: str, size: tuple[int, int], **fields: object) -> Recipe:
    return with_fields(RECIPES[name], {"resolution": size, "width": 5, "latent_size": 6, **fields})


def images(game: Game, labels: torch.Tensor | None = None, count: int = 3) -> torch.Tensor:
    with torch.no_grad():
        return game.generate(game.latent(RandomStream(0, 0, count, slice(0, count))), labels)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_size_and_aspect_ratio(name: str, size: tuple[int, int], channels: int) -> None:
    if name == "images/dcgan":
        size = (max(16, size[0] // 16 * 16), max(16, size[1] // 16 * 16))
    with seeded(0, "weights"):
        game = small(name, size).game(facts(channels))
    samples = images(game)
    assert samples.shape == (3, channels, *size) and samples.isfinite().all()
    if "discriminator" in game.players:
        (logit,) = game.players["discriminator"](samples).logits
        assert logit.shape == (3,) and logit.isfinite().all()


@pytest.mark.parametrize(("upsampling", "least", "most"), [("bilinear", 0.0, 0.005), ("rectified", 0.006, 0.1)])
def test_rectified_features_have_fine_detail_to_draw(upsampling: str, least: float, most: float) -> None:
    """At a period of 2.5 pixels, relative to the power at low frequencies, of white noise on the grid before."""
    torch.manual_seed(0)
    generator = Generator(size=(40, 40), channels=1, latent_size=6, width=8, upsampling=upsampling)  # type: ignore[arg-type]
    generator.steps[-1] = Noise()
    with torch.no_grad():
        generator.draw.weight.zero_()
        generator.draw.weight[:, :, 1, 1] = 0.01
        faded = generator(torch.zeros(64, 6)) * torch.hann_window(40)  # Without leakage from the edges.
        rows = torch.fft.rfft(faded).abs().square().mean((0, 1, 2))
    assert least < rows[16] / rows[2:5].mean() < most


@pytest.mark.parametrize("size", [(16, 16), (30, 21)])
def test_upsampling_is_an_option_that_changes_no_weight(size: tuple[int, int]) -> None:
    found = []
    for upsampling in ("bilinear", "rectified"):
        with seeded(0, "weights"):
            game = small("images/r3gan", size, upsampling=upsampling).game(facts(1))
        found.append((images(game), game.players["generator"].state_dict()))
    (smooth, weights), (sharp, others) = found
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    assert sharp.shape == smooth.shape and not torch.equal(sharp, smooth)


class Noise(torch.nn.Module):
    """White noise in place of features."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return torch.randn(len(values), 8, *values.shape[2:])


@pytest.mark.parametrize("name", NAMES)
def test_class_changes_samples_and_logits(name: str) -> None:
    with seeded(0, "weights"):
        game = small(name, (16, 16), labels=True).game(facts(1, classes=3))
    for player in game.players.values():
        player.eval()
    first, second = (images(game, torch.full((3,), label)) for label in (0, 1))
    assert not torch.equal(first, second)
    if discriminator := game.players.get("discriminator"):
        logits = [discriminator(first, torch.full((3,), label)).logits[0] for label in (0, 1)]
        assert not torch.equal(*logits)


@pytest.mark.parametrize("name", NAMES)
def test_conditional_networks_require_labels(name: str) -> None:
    game = small(name, (16, 16), labels=True).game(facts(1, classes=3))
    with pytest.raises(SparringError, match="condition="):
        images(game)


def test_weights_keep_the_names_under_which_models_are_stored() -> None:
    """Model files and checkpoints store weights by attribute name: a renamed layer could not be loaded."""
    generator, discriminator = Generator(size=(8, 8), channels=1, classes=2), Discriminator(size=(8, 8), channels=1)
    names = [{key.split(".")[0] for key in network.state_dict()} for network in (generator, discriminator)]
    assert names == [{"embedding", "start", "steps", "draw"}, {"steps", "score"}]


def test_residual_block_is_initially_the_identity() -> None:
    values = torch.randn(2, 8, 5, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Block(8)(values), values)


@pytest.mark.parametrize("blocks", [0, 2])
def test_initial_pixels_and_logits_are_of_order_one(blocks: int) -> None:
    with seeded(0, "weights"):
        generator = Generator(size=(64, 64), channels=3, blocks=blocks)
        discriminator = Discriminator(size=(64, 64), channels=3, blocks=blocks)
    with torch.no_grad():
        samples = generator(torch.randn(64, 64, generator=torch.Generator().manual_seed(0)))
        (logit,) = discriminator(samples).logits
    assert 0.2 < float(samples.std()) < 1.1 and 0.1 < float(logit.square().mean().sqrt()) < 3


def test_gradient_reaches_pixels_beyond_the_range() -> None:
    """The leaky clamp has a slope there."""
    generator = Generator(size=(8, 8), channels=1, latent_size=4, width=4)
    with torch.no_grad():
        generator.draw.bias.fill_(-50.0)  # type: ignore[union-attr]
    generator(torch.zeros(2, 4)).mean().backward()
    assert generator.draw.bias is not None and generator.draw.bias.grad is not None
    assert generator.draw.bias.grad.item() == pytest.approx(0.02)


@pytest.mark.parametrize("name", ["images/r3gan", "images/gan", "images/dcgan"])
def test_augmentation_follows_the_recipe_field(name: str) -> None:
    for given, kinds in (("flips, cutout", ("flips", "cutout")), (["hue"], ("hue",)), ("none", ())):
        recipe = small(name, (16, 16), augment=given)
        stored = json.loads(recipe.model_dump_json())
        assert recipe.augment == with_fields(RECIPES[name], stored).augment == kinds
        game = recipe.game(facts(3))
        assert (game.augment.kinds if game.augment else ()) == kinds
        assert game.controls["augmentation"].highest == (0.8 if kinds else 0.0)
    with pytest.raises(SparringError, match=r"'color' for augment.1, but expected 'geometry', 'colour'.* or 'hue'"):
        small(name, (16, 16), augment="flips,color")
