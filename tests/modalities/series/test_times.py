"""Steps in time: equal ones, months, working days, and gaps."""

from datetime import date, timedelta

import numpy as np
import pytest

from sparring.modalities.series.coding import coding_of
from sparring.modalities.series.times import DAY, MONTH, later, step_words
from toys.series import said, series_of, survey, survey_text

MONDAY = date(2024, 1, 1)
DAYS = [MONDAY + timedelta(at) for at in range(150)]
WORKING = [day for day in DAYS if day.weekday() < 5]
HOLIDAYS = [day for at, day in enumerate(WORKING) if at % 11]


def dated(days):
    return "date,x\n" + "".join(f"{day},{at % 7}\n" for at, day in enumerate(days))


@pytest.mark.parametrize(
    ("days", "step", "remark"),
    [
        (DAYS, DAY, ""),
        (WORKING, DAY, "Working days count as equally far apart."),
        (HOLIDAYS, DAY, "as trading days are"),
        ([MONDAY + timedelta(7 * at) for at in range(60)], 7 * DAY, ""),
        ([date(2000 + at // 12, at % 12 + 1, 1) for at in range(60)], MONTH, ""),
        ([f"{2000 + at // 12}-{at % 12 + 1:02d}" for at in range(60)], MONTH, ""),
        ([date(2000 + at // 4, 3 * (at % 4) + 3, 30) for at in range(60)], 3 * MONTH, ""),
        ([date(2000 + at // 12, at % 12 + 1, 1) - timedelta(1) for at in range(1, 60)], MONTH, ""),
        ([MONDAY + timedelta(at * at) for at in range(60)], 0.0, "Steps in time are not equal"),
    ],
)
def test_steps_of_dates(tmp_path, days, step, remark):
    found = survey_text(tmp_path, dated(days), window=5)
    assert coding_of(found.facts).step == step and remark in said(found)


def test_other_steps_than_those_of_the_training_data_are_said(tmp_path):
    daily = survey_text(tmp_path, dated(DAYS), window=5)
    weekly = [MONDAY + timedelta(7 * at) for at in range(12)]
    for days, told in [
        (weekly, "Column 'date': There are steps of 1 week, those of the training data are of 1 day"),
        ([day for at, day in enumerate(DAYS[:20]) if at != 9], "although 1 of 18 steps"),
    ]:
        (tmp_path / "given.csv").write_text(dated(days))
        assert told in said(survey(tmp_path / "given.csv", like=daily.facts))
    (tmp_path / "given.csv").write_text(dated(DAYS[20:40]))
    assert said(survey(tmp_path / "given.csv", like=daily.facts)).count("steps in time") == 0

    # A month is no number of days.
    monthly = survey_text(tmp_path, dated([date(2000 + at // 12, at % 12 + 1, 1) for at in range(60)]), window=5)
    (tmp_path / "given.csv").write_text(dated([date(2023, 2, 1), date(2023, 3, 1)]))
    assert "steps of" not in said(survey(tmp_path / "given.csv", like=monthly.facts))


def test_steps_of_numbers_may_be_rounded(tmp_path):
    text = "t,x\n" + "".join(f"{at * 0.1:.9f},{at % 7}\n" for at in range(60))
    assert coding_of(survey_text(tmp_path, text, window=5).facts).step == pytest.approx(0.1)


def test_unequal_steps_are_a_channel_that_starts_at_0(tmp_path):
    times = np.cumsum([1, 2, 0.5, 3] * 15)
    text = "time,x\n" + "".join(f"{time},{at % 7}\n" for at, time in enumerate(times))
    found = survey_text(tmp_path, text, window=5)
    coding = coding_of(found.facts)
    assert [channel.kind for channel in coding.channels] == ["integer", "gap"] and coding.channels[1].name == "time"
    gaps = series_of(found).values[..., 1]
    assert gaps[2].tolist() == [0, 3, 1, 2, 0.5] and (gaps[:, 0] == 0).all()


def test_newest_rows_may_come_first(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = (
        survey_text(tmp_path / name, dated(days), window=5) for name, days in (("a", DAYS), ("b", DAYS[::-1]))
    )
    assert "Rows are sorted by time." in said(other)
    assert series_of(one).values[0, :, 0].tolist() == [0, 1, 2, 3, 4]
    assert series_of(other).values[0, :, 0].tolist() == [at % 7 for at in range(149, 144, -1)]


def test_a_column_of_dates_that_repeat_is_no_time(tmp_path):
    rows = "".join(f"{at},{MONDAY},{at % 7}\n" for at in range(60))
    coding = coding_of(survey_text(tmp_path, f"t,born,x\n{rows}", window=5).facts)
    assert coding.time == "t" and coding.attributes[0].categories == (str(MONDAY),)


def test_an_index_without_a_name_is_left_out(tmp_path):
    found = survey_text(tmp_path, ",x\n" + "".join(f"{at},{at % 7 / 2}\n" for at in range(60)), window=5)
    assert found.facts.shape == (5, 1) and "index without a name" in said(found)


def test_months_go_on_by_the_calendar():
    start = np.array([date(2023, 12, 31).toordinal() - date(1970, 1, 1).toordinal()]) * DAY + 3600.0
    found = later(start, 2 * MONTH, 3, "%Y-%m-%d %H")[0]
    assert [str(np.datetime64(int(one), "s")) for one in found] == [
        "2023-12-31T01:00:00",
        "2024-02-29T01:00:00",
        "2024-04-30T01:00:00",
    ]
    assert later(np.array([1.0]), 0.5, 3, "")[0].tolist() == [1, 1.5, 2]


@pytest.mark.parametrize(
    ("step", "form", "words"),
    [
        (0, "", "not equal"),
        (0.5, "", "0.5"),
        (DAY, "%d", "1 day"),
        (3 * MONTH, "%d", "3 months"),
        (90, "%M", "90 seconds"),
        (120, "%M", "2 minutes"),
    ],
)
def test_steps_in_words(step, form, words):
    assert step_words(step, form) == words
