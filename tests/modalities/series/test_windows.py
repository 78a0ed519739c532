"""Splits: no training window shares a step with a held-out one."""

import numpy as np
import pytest

from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.series.windows import cut, split
from toys.series import survey, survey_text, write_visits


def steps_of(cuts, rows):
    return {step for row in rows for step in range(cuts.starts[row], cuts.starts[row] + cuts.lengths[row])}


@pytest.mark.parametrize("lengths", [[3685], [700], [60], [48], [400, 300, 50], [500, 10]])
def test_no_training_window_shares_a_step_with_a_held_out_one(lengths):
    lengths = np.array(lengths)
    cuts = cut(np.cumsum(lengths) - lengths, lengths, 24)
    for seed in (0, 1):
        train, held_out = split(cuts, seed)
        assert len(train) and len(held_out)
        assert not steps_of(cuts, train) & steps_of(cuts, held_out)
        assert (np.diff(train) > 0).all() and (np.diff(held_out) > 0).all()


def test_held_out_windows_are_a_tenth_in_ten_stretches_that_depend_on_the_seed():
    cuts = cut(np.array([0]), np.array([3685]), 24)
    (train, held_out), (_, other) = split(cuts, 0), split(cuts, 1)
    assert len(held_out) == 370 and (np.diff(held_out) > 1).sum() == 9
    assert held_out[0] < 366 and held_out[-1] > 3294
    assert len(train) > 0.75 * 3662
    assert not np.array_equal(held_out, other)


def test_many_series_are_held_out_whole():
    lengths = np.full(20, 30)
    cuts = cut(np.arange(20) * 30, lengths, 24)
    train, held_out = split(cuts, 0)
    assert len(train) + len(held_out) == 20 * 7 and not set(cuts.series[train]) & set(cuts.series[held_out])


def test_whole_series_are_held_out_at_random(tmp_path):
    found = survey(write_visits(tmp_path / "visits.csv", [3, 4] * 20), "patient=entity,day=time")
    parts = found.prepare(View(found.facts.shape, "context"), seed=3)
    assert (len(parts.train), len(parts.held_out)) == (36, 4)
    batch = parts.train.batch(slice(0, 8))
    assert batch.condition.length.tolist() == batch.real.length.tolist() and not batch.condition.known.any()
    assert found.prepare(View(found.facts.shape)).train.batch(slice(0, 2)).condition is None


def test_training_rows_know_their_first_steps(tmp_path, random):
    found = survey(write_visits(tmp_path / "visits.csv", [6] * 40), "patient=entity,day=time")
    data = found.prepare(View(found.facts.shape, "context")).train
    known = data.batch(slice(0, 36), random=random(36)).condition.known[..., 0]
    assert (known[:, 1:] <= known[:, :-1]).all() and not known[:, -1].any()
    assert 0.2 < known.any(1).double().mean() < 0.8


def test_another_view_and_a_single_series_are_refused(tmp_path):
    found = survey(write_visits(tmp_path / "visits.csv"), "patient=entity,day=time")
    with pytest.raises(SparringError, match="5 steps and 2 channels"):
        found.prepare(View((4, 2)))
    text = "t,x\n" + "".join(f"{at},{at % 7}\n" for at in range(10))
    one = survey_text(tmp_path, text, window=5)
    assert len(one.prepare(View((5, 1))).held_out) == 1
