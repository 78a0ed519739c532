"""Every score beside its floor, at one number of samples on all sides."""

import numpy as np
import pytest
import torch

from sparring.data.dataset import Dataset
from sparring.errors import SparringError
from sparring.evaluation.protocol import Generated, Repeats
from sparring.evaluation.scores import Score, by_features, extremes, half_width, scored
from sparring.flow import Batch
from sparring.metrics.extractors.extractor import Pixels
from sparring.metrics.metric import METRICS


def real(count, seed, size=6):
    return Dataset(np.random.default_rng(seed).standard_normal((count, size)).astype(np.float32))


def drawn(count, seed, spread=1.0):
    return torch.randn(count, 6, generator=torch.Generator().manual_seed(seed)) * spread


def scores_of(train, held_out, fake, metrics=METRICS, **options):
    (scores,), _ = scored(Repeats(train, held_out, Batch(fake), **options), [by_features(Pixels(), metrics)])
    return scores


def test_a_perfect_generator_reaches_the_floor():
    repeats = Repeats(real(3000, 0), real(800, 1), Batch(drawn(1200, 2)))
    (scores,), done = scored(repeats, [by_features(Pixels())])
    assert repeats.size == 800 and list(scores) == [name for metric in METRICS for name in metric.names] and done == 8
    for name, score in scores.items():
        assert score.value == pytest.approx(score.floor, abs=0.08), name
    assert sum(bool(score.significant) for score in scores.values()) <= 1


def test_the_best_and_the_worst_samples_are_of_different_inputs():
    repeat = next(iter(Repeats(real(300, 0), real(100, 1), Batch(drawn(60, 2)))))
    best, worst = extremes(repeat, Pixels(), 20)
    assert len(best) == len(worst) == 20
    inputs = torch.arange(60)[:, None] % 6
    few, others = extremes(repeat, Pixels(), 20, inputs)
    assert sorted(inputs[few + others, 0].tolist()) == list(range(6)) and few[0] == best[0] and len(few) == 3


def test_a_worse_generator_is_on_the_worse_side_of_every_floor():
    scores = scores_of(real(3000, 0), real(800, 1), drawn(1200, 2, spread=0.5))
    assert scores["frechet"].value > 5 * scores["frechet"].floor
    assert scores["kernel"].value > 5 * abs(scores["kernel"].floor)
    assert scores["recall"].value < scores["recall"].floor - 0.3
    assert scores["coverage"].value < scores["coverage"].floor
    for name, score in scores.items():
        # The kernel distance does not see a spread that is too small by half in so few dimensions as others do.
        assert score.significant or name in ("kernel", "vendi"), name


@pytest.mark.parametrize(
    ("fresh", "spread"),
    [
        (True, 0.6),
        (False, 1.0),
        pytest.param(True, 1.0, marks=pytest.mark.slow),
        pytest.param(False, 0.6, marks=pytest.mark.slow),
    ],
)
def test_intervals_are_as_wide_as_fresh_samples_say(fresh, spread):
    """Their half width is about 2.365 times the deviation over evaluations of other samples of all sides."""

    def evaluated(seed):
        def fresh_samples(count, repeat):
            return Generated(Batch(drawn(count, 100 * seed + repeat + 1000, spread)))

        sides = real(300, 3 * seed), real(200, 3 * seed + 1), drawn(200, 3 * seed + 2, spread)
        return scores_of(*sides, metrics, fresh_samples=fresh_samples if fresh else None)

    metrics = [metric for metric in METRICS if metric.names[0] not in ("vendi", "nearest_neighbour_test")]
    found = [evaluated(seed) for seed in range(12)]
    for name in ("frechet", "frechet_at_infinity", "kernel", "sliced_wasserstein", "recall", "classifier_test"):
        claimed = np.median([scores[name].plus_minus for scores in found]) / 2.365
        actual = np.std([scores[name].value for scores in found], ddof=1)
        assert 0.3 < claimed / actual < 3, (name, claimed, actual)


def test_too_few_samples_or_no_repeats_give_no_interval():
    few = scores_of(real(700, 0), real(520, 1), drawn(49, 2))
    none = scores_of(real(700, 0), real(520, 1), drawn(100, 2), METRICS[:1], repeats=0)
    assert list(none) == ["frechet"]
    for score in [*few.values(), *none.values()]:
        assert score.value is not None
        assert (score.plus_minus, score.floor_plus_minus, score.significant) == (None, None, None)
        assert score.verdict == "inconclusive"


def test_the_protocol_names_what_decides_the_numbers():
    sides = real(700, 0), real(520, 1)
    protocol = Repeats(*sides, Batch(drawn(150, 2)), seed=7, count=110).described("data 123", 0)
    for part in ("data 123", "110 samples a side", "held-out samples against training samples", "k = 5", "seed 7"):
        assert part in protocol
    assert "0 repeats" in protocol
    scores, again = (scores_of(*sides, drawn(150, 2), seed=7, count=110) for _ in range(2))
    assert again == scores
    assert scores_of(*sides, drawn(150, 2), seed=8, count=110) != scores


def test_few_held_out_samples_are_replaced_by_halves_of_all():
    repeats = Repeats(real(301, 0), real(30, 1), Batch(drawn(500, 2)))
    assert repeats.size == 165
    assert repeats.floor == "one half of the real samples against the other"


def test_a_metric_that_cannot_be_computed_says_why():
    scores = scores_of(real(700, 0), real(520, 1), drawn(4, 2))
    assert scores["frechet"].value is not None
    assert scores["recall"].value is None and "at least 6" in scores["recall"].remark


def test_samples_that_are_not_finite_still_have_a_floor():
    fake = drawn(200, 2)
    fake[:, 0] = float("nan")
    scores = scores_of(real(700, 0), real(520, 1), fake)
    for score in scores.values():
        assert score.value is None and score.floor is not None and "not finite" in score.remark
        assert Score.model_validate_json(score.model_dump_json()) == score


def test_samples_of_another_shape_are_refused():
    with pytest.raises(SparringError, match=r"generated samples of shape 5"):
        scores_of(real(700, 0), real(520, 1), torch.zeros(10, 5))


def test_intervals_are_those_of_student():
    """Half widths of two to nine deviations that have a standard deviation of one: quantiles as in printed tables."""
    quantiles = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306]
    for count, quantile in enumerate(quantiles, 2):
        deviations = np.arange(count) / np.std(np.arange(count), ddof=1)
        assert half_width(deviations.tolist()) == pytest.approx(quantile, rel=1e-3)
    assert half_width([1.0]) is None


def test_repeats_end_at_the_deadline():
    repeats = Repeats(real(700, 0), real(520, 1), Batch(drawn(150, 2)))
    (scores,), done = scored(repeats, [by_features(Pixels(), METRICS[:1])], deadline=0.0)
    assert done == 0 and scores["frechet"].value is not None and scores["frechet"].plus_minus is None
