"""Answers to conditions that are samples: beside others that need no model, there and back, several for one input."""

import numpy as np
import pytest
import torch
from torch import Tensor

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.evaluation.evaluator import Evaluator
from sparring.evaluation.protocol import Generated
from sparring.evaluation.result import Evaluation
from sparring.evaluation.subject import Subject
from sparring.flow import Batch
from sparring.modalities.images.conditions import Translation
from sparring.modalities.images.rooms import IMAGES

RANDOM = torch.Generator().manual_seed(0)
INPUTS = torch.rand(60, 3, 8, 8, generator=RANDOM) * 1.6 - 0.8
FACTS = Facts("made up", "images", 60, (3, 8, 8), "0" * 64)


def split(real: Tensor, conditions: Tensor | None = None) -> Split:
    """Return 40 samples to train on and 20 held out."""
    parts = [real.numpy(), None, None if conditions is None else conditions.numpy()]
    data = Dataset(*parts, read=lambda stored, random: stored)
    return Split(data.subset(slice(0, 40)), data.subset(slice(40, 60)), FACTS)


def table(answers: Tensor, *, pairs: bool) -> dict[str, dict[str, float]]:
    """Return the table for answers to the held-out inputs, whose true answers are 0.1 brighter."""
    true = INPUTS + 0.1
    inputs = INPUTS[40:]
    condition = inputs if pairs else Translation(inputs, torch.ones(20, dtype=torch.int64))
    generated = Generated(Batch(answers, condition), true[40:] if pairs else None)
    evaluator = Evaluator(split(true, INPUTS if pairs else None), extractors=["pixels"], further=False)
    found = evaluator.evaluate(Subject("answers", IMAGES, View((3, 8, 8))), generated)
    assert max(map(len, found.lines())) <= 100
    assert Evaluation.model_validate_json(found.model_dump_json()) == found
    return found.baselines


@pytest.mark.parametrize("pairs", [True, False])
def test_every_answer_is_compared_with_its_input(pairs: bool) -> None:
    changed = INPUTS[40:].clone()
    changed[:, 0, :2] += 0.1  # A quarter of the pixels in one channel.
    found = table(changed, pairs=pairs)
    assert found["this"]["unchanged"] == 0.75 and found["input as output"]["unchanged"] == 1
    assert found["this"]["input_distance"] == pytest.approx(0.1 * np.sqrt(16), rel=1e-4)
    assert found["input as output"]["input_distance"] == 0
    assert found["nearest training image"]["unchanged"] < 0.5 < found["nearest training image"]["input_distance"]
    assert all(row.keys() == found["this"].keys() for row in found.values())


def test_the_truth_stands_beside_the_answers_where_it_is_known() -> None:
    found = table(INPUTS[40:] + 0.05, pairs=True)
    assert found["truth"]["l1"] == found["truth"]["perceptual"] == found["truth"]["unchanged"] == 0
    assert found["this"]["perceptual"] == pytest.approx(0.05 * np.sqrt(192), rel=1e-4)
    assert found["input as output"]["perceptual"] == pytest.approx(found["truth"]["input_distance"])
    unpaired = table(INPUTS[40:] + 0.05, pairs=False)
    assert "truth" not in unpaired and "perceptual" not in unpaired["this"]
