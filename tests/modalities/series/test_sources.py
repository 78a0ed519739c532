"""Reading series from long tables, folders, arrays and data frames, and what is refused."""

import numpy as np
import pytest

import sparring
from sparring.data.in_memory import source_of
from sparring.data.reading import reading
from sparring.errors import SparringError
from sparring.modalities import modality_of
from sparring.modalities.series.coding import coding_of
from toys import series as series_toy
from toys.series import said, series_of, survey, survey_text, write_visits

VISITS = "patient=entity,day=time"


def kinds(found):
    return {one["name"]: one["kind"] for one in found.facts.details["columns"]}


def test_a_long_table_has_a_series_of_each_entity(tmp_path):
    found = survey(write_visits(tmp_path / "visits.csv", (4, 2, 5)), VISITS)
    assert kinds(found) == {"pulse": "integer", "weight": "continuous", "sex": "attribute", "age": "attribute"}
    series, coding = series_of(found), coding_of(found.facts)
    assert found.facts.shape == (5, 2) and series.length.tolist() == [4, 2, 5]
    assert series.values[1, :, 0].tolist() == [61, 64, 0, 0, 0]
    assert series.missing[1, :, 0].tolist() == [False, False, True, True, True]
    assert series.attributes.tolist() == [[0, 30], [1, 31], [0, 32]]
    assert coding.attributes[0].categories == ("f", "m")
    assert (coding.entity, coding.time, coding.start, coding.step) == ("patient", "day", 0.0, 1.0)
    assert {one[0] for one in coding.contexts} == {4, 2, 5}


def test_rows_in_any_order_are_the_same_series(tmp_path):
    sorted_, shuffled = (write_visits(tmp_path / f"{one}.csv", shuffled=one) for one in (False, True))
    one, other = survey(sorted_, VISITS), survey(shuffled, VISITS)
    assert "Rows are sorted by time." in said(other)
    order = np.argsort(series_of(other).attributes[:, 1].numpy())
    for part, same in zip(series_of(one), series_of(other), strict=True):
        np.testing.assert_array_equal(part, same[order])


def test_each_file_of_a_folder_is_a_series(tmp_path):
    for name, count in (("a", 3), ("b", 2)):
        rows = "".join(f"2024-01-{at + 1:02d},{at}.5,{name}\n" for at in range(count))
        (tmp_path / f"{name}.csv").write_text(f"date,level,site\n{rows}")
    found = survey(tmp_path)
    series = series_of(found)
    assert "Column 'date' is the time of the rows." in said(found)
    assert series.length.tolist() == [3, 2] and series.values[0, :, 0].tolist() == [0.5, 1.5, 2.5]
    assert coding_of(found.facts).attributes[0].categories == ("a", "b")
    assert (coding_of(found.facts).form, coding_of(found.facts).step) == ("%Y-%m-%d", 86400.0)


def test_files_of_other_columns_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("t,x\n1,2\n2,3\n")
    (tmp_path / "b.csv").write_text("t,y\n1,2\n2,3\n")
    with pytest.raises(SparringError, match=r"other columns in b\.csv than in a\.csv"):
        survey(tmp_path)


