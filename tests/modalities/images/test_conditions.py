"""Conditions that are images: pairs, other domains, and what is left of the image itself."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from sparring.data.source import Source
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.images import asking, data
from sparring.modalities.images.conditions import Holed, Translation, grey, holed, small
from sparring.modalities.images.rooms import IMAGES
from sparring.randomness import RandomStream

COUNT = 40


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch) -> Source:
    """Return grey images whose partners are in colour; one image and the partner of another are broken."""
    colours = np.random.default_rng(0).integers(0, 256, (COUNT, 8, 8, 3), dtype=np.uint8)
    own = 255 - colours[..., 0]
    partner = Source([f"a{n}" for n in range(COUNT)], lambda n: b"?" if n == 7 else colours[n], "partners")
    source = Source(
        [f"b{n}" for n in range(COUNT)],
        lambda n: b"?" if n == 5 else own[n],
        "own",
        partner=partner,
        sides=("photo", "sketch"),
    )
    monkeypatch.setattr(data, "open_source", lambda *_: source)
    return source


def random(rows: int) -> RandomStream:
    return RandomStream(seed=0, step=0, total=rows, rows=slice(0, rows))


def test_of_a_pair_with_a_broken_half_neither_is_used(pairs: Source) -> None:
    facts = IMAGES.survey("pairs").facts
    assert facts.count == COUNT - 2 and facts.offers[0] == "pair" and facts.shape == (1, 8, 8)
    assert facts.coding["pair"] == {"sides": ["photo", "sketch"], "channels": [3, 1]}
    assert [one["name"] for one in facts.details["unreadable"]] == ["b5", "a7"]


@pytest.mark.parametrize(("target", "channels"), [("sketch", (1, 3)), ("photo", (3, 1)), ("", (1, 3))])
def test_pairs_stay_together_in_both_directions(target: str, channels: tuple[int, int], pairs: Source) -> None:
    view = View((channels[0], 8, 8), "pair", {"target": target} if target else {})
    survey = IMAGES.survey("pairs")
    split = survey.prepare(view)
    assert asking.condition_shape(view, survey.facts) == (channels[1], 8, 8) and split.facts.shape == view.shape
    for part in (split.train, split.held_out):
        batch = part.batch(slice(None))
        assert batch.condition.shape[1] == channels[1]
        torch.testing.assert_close(batch.real[:, 0], -batch.condition[:, 0])


def test_large_pairs_stay_together_in_files(pairs: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "MAX_BYTES_IN_MEMORY", 100)
    split = IMAGES.survey("pairs").prepare(View((1, 8, 8), "pair"))
    for part in (split.train, split.held_out):
        batch = part.batch(np.arange(len(part)))
        torch.testing.assert_close(batch.real[:, 0], -batch.condition[:, 0])


@pytest.mark.parametrize("limit", [100, 2**27])
def test_a_domain_comes_with_images_of_the_others(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "MAX_BYTES_IN_MEMORY", limit)
    survey = IMAGES.survey("digits")
    split = survey.prepare(View((1, 8, 8), "domain", {"target": "3"}))
    threes = {image.numpy().tobytes() for image in split.train.batch(slice(None)).real}
    batch = split.train.batch(np.arange(16), random=random(16))
    assert isinstance(batch.condition, Translation) and batch.condition.target.tolist() == [3] * 16
    assert not threes & {image.numpy().tobytes() for image in batch.condition.image}
    assert len(split.train) + len(split.held_out) == 183

    # Partners change from step to step, and without random numbers they stay the same.
    other = split.train.batch(np.arange(16), random=replace(random(16), step=1))
    assert torch.equal(batch.real, other.real) and not torch.equal(batch.condition.image, other.condition.image)
    again = [split.held_out.batch(np.arange(4)).condition.image for _ in range(2)]
    assert torch.equal(*again)


def test_a_domain_with_one_image_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8)
    labels = np.array([0] * 19 + [1])
    source = Source([str(n) for n in range(20)], lambda n: images[n], "x", labels=labels, classes=("a", "b"))
    monkeypatch.setattr(data, "open_source", lambda *_: source)
    with pytest.raises(SparringError, match="too few images in one of them"):
        IMAGES.survey("few").prepare(View((1, 8, 8), "domain", {"target": "b"}))


def test_luminance_is_that_of_the_reader() -> None:
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(pixels).convert("L")).astype(int)
    colour = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 127.5 - 1
    found = ((grey(colour)[0, 0] + 1) * 127.5).round().int().numpy()
    assert np.abs(found - expected).max() <= 1


def test_small_images_are_those_that_files_could_hold() -> None:
    image = torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = small(image, 4)
    assert found.shape == (2, 3, 4, 6) and found.abs().max() <= 1
    levels = (found + 1) * 127.5
    torch.testing.assert_close(levels, levels.round(), atol=1e-3, rtol=0)
    torch.testing.assert_close(small(torch.full((1, 1, 8, 8), 1.0), 2), torch.ones(1, 1, 4, 4))


@pytest.mark.parametrize(
    ("condition", "options", "shape"),
    [("grey", {}, (1, 16, 16)), ("small", {"factor": 2}, (3, 8, 8)), ("hole", {"holes": "mixed"}, (3, 16, 16))],
)
def test_conditions_are_computed_from_the_image(
    condition: str, options: dict[str, Any], shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (30, 16, 16, 3), dtype=np.uint8)
    source = Source([str(n) for n in range(30)], lambda n: images[n], "x")
    monkeypatch.setattr(data, "open_source", lambda *_: source)
    view = View((3, 16, 16), condition, options)
    survey = IMAGES.survey("images")
    assert condition in survey.facts.offers and asking.condition_shape(view, survey.facts) == shape
    train = survey.prepare(view).train
    rows = np.arange(8)
    batch = train.batch(rows, random=random(8))
    image = batch.condition.image if isinstance(batch.condition, Holed) else batch.condition
    assert image.shape[1:] == shape
    if isinstance(batch.condition, Holed):
        mask = batch.condition.mask
        assert torch.equal(image * (1 - mask), batch.real * (1 - mask)) and not (image * mask).any()

    # Without random numbers a row has always the same condition, wherever it is in a batch.
    whole, part = train.batch(rows).condition, train.batch(rows[3:]).condition
    pairs = zip(whole, part, strict=True) if isinstance(whole, Holed) else [(whole, part)]
    assert all(torch.equal(one[3:], other) for one, other in pairs)


def test_masks_of_another_number_are_refused(tmp_path: Any) -> None:
    np.save(tmp_path / "masks.npy", np.full((5, 8, 8), 255, dtype=np.uint8))
    with pytest.raises(SparringError, match="5 masks for 3 images"):
        asking.read_masks(tmp_path / "masks.npy", torch.zeros(3, 1, 8, 8))


def test_nothing_outside_the_hole_changes() -> None:
    image = torch.rand(2, 3, 8, 8)
    mask = torch.zeros(2, 1, 8, 8)
    mask[:, :, 2:4] = 1
    found = holed(image, mask)
    assert torch.equal(found.image[:, :, 4:], image[:, :, 4:]) and not found.image[:, :, 2:4].any()
