"""Answers that need no model."""

import numpy as np
import torch

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.flow import Batch
from sparring.modalities.images.baselines import as_output, baselines, recoloured
from sparring.modalities.images.conditions import Holed, Translation

RANDOM = torch.Generator().manual_seed(0)
IMAGES = torch.rand(20, 3, 16, 16, generator=RANDOM) * 2 - 1


def split(conditions: torch.Tensor | None = None) -> Split:
    data = Dataset(IMAGES.numpy(), conditions=None if conditions is None else conditions.numpy())
    return Split(data, data, Facts("made up", "images", 20, (3, 16, 16), ""))


def test_the_nearest_input_gives_its_own_image() -> None:
    inputs = IMAGES.mean(1, keepdim=True)
    found = baselines(Batch(torch.zeros(4, 3, 16, 16), inputs[[3, 1, 7, 7]] + 0.001), split(inputs))
    assert torch.equal(found["nearest training image"], IMAGES[[3, 1, 7, 7]])
    # Where the inputs are among the data, the nearest other one counts.
    among = baselines(Batch(torch.zeros(4, 3, 16, 16), inputs[[3, 1, 7, 7]]), split(inputs))
    assert not (among["nearest training image"] == IMAGES[[3, 1, 7, 7]]).flatten(1).all(1).any()
    assert found["input as output"].shape == (4, 3, 16, 16) and "recoloured input" not in found


def test_domains_are_compared_with_the_images_themselves() -> None:
    condition = Translation(IMAGES[[2, 5]] * 0.99, torch.tensor([1, 1]))
    found = baselines(Batch(torch.zeros(2, 3, 16, 16), condition), split())
    assert torch.equal(found["nearest training image"], IMAGES[[2, 5]])
    assert torch.equal(found["input as output"], condition.image)
    assert set(found) == {"input as output", "nearest training image", "recoloured input"}


def test_holes_are_filled_and_nothing_else_changes() -> None:
    mask = torch.zeros(2, 1, 16, 16)
    mask[:, :, 4:12, 4:12] = 1
    known = IMAGES[[4, 9]]
    found = baselines(Batch(known, Holed(torch.where(mask > 0, 0.0, 0.99 * known), mask)), split())
    nearest = found["nearest training image"]
    assert torch.equal(nearest * mask, known * mask) and torch.equal(nearest * (1 - mask), 0.99 * known * (1 - mask))
    found = baselines(Batch(known, Holed(torch.where(mask > 0, 0.0, known), mask)), split())
    mean = found["mean of the surroundings"]
    assert torch.equal(mean * (1 - mask), known * (1 - mask))
    around = known[0, 1][mask[0, 0] == 0].mean()
    torch.testing.assert_close(mean[0, 1, 6, 6], around)


def test_colours_are_matched() -> None:
    found = recoloured(IMAGES[:10] * 0.2 + 0.5, IMAGES[10:] * 0.3)
    for one, other in zip(torch.std_mean(found, (0, 2, 3)), torch.std_mean(IMAGES[10:] * 0.3, (0, 2, 3)), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


def test_inputs_are_brought_into_the_shape_of_outputs() -> None:
    assert as_output(IMAGES[:, :1, :8, :8], torch.Size((3, 16, 16))).shape == (20, 3, 16, 16)
    assert torch.equal(as_output(IMAGES, IMAGES.shape[1:]), IMAGES)


def test_other_conditions_have_no_such_answers() -> None:
    for condition in (None, torch.tensor([0, 1])):
        assert not baselines(Batch(torch.zeros(2, 3, 16, 16), condition), split(torch.from_numpy(np.zeros((20, 1)))))