def test_parquet_and_data_frames_are_read(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(write_visits(tmp_path / "visits.csv"))
    frame.to_parquet(tmp_path / "visits.parquet")
    wanted = survey(tmp_path / "visits.csv", VISITS).facts.fingerprint
    assert survey(tmp_path / "visits.parquet", VISITS).facts.fingerprint == wanted
    assert survey(source_of(frame), VISITS).facts.fingerprint == wanted


def test_one_long_series_is_cut_into_windows(tmp_path):
    rows = "".join(f"{at},{at * at % 17}\n" for at in range(100))
    found = survey_text(tmp_path, f"t,x\n{rows}")
    assert found.facts.shape == (24, 1) and found.facts.count == 77
    values = series_of(found).values[..., 0]
    assert values[3].tolist() == [at * at % 17 for at in range(3, 27)]
    assert "77 windows of 24 steps" in said(found)
    assert survey_text(tmp_path, f"t,x\n{rows}", window=10).facts.shape == (10, 1)


def test_series_of_entities_are_cut_into_windows_if_asked_for(tmp_path):
    found = survey(write_visits(tmp_path / "visits.csv", (9, 2, 12)), VISITS, window=4)
    assert found.facts.count == 6 + 1 + 9
    assert series_of(found).length.tolist() == [4] * 6 + [2] + [4] * 9
    assert series_of(found).attributes[-1].tolist() == [0, 32]


def test_arrays_have_channels_by_number_and_end_with_missing_steps(tmp_path):
    array = np.arange(24, dtype=np.float64).reshape(3, 4, 2)
    array[0, 1, 1] = np.nan
    array[1, 2:] = np.nan
    np.save(tmp_path / "a.npy", array)
    series = series_of(found := survey(tmp_path / "a.npy"))
    assert series.length.tolist() == [4, 2, 4]
    assert series.missing[0].tolist() == [[False, False], [False, True], [False, False], [False, False]]
    assert kinds(found) == {"channel 1": "integer", "channel 2": "integer"}
    assert survey(source_of(array)).facts.fingerprint == found.facts.fingerprint
    assert survey(source_of(array[..., 0])).facts.shape == (4, 1)


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.array([[1.0, np.inf, 3.0], [4.0, 5.0, 6.0]]), "1 cell counts as missing, being infinite or beyond 1e300."),
        (np.array([[1, 2, 3], [4, 5, 2**53 + 1]]), "Whole numbers from 9,007,199,254,740,992 on are rounded."),
    ],
)
def test_numbers_of_an_array_that_are_changed_are_said(tmp_path, array, told):
    np.save(tmp_path / "a.npy", array)
    found = survey(tmp_path / "a.npy")
    assert told in said(found) and told in said(survey(tmp_path / "a.npy", like=found.facts))


def test_series_of_an_array_without_values_are_left_out(tmp_path):
    array = np.ones((3, 4, 2))
    array[1], array[..., 1] = np.nan, np.nan
    np.save(tmp_path / "a.npy", array)
    found = survey(tmp_path / "a.npy")
    assert found.facts.count == 2 and found.facts.shape == (4, 1)
    assert "Left out 1 series without values." in said(found) and "Left out channel 2" in said(found)
    np.save(tmp_path / "a.npy", np.full((2, 3, 1), np.nan))
    with pytest.raises(SparringError, match="no numbers"):
        survey(tmp_path / "a.npy")


def test_missing_and_endless_numbers_are_missing(tmp_path):
    rows = ["e,t,x,y", "a,1,,1", "a,2,1e301,2", "a,3,5,3", "b,1,inf,1", "b,2,6,2"]
    found = survey_text(tmp_path, "\n".join(rows), "e=entity,t=time")
    assert series_of(found).missing[..., 0].tolist() == [[True, True, False], [True, False, True]]
    assert "2 cells count as missing, being infinite or beyond 1e300" in said(found)
    assert coding_of(found.facts).channels[0].missing == pytest.approx(0.6)


def test_numbers_up_to_the_limit_have_finite_moments(tmp_path):
    rows = "".join(f"{at},{at % 5}e299\n" for at in range(60))
    channel = coding_of(survey_text(tmp_path, f"t,x\n{rows}").facts).channels[0]
    assert np.isfinite([channel.mean, channel.deviation]).all() and channel.deviation > 1e299


def test_kinds_can_be_chosen(tmp_path):
    rows = ["e,t,code,x,y,z", *(f"{e},{t},{7 + (e == 'b')},{t},{t}.25,n{t}" for e in "ab" for t in (1, 2, 3))]
    columns = "e=entity,t=time,code=category,x=continuous,y=integer,z=drop"
    found = survey_text(tmp_path, "\n".join(rows), columns)
    assert kinds(found) == {"code": "attribute", "x": "continuous", "y": "integer"}
    assert coding_of(found.facts).attributes[0].categories == ("7", "8")
    assert "rounded to whole ones" in said(found)


