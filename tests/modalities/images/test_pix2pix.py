"""Networks and recipes for pairs of images."""

from pathlib import Path

import numpy as np
import pytest
import torch

import sparring
from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.data.source import Source
from sparring.errors import SparringError
from sparring.evaluation.result import Evaluation
from sparring.games.game import Game
from sparring.modalities.images import data
from sparring.modalities.images.conditions import reader
from sparring.modalities.images.networks.patches import MultiScale, PatchDiscriminator
from sparring.modalities.images.networks.spade import Modulation, Spade
from sparring.modalities.images.networks.unet import UNet, depth_of, latent_size
from sparring.modalities.images.recipes.pairs import PATCH_LAYERS, PairRecipe, Pix2Pix, halvings_until
from sparring.randomness import seeded
from sparring.recipe import Machine, resolve, with_fields
from sparring.recipes import RECIPES
from sparring.runs.display import Silent
from sparring.sampling import generate
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

FACTS = Facts(
    "made up", "images", 60, (3, 32, 32), "", offers=("pair",),
    coding={"pair": {"sides": ["labels", "photo"], "channels": [1, 3]}},
)  # fmt: skip


@pytest.mark.parametrize("patch", [16, 34, 70])
def test_a_logit_sees_a_patch(patch: int) -> None:
    network = PatchDiscriminator(channels=1, width=4, layers=PATCH_LAYERS[patch])
    for layer in network.modules():  # Instance norm sees the whole image, beside the patch.
        if isinstance(layer, torch.nn.InstanceNorm2d):
            layer.forward = lambda values: values  # type: ignore[method-assign]
    image = torch.rand(1, 1, 192, 192, requires_grad=True)
    (logits,) = network(image).logits
    row = logits.shape[1] // 2
    (gradient,) = torch.autograd.grad(logits[0, row, row], image)
    seen = gradient[0, 0].abs().sum(0).nonzero()
    assert int(seen.max() - seen.min()) + 1 == patch


def test_scales_have_logits_of_their_own() -> None:
    found = MultiScale(channels=4, scales=3, width=4, layers=2)(torch.rand(2, 3, 64, 64), torch.rand(2, 1, 64, 64))
    assert [tuple(logit.shape) for logit in found.logits] == [(2, 14, 14), (2, 6, 6), (2, 2, 2)]


@pytest.mark.parametrize(("size", "depth"), [((64, 64), 6), ((256, 256), 8), ((24, 40), 3), ((512, 512), 8)])
def test_the_grid_is_halved_while_both_sides_allow(size: tuple[int, int], depth: int) -> None:
    assert depth_of(size) == depth


@pytest.mark.parametrize(("depth", "size"), [(1, 8), (3, 24), (5, 32)])
def test_the_generator_takes_any_multiple_of_its_size(depth: int, size: int) -> None:
    network = UNet(inputs=1, outputs=3, width=4, depth=depth)
    latent = torch.rand(2, latent_size(4, depth)) * 2 - 1
    with torch.no_grad():
        image = network(latent, torch.rand(2, 1, size, 2 * size))
        assert image.shape == (2, 3, size, 2 * size) and network.multiple == 2**depth
        # Equal latents give equal images, others give others where there is a layer with dropout.
        inputs = torch.rand(1, 1, size, size).expand(2, -1, -1, -1)
        same, other = network(latent[:1].expand(2, -1), inputs), network(latent, inputs)
    assert torch.equal(same[0], same[1])
    assert torch.equal(other[0], other[1]) == (depth == 1)


def test_both_directions_are_viewed() -> None:
    recipe = Pix2Pix(resolution=32)
    assert recipe.view(FACTS).shape == (3, 32, 32) and recipe.channels(FACTS) == (1, 3)
    back = Pix2Pix(resolution=32, target="labels")
    assert back.view(FACTS).shape == (1, 32, 32) and back.view(FACTS).options == {"target": "labels"}
    with pytest.raises(SparringError, match=r"the target 'foto'.*did you mean 'photo'"):
        Pix2Pix(target="foto").view(FACTS)
    with pytest.raises(SparringError, match="no pairs in"):
        Pix2Pix().view(Facts("made up", "images", 60, (3, 32, 32), ""))


PAIRED = ["images/pix2pix", "images/pix2pix-hd", "images/spade"]
SMALL = {"resolution": 16, "width": 8, "discriminator_width": 8, "batch": 8, "blocks": 1}


def small(name: str, **fields: object) -> PairRecipe:
    known = {field: value for field, value in SMALL.items() if field in type(RECIPES[name]).model_fields}
    recipe = with_fields(RECIPES[name], {**known, **fields})
    assert isinstance(recipe, PairRecipe)
    return recipe


