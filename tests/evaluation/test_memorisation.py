"""Planted copies are found, and healthy samples raise no alarm."""

import json

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu

from sparring.errors import SparringError
from sparring.evaluation import memorisation
from sparring.evaluation.memorisation import (
    COPY_RATIO,
    MAX_CLOSER_CHANCE,
    MAX_COPIES_CHANCE,
    Memorisation,
    c_t,
    chance_of_close,
    chance_of_copies,
    compare,
    rank_test,
)


def drawn(count, seed, size=64):
    # Eight directions carry the content, as in pictures; the rest is a little noise.
    random = torch.Generator().manual_seed(seed)
    content = torch.randn(count, 8, generator=random) @ torch.randn(
        8, size, generator=torch.Generator().manual_seed(99)
    )
    return content + 0.05 * torch.randn(count, size, generator=random)


@pytest.fixture(scope="module")
def sides():
    return drawn(2000, 0), drawn(300, 1), drawn(500, 2)


@pytest.mark.parametrize("seed", range(5))
def test_healthy_samples_raise_no_alarm(seed):
    found = compare([drawn(2000, 3 * seed)], drawn(300, 3 * seed + 1), drawn(500, 3 * seed + 2))
    assert not found.copied and not found.closer
    assert found.verdict.startswith("No training sample was copied. Median distance")


def test_a_planted_copy_is_detected_and_listed_first(sides):
    train, held_out, fake = sides
    fake = torch.cat([fake, train[17:18]])
    found = compare([train], held_out, fake)
    assert found.copied and found.copies == 1
    assert found.pairs[0] == (500, 17, 0.0)
    assert found.verdict.startswith("1 of 501 generated samples is nearly a copy")


def test_copies_with_a_little_noise_are_detected(sides):
    train, held_out, fake = sides
    noisy = train[:20] + 0.01 * torch.randn(20, 64, generator=torch.Generator().manual_seed(5))
    found = compare([train], held_out, torch.cat([fake, noisy]))
    assert found.copied and found.copies >= 20
    assert {row for _, row, _ in found.pairs} <= set(range(20))


def test_close_samples_are_distinguished_from_copies(sides):
    train, held_out, _ = sides
    near = compare([train], held_out, held_out)
    middle = (near.closest * 0.8) / 64**0.5
    found = compare([train], held_out, train[:500] + middle * torch.ones(64))
    assert found.closer and not found.copied
    assert "as close to training samples as the closest 1 % of held-out ones: more than chance" in found.verdict
    assert not found.copies or "No " not in found.verdict


def test_duplicates_within_the_data_raise_no_alarm(sides):
    train, held_out, fake = sides
    repeated = torch.cat([held_out, train[:30]])
    assert not compare([train], repeated, torch.cat([fake, train[100:140]])).copied


def test_parts_do_not_change_the_result(sides):
    train, held_out, fake = sides
    whole, parts = compare([train], held_out, fake), compare(train.split(300), held_out, fake)
    assert [pair[:2] for pair in whole.pairs] == [pair[:2] for pair in parts.pairs]
    assert parts.median == pytest.approx(whole.median)
    for generated, row, distance in whole.pairs:
        assert torch.dist(fake[generated], train[row]).item() == pytest.approx(distance, rel=1e-4)


def test_json_round_trip(sides):
    found = compare([sides[0]], sides[1], sides[2])
    content = json.dumps(found.model_dump(mode="json"), allow_nan=False)
    assert Memorisation.model_validate(json.loads(content)) == found


def test_no_samples_are_refused(sides):
    with pytest.raises(SparringError, match="no samples on one side"):
        compare([sides[0]], sides[1], sides[2][:0])


class TestRanks:
    @pytest.mark.parametrize("shift", [-1.0, 0.0, 0.5])
    def test_agrees_with_the_test_of_mann_and_whitney(self, shift):
        first, second = drawn(60, 0)[:, 0].abs() + shift, drawn(90, 1)[:, 0].abs()
        wins = mannwhitneyu(first.numpy(), second.numpy()).statistic
        expected = (wins - 60 * 90 / 2) / (60 * 90 * 151 / 12) ** 0.5
        assert rank_test(first, second) == pytest.approx(expected, rel=1e-9)

    def test_ties_count_half(self):
        assert rank_test(torch.ones(30), torch.ones(40)) == 0

    def test_is_standard_normal_for_equal_distributions(self):
        found = [rank_test(drawn(80, 2 * seed)[:, 0], drawn(80, 2 * seed + 1)[:, 0]) for seed in range(200)]
        assert np.mean(found) == pytest.approx(0, abs=0.25) and np.std(found) == pytest.approx(1, abs=0.2)

    def test_cells_are_weighted_by_held_out_samples_without_small_cells(self):
        distances, held_out = drawn(130, 0)[:, 0], drawn(160, 1)[:, 0]
        cells, aside = torch.arange(130) // 60, torch.arange(160) // 75
        expected = [rank_test(distances[cells == cell], held_out[aside == cell]) for cell in (0, 1)]
        assert c_t(distances, held_out, cells, aside) == pytest.approx(np.mean(expected))
        alone = c_t(distances, held_out, torch.zeros(130), torch.ones(160))
        assert alone == pytest.approx(rank_test(distances, held_out))


