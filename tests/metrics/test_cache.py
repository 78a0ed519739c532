"""What was computed once is not computed again, and whatever changes the result changes the key."""

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
from sparring.metrics import kept
from sparring.metrics.measure import by_samples


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path))


class Counting:
    """Counts the samples it is shown."""

    def __init__(self, name="counting-1", *, lasting=True):
        self.name, self.lasting, self.seen = name, lasting, 0

    def __call__(self, samples):
        self.seen += len(samples)
        return samples[:, :2] * 2


def rounds(seed=0, shift=0.0):
    train, held_out = (np.random.default_rng(one).standard_normal((600, 3)).astype(np.float32) for one in (0, 1))
    fake = torch.from_numpy(np.random.default_rng(2).standard_normal((520, 3)).astype(np.float32)) + shift
    return Repeats(Dataset(train), Dataset(held_out), Batch(fake), seed=seed)


def test_the_same_samples_are_not_looked_at_again():
    first, again, other = Counting(), Counting(), Counting("counting-2")
    (found,) = scored(rounds(), [by_features(first)])
    assert first.seen == 600 + 600 + 520
    assert scored(rounds(), [by_features(again)]) == [found] and again.seen == 0
    assert scored(rounds(), [by_features(other)]) == [found] and other.seen == first.seen


def test_real_features_are_kept_for_other_models():
    scored(rounds(), [by_features(Counting())])
    other = Counting()
    (found,) = scored(rounds(shift=1.0), [by_features(other)])
    assert other.seen == 520 and found["frechet"].value > 1


def test_what_is_not_lasting_is_looked_at_again():
    first, again = Counting(lasting=False), Counting(lasting=False)
    assert scored(rounds(), [by_features(first)]) == scored(rounds(), [by_features(again)])
    assert again.seen == first.seen > 0


def test_measures_of_samples_are_kept_by_name_seed_and_content():
    asked = []

    def compute(one):
        asked.append(one.seed)
        return {"mean": float(one.fake.batch().real.mean())}, {"mean": 0.0}

    (found,) = scored(rounds(), [by_samples("a", compute)])
    assert len(asked) == 9 and scored(rounds(), [by_samples("a", compute)]) == [found] and len(asked) == 9
    scored(rounds(), [by_samples("b", compute)])
    scored(rounds(seed=1), [by_samples("a", compute)])
    (shifted,) = scored(rounds(shift=1.0), [by_samples("a", compute)])
    assert len(asked) == 36 and shifted["mean"].value == pytest.approx(found["mean"].value + 1, abs=1e-6)


def test_what_could_not_be_computed_is_tried_again():
    error, asked = SparringError(found="few", expected="many", remedy="wait"), []
    for _ in range(2):
        (found,) = kept.kept_measures(["x"], lambda: (asked.append(1), {"a": error})[1:])
        assert found["a"] is error
    assert len(asked) == 2


def test_damaged_features_are_computed_anew(tmp_path):
    features = torch.arange(6.0).reshape(3, 2)
    assert torch.equal(kept.kept_features("a", "b", lambda: features), features)
    (path,) = (tmp_path / "features").iterdir()
    path.write_bytes(path.read_bytes()[:-3])
    assert torch.equal(kept.kept_features("a", "b", lambda: features + 1), features + 1)
    assert torch.equal(kept.kept_features("a", "b", lambda: features), features + 1)


def test_the_longest_unused_features_go_first(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "MOST_BYTES", 3000)
    for number in range(4):
        kept.kept_features("a", str(number), lambda: torch.zeros(250))
        for path in (tmp_path / "features").iterdir():
            os.utime(path, (time.time() - 1000, path.stat().st_mtime - 1000))
    assert len(list((tmp_path / "features").iterdir())) == 2
    kept.kept_features("a", "3", lambda: pytest.fail("it was the newest"))


def test_a_digest_tells_content_shape_and_type_apart():
    one = torch.arange(6.0)
    found = {kept.digest(*some) for some in ([one], [one.reshape(2, 3)], [one.double()], [one + 1], [one, one], [])}
    assert len(found) == 6 and kept.digest(one, None) == kept.digest(one.clone())


def test_nothing_is_lost_where_nothing_can_be_kept(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "file"))
    (found,) = scored(rounds(), [by_features(Counting())])
    assert found["frechet"].value is not None