def trained(recipe: PairRecipe, steps: int) -> tuple[Game, Dataset]:
    """Train on labels of four colours, each of which is two other colours."""
    labels = np.random.default_rng(0).integers(0, 4, (160, 1, 4, 4), dtype=np.uint8).repeat(4, 2).repeat(4, 3) * 80
    noise = np.random.default_rng(1).integers(-20, 20, (160, 3, 1, 1))
    photographs = np.clip(np.concatenate([255 - labels, labels, labels // 2 + 60], 1) + noise, 0, 255)
    data = Dataset(photographs.astype(np.uint8), conditions=labels, read=reader(recipe.view(FACTS)))
    with seeded(0, "weights"):
        game = recipe.game(FACTS)
    plan = Plan(recipe.optimisers(), recipe.batch, steps * recipe.batch, average_half_life=recipe.average_half_life)
    trainer = Trainer(game, data.subset(slice(0, 128)), plan)
    assert len(list(trainer)) == steps and trainer.guard.total == 0
    return trainer.average, data.subset(slice(128, None))


def answers(game: Game, data: Dataset, seed: int = 0) -> torch.Tensor:
    return generate(game, len(data), data.batch(slice(None)).condition, seed=seed, stream="test/")


@pytest.mark.parametrize("name", PAIRED)
def test_every_recipe_for_pairs_learns_what_belongs_to_an_input(name: str) -> None:
    game, held_out = trained(small(name, learning_rate=2e-3), steps=150)
    real = held_out.batch(slice(None)).real
    error, mean = (answers(game, held_out) - real).abs().mean(), (real - real.mean(0)).abs().mean()
    assert error < 0.3 * mean


@pytest.mark.parametrize("name", ["images/pix2pix", "images/spade"])
def test_diverse_answers_differ_more(name: str) -> None:
    def apart(diverse: float) -> float:
        game, held_out = trained(small(name, learning_rate=2e-3, diverse=diverse), steps=60)
        return float((answers(game, held_out) - answers(game, held_out, seed=1)).abs().mean())

    # Measured: 0.25 against 0.15 for the U-Net, 0.48 against 0.18 for SPADE.
    assert apart(5.0) > 1.4 * apart(0.0) > 0
    with pytest.raises(SparringError, match="at least two images in a batch"):
        small(name, diverse=1, batch=1).game(FACTS)


@pytest.mark.parametrize("name", PAIRED)
@pytest.mark.parametrize("size", [8, 24, 64])
def test_networks_fit_any_size(name: str, size: int) -> None:
    recipe = small(name, resolution=size)
    game, inputs = recipe.game(FACTS), torch.rand(2, 1, size, size)
    with torch.no_grad():
        fake = answers(game, Dataset(torch.zeros(2, 3, size, size).byte().numpy(), conditions=inputs.numpy()))
        assert fake.shape == (2, 3, size, size) and game.players["discriminator"](fake, inputs).logits[0].dim() == 3
    assert size % game.players["generator"].multiple == 0


@pytest.mark.parametrize("name", PAIRED)
def test_sizes_that_do_not_fit_are_refused(name: str) -> None:
    with pytest.raises(SparringError, match="the resolution 20x20, but expected sides that are multiples of 8"):
        small(name, resolution=20).view(FACTS)


def test_runs_are_shorter_and_networks_smaller_without_a_gpu() -> None:
    machines = (Machine(device, 8 * 1024**3, 2, False) for device in ("cuda", "cpu"))
    gpu, cpu = (resolve(Pix2Pix(resolution=128), FACTS, machine)[0] for machine in machines)
    assert (gpu.samples, cpu.samples) == (20_000, 7_500) and cpu.width < gpu.width == 64
    with pytest.raises(SparringError, match="no pairs in"):
        resolve(Pix2Pix(), Facts("made up", "images", 60, (3, 32, 32), ""), Machine("cpu", 0, 2, False))


def test_modulation_shows_what_normalisation_washes_out() -> None:
    # Without modulation, batch norm maps images of one colour each to the same.
    layer, values = Modulation(channels=2, inputs=1, hidden=4), torch.ones(2, 2, 4, 4)
    with torch.no_grad():
        seen = layer(values, torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1).expand(2, 1, 8, 8))
    assert torch.equal(layer.norm(values), torch.zeros_like(values)) and not torch.equal(seen[0], seen[1])


def test_spade_generates_a_part_as_the_whole() -> None:
    network, latent = Spade(inputs=1, outputs=3, latent_size=4, width=4, depth=1).eval(), torch.rand(1, 4)
    inputs = torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        whole, part = network(latent, inputs), network(latent, inputs[..., 16:])
    assert torch.allclose(whole[..., 32:], part[..., 16:], atol=1e-6)


@pytest.mark.parametrize(("size", "found"), [((64, 64), 3), ((24, 64), 1), ((8, 8), 1), ((512, 512), 4)])
def test_grids_are_halved_to_whole_numbers(size: tuple[int, int], found: int) -> None:
    assert halvings_until(8, size, most=4) == found


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make images whose partners are their negatives."""
    partners = np.random.default_rng(0).integers(0, 256, (120, 2, 2, 1), dtype=np.uint8).repeat(8, 1).repeat(8, 2)
    images = (255 - partners).repeat(3, 3)
    other = Source([str(n) for n in range(120)], lambda n: partners[n], "partners")
    source = Source([str(n) for n in range(120)], lambda n: images[n], "own", partner=other, sides=("a", "b"))
    monkeypatch.setattr(data, "open_source", lambda *_: source)


@pytest.mark.usefixtures("pairs")
def test_pix2pix_learns_what_belongs_to_an_input(tmp_path: Path) -> None:
    (tmp_path / "pairs").mkdir()
    small = {"resolution": 16, "width": 8, "discriminator_width": 8, "patch": 16, "batch": 8, "learning_rate": 2e-3}
    run = sparring.train(
        tmp_path / "pairs",
        recipe="images/pix2pix",
        samples=2000,
        out=tmp_path / "run",
        display=Silent(),
        **small,
    )
    model = sparring.load(run.folder)
    survey = data.survey("pairs")
    batch = survey.prepare(model.view, seed=0).held_out.batch(slice(None))
    error = (model.sample(condition=batch.condition) - batch.real).abs().mean()
    assert error < 0.25 * (batch.condition - batch.real).abs().mean()

    # The report has the answers that need no model, and rows of input, output and truth.
    rows = Evaluation.from_run(run).baselines
    assert list(rows)[:2] == ["this", "input as output"] and rows["this"]["l1"] < rows["input as output"]["l1"]
    page = run.report.read_text()
    assert "Beside answers that need no model" in page and "input, output, truth" in page