def test_authenticity_agrees_with_brute_force(sides):
    train, held_out, fake = (side[:150].double() for side in sides)
    found = compare([train[:70], train[70:]], held_out, torch.cat([fake, train[:10]]))
    spacing = torch.cdist(train, train, compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(torch.inf).amin(1)
    distances, rows = torch.cdist(fake, train, compute_mode="donot_use_mm_for_euclid_dist").min(1)
    assert found.authenticity == pytest.approx((distances > spacing[rows]).double().sum().item() / 160)


def test_every_metric_detects_a_memorising_model(sides):
    train, held_out, fake = sides
    latent = 0.3 * torch.randn(500, 64, generator=torch.Generator().manual_seed(7))
    memorised, healthy = compare([train], held_out, train[:500] + latent), compare([train], held_out, fake)
    assert memorised.c_t < -6 < -3 < healthy.c_t < 3
    assert memorised.authenticity < 0.2 < healthy.authenticity
    assert healthy.authenticity == pytest.approx(healthy.authenticity_held_out, abs=0.1)
    assert set(healthy.metrics()) == {"copies", "authenticity", "c_t"}


def test_samples_that_are_closer_as_a_whole_are_detected(sides):
    train, held_out, _ = sides
    # Shrunk towards the middle of the data, as blurred pictures are: none is near to any one training sample.
    found = compare([train], held_out, drawn(500, 3) * 0.6)
    assert found.c_t < -3 and not found.copied
    assert "closer" in found.verdict or found.closer


class TestFalseAlarms:
    """Training, held-out and generated samples of one distribution: at most 1 % of data sets raise an alarm."""

    @pytest.mark.parametrize("count", [50, 100, 300, 2000])
    @pytest.mark.parametrize("held_out", [100, 300, 1000, 2000])
    @pytest.mark.parametrize("dimension", [1, 8])
    def test_are_rare_at_every_size(self, count, held_out, dimension):
        """Distances to the nearest of many points have the distribution of an exponential's root."""
        random = torch.Generator().manual_seed(count + held_out)
        alarms, trials = 0, 400
        for _ in range(trials):
            fake, real = (
                torch.empty(size, dtype=torch.float64).exponential_(generator=random) ** (1 / dimension)
                for size in (count, held_out)
            )
            closest = real.sort().values[max(1, round(held_out / 100)) - 1]
            chance = chance_of_copies(fake[fake <= COPY_RATIO * closest], count, real)
            close = chance_of_close(int((fake < closest).sum()), count, held_out)
            alarms += chance <= MAX_COPIES_CHANCE or close <= MAX_CLOSER_CHANCE
        # Ten of 400 are improbable, 0.3 %, even where 1 % raise an alarm.
        assert alarms < 10

    @pytest.mark.parametrize("cells", [1, 5])
    def test_of_c_t_are_rare_in_small_cells(self, cells):
        random = torch.Generator().manual_seed(cells)
        found = [
            c_t(*torch.randn(2, 20 * cells, generator=random), *torch.arange(20 * cells).repeat(2, 1) % cells)
            for _ in range(400)
        ]
        assert np.mean(np.array(found) < -memorisation.MAX_C_T) < 0.01

    def test_are_rare_for_a_hundred_pictures(self, monkeypatch):
        """All three verdicts, on samples as they are compared."""
        monkeypatch.setattr(memorisation, "cells_of", lambda fake, held_out, seed: (fake[:, 0] * 0, held_out[:, 0] * 0))
        verdicts = [
            compare([drawn(200, 3 * seed)], drawn(100, 3 * seed + 1), drawn(100, 3 * seed + 2)).verdict
            for seed in range(100)
        ]
        assert sum(not verdict.startswith("No training sample was copied.") for verdict in verdicts) <= 3


class TestFewHeldOutSamples:
    @pytest.mark.parametrize("copies", [0, 30])
    def test_decide_nothing(self, sides, copies):
        train, held_out, fake = sides
        found = compare([train], held_out[:99], torch.cat([fake, train[:copies]]))
        assert not found.copied and not found.closer and not found.closer_as_a_whole
        assert "the check is inconclusive below 100 held-out samples, and there are 99" in found.verdict
        assert all(score.verdict == "inconclusive" for score in found.metrics().values())

    def test_a_hundred_are_enough_for_copies(self, sides):
        train, held_out, fake = sides
        found = compare([train], held_out[:100], torch.cat([fake, train[:1]]))
        assert found.copied and found.copies == 1


def test_copies_among_duplicates_within_the_data_are_detected(sides):
    """A tenth of the held-out samples are duplicates of training samples, but two thirds of the generated ones."""
    train, held_out, fake = sides
    repeated = torch.cat([held_out, train[:30]])
    assert compare([train], repeated, torch.cat([fake[:100], train[100:300]])).copied
