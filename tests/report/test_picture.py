"""The picture of the signals: of any looks, and shaded as the rules say."""

import io
import math

import pytest
from PIL import Image

from sparring.objectives.gamma import SET_POINT
from sparring.report.picture import BLUE, GAMMA, GREEN, ROWS, _dials, _panels, healthy, signals_picture
from sparring.watchdog.incidents import HELPED, IN_VAIN, Incident, Treatment
from sparring.watchdog.rules import RULES
from sparring.watchdog.signals import SIGNALS, Observation


def size(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as opened:
        assert opened.format == "PNG"
        return opened.size


def observations(count: int, **signals: float) -> list[Observation]:
    return [Observation(number, 64 * number, dict(signals)) for number in range(1, count + 1)]


def test_rows_without_signals_are_left_out() -> None:
    """A game with one player has no lead."""
    few, more = observations(5, distance=0.2, coverage=0.3), observations(5, distance=0.2, coverage=0.3, lead=0.8)
    assert size(signals_picture(few))[1] < size(signals_picture(more))[1]


def test_what_happened_is_drawn_above() -> None:
    done = (Treatment("slower", 100, 0, IN_VAIN, 200), Treatment("slower still", 200, None, HELPED, 300))
    ailing = Incident("divergence", 100, 300, False, "", (), "", done)
    plain, told = signals_picture(observations(9, lead=0.8)), signals_picture(observations(9, lead=0.8), [ailing])
    assert size(told)[1] > size(plain)[1] and size(told)[0] == size(plain)[0]


@pytest.mark.parametrize(("start", "end"), [(0, 576), (0, 64), (512, 576)])
def test_outcomes_are_not_written_over_names(start: int, end: int) -> None:
    """However long it lasted: what came of it makes no difference to the margin, where its name stands."""
    margins = []
    for left in (False, True):
        ailing = Incident("unhealthy data", start, end, True, "", (), "", left=left)
        with Image.open(io.BytesIO(signals_picture(observations(9, lead=0.8), [ailing]))) as picture:
            margins.append(picture.crop((0, 0, picture.width // 12, picture.height)).tobytes())
    assert margins[0] == margins[1]


@pytest.mark.parametrize("value", [0.0, -0.01, 1e12])
def test_any_value_can_be_drawn(value: float) -> None:
    signals = {name: value for pair in ROWS.values() for panel in pair for name in panel.shows}
    figures = [{"samples": 64 * number, "dial: strength": value * number} for number in range(3)]
    assert size(signals_picture(observations(2, **signals), (), figures))[0] > 800


def test_no_looks_and_dials_that_never_moved() -> None:
    still = [{"samples": 64 * number, "dial: strength": 1.0, "dial: augmentation": 0.0} for number in range(3)]
    assert size(signals_picture([], (), still)) == size(signals_picture([]))


def test_bands_are_those_of_the_rules() -> None:
    """Just outside of a band all rules of that side complain, just inside at least one does not."""
    tests = [test for rule in RULES for test in (*rule.needed, *rule.either)]
    for signal in {test.signal for test in tests}:
        band = healthy(signal, -1.0, 3.0)
        for end, inside, step in ((-1.0, band[0], -0.01), (3.0, band[1], 0.01)) if band else ():
            side = [test for test in tests if test.signal == signal and test.holds(end, ())]
            assert not side or not all(test.holds(inside, ()) for test in side)
            assert all(test.holds(inside + step, ()) for test in side)
    low, high = healthy("lead", 0.0, 3.0) or (math.nan, math.nan)
    assert 0.6 < low < SET_POINT < high < 1.5
    assert healthy("real slope", 0.0, 10.0) is None


def test_what_is_drawn_is_what_is_seen() -> None:
    assert {name for pair in ROWS.values() for panel in pair for name in panel.shows} <= set(SIGNALS)


def turned(**controls: float) -> list[dict[str, float]]:
    return [{"samples": 64 * row, **{f"dial: {name}": end * row for name, end in controls.items()}} for row in range(3)]


def test_all_dials_of_a_kind_are_drawn_whatever_the_players_are_called() -> None:
    gammas, others = _dials(turned(**{"strength a": 3.0, "strength b": 2.0, "critic rate": 0.5, "augmentation": 0.1}))
    assert list(gammas) == [f"{GAMMA}: a", f"{GAMMA}: b"] and set(others) == {"critic rate", "augmentation"}
    left, right = _panels(gammas, others)
    assert len({*left.shows.values()}) == 2 and right.shows == {"critic rate": BLUE, "augmentation": GREEN}
    assert _dials(turned(lecam=0.3)) == ({}, {})


@pytest.mark.parametrize("found", [False, True])
def test_a_line_is_drawn_where_a_phase_begins(found: bool) -> None:
    ailing = [Incident("divergence", 100, 300, False, "", (), "")] * found
    plain, marked = (
        signals_picture(observations(9, lead=0.8), ailing, (), phases) for phases in ((), [(320, "contest")])
    )
    assert size(plain) == size(marked) and plain != marked
