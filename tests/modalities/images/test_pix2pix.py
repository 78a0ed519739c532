"""Networks and recipes for pairs of images."""

from pathlib import Path

import numpy as np
import pytest
import torch

import sparring
from sparring.data.facts import Facts
from sparring.data.source import Source
from sparring.errors import SparringError
from sparring.evaluation.result import Evaluation
from sparring.modalities.images import data
from sparring.modalities.images.networks.patches import MultiScale, PatchDiscriminator
from sparring.modalities.images.networks.unet import UNet, depth_of, latent_size
from sparring.modalities.images.recipes.pairs import PATCH_LAYERS, Pix2Pix
from sparring.runs.display import Silent

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
        tmp_path / "pairs", recipe="images/pix2pix", samples=2000, out=tmp_path / "run", display=Silent(), **small
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
