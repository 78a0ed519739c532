"""Tables in the commands: they are described, evaluated, and trained on as points while they are numbers alone."""

import json
from collections import Counter

import numpy as np
import pytest
import torch

import sparring
from sparring.api.apply import apply
from sparring.api.sample import sample
from sparring.data.dataset import Dataset
from sparring.evaluation.subject import open_subject
from sparring.modalities import modality_of
from sparring.modalities.tables import data
from sparring.modalities.tables.coding import Rows
from sparring.modalities.tables.completing import save_completed
from sparring.modalities.tables.rooms import TABLES
from sparring.runs.display import Silent
from sparring.runs.suggestions import reading_options

pytestmark = pytest.mark.usefixtures("undrawn_figures")


@pytest.fixture
def table(tmp_path):
    """Table of numbers, categories, dates and missing cells."""
    random, path = np.random.default_rng(0), tmp_path / "a.csv"
    lines = [
        f"{random.normal():.3f},{random.choice(['red', 'green', ''])},2020-01-{random.integers(1, 29):02d},{at}"
        for at in range(400)
    ]
    path.write_text("\n".join(["size,colour,day,key", *lines]))
    return path


def test_inspect_says_each_column_in_a_line(table, tmp_path):
    found = sparring.inspect(table, json=tmp_path / "a.json", sheet=tmp_path / "sheet.csv", columns="day=category")
    lines = found.lines()
    assert lines[0] == f"{table}: 400 rows of 4 columns" and found.training is not None
    assert lines[2].startswith("  colour: category, 2 categories: ") and "% missing (2 different texts in" in lines[2]
    assert lines[3].startswith("  day: category, 28 categories")
    assert lines[4].startswith("  key: identifier, not learned; new ones are made like 399")
    assert any(line.startswith("would train tables/masked on") for line in lines)
    assert len(json.loads((tmp_path / "a.json").read_text())["facts"]["details"]["columns"]) == 4
    assert (tmp_path / "sheet.csv").read_text().startswith("size,colour,day\n")


def test_inspect_lists_at_most_forty_columns(tmp_path):
    heading = ",".join(f"c{at}" for at in range(50))
    rows = "\n".join(",".join(f"{at * row}.5" for at in range(50)) for row in range(9))
    (tmp_path / "a.csv").write_text(f"{heading}\n{rows}")
    lines = sparring.inspect(tmp_path / "a.csv").lines()
    assert "  and 10 more columns (all of them: json='FILE')" in lines
    assert sum(line.startswith("  c") for line in lines) == 40


def test_numbers_are_a_table_unless_the_recipe_is_one_of_points(tmp_path):
    numbers = tmp_path / "b.csv"
    np.savetxt(numbers, np.random.default_rng(0).normal(size=(200, 2)), delimiter=",", header="x,y", comments="")
    for recipe, kind in ((None, "tables"), ("points/ring", "points")):
        run = sparring.train(
            numbers, recipe=recipe, samples=64, batch=32, judge="none", out=tmp_path / f"run {recipe}", display=Silent()
        )
        assert run.record.facts.modality == kind
    assert modality_of(str(numbers)).name == "tables"


def test_saved_rows_are_evaluated_against_a_table(table, tmp_path):
    found = data.survey(str(table))
    rows = Rows(torch.from_numpy(found.rows.values)[::2], torch.from_numpy(found.rows.missing)[::2])
    TABLES.save(rows, found.facts, tmp_path / "made")
    evaluation = sparring.evaluate(tmp_path / "made", table, display=Silent(), report=tmp_path / "page.html")
    assert "in the values of columns" in " ".join(evaluation.lines()) and (tmp_path / "page.html").exists()


@pytest.mark.parametrize(("target", "score"), [("colour", "target_f1"), ("size", "target_r2")])
def test_the_column_to_predict_can_be_chosen(target, score, table, tmp_path):
    rows = data.survey(str(table))
    saved = TABLES.save(Rows(*map(torch.from_numpy, rows.rows)), rows.facts, tmp_path / "made")
    found = sparring.evaluate(saved[0], table, count=100, target=target)
    assert score in found.metrics
    with pytest.raises(sparring.SparringError, match=r"unknown target column 'color'.*did you mean 'colour'"):
        sparring.evaluate(saved[0], table, count=100, target="color")