def test_times_can_have_a_pattern(tmp_path):
    rows = ["e,when,x", *(f"{e},{day:02d}/03/2024,{day}" for e in "ab" for day in (1, 2, 3))]
    coding = coding_of(survey_text(tmp_path, "\n".join(rows), "e=entity,when=%d/%m/%Y").facts)
    assert (coding.time, coding.form, coding.step) == ("when", "%d/%m/%Y", 86400.0)


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        ("e,t,x\na,1,2\na,1,3\nb,1,2\n", "e=entity,t=time", "two rows of a with the same time 1"),
        ("e,time,x\na,1,2\na,1,3\na,2,3\n", "e=entity", "two rows with the same time 1"),
        ("e,t,x\na,1,2\na,,3\n", "e=entity,t=time", "no time in row 2"),
        ("e,t,x\na,1,2\n,2,3\n", "e=entity,t=time", "no entity in row 2"),
        ("e,t,x\na,1,2\nb,1,3\n", "e=entity,t=time", "no series longer than one step"),
        ("a,b\n1,2\n", None, "no series longer than one step"),
        ("a,b\n", None, "without rows"),
        ("e,t,x\na,1,2\na,2,3\n", "who=entity,t=time", "no column 'who'"),
        ("e,t,x\na,1,2\na,2,3\n", "e=entity,t=entity", "several columns of the kind entity: e, t"),
        ("e,t,x\na,1,2\na,2,3\n", "e=entity,t=date", "the kind 'date' of the column 't'"),
        ("t,x\n" + "".join(f"{at},{'word' if at == 7 else at}\n" for at in range(60)), None, "x=continuous"),
        ("n,x\n" + "".join(f"n{at % 3},{at}\n" for at in range(60)), None, "columns='n=entity' if it names the series"),
        ("x,day\n" + "".join(f"{at},2024-01-{at % 3 + 1:02d}\n" for at in range(60)), None, "day=time"),
        ("t,x\n" + "".join(f"{at},\n" for at in range(60)), None, "no column of numbers that change"),
        ("t,x\n" + "".join(f"{at},{at}\n" for at in range(40)), None, "at least 48: windows of 24 steps"),
        ("e,t,x\na,1,2\na,2,3\nb,1,2\nb,2,3\n", "e=entity,x=attribute", "changes within 2 series"),
        ("e,t,x\na,1,z\na,2,z\n", "e=entity,x=integer", "no number in the column 'x'"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(tmp_path, text, columns, message):
    with pytest.raises(SparringError, match=message):
        survey_text(tmp_path, text, columns)


def test_long_series_are_refused_with_the_way_out(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 5000, 1)))
    with pytest.raises(SparringError, match="window="):
        survey(tmp_path / "a.npy")
    assert survey(tmp_path / "a.npy", window=2500).facts.shape == (2500, 1)


def test_arrays_of_something_else_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 3, 4, 5)))
    with pytest.raises(SparringError, match=r"\(count, time, channels\)"):
        survey(tmp_path / "a.npy")
    np.save(tmp_path / "a.npy", np.array([["x"]]))
    with pytest.raises(SparringError, match="numbers of the shape"):
        survey(tmp_path / "a.npy")


@pytest.mark.parametrize("window", [1, 5000, 2.5, True])
def test_windows_have_a_sensible_number_of_steps(window):
    with pytest.raises(SparringError, match="window"):
        reading(window=window)


def test_choices_about_reading_decide_that_a_table_is_of_series(tmp_path):
    place = write_visits(tmp_path / "visits.csv")
    assert modality_of(place).name == modality_of(place, reading(columns="sex=drop")).name == "tables"
    assert modality_of(place, reading(columns="patient=entity")).name == "series"
    assert modality_of(place, reading(columns="day=%d.%m.%Y")).name == "tables"
    np.save(tmp_path / "a.npy", np.zeros((2, 30, 3)))
    array = str(tmp_path / "a.npy")
    assert modality_of(place, reading(window=4)).name == modality_of(array, reading(window=4)).name == "series"
    assert modality_of(array).name == "images"


def test_inspect_says_each_column_and_the_time(tmp_path):
    place, recipe = write_visits(tmp_path / "visits.csv", [4, 2, 5, 6] * 10), f"{series_toy.__file__}:NoisySeries"
    found = sparring.inspect(place, recipe=recipe, columns=VISITS, sheet=tmp_path / "sheet.png", measure=False)
    lines = found.lines()
    assert lines[0] == f"{place}: 40 series of 4 columns"
    assert "  sex: attribute, 2 categories: f, m (it does not change within a series)" in lines
    assert {"  steps of each series: 2 to 6", "  time: day, 0 to 5", "  entity: patient, 40 series"} <= set(lines)
    assert found.training.shape == (6, 2) and (tmp_path / "sheet.png").exists()


def test_other_recipes_refuse_windows(tmp_path):
    place = write_visits(tmp_path / "visits.csv")
    with pytest.raises(SparringError, match="window= for tables"):
        sparring.inspect(place, recipe="tables/masked", window=4, measure=False)


def test_all_columns_of_changing_text_are_named_at_once(tmp_path):
    rows = "".join(f"{at},{at}.5,n{at % 3},m{at % 5}\n" for at in range(60))
    with pytest.raises(SparringError, match=r"the column 'n'.*the column 'm'.*n=entity.*m=entity"):
        survey_text(tmp_path, f"t,x,n,m\n{rows}", None)
