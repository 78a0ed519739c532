"""Labels of pixels, generated or read off images."""

import time

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.evaluation.evaluator import Evaluator
from sparring.evaluation.protocol import Generated
from sparring.evaluation.subject import Subject
from sparring.flow import Batch
from sparring.metrics.extractors.small_network import training_limit
from sparring.modalities.images.label_maps import UNKNOWN, colours_of, known_labels, label_accuracy, nearest_colour
from sparring.modalities.images.rooms import IMAGES

RANDOM = torch.Generator().manual_seed(0)
COLOURS = torch.tensor([[0, 0, 222], [174, 0, 0], [0, 48, 255], [255, 255, 255]]) / 127.5 - 1
MAPS = COLOURS[torch.randint(0, 4, (60, 2, 2), generator=RANDOM).repeat_interleave(8, 1).repeat_interleave(8, 2)]
MAPS = MAPS.movedim(-1, 1)  # (60, 3, 16, 16), squares of 8 × 8.
NUMBERS = nearest_colour(MAPS, COLOURS)
SMOOTH = interpolate(torch.rand(60, 3, 4, 4, generator=RANDOM) * 2 - 1, (16, 16), mode="bicubic").clamp(-1, 1)


def photographs() -> Tensor:
    """Return noise whose strength tells the label, with one mean for all labels."""
    return (torch.randn(MAPS.shape, generator=RANDOM) * (0.05 + 0.15 * NUMBERS[:, None])).clamp(-1, 1)


PHOTOGRAPHS = photographs()


def split(real: Tensor, conditions: Tensor) -> Split:
    data = Dataset(real.numpy(), None, conditions.numpy(), read=lambda stored, random: stored)
    facts = Facts("made up", "images", 60, (3, 16, 16), f"{float(real.sum())}{float(conditions.sum())}")
    return Split(data.subset(slice(0, 48)), data.subset(slice(48, 60)), facts)


def test_the_colours_of_maps_are_found_though_edges_are_blurred_and_values_noisy() -> None:
    blurred = interpolate(interpolate(MAPS, (64, 64)), (16, 16), mode="bicubic", antialias=True)
    noisy = (blurred + torch.randn(blurred.shape, generator=RANDOM) / 127.5).clamp(-1, 1)
    for maps in (MAPS, noisy):
        found = colours_of(maps)
        assert found is not None and len(found) == 4
        assert torch.cdist(found, COLOURS).amin(1).max() < 0.06


def test_photographs_and_plain_images_are_no_maps() -> None:
    for images in (SMOOTH, SMOOTH.mean(1, keepdim=True), PHOTOGRAPHS, torch.zeros(5, 3, 16, 16)):
        assert colours_of(images) is None


def test_pixels_between_colours_have_no_label() -> None:
    mixed = torch.stack([COLOURS[1], (COLOURS[0] + COLOURS[1]) / 2, COLOURS[3] - 0.03]).T[None, :, None]
    assert known_labels(mixed, COLOURS).tolist() == [[[1, UNKNOWN, 3]]]


def test_generated_labels_are_right_where_their_nearest_colour_is() -> None:
    data = split(MAPS, PHOTOGRAPHS)
    measure, true = label_accuracy(data, 0), data.held_out.batch(slice(None))
    assert measure is not None
    wrong = true.real.clone()
    wrong[:, :, :4] = COLOURS[(nearest_colour(wrong[:, :, :4], COLOURS) + 1) % 4].movedim(-1, 1)
    assert measure(true.real + 0.1, true) == 1 and measure(wrong, true) == 0.75


def test_labels_are_read_off_photographs_by_a_network_trained_on_real_ones() -> None:
    data = split(PHOTOGRAPHS, MAPS)
    measure, true = label_accuracy(data, 0), data.held_out.batch(slice(None))
    assert measure is not None
    on_truth = measure(true.real, true)
    assert on_truth > 0.7
    assert measure(true.real.roll(1, 0), true) < 0.5 and measure(torch.zeros_like(true.real), true) < 0.5
    again = label_accuracy(data, 0)
    assert again is not None and again(true.real, true) == on_truth
    # Without the time for its training there is none.
    with training_limit(time.monotonic()) as limit:
        assert label_accuracy(split(PHOTOGRAPHS * 0.9, MAPS), 0) is None and limit.exceeded


def test_other_pairs_have_no_labels() -> None:
    assert label_accuracy(split(PHOTOGRAPHS, SMOOTH), 0) is None


@pytest.mark.parametrize("further", [True, False])
def test_labels_are_judged_beside_the_trivial_answers_on_request(further: bool) -> None:
    data = split(MAPS, PHOTOGRAPHS)
    true = data.held_out.batch(slice(None))
    answers = true.real.roll(1, 0)
    generated = Generated(Batch(answers, true.condition), true.real)
    evaluator = Evaluator(data, extractors=["pixels"], further=further)
    found = evaluator.evaluate(Subject("answers", IMAGES, View((3, 16, 16))), generated)
    assert ("label_accuracy" in found.metrics) == further
    if further:
        score = found.metrics["label_accuracy"]
        assert score.value is not None and 0.1 < score.value < 0.5 and score.floor == 1
        assert found.baselines["this"]["label_accuracy"] == score.value
        assert found.baselines["input as output"]["label_accuracy"] < 0.5