def test_the_choice_of_columns_is_recorded(table):
    chosen = sparring.inspect(table, columns={"colour": "drop"}).facts
    assert chosen.reading == {"columns": {"colour": "drop"}} and chosen.shape == (2,)
    with pytest.raises(sparring.SparringError, match="columns= for images"):
        sparring.inspect("digits", columns="a=drop")


def test_rows_are_batches_like_other_samples(table):
    found = data.survey(str(table))
    split = found.prepare(TABLES.view_of(found.facts, found.facts), seed=3)
    batch = split.train.batch(np.arange(5)).real
    assert (
        isinstance(split.train, Dataset) and batch.values.dtype == torch.float64 and batch.missing.dtype == torch.bool
    )
    assert len(split.train) == 360 and len(split.held_out) == 40


@pytest.fixture(scope="module")
def ruled(tmp_path_factory):
    """Run of a table of two ordered numbers and a category, with a rule that few rows of an untrained model break."""
    folder, random = tmp_path_factory.mktemp("ruled"), np.random.default_rng(0)
    low, more = random.integers(0, 50, 400), random.integers(0, 50, 400)
    lines = [f"{one},{one + other},{'xyz'[other % 3]}" for one, other in zip(low, more, strict=True)]
    (folder / "a.csv").write_text("\n".join(["low,high,kind", *lines]))
    fields = {"width": 16, "blocks": 1, "bins": 8}
    return sparring.train(
        folder / "a.csv", keep="low<=high", samples=4000, batch=100, out=folder / "run", display=Silent(), **fields
    )


def rows_in(folder):
    """Return the rows of the files of a folder, without their headings."""
    return [line.split(",") for path in sorted(folder.glob("*.csv")) for line in path.read_text().splitlines()[1:]]


def test_sampled_rows_meet_what_is_asked_for_and_say_the_rate(ruled, tmp_path):
    found = sample(ruled.folder, count=100, where="high>=60,kind!=x", out=tmp_path / "rows")
    rows = rows_in(found.folder)
    assert len(rows) == found.count == 100 and all(int(low) <= int(high) >= 60 for low, high, _ in rows)
    assert not {kind for _, _, kind in rows} - {"y", "z"}
    assert found.remarks[0].startswith("Kept 100 of ") and found.remarks[0].endswith(" %.")
    balanced = rows_in(sample(ruled.folder, count=30, balance="kind", out=tmp_path / "balanced").folder)
    assert Counter(kind for _, _, kind in balanced) == {"x": 10, "y": 10, "z": 10}


def test_a_model_without_conditions_meets_where_by_rejection(ruled, tmp_path):
    run = sparring.train(
        ruled.record.facts.source,
        recipe="tables/tvae",
        samples=2000,
        batch=100,
        width=16,
        judge="none",
        out=tmp_path / "run",
        display=Silent(),
    )
    found = sample(run.folder, count=20, where="kind=x|y,low<40", out=tmp_path / "rows")
    rows = rows_in(found.folder)
    assert len(rows) == 20 and all(kind in "xy" and int(low) < 40 for low, _, kind in rows)
    assert found.remarks[0].startswith("Kept 20 of ")
    with pytest.raises(sparring.SparringError, match=r"balance='kind', but expected where="):
        sample(run.folder, balance="kind", out=tmp_path / "balanced")


def test_sampled_rows_do_not_depend_on_the_parts_in_which_they_are_written(ruled, tmp_path, monkeypatch):
    one = rows_in(sample(ruled.folder, count=150, where="high>=60", out=tmp_path / "one").folder)
    monkeypatch.setattr("sparring.api.sample.PART_BYTES", 1)
    several = sample(ruled.folder, count=150, where="high>=60", out=tmp_path / "several")
    assert len(several.files) == 3 and rows_in(several.folder) == one
    model = sparring.load(ruled.folder)
    assert TABLES.decode(model.sample(150, where="high>=60"), model.facts).rows == one


