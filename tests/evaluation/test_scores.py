"""Every score beside its floor, at one number of samples on all sides."""

import json

import numpy as np
import pytest
import torch

from sparring.data.dataset import Dataset
from sparring.errors import SparringError
from sparring.evaluation.protocol import Generated
from sparring.evaluation.scores import Scores, evaluate_samples
from sparring.flow import Batch
from sparring.metrics.extractors.extractor import Pixels
from sparring.metrics.metric import METRICS


def real(count, seed, size=6):
    return Dataset(np.random.default_rng(seed).standard_normal((count, size)).astype(np.float32))


def drawn(count, seed, spread=1.0):
    return torch.randn(count, 6, generator=torch.Generator().manual_seed(seed)) * spread


def test_a_perfect_generator_reaches_the_floor():
    scores = evaluate_samples(real(3000, 0), real(800, 1), drawn(1200, 2), Pixels())
    assert scores.count == 800 and list(scores.measures) == [name for metric in METRICS for name in metric.names]
    for name, score in scores.measures.items():
        assert score.value == pytest.approx(score.floor, abs=0.08), name
    assert sum(bool(score.apart) for score in scores.measures.values()) <= 1


def test_a_worse_generator_is_on_the_worse_side_of_every_floor():
    scores = evaluate_samples(real(3000, 0), real(800, 1), drawn(1200, 2, spread=0.5), Pixels()).measures
    assert scores["frechet"].value > 5 * scores["frechet"].floor
    assert scores["kernel"].value > 5 * abs(scores["kernel"].floor)
    assert scores["recall"].value < scores["recall"].floor - 0.3
    assert scores["coverage"].value < scores["coverage"].floor
    for name, score in scores.items():
        # The kernel distance does not see a spread that is too small by half in so few dimensions as others do.
        assert score.apart or name in ("kernel", "vendi"), name


@pytest.mark.parametrize("spread", [1.0, 0.6])
@pytest.mark.parametrize("fresh", [True, False])
def test_intervals_are_as_wide_as_fresh_samples_say(spread, fresh):
    """Their half width is about 2.365 times the deviation over judgements of other samples of all sides."""

    def judged(seed):
        def more(count, repeat):
            return Generated(Batch(drawn(count, 100 * seed + repeat + 1000, spread)))

        sides = real(900, 3 * seed), real(600, 3 * seed + 1), drawn(600, 3 * seed + 2, spread)
        return evaluate_samples(*sides, Pixels(), more=more if fresh else None, metrics=metrics).measures

    metrics = [metric for metric in METRICS if metric.names[0] not in ("vendi", "nearest_neighbour_test")]
    found = [judged(seed) for seed in range(12)]
    for name in ("frechet", "frechet_at_infinity", "kernel", "sliced_wasserstein", "recall", "classifier_test"):
        claimed = np.median([measures[name].plus_minus for measures in found]) / 2.365
        actual = np.std([measures[name].value for measures in found], ddof=1)
        assert 0.3 < claimed / actual < 3, (name, claimed, actual)


def test_no_interval_is_given_where_there_are_too_few_samples_or_none_was_asked_for():
    few = evaluate_samples(real(700, 0), real(520, 1), drawn(49, 2), Pixels())
    none = evaluate_samples(real(700, 0), real(520, 1), drawn(100, 2), Pixels(), metrics=METRICS[:1], repeats=0)
    assert list(none.measures) == ["frechet"] and "0 repeats" in none.protocol
    for score in [*few.measures.values(), *none.measures.values()]:
        assert score.value is not None
        assert (score.plus_minus, score.floor_plus_minus, score.apart) == (None, None, None)


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
    with pytest.raises(SparringError, match=r"generated samples of shape 5"):
        evaluate_samples(real(700, 0), real(520, 1), torch.zeros(10, 5), Pixels())
