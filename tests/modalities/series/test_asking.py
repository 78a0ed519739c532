"""Asking for series: attributes, lengths, and series that are continued; by a model and as files."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from sparring.api.sample import write_samples
from sparring.data.in_memory import source_of
from sparring.errors import SparringError, SparringWarning
from sparring.modalities.series.coding import coding_of
from sparring.model import Model
from sparring.randomness import seeded
from toys.series import NoisySeries, survey, survey_text, write_visits

VISITS = "patient=entity,day=time"


def model_of(found, **fields) -> Model:
    recipe = NoisySeries(**fields)
    with seeded(0, "weights"):
        game = recipe.game(found.facts)
    return Model(game, recipe, "noise", found.facts, {"seed": 0, "samples": 0, "versions": {}, "run": "0" * 32})


@pytest.fixture
def visits(tmp_path) -> Model:
    return model_of(survey(write_visits(tmp_path / "visits.csv", [4, 2, 6, 5] * 5), VISITS))


def rows_of(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8").splitlines()))


def test_new_series_have_the_contexts_of_the_data_in_turn(visits):
    samples, contexts = visits.sample(25), coding_of(visits.facts).contexts
    assert samples.length.tolist() == [int(contexts[at % 20][0]) for at in range(25)]
    assert samples.attributes[:20, 1].tolist() == [one[2] for one in contexts]
    again = visits.sample(3)
    assert torch.equal(again.values, samples.values[:3])


@pytest.mark.parametrize(
    ("where", "accepted"),
    [
        ("sex=f", lambda sex, age: sex == 0),
        ("sex!=f", lambda sex, age: sex == 1),
        ("sex=f|m,age>=40", lambda sex, age: age >= 40),
        ("age<33", lambda sex, age: age < 33),
        ("age>31,age!=32,sex!=f", lambda sex, age: age > 32 and sex == 1),
        ({"age": [31, 32]}, lambda sex, age: age in (31, 32)),
    ],
)
def test_where_restricts_the_attributes(visits, where, accepted):
    samples = visits.sample(30, where=where)
    assert all(accepted(*one) for one in samples.attributes.tolist())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"where": "age>90"}, "no series with age>90"),
        ({"where": "colour=red"}, "'colour' in where="),
        ({"where": "sex=x"}, "the category 'x'"),
        ({"where": "sex>f"}, "which has categories"),
        ({"where": "age=old"}, "a number with a decimal point"),
        ({"where": "age<=inf"}, "'inf' for 'age' in where=, but expected a number"),
        ({"where": "age>65,age<20"}, "age>65,age<20 in where=, but expected conditions that a value can meet at once"),
        ({"where": "age>35,age<36"}, "can meet at once"),
        ({"where": "age=35,age!=35"}, "can meet at once"),
        ({"where": "sex=f,sex=m"}, "can meet at once"),
        ({"length": 0}, "from 1 to 6"),
        ({"length": 7}, "from 1 to 6"),
        ({"horizon": 2}, "without a series to continue"),
    ],
)
def test_what_no_series_has_is_refused(visits, options, message):
    with pytest.raises(SparringError, match=message):
        visits.sample(2, **options)


def test_attributes_may_be_missing(tmp_path):
    rows = [f"{e},{t},{t + n},{'' if n == 1 else n}" for n, e in enumerate("abc") for t in range(4)]
    model = model_of(survey_text(tmp_path, "e,t,x,size\n" + "\n".join(rows), "e=entity"))
    assert model.sample(4, where="size=").attributes.isnan().all()
    assert set(model.sample(4, where="size!=").attributes[:, 0].tolist()) == {0.0, 2.0}


def test_length_holds_for_all_series(visits):
    assert visits.sample(5, length=3).length.tolist() == [3] * 5
    assert visits.sample(5, length="6").length.tolist() == [6] * 5


def test_series_are_continued_from_their_last_steps(visits, tmp_path):
    place = write_visits(tmp_path / "given.csv", (5, 2))
    samples = visits.apply(place, horizon=2)
    assert samples.length.tolist() == [6, 4]
    assert samples.values[0, :4, 0].tolist() == [63, 66, 69, 72]  # The last 4 of 5 steps: 6 steps without the horizon.
    assert samples.values[1, :2, 0].tolist() == [61, 64]
    assert samples.attributes.tolist() == [[0, 30], [1, 31]]
    assert visits.apply(place).length.tolist() == [6, 5]


def test_several_futures_of_each_series_differ_and_follow_one_another(visits, tmp_path):
    place = write_visits(tmp_path / "given.csv", (5, 2))
    samples = visits.apply(place, count=3, horizon=2)
    assert samples.length.tolist() == [6] * 3 + [4] * 3
    assert (samples.values[:3, :4] == samples.values[0, :4]).all()
    assert len(samples.values[:3, 4, 0].unique()) == 3
    assert torch.equal(samples.values[:1], visits.apply(place, horizon=2).values[:1])


def test_a_model_without_latents_has_one_future(tmp_path):
    found = survey(write_visits(tmp_path / "visits.csv", [4, 2, 6, 5] * 5), VISITS)
    with pytest.raises(SparringError, match="one answer to each input"):
        model_of(found, noise=False).apply(write_visits(tmp_path / "given.csv"), count=2)


def test_more_futures_than_fit_into_memory_are_refused(visits, tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.api.sample.ANSWERED_BYTES", 500)
    with pytest.raises(SparringError, match="at most 10, which are written together"):
        written(visits, write_visits(tmp_path / "given.csv", (5,)), tmp_path / "out", 11)
    assert not (tmp_path / "out").exists()


def test_attributes_that_an_input_lacks_are_those_of_training_series(visits, tmp_path):
    (tmp_path / "given.csv").write_text("patient,day,pulse,weight\n" + "".join(f"x,{at},70,70\n" for at in range(3)))
    with pytest.warns(SparringWarning, match="are unknown: age, sex"):
        samples = visits.apply(str(tmp_path / "given.csv"), where="sex=m,age>40")
    assert samples.attributes[0, 0] == 1 and samples.attributes[0, 1] > 40


@pytest.mark.parametrize(("option", "value"), [("horizon", 6), ("horizon", 0), ("length", 3)])
def test_a_horizon_leaves_a_step_to_continue(visits, tmp_path, option, value):
    with pytest.raises(SparringError, match=option):
        visits.apply(write_visits(tmp_path / "given.csv"), **{option: value})


def test_inputs_need_the_channels_of_the_model(visits, tmp_path):
    (tmp_path / "given.csv").write_text("patient,day,pulse\nx,1,70\nx,2,71\n")
    with pytest.raises(SparringError, match="no column weight"):
        visits.apply(str(tmp_path / "given.csv"))
    with pytest.raises(SparringError, match="2 channels: pulse, weight"):
        visits.apply(np.zeros((1, 3, 1)))


def test_arrays_in_memory_are_continued(tmp_path):
    array = np.random.default_rng(0).normal(size=(40, 6, 2))
    model = model_of(survey(source_of(array)))
    samples = model.apply(array[:2], horizon=1)
    np.testing.assert_array_equal(samples.values[:, :5], array[:2, 1:])


def written(model: Model, place: str, out: Path, answers: int, **options) -> list[list[str]]:
    saved = write_samples(model, {"input": place, **options}, out, None, "cpu", seed=0, answers=answers)
    (path,) = saved.files
    assert all(one.exists() for one in saved.overview)
    assert len(saved.overview) == (1 if answers == 1 else 2)
    return rows_of(path)


def test_continued_series_are_written_after_their_rows(visits, tmp_path):
    place = write_visits(tmp_path / "given.csv", (5, 2))
    rows = written(visits, place, tmp_path / "out", 1, horizon=2)
    assert rows[:6] == rows_of(tmp_path / "given.csv")[:6]
    assert [row[:2] for row in rows[6:]] == [
        ["p0", "5"],
        ["p0", "6"],
        ["p1", "0"],
        ["p1", "1"],
        ["p1", "2"],
        ["p1", "3"],
    ]
    assert rows[6][4:] == ["f", "30"]


def test_what_is_unlike_the_training_data_is_kept_and_said(visits, tmp_path):
    (tmp_path / "given.csv").write_text("patient,pulse,weight,sex,age\nx,5.5,70e6,m,40\nx,70,70e6,m,40\n")
    with pytest.warns(SparringWarning) as told:
        rows = written(visits, str(tmp_path / "given.csv"), tmp_path / "out", 1, horizon=2)
    assert [float(row[2]) for row in rows[1:3]] == [5.5, 70], "whole numbers in training, and kept as given"
    sentences = [str(one.message) for one in told]
    assert "No column 'day' in the input: its times are made up, from 0 on." in sentences
    (about,) = [one for one in sentences if "outside" in one]
    assert about.startswith(
        "Column 'weight': 2 of 2 values are outside 68.5 to 89.0, the range of the training data"
    ) and about.endswith("other units?")


def test_the_spread_of_several_futures_is_written_beside_them(visits, tmp_path):
    place = write_visits(tmp_path / "given.csv", (5, 2))
    rows = written(visits, place, tmp_path / "out", 40, horizon=2)
    assert rows[1][0] == "p0-0" and rows[-1][0] == "p1-39" and len(rows) == 1 + 40 * (7 + 4)
    spread = rows_of(tmp_path / "out-grid.csv")
    assert spread[0][:5] == ["patient", "day", "pulse 5 %", "pulse 50 %", "pulse 95 %"]
    assert [row[:2] for row in spread[1:]] == [["p0", "5"], ["p0", "6"], ["p1", "2"], ["p1", "3"]]
    futures = sorted(float(row[2]) for row in rows[1:] if row[0].startswith("p0-") and row[1] == "5")
    low, middle, high = map(float, spread[1][2:5])
    assert futures[0] <= low < middle < high <= futures[-1]


def test_time_goes_on_by_months_and_by_gaps(tmp_path):
    months = "".join(f"{2000 + at // 12}-{at % 12 + 1:02d}-01,{at % 7}\n" for at in range(60))
    model = model_of(survey_text(tmp_path, f"month,x\n{months}", window=6))
    (tmp_path / "given.csv").write_text("month,x\n2030-10-01,1\n2030-11-01,2\n")
    rows = written(model, str(tmp_path / "given.csv"), tmp_path / "out", 1, horizon=3)
    assert [row[1] for row in rows[3:]] == ["2030-12-01", "2031-01-01", "2031-02-01"]

    gaps = "".join(f"{at * at},{at % 7}\n" for at in range(60))
    model = model_of(survey_text(tmp_path, f"time,x\n{gaps}", window=6))
    (tmp_path / "given.csv").write_text("time,x\n1000,1\n1002,2\n")
    rows = written(model, str(tmp_path / "given.csv"), tmp_path / "out", 1, horizon=3)
    times = [float(row[1]) for row in rows[2:]]
    assert times[0] == 1002 and (np.diff(times) >= 1).all()


def test_the_same_inputs_give_the_same_bytes(visits, tmp_path):
    place = write_visits(tmp_path / "given.csv", (5, 2))
    one, other = (written(visits, place, tmp_path / name, 2, horizon=2) for name in ("a", "b"))
    assert one == other
