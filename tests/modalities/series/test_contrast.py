"""Generated series beside real ones, as a whole."""

import numpy as np
import pytest

from sparring.modalities.series.contrast import MAX_PANELS, contrasts
from sparring.rendering.exhibits import Picture
from toys.processes import autoregressive, channels_of, facts_of, series_of
from toys.series import series_of as series_of_survey
from toys.series import survey_text

REAL = series_of(autoregressive(800, 30))
FACTS = facts_of(REAL, channels_of(REAL, ["level $x$", "half"]))


def captions(real, fake, facts=FACTS):
    exhibits = contrasts(real, fake, facts)
    assert all(isinstance(one, Picture) and one.file.startswith(b"\x89PNG") and one.words for one in exhibits)
    return [one.caption for one in exhibits]


def test_equal_series_do_not_mislead():
    values, courses, memory, spectra, correlations = captions(REAL, REAL)
    assert "distributed alike" in values and "same course" in courses and "as long as real ones" in memory
    assert "as strong as in real series" in spectra and "move together" in correlations


def test_what_would_mislead_is_said_where_it_is():
    fake = autoregressive(800, 30, phi=0.2, seed=1)
    fake[..., 0] += np.where(np.arange(30) == 20, 2.0, 0.0)
    fake[..., 1] = autoregressive(800, 30, phi=0.2, channels=1, seed=2)[..., 0] + 1
    values, courses, memory, spectra, correlations = captions(REAL, series_of(fake))
    assert "half differs most: quartiles -0.6" in values
    assert "At step 21 the mean of level $x$ is off by " in courses
    assert "understate how much one step tells of a later one" in memory
    assert "too weak" in spectra or "exaggerated" in spectra
    assert "level $x$ and half differ most: +0.71 → +" in correlations or "+0.71 → -" in correlations


def test_gaps_are_in_readable_units_and_begin_at_the_second_step(tmp_path):
    days = np.cumsum(np.tile([1, 2, 3, 9], 15))
    found = survey_text(
        tmp_path, "date,x\n" + "".join(f"{np.datetime64('2020-01-01') + day},1.{day}\n" for day in days)
    )
    assert found.facts.details["columns"][-1]["values"] == "1 to 9 days since the step before"
    real = series_of_survey(found)
    values = real.values.clone()
    values[:, 1:, -1] = 5 * 86_400
    caption = captions(real, real._replace(values=values), found.facts)[0]
    assert "gap (days) differs most: quartiles 2 / 3 / 6 → 5 / 5 / 5" in caption


def test_chance_is_no_difference():
    assert "same course" in captions(REAL, series_of(autoregressive(800, 30, seed=5)))[1]


def test_longer_memory_is_overstated():
    memory = captions(REAL, series_of(autoregressive(800, 30, phi=0.99, seed=1)))[2]
    assert "overstate" in memory


@pytest.mark.parametrize(
    "case", ["one series", "one step", "two steps", "constants", "nothing generated", "one channel"]
)
def test_odd_series_are_drawn(case):
    real = REAL
    if case == "one series":
        real = series_of(REAL.values[:1])
    elif case.endswith(("step", "steps")):
        real = series_of(REAL.values[:, : 1 if case == "one step" else 2])
    elif case == "constants":
        real = series_of(np.ones((40, 30, 2)))
    elif case == "one channel":
        real = series_of(REAL.values[..., :1])
    fake = real
    if case == "nothing generated":
        fake = series_of(REAL.values, missing=np.ones(REAL.values.shape, dtype=bool))
    found = captions(real, fake, facts_of(real, channels_of(real)))
    assert len(found) == {"one step": 2, "two steps": 3, "one channel": 4}.get(case, 5)
    if case == "nothing generated":
        assert "one side has no values" in found[0]


def test_lengths_missing_values_and_huge_numbers_are_drawn():
    random = np.random.default_rng(0)
    gone = series_of(REAL.values, random.integers(1, 31, 800), random.random(REAL.values.shape) < 0.3)
    assert len(captions(REAL, gone)) == 5
    huge = series_of(1e300 * np.sign(REAL.values.numpy()))
    assert len(captions(REAL, huge)) == 5


def test_of_many_channels_the_worst_are_shown():
    count = MAX_PANELS + 4
    real = series_of(autoregressive(200, 1, channels=count))
    fake = series_of(real.values.numpy() + np.where(np.arange(count) == count - 1, 5.0, 0.5))
    facts = facts_of(real, channels_of(real, [f"c{at}" for at in range(count)]))
    caption = captions(real, fake, facts)[0]
    assert caption.startswith(f"Values at all steps. c{count - 1} differs most")
    assert caption.endswith("4 further channels are more alike.")
