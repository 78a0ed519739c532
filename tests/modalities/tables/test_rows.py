"""Rows of tables: read as others were, written, read again, and as features."""

import csv
import io
import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sparring.data.readers.cells import is_missing
from sparring.data.reading import Reading
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.tables import data, features, render
from sparring.modalities.tables.coding import Rows, coding_of
from sparring.modalities.tables.rooms import TABLES
from toys.tables import rows_of, said, survey, write


class TestReadingAlike:
    CONTENT = "age,city,when\n30,Ulm,01.02.2020\n40,Bonn,31.12.2020\n50,Ulm,NA\n45,Köln,05.06.2021\n"

    def test_columns_are_matched_by_name(self, tmp_path):
        found = survey(tmp_path, self.CONTENT)
        path = write(
            tmp_path / "b.csv",
            [["more", "when", "city", "age"], ["1", "NA", "Bonn", "900"], ["2", "02.02.2020", "", "41.0"]],
        )
        with pytest.warns(UserWarning, match="does not have: more"):
            read = data.read(path, View((3,)), found.facts)
        assert read.samples.values[:, 0].tolist() == [900, 41] and read.samples.missing.tolist() == [
            [0, 0, 1],
            [0, 1, 0],
        ]
        assert render.decoded(Rows(*map(torch.from_numpy, read.samples)), found.facts).rows[0] == ["900", "Bonn", "NA"]

    def test_the_same_table_has_the_same_fingerprint(self, tmp_path):
        found = survey(tmp_path, self.CONTENT)
        again = data.survey(str(tmp_path / "a.csv"), like=found.facts)
        assert again.facts.fingerprint == found.facts.fingerprint and np.array_equal(
            again.rows.values, found.rows.values
        )

    def test_other_forms_of_the_same_values_are_read(self, tmp_path):
        found = survey(tmp_path, self.CONTENT)
        path = write(
            tmp_path / "b.csv", [["age", "city", "when"], ["30.0", "Ulm", "2020-02-01"], ["40.0", "Bonn", "2020-12-31"]]
        )
        assert np.array_equal(data.read(path, View((3,)), found.facts).samples.values, found.rows.values[:2])

    def test_unknown_categories_and_absent_columns_are_told(self, tmp_path):
        found = survey(tmp_path, self.CONTENT)
        rows = [["age", "city", "when"], *([30, "Ulm", "01.02.2020"] for _ in range(5)), [30, "Rom", "01.02.2020"]]
        path = write(tmp_path / "b.csv", rows)
        other = data.survey(path, like=found.facts)
        assert "1 cell is not a category of the training data, such as 'Rom', and counts as missing" in said(other)
        assert other.rows.missing.sum() == 1
        with pytest.raises(SparringError, match=r"no column when in .* expected the columns of"):
            data.read(write(tmp_path / "c.csv", [["age", "city"], [30, "Ulm"]]), View((3,)), found.facts)
        with pytest.raises(
            SparringError, match=r"6 of 6 cells of the column 'age' .* expected an integer in each cell"
        ):
            data.read(
                write(tmp_path / "d.csv", [rows[0], *([["x", *row[1:]] for row in rows[1:]])]), View((3,)), found.facts
            )

    def test_most_values_outside_of_the_range_are_said(self, tmp_path):
        found = survey(tmp_path, self.CONTENT)
        rows = [["age", "city", "when"], [30e6, "Ulm", "01.02.1970"], [45e6, "Ulm", "01.02.1970"], [40, "Ulm", "NA"]]
        other = said(data.survey(write(tmp_path / "b.csv", rows), like=found.facts))
        assert "Column 'age': 2 of 3 values are outside 30 to 50, the range of the training data: other units?" in other
        assert "Column 'when': 2 of 2 values are outside 01.02.2020 to 05.06.2021, the range of the" in other
        assert "outside" not in said(data.survey(str(tmp_path / "a.csv"), like=found.facts))


words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
columns = st.one_of(
    st.tuples(st.just("category"), st.lists(words.map(str.strip).filter(bool), min_size=2, max_size=4, unique=True)),
    st.tuples(st.just("continuous"), st.lists(st.decimals(-1000, 1000, places=3).map(str), min_size=2, max_size=9)),
    st.tuples(st.just("date"), st.lists(st.dates().map(str), min_size=2, max_size=9)),
    st.tuples(st.just("integer"), st.lists(st.integers(-(10**12), 10**12).map(str), min_size=2, max_size=9)),
)


@settings(max_examples=60, deadline=None)
@example(table=[("category", ["0", "0\t0"])], blank="", seed=0)
@given(
    table=st.lists(columns, min_size=1, max_size=4),
    blank=st.sampled_from(["", "NA", "?", "None"]),
    seed=st.integers(0, 99),
)
def test_cells_survive_reading_and_writing(tmp_path_factory, table, blank, seed):
    """Write what was read as the same cells, and read what was written as the same values."""
    folder, random = tmp_path_factory.mktemp("table"), np.random.default_rng(seed)
    table = [(kind, [cell for cell in cells if not is_missing(cell)]) for kind, cells in table]
    table = [(kind, cells) for kind, cells in table if cells] or [("integer", ["1", "2"])]
    names = [f"name {at}" for at in range(len(table))]
    rows = [[str(random.choice(cells)) if random.random() < 0.8 else blank for _, cells in table] for _ in range(12)]
    chosen = {name: kind for name, (kind, _) in zip(names, table, strict=True)}
    rows[0] = [cells[0] for _, cells in table]
    path = write(folder / "a.csv", [names, *rows])
    found = data.survey(path, Reading(columns=chosen))
    expected = [[cell.strip() for cell in row] for row in rows if any(row)]
    assert found.facts.count in (12, len(expected))
    if found.facts.count == 12:
        expected = [[cell.strip() for cell in row] for row in rows]
    values = zip(*expected, strict=True)
    for (kind, _), cells, made in zip(table, values, render.decoded(rows_of(found), found.facts).columns, strict=True):
        if kind == "continuous":
            assert [math.nan if one == blank else float(one) for one in made] == pytest.approx(
                [math.nan if one == blank else float(one) for one in cells], nan_ok=True, abs=0
            )
        else:
            assert made == list(cells)
    saved = TABLES.save(rows_of(found), found.facts, folder / "new")[0]
    again = data.read(str(saved), View(found.facts.shape), found.facts).samples
    assert np.array_equal(again.values, found.rows.values) and np.array_equal(again.missing, found.rows.missing)