def test_rows_that_cannot_be_found_end_the_search(ruled, tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.sampling.MIN_GENERATED", 300)
    monkeypatch.setattr("sparring.sampling.MAX_CANDIDATES", 1)
    few = sample(ruled.folder, count=200, where="high>=60,kind=x,low<40", out=tmp_path / "few")
    assert 0 < few.count < 200 and len(rows_in(few.folder)) == few.count
    assert few.remarks[0] == f"Only {few.count} of 200 samples were found."
    with pytest.warns(UserWarning, match="of 200 samples were found"):
        sparring.load(ruled.folder).sample(200, where="high>=60,kind=x,low<40")
    with pytest.raises(sparring.SparringError, match="no sample that meets what is asked for"):
        sample(ruled.folder, count=200, where="high<=3,low>=49", out=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_filled_in_rows_keep_the_rules_and_absent_ones_are_named(ruled, tmp_path, monkeypatch):
    (tmp_path / "holes.csv").write_text("low,high,kind\n30,,x\n,20,\n49,,\n")
    apply(ruled.folder, tmp_path / "holes.csv", out=tmp_path / "filled", display=Silent())
    assert all(int(low) <= int(high) for low, high, _ in rows_in(tmp_path / "filled"))
    apply(ruled.folder, tmp_path / "holes.csv", count=20, out=tmp_path / "several", display=Silent())
    several = rows_in(tmp_path / "several")
    assert len(several) == 60 and {low for low, _, _ in several[:20]} == {"30"}
    assert len({high for _, high, _ in several[:20]}) > 5
    monkeypatch.setattr("sparring.sampling.MIN_GENERATED", 300)
    monkeypatch.setattr("sparring.sampling.MAX_CANDIDATES", 1)
    (tmp_path / "more.csv").write_text("low,high,kind\n30,,x\n99,,\n")
    found = apply(ruled.folder, tmp_path / "more.csv", out=tmp_path / "more", display=Silent())
    assert found.count == 1 and found.remarks[:2] == (
        "Only 1 of 2 samples were found.",
        "Nothing was written for input 2.",
    )
    answers = apply(ruled.folder, tmp_path / "more.csv", count=3, out=tmp_path / "answers", display=Silent())
    assert "Nothing was written for input 2." in answers.remarks


def test_only_empty_cells_are_filled_in_and_all_others_stay_as_they_are_written(table, tmp_path):
    facts = data.survey(str(table)).facts
    (tmp_path / "my table.csv").write_text(
        "note;key;colour;size;day\nfirst;K-7;;1,5;3.1.2020\n;K-8;blue;n/a;\nlast;;red;2,25;31.1.2020\n"
    )
    size, colour, day = [0.125, 0.25, 0.5], [0.0, 1.0, 0.0], [1579046400.0] * 3  # 2020-01-15
    made = Rows(torch.tensor([size, colour, day]).double().T, torch.zeros(3, 3, dtype=torch.bool))
    made.missing[0, 1] = True
    (path,) = save_completed(made, np.arange(3), facts, tmp_path / "done", (tmp_path / "my table.csv",))
    assert path == tmp_path / "done" / "my table.csv"
    assert path.read_text().splitlines() == [
        "note;key;colour;size;day",
        "first;K-7;;1,5;3.1.2020",
        ";K-8;blue;0,250;15.1.2020",
        "last;;red;2,25;31.1.2020",
    ]
    (path,) = save_completed(made, np.array([0, 1, 1]), facts, tmp_path / "several", (str(tmp_path / "my table.csv"),))
    assert [line.split(";")[3] for line in path.read_text().splitlines()[1:]] == ["1,5", "0,250", "0,500"]


def test_evaluated_rows_keep_the_rules_and_suggested_commands_read_alike(ruled):
    subject, survey = open_subject(ruled.folder, ruled.record.facts.source)
    split = survey.prepare(subject.view)
    values = subject.batch(split, 300, 5).batch.real.values
    assert (values[:, 0] <= values[:, 1]).all()
    assert ruled.record.facts.reading == {"keep": ["low<=high"]}
    assert reading_options(ruled.record) == [] and reading_options(ruled.record, rules=True) == ["--keep", "low<=high"]


def test_rules_are_for_tables_and_where_for_models_of_tables(ruled, tmp_path):
    with pytest.raises(sparring.SparringError, match="keep= for images"):
        sparring.inspect("digits", keep="a<=b")
    run = sparring.train("ring", samples=64, batch=32, judge="none", out=tmp_path / "ring", display=Silent())
    with pytest.raises(sparring.SparringError, match="where='a=3', but expected no such option"):
        sparring.load(run.folder).sample(3, where="a=3")
    with pytest.raises(sparring.SparringError, match="expected where= or balance="):
        sparring.load(ruled.folder).sample(3, wher="a=3")
