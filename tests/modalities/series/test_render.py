"""Series as files, which read back as the same series, as values and as pictures."""

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.modalities.series import render
from sparring.modalities.series.coding import Series, coding_of
from sparring.samples import take
from toys.series import series_of, survey, survey_text, write_visits

VISITS = "patient=entity,day=time"


def rows_of(path: Path, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8")), delimiter=delimiter))


def read_again(found, folder: Path) -> Series:
    """Write series, read them with the coding of the data, and return them."""
    render.save(series_of(found), folder, found.facts)
    again = survey(folder, like=found.facts)
    assert again.facts.fingerprint == found.facts.fingerprint
    return series_of(again)


def test_written_series_read_back_as_the_same(tmp_path):
    found = survey(write_visits(tmp_path / "visits.csv", (4, 2, 5)), VISITS)
    read_again(found, tmp_path / "out")
    rows = rows_of(tmp_path / "out" / "series-000000.csv")
    assert rows[0] == ["patient", "day", "pulse", "weight", "sex", "age"]
    assert rows[1] == ["1", "0", "60", "70.0", "f", "30"] and len(rows) == 12
    assert rows[5][0] == "2" and [row[1] for row in rows[1:7]] == ["0", "1", "2", "3", "0", "1"]


def test_a_negative_zero_is_zero(tmp_path):
    text = "t,x\n" + "".join(f"{at},{'-' if at % 3 else ''}0.{at % 2}\n" for at in range(60))
    read_again(survey_text(tmp_path, text, window=5), tmp_path / "out")


@pytest.mark.parametrize("step", [1, 0.25, 7])
def test_times_of_equal_steps_read_back(tmp_path, step):
    text = "t,x\n" + "".join(f"{3 + at * step},{at % 7}\n" for at in range(60))
    read_again(survey_text(tmp_path, text, window=5), tmp_path / "out")
    assert [row[1] for row in rows_of(tmp_path / "out" / "series-000000.csv")[1:3]] == [
        "3",
        str(3 + step),
    ] or step == 0.25


def test_gaps_of_decimal_fractions_read_back(tmp_path):
    times = np.random.default_rng(0).normal(size=60).cumsum().round(3) + 10 * np.arange(60)
    text = "time,x\n" + "".join(f"{time:.3f},{at % 7}\n" for at, time in enumerate(times))
    read_again(survey_text(tmp_path, text, window=5), tmp_path / "out")


def test_a_column_called_series_that_is_left_out_is_no_entity(tmp_path):
    rows = "".join(f"{at % 3},{at},{at % 7}\n" for at in range(60))
    found = survey_text(tmp_path, f"series,t,x\n{rows}", "series=drop", window=5)
    again = survey(tmp_path / "series.csv", "series=drop", 5, like=found.facts)
    assert again.facts.fingerprint == found.facts.fingerprint


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S"])
def test_gaps_of_dates_read_back(tmp_path, form):
    days = [date(2024, 1, 1) + timedelta(at * at) for at in range(60)]
    rows = "".join(f"{entity},{day.strftime(form)},{at % 7}\n" for entity in "ab" for at, day in enumerate(days))
    read_again(survey_text(tmp_path, f"e,date,x\n{rows}", "e=entity"), tmp_path / "out")


def test_missing_values_blanks_and_decimal_commas_read_back(tmp_path):
    rows = ["e;t;x;n"]
    rows += [
        f"{e};{t};{'NA' if (t + n) % 5 == 0 else f'{t},{n}5'};{1000 * t + n}"
        for n, e in enumerate("abc")
        for t in range(6)
    ]
    found = survey_text(tmp_path, "\n".join(rows), "e=entity,t=time")
    read_again(found, tmp_path / "out")
    again = rows_of(tmp_path / "out" / "series-000000.csv", ";")
    assert again[1] == ["1", "0", "NA", "0"] and again[2] == ["1", "1", "1,05", "1000"]


def test_generated_values_stay_within_the_bounds_and_digits_of_the_data(tmp_path):
    found = survey(write_visits(tmp_path / "visits.csv", (4, 2, 5)), VISITS)
    series = series_of(found)
    wild = series._replace(values=series.values + torch.tensor([1e9, -1e9]) + 0.123456)
    render.save(wild, tmp_path / "out", found.facts)
    rows = rows_of(tmp_path / "out" / "series-000000.csv")[1:]
    assert {row[2] for row in rows} == {"74"} and {row[3] for row in rows} == {"68.5"}


def test_a_column_of_series_is_added_where_the_data_has_none(tmp_path):
    text = "series,x\n" + "".join(f"{at % 5},{at % 7}\n" for at in range(60))
    found = survey_text(tmp_path, text, window=5)
    read_again(found, tmp_path / "out")
    assert rows_of(tmp_path / "out" / "series-000000.csv")[0] == ["series_", "series", "x"]


def test_further_files_go_on_counting(tmp_path):
    found = survey(write_visits(tmp_path / "visits.csv", (4, 2, 5)), VISITS)
    for first in (0, 2):
        render.save(take(series_of(found), slice(first, first + 2)), tmp_path / "out", found.facts, first=first)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["series-000000.csv", "series-000002.csv"]
    assert survey(tmp_path / "out", like=found.facts).facts.fingerprint == found.facts.fingerprint


def test_decoded_series_are_in_units_by_name(tmp_path):
    rows = "".join(
        f"{e},2024-01-{at:02d},{'' if at == 2 else at}.5,{e}\n".replace(",.5", ",") for e in "ab" for at in (1, 2, 3)
    )
    found = survey_text(tmp_path, f"e,date,x,kind\n{rows}", "e=entity")
    one, other = render.decoded(series_of(found), found.facts, first=4)
    assert one["e"] == "5" and one["date"] == ["2024-01-01", "2024-01-02", "2024-01-03"] and other["kind"] == "b"
    np.testing.assert_array_equal(one["x"], [1.5, np.nan, 3.5])
    columns = render.columns(series_of(found), found.facts)
    assert columns["e"] == ["1"] * 3 + ["2"] * 3 and columns["kind"] == ["a"] * 3 + ["b"] * 3
    assert columns["date"] == one["date"] * 2
    np.testing.assert_array_equal(columns["x"], [1.5, np.nan, 3.5] * 2)


def test_other_data_gets_the_coding_of_the_training_data(tmp_path):
    found = survey(write_visits(tmp_path / "visits.csv", (4, 2, 5)), VISITS)
    rows = ["weight,patient,sex,day,pulse,extra", "71,x,f,1,80,0", "72,x,f,2,oops,0", "73,y,unknown,1,81,0"]
    rows += [f"7{at},z,m,{at},8{at},0" for at in range(8)]
    (tmp_path / "other.csv").write_text("\n".join(rows))
    other = survey(tmp_path / "other.csv", VISITS, like=found.facts)
    told = " ".join(other.facts.remarks)
    for remark in ("extra", "are unknown: age", "does not have count as missing: unknown", "first 5 steps", "oops"):
        assert remark in told
    series = series_of(other)
    assert other.facts.shape == (5, 2) and series.length.tolist() == [2, 1, 5]
    assert series.missing[0, :2].tolist() == [[False, False], [True, False]]
    assert series.attributes[:, 0].nan_to_num(-1).tolist() == [0, -1, 1]


def test_times_of_other_data_may_have_another_name_and_pattern(tmp_path):
    dates = "".join(f"{e},2024-01-{at:02d},{at % 4}\n" for e in "ab" for at in (1, 2, 3))
    found = survey_text(tmp_path, f"e,date,x\n{dates}", "e=entity")
    other = "".join(f"c,{at:02d}.02.2024,{at % 4}\n" for at in (3, 1, 2))
    (tmp_path / "other.csv").write_text(f"e,when,x\n{other}")
    again = survey(tmp_path / "other.csv", "e=entity,when=time", like=found.facts)
    assert series_of(again).values[0, :, 0].tolist() == [1, 2, 3]
    (tmp_path / "other.csv").write_text("e,date,x\nc,1,2\nc,2,2\n")
    with pytest.raises(SparringError, match="numbers in the column 'date'"):
        survey(tmp_path / "other.csv", like=found.facts)


def picture(found, known=None) -> tuple[render.Picture, Image.Image]:
    exhibit = render.shown(series_of(found), found.facts, known)
    return exhibit, Image.open(io.BytesIO(exhibit.file))


def test_a_picture_has_a_row_for_each_channel(tmp_path):
    one = survey_text(tmp_path, "t,x\n" + "".join(f"{at},{at % 7}\n" for at in range(60)), window=5)
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=(3, 6, 10)))
    other = survey(tmp_path / "a.npy")
    (first, low), (exhibit, high) = picture(one), picture(other)
    assert high.height > 4 * low.height and low.width > high.width
    assert exhibit.caption == "The first 8 of 10 channels." and "3 series" in exhibit.words
    known = torch.ones(25, 5, dtype=torch.bool)
    assert picture(one, known)[0].file != first.file


def test_codings_that_somebody_changed_are_refused(tmp_path):
    found = survey(write_visits(tmp_path / "visits.csv", (4, 2, 5)), VISITS).facts
    coding = {**found.coding, "contexts": []}
    with pytest.raises(ValueError, match="a context of another length"):
        coding_of(Facts(found.source, "series", 3, found.shape, "0", coding=coding))
