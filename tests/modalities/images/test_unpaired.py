"""Domains of images as a recipe sees them, and the networks that translate between them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sparring.data.dataset import Split
from sparring.data.facts import Facts
from sparring.data.reading import reading
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.images.asking import domain_number, wanted_domain
from sparring.modalities.images.data import survey
from sparring.modalities.images.networks.patches import PatchDiscriminator, halvings
from sparring.modalities.images.networks.translator import PatchProjections, Translator
from sparring.randomness import RandomStream
from sparring.recipe import Machine, resolve, with_fields
from sparring.recipes import RECIPES

FACTS = Facts("x", "images", 60, (3, 64, 64), "0" * 64, classes=("horse", "zebra", "cow"))
CPU, GPU = (Machine(device, 8 * 1024**3, 2, False) for device in ("cpu", "cuda"))
TARGETED = ("images/cyclegan", "images/cut", "images/fastcut")


@pytest.fixture
def domains(tmp_path: Path) -> Path:
    """Return a file of images of three domains: all values of one are 10 · its number + 0 to 9."""
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [30, 20, 10])
    images = random.integers(0, 10, (60, 8, 8)).astype(np.uint8) + 10 * labels[:, None, None].astype(np.uint8)
    np.savez(tmp_path / "domains.npz", images=images, labels=np.array(["a", "b", "c"])[labels])
    return tmp_path / "domains.npz"


def domain_of(images: torch.Tensor) -> list[int]:
    """Return the domains of images by their values."""
    return ((images.mean((1, 2, 3)) + 1) * 127.5 // 10).int().tolist()


def prepared(path: Path, target: str) -> Split:
    return survey(str(path)).prepare(View((1, 8, 8), "domain", {"target": target}))


def test_images_of_a_target_are_beside_images_of_other_domains(domains: Path) -> None:
    split = prepared(domains, "b")
    for data in (split.train, split.held_out):
        batch = data.batch(slice(None))
        assert set(domain_of(batch.real)) == {1} and 1 not in domain_of(batch.condition.image)
        assert batch.condition.target.tolist() == [1] * len(data) and batch.label is None


def test_domains_without_the_target_are_refused(domains: Path) -> None:
    with pytest.raises(SparringError, match=r"Found the domains .*, but expected 'zebra', which"):
        prepared(domains, "zebra")


def test_two_folders_are_the_domains_of_a_model_in_order(tmp_path: Path) -> None:
    for name, value in (("test in", 10), ("test out", 200)):
        (tmp_path / name).mkdir()
        for number in range(4):
            Image.new("L", (8, 8), value + number).save(tmp_path / name / f"{number}.png")
    facts = Facts("x", "images", 60, (1, 8, 8), "0" * 64, classes=("horse", "zebra"))
    found = survey(str(tmp_path / "test in"), reading(to=tmp_path / "test out"), like=facts)
    assert found.facts.classes == ("horse", "zebra")
    batch = found.prepare(View((1, 8, 8), "domain", {"target": "zebra"})).train.batch(slice(None))
    assert batch.real.min() > 0 > batch.condition.image.max()


def test_images_of_all_domains_are_beside_images_of_any(domains: Path) -> None:
    """Their own domain is the target, and without random numbers no image is its own partner throughout."""
    split = prepared(domains, "")
    for data in (split.train, split.held_out):
        batch = data.batch(slice(None))
        assert batch.condition.target.tolist() == batch.label.tolist() == domain_of(batch.real)
        assert set(domain_of(batch.condition.image)) >= {0, 1}
        own = (batch.condition.image == batch.real).flatten(1).all(1)
        assert own.float().mean() < 0.5
        assert torch.equal(data.batch(slice(None)).condition.image, batch.condition.image)
    count = len(split.train)
    drawn = [
        split.train.batch(slice(None), random=RandomStream(0, step, count, slice(0, count))).condition.image
        for step in (0, 0, 1)
    ]
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize("name", TARGETED)
def test_the_target_is_the_last_domain_or_the_one_that_is_given(name: str) -> None:
    chosen, reasons = resolve(RECIPES[name], FACTS, CPU)
    assert chosen.target == "cow" and reasons["target"]["reason"] == "the last one"
    given = with_fields(RECIPES[name], {"target": "horse"})
    assert given.view(FACTS).options == {"target": "horse"} and given.game(FACTS).target == 0
    with pytest.raises(SparringError, match=r"did you mean.*zebra"):
        with_fields(given, {"target": "zebr"}).view(FACTS)


@pytest.mark.parametrize("name", [*TARGETED, "images/stargan"])
def test_data_without_domains_and_odd_sides_are_refused(name: str) -> None:
    with pytest.raises(SparringError, match="no two domains in"):
        RECIPES[name].view(Facts("x", "images", 60, (3, 64, 64), "0" * 64))
    with pytest.raises(SparringError, match="multiples of 4"):
        with_fields(RECIPES[name], {"resolution": "30x32"}).view(FACTS)


def test_the_domain_has_to_be_given_where_there_are_several_targets() -> None:
    assert domain_number("zebra", FACTS) == 1
    # Zero is the name of a domain, and not the absence of one.
    view = View((3, 8, 8), options={"target": "1"})
    assert domain_number(wanted_domain({"to": 0}, view), replace(FACTS, classes=("0", "1"))) == 0
    assert wanted_domain({}, view) == wanted_domain({"to": None}, view) == "1"
    with pytest.raises(SparringError, match="Give one with to="):
        domain_number("", FACTS)


def test_networks_are_chosen_for_the_device_and_the_size() -> None:
    large = Facts("x", "images", 2000, (3, 256, 256), "0" * 64, classes=("horse", "zebra"))
    recipe = RECIPES["images/cyclegan"]
    (on_cpu, _), (on_gpu, _), (small, _) = (
        resolve(recipe, facts, machine) for facts, machine in ((large, CPU), (large, GPU), (FACTS, GPU))
    )
    assert (on_gpu.width, on_gpu.blocks, small.blocks) == (64, 9, 6)
    assert on_cpu.width < on_gpu.width and on_cpu.samples < on_gpu.samples


@pytest.mark.parametrize("size", [(8, 8), (16, 12), (36, 20)])
@pytest.mark.parametrize("domains", [0, 3])
def test_a_translator_takes_any_multiple_of_four(size: tuple[int, int], domains: int) -> None:
    network = Translator(channels=3, width=4, blocks=1, domains=domains)
    images = torch.rand(2, 3, *size) * 2 - 1
    condition = (images, torch.tensor([0, 2])) if domains else images
    with torch.no_grad():
        found = network(images.new_empty(2, 0), condition)
    assert found.shape == images.shape and found.abs().max() <= 1 and network.multiple == 4


def test_the_target_changes_the_translation() -> None:
    """Instance norm would remove planes, which are constant, if it followed the layer that they enter."""
    network = Translator(channels=1, width=4, blocks=1, domains=2)
    images = torch.rand(1, 1, 16, 16) * 2 - 1
    with torch.no_grad():
        first, second = (network(images, (images, torch.tensor([domain]))) for domain in (0, 1))
    assert (first - second).abs().mean() > 1e-3


@pytest.mark.parametrize("blocks", [1, 5, 6])
def test_features_are_the_same_with_and_without_the_translation(blocks: int) -> None:
    network = Translator(channels=3, width=4, blocks=blocks)
    images = torch.rand(2, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        output, features = network.translated(images)
        assert torch.equal(output, network(images, images))
        assert all(torch.equal(*pair) for pair in zip(features, network.encode(images), strict=True))
    assert [part.shape[1] for part in features] == network.feature_widths == [3, 8, 16, 16, 16][: len(features)]
    assert len(features) == (5 if blocks >= 5 else 4) and torch.equal(features[0], images)
    patches = [torch.randn(2, 5, width) for width in network.feature_widths]
    for projected in PatchProjections(network.feature_widths, 64)(patches):
        torch.testing.assert_close(projected.norm(dim=2), torch.ones(projected.shape[:2]))


@pytest.mark.parametrize("side", [8, 16, 32, 64, 256])
def test_every_size_has_patches(side: int) -> None:
    layers = halvings((side, side))
    network = PatchDiscriminator(channels=3, width=2, layers=layers, classes=3)
    verdict = network(torch.rand(2, 3, side, side))
    assert verdict.logits[0].shape == (2, *[side // 2**layers - 2] * 2) and network.classify(verdict).shape == (2, 3)
    assert len(verdict.features) == layers + 1


def test_a_logit_depends_on_seventy_pixels_across() -> None:
    """Isola et al. 2017, appendix 6.1.2; without instance norm, through which every pixel reaches every logit."""
    network = PatchDiscriminator(channels=1, width=2, normalise=False)
    images = torch.rand(1, 1, 256, 256, requires_grad=True)
    network(images).logits[0][0, 15, 15].backward()
    rows = images.grad[0, 0].abs().sum(1).nonzero()
    assert int(rows.max() - rows.min()) + 1 == 70