class TestFeatures:
    def test_normal_scores_follow_the_quantiles(self, tmp_path):
        values = np.random.default_rng(0).exponential(size=2000).round(4)
        rows = [["x", "y"], *([value, 0.0 if at % 2 else value] for at, value in enumerate(values))]
        found = data.survey(write(tmp_path / "a.csv", rows))
        one, other = coding_of(found.facts).columns
        scores = features.normal_scores(rows_of(found).values[:, 0], one)
        assert scores.mean().abs() < 0.01 and (scores.std() - 1).abs() < 0.02
        assert (scores.argsort() == rows_of(found).values[:, 0].argsort()).float().mean() > 0.99
        zero = features.normal_scores(torch.zeros(1, dtype=torch.float64), other)
        assert zero.item() == pytest.approx(-0.674, abs=0.01)
        far = features.normal_scores(torch.tensor([-1e300, 1e300]), one)
        assert far.tolist() == pytest.approx([-3, 3], abs=0.01)

    def test_features_of_a_mixed_table(self, tmp_path):
        random = np.random.default_rng(0)
        rows = [
            ["x", "c", "k"],
            *(
                [random.normal().__round__(3) if random.random() < 0.9 else "", random.choice([*"abc"]), "k"]
                for _ in range(500)
            ),
        ]
        found = data.survey(write(tmp_path / "a.csv", rows))
        split = found.prepare(View(found.facts.shape))
        table = TABLES.extractors(split, 0)["columns"](rows_of(found))
        assert table.shape == (500, 5) and table.dtype == torch.float32
        assert table[:, 2:].var(0).sum() == pytest.approx(1 + 0.33, abs=1) and table[:, 1].var() == pytest.approx(
            1, abs=0.1
        )
        assert TABLES.cheap_features(rows_of(found), found.facts).shape[0] == 500
        real = rows_of(found)
        assert TABLES.extra_signals(real, Rows(real.values, torch.ones_like(real.missing)), found.facts)["missing"] == 1
        with pytest.raises(SparringError, match="the unknown extractor 'pixels'"):
            TABLES.extractors(split, 0, ["pixels"])


def test_exhibits_and_files(tmp_path):
    found = survey(tmp_path, "x,c\n" + "".join(f"{at}.5,{'ab'[at % 2]}\n" for at in range(40)))
    split = found.prepare(View((2,)))
    (shown,) = TABLES.show(split.train.batch(slice(0, 30)), found.facts, columns=8)
    assert shown.header == ("x", "c") and len(shown.rows) == TABLES.samples_per_picture
    paths = [TABLES.save(rows_of(found), found.facts, tmp_path / "new", first=first)[0] for first in (0, 40)]
    assert [path.name for path in paths] == ["rows-000000.csv", "rows-000040.csv"]
    assert len(data.read(str(tmp_path / "new"), View((2,)), found.facts)) == 80
    table = TABLES.decode(rows_of(found), found.facts)
    assert len(table) == 40 and list(csv.reader(io.StringIO("0.5,a"))) == table.rows[:1]
    assert table.as_columns()["x"][:2] == ["0.5", "1.5"]


def test_identifiers_are_saved_and_not_shown(tmp_path):
    found = survey(tmp_path, "id,x,c\n" + "".join(f"K-{at:04d},{at}.5,{'ab'[at % 2]}\n" for at in range(40)))
    assert coding_of(found.facts).columns[0].kind == "identifier"
    batch = found.prepare(View((2,))).train.batch(slice(0, 3))
    (shown,) = TABLES.show(batch, found.facts, columns=8)
    assert shown.header == ("x", "c") and [len(row) for row in shown.rows] == [2, 2, 2]
    (saved,) = TABLES.save(batch.real, found.facts, tmp_path / "new")
    assert saved.read_text().startswith("id,x,c\n")


@pytest.mark.parametrize("names", [["#x", "y"], ["sep=", "y"], ["a;b;c", "d|e"], ["1", "2"], ["x\ny", 'say "z"']])
def test_saved_rows_read_back_whatever_their_columns_are_called(tmp_path, names):
    path = write(tmp_path / "a.csv", [names, ["", "x"], ["", ""], ["1.5", "y"], ["2.5", "x"]], quoting=csv.QUOTE_ALL)
    found = data.survey(path, Reading(columns=None))
    saved = TABLES.save(rows_of(found), found.facts, tmp_path / "new")[0]
    again = data.read(str(saved), View(found.facts.shape), found.facts).samples
    assert np.array_equal(again.values, found.rows.values) and np.array_equal(again.missing, found.rows.missing)
