"""Tables in the commands: they are described, evaluated, and trained on as points while they are numbers alone."""

import json

import numpy as np
import pytest
import torch

import sparring
from sparring.data.dataset import Dataset
from sparring.modalities import modality_of
from sparring.modalities.tables import data
from sparring.modalities.tables.coding import Rows
from sparring.modalities.tables.rooms import TABLES
from sparring.runs.display import Silent


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
    assert (tmp_path / "sheet.csv").read_text().startswith("size,colour,day,key\n")


def test_inspect_lists_at_most_forty_columns(tmp_path):
    heading = ",".join(f"c{at}" for at in range(50))
    rows = "\n".join(",".join(f"{at * row}.5" for at in range(50)) for row in range(9))
    (tmp_path / "a.csv").write_text(f"{heading}\n{rows}")
    lines = sparring.inspect(tmp_path / "a.csv").lines()
    assert "  and 10 more columns (all of them: --json FILE, or json= in Python)" in lines
    assert sum(line.startswith("  c") for line in lines) == 40


def test_numbers_are_a_table_unless_the_recipe_is_one_of_points(tmp_path):
    numbers = tmp_path / "b.csv"
    np.savetxt(numbers, np.random.default_rng(0).normal(size=(200, 2)), delimiter=",", header="x,y", comments="")
    for recipe, kind in ((None, "tables"), ("points/ring", "points")):
        run = sparring.train(
            numbers, recipe=recipe, samples=64, batch=32, out=tmp_path / f"run {recipe}", display=Silent()
        )
        assert run.record.facts.modality == kind
    assert modality_of(str(numbers)).name == "tables"


def test_saved_rows_are_evaluated_against_a_table(table, tmp_path):
    found = data.survey(str(table))
    rows = Rows(torch.from_numpy(found.rows.values)[::2], torch.from_numpy(found.rows.missing)[::2])
    TABLES.save(rows, found.facts, tmp_path / "made")
    evaluation = sparring.evaluate(tmp_path / "made", table, display=Silent(), report=tmp_path / "page.html")
    assert any("columns, " in line for line in evaluation.lines()) and (tmp_path / "page.html").exists()


def test_the_choice_of_columns_is_recorded(table):
    chosen = sparring.inspect(table, columns={"colour": "drop"}).facts
    assert chosen.reading == {"columns": {"colour": "drop"}} and chosen.shape == (2,)
    with pytest.raises(sparring.SparringError, match="--columns for images"):
        sparring.inspect("digits", columns="a=drop")


def test_rows_are_batches_like_other_samples(table):
    found = data.survey(str(table))
    split = found.prepare(TABLES.view_of(found.facts, found.facts), seed=3)
    batch = split.train.batch(np.arange(5)).real
    assert (
        isinstance(split.train, Dataset) and batch.values.dtype == torch.float64 and batch.missing.dtype == torch.bool
    )
    assert len(split.train) == 360 and len(split.held_out) == 40
