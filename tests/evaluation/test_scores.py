"""Every score beside its floor, at one number of samples on all sides."""

import json

import numpy as np
import pytest
import torch

from sparring.data.dataset import Dataset
from sparring.errors import SparringError
from sparring.evaluation.extractors import Pixels
from sparring.evaluation.scores import BETTER, Scores, evaluate_samples


def real(count, seed, size=6):
    return Dataset(np.random.default_rng(seed).standard_normal((count, size)).astype(np.float32))


def drawn(count, seed, spread=1.0):
    return torch.randn(count, 6, generator=torch.Generator().manual_seed(seed)) * spread


def test_a_perfect_generator_reaches_the_floor():
    scores = evaluate_samples(real(3000, 0), real(800, 1), drawn(1200, 2), Pixels())
    assert scores.count == 800 and list(scores.measures) == list(BETTER)
    for score in scores.measures.values():
        assert score.value == pytest.approx(score.floor, abs=0.08)


def test_a_worse_generator_is_on_the_worse_side_of_every_floor():
    scores = evaluate_samples(real(3000, 0), real(800, 1), drawn(1200, 2, spread=0.5), Pixels()).measures
    assert scores["frechet"].value > 5 * scores["frechet"].floor
    assert scores["kernel"].value > 5 * abs(scores["kernel"].floor)
    assert scores["recall"].value < scores["recall"].floor - 0.3
    assert scores["coverage"].value < scores["coverage"].floor


def test_the_protocol_says_what_decides_the_numbers():
    scores = evaluate_samples(real(700, 0), real(520, 1), drawn(150, 2), Pixels(), seed=7, count=110)
    for part in ("pixels", "110 samples a side", "held-out samples against training samples", "k = 5", "seed 7"):
        assert part in scores.protocol
    again = evaluate_samples(real(700, 0), real(520, 1), drawn(150, 2), Pixels(), seed=7, count=110)
    assert again == scores
    assert evaluate_samples(real(700, 0), real(520, 1), drawn(150, 2), Pixels(), seed=8, count=110) != scores


def test_few_held_out_samples_give_way_to_halves_and_say_so():
    scores = evaluate_samples(real(301, 0), real(30, 1), drawn(500, 2), Pixels())
    assert scores.count == 165
    assert scores.floor == "one half of the real samples against the other"


def test_a_measure_that_cannot_be_computed_says_why_beside_those_that_can():
    scores = evaluate_samples(real(700, 0), real(520, 1), drawn(4, 2), Pixels()).measures
    assert scores["frechet"].value is not None
    assert scores["recall"].value is None and "at least 6" in scores["recall"].remark


def test_broken_samples_leave_the_floor_standing():
    fake = drawn(200, 2)
    fake[:, 0] = float("nan")
    scores = evaluate_samples(real(700, 0), real(520, 1), fake, Pixels())
    for score in scores.measures.values():
        assert score.value is None and score.floor is not None and "not finite" in score.remark
    assert Scores.from_json(json.loads(json.dumps(scores.as_json(), allow_nan=False))) == scores


def test_other_shapes_are_refused():
    with pytest.raises(SparringError, match=r"generated samples of shape \(5,\)"):
        evaluate_samples(real(700, 0), real(520, 1), torch.zeros(10, 5), Pixels())
