"""Nothing is computed twice, and whatever changes the result changes the key."""

import os
import time

import numpy as np
import pytest
import torch

from sparring.data.dataset import Dataset
from sparring.errors import SparringError
from sparring.evaluation.protocol import Repeats
from sparring.evaluation.scores import by_features, scored
from sparring.flow import Batch
from sparring.metrics import cache, sample_sets
from sparring.metrics.cache import cached_values


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path))


class Counting:
    """Counts the samples that it gets."""

    def __init__(self, name="counting-1", *, cacheable=True):
        self.name, self.cacheable, self.seen = name, cacheable, 0

    def __call__(self, samples):
        self.seen += len(samples)
        return samples[:, :2] * 2


def repeats(seed=0, shift=0.0):
    train, held_out = (np.random.default_rng(one).standard_normal((600, 3)).astype(np.float32) for one in (0, 1))
    fake = torch.from_numpy(np.random.default_rng(2).standard_normal((520, 3)).astype(np.float32)) + shift
    return Repeats(Dataset(train), Dataset(held_out), Batch(fake), seed=seed)


def test_features_of_the_same_samples_are_extracted_once():
    first, again, other = Counting(), Counting(), Counting("counting-2")
    (found,), _ = scored(repeats(), [by_features(first)])
    assert first.seen == 600 + 600 + 520
    assert scored(repeats(), [by_features(again)])[0] == [found] and again.seen == 0
    assert scored(repeats(), [by_features(other)])[0] == [found] and other.seen == first.seen


def test_real_features_are_cached_for_other_models():
    scored(repeats(), [by_features(Counting())])
    other = Counting()
    (found,), _ = scored(repeats(shift=1.0), [by_features(other)])
    assert other.seen == 520 and found["frechet"].value > 1


def test_features_that_are_not_cacheable_are_extracted_again():
    first, again = Counting(cacheable=False), Counting(cacheable=False)
    assert scored(repeats(), [by_features(first)]) == scored(repeats(), [by_features(again)])
    assert again.seen == first.seen > 0


def test_metrics_of_samples_are_cached_by_name_seed_and_content():
    asked = []

    def compute(one):
        asked.append(one.seed)
        return {"mean": float(one.fake.batch().real.mean())}, {"mean": 0.0}

    (found,), _ = scored(repeats(), [sample_sets.cached("a", compute)])
    assert len(asked) == 9 and scored(repeats(), [sample_sets.cached("a", compute)])[0] == [found] and len(asked) == 9
    scored(repeats(), [sample_sets.cached("b", compute)])
    scored(repeats(seed=1), [sample_sets.cached("a", compute)])
    (shifted,), _ = scored(repeats(shift=1.0), [sample_sets.cached("a", compute)])
    assert len(asked) == 36 and shifted["mean"].value == pytest.approx(found["mean"].value + 1, abs=1e-6)


def test_incomplete_values_are_not_cached():
    calls = []

    def compute():
        calls.append(1)
        return ({"x": 1.0},)

    for keep in (False, True, True):
        assert cached_values(["incomplete"], compute, lambda keep=keep: keep) == ({"x": 1.0},)
    assert len(calls) == 2


def test_errors_are_not_cached():
    error, asked = SparringError(found="few", expected="many", remedy="wait"), []
    for _ in range(2):
        (found,) = cache.cached_values(["x"], lambda: (asked.append(1), {"a": error})[1:])
        assert found["a"] is error
    assert len(asked) == 2


def shortened(content):
    return content[:-3]


def zeroed(content):
    return content[:-24] + bytes(24)


def renamed(content):
    return content.replace(b'"F32"', b'"I32"')


@pytest.mark.parametrize("damage", [shortened, zeroed, renamed])
def test_damaged_features_are_extracted_again(damage, tmp_path):
    features = torch.arange(6.0).reshape(3, 2)
    assert torch.equal(cache.cached_features("a", "b", lambda: features), features)
    (path,) = (tmp_path / "features").iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert torch.equal(cache.cached_features("a", "b", lambda: features + 1), features + 1)
    assert torch.equal(cache.cached_features("a", "b", lambda: features), features + 1)


def test_features_under_the_name_of_others_are_not_used(tmp_path):
    cache.cached_features("a", "b", lambda: torch.zeros(2))
    cache.cached_features("a", "c", lambda: torch.ones(2))
    first, second = (tmp_path / "features").iterdir()
    first.write_bytes(second.read_bytes())
    found = [cache.cached_features("a", name, lambda: torch.full((2,), 7.0))[0] for name in ("b", "c")]
    assert sorted(map(float, found)) in ([0, 7], [1, 7])


def test_the_least_recently_used_features_are_deleted_first(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "MAX_FEATURE_BYTES", 3000)
    for number in range(4):
        cache.cached_features("a", str(number), lambda: torch.zeros(250))
        for path in (tmp_path / "features").iterdir():
            os.utime(path, (time.time() - 1000, path.stat().st_mtime - 1000))
    assert len(list((tmp_path / "features").iterdir())) == 2
    cache.cached_features("a", "3", lambda: pytest.fail("it was the newest"))


def test_digests_differ_by_content_shape_and_type():
    one = torch.arange(6.0)
    found = {cache.digest(*some) for some in ([one], [one.reshape(2, 3)], [one.double()], [one + 1], [one, one], [])}
    assert len(found) == 6 and cache.digest(one, None) == cache.digest(one.clone())


def test_a_cache_that_cannot_be_written_is_no_obstacle(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "file"))
    (found,), _ = scored(repeats(), [by_features(Counting())])
    assert found["frechet"].value is not None
