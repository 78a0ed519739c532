"""A planted copy is found; healthy samples are not accused."""

import json

import pytest
import torch

from sparring.errors import SparringError
from sparring.evaluation.neighbours import Neighbours, compare


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
def test_a_healthy_sample_is_not_flagged(seed):
    found = compare([drawn(2000, 3 * seed)], drawn(300, 3 * seed + 1), drawn(500, 3 * seed + 2))
    assert not found.copied and not found.closer
    assert found.verdict.startswith("No training sample was copied (median distance")


def test_a_planted_copy_is_flagged_and_shown_first(sides):
    train, held_out, fake = sides
    fake = torch.cat([fake, train[17:18]])
    found = compare([train], held_out, fake)
    assert found.copied and found.copies == 1
    assert found.pairs[0] == (500, 17, 0.0)
    assert found.verdict.startswith("1 of 501 generated samples is nearly a copy")


def test_a_copy_with_a_little_noise_is_flagged(sides):
    train, held_out, fake = sides
    noisy = train[:20] + 0.01 * torch.randn(20, 64, generator=torch.Generator().manual_seed(5))
    found = compare([train], held_out, torch.cat([fake, noisy]))
    assert found.copied and found.copies >= 20
    assert {row for _, row, _ in found.pairs} <= set(range(20))


def test_samples_that_keep_close_are_told_apart_from_copies(sides):
    train, held_out, _ = sides
    near = compare([train], held_out, held_out)
    middle = (near.closest * 0.8) / 64**0.5
    found = compare([train], held_out, train[:500] + middle * torch.ones(64))
    assert found.closer and not found.copied
    assert "No training sample was copied, but" in found.verdict


def test_copies_within_the_data_itself_are_no_alarm(sides):
    train, held_out, fake = sides
    repeated = torch.cat([held_out, train[:30]])
    assert not compare([train], repeated, torch.cat([fake, train[100:140]])).copied


def test_parts_do_not_matter_and_pairs_point_into_the_whole(sides):
    train, held_out, fake = sides
    whole, parts = compare([train], held_out, fake), compare(train.split(300), held_out, fake)
    assert [pair[:2] for pair in whole.pairs] == [pair[:2] for pair in parts.pairs]
    assert parts.median == pytest.approx(whole.median)
    for generated, row, distance in whole.pairs:
        assert torch.dist(fake[generated], train[row]).item() == pytest.approx(distance, rel=1e-4)


def test_there_and_back_in_json(sides):
    found = compare([sides[0]], sides[1], sides[2])
    assert Neighbours.from_json(json.loads(json.dumps(found.as_json(), allow_nan=False))) == found


def test_what_is_said_of_nothing(sides):
    with pytest.raises(SparringError, match="no samples on one side"):
        compare([sides[0]], sides[1], sides[2][:0])
