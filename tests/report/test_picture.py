"""The picture of the signals: any observations can be drawn, and the bands are those of the rules."""

import io
import math

import pytest
from PIL import Image

from sparring.objectives.gamma import SET_POINT
from sparring.report.picture import GAMMA, ROWS, healthy_band, highest_healthy, moved_controls, signals_picture
from sparring.runs.logbook import LogLine
from sparring.watchdog.incidents import Incident, Outcome, Treatment
from sparring.watchdog.rules import RULES
from sparring.watchdog.signals import SIGNALS, Observation


def size(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as opened:
        assert opened.format == "PNG"
        return opened.size


def observations(count: int, **signals: float) -> list[Observation]:
    return [Observation(number, 64 * number, dict(signals)) for number in range(1, count + 1)]


def incident(name: str = "divergence", start: int = 100, end: int = 300, **fields: object) -> Incident:
    return Incident.model_validate({"finding": name, "start": start, "end": end, "explanation": "", **fields})


def test_rows_without_signals_are_left_out() -> None:
    """A game with one player has no lead."""
    few, more = observations(5, distance=0.2, coverage=0.3), observations(5, distance=0.2, coverage=0.3, lead=0.8)
    assert size(signals_picture(few))[1] < size(signals_picture(more))[1]


def test_incidents_are_drawn_above_the_signals() -> None:
    first = Treatment(remedy="slower", samples=100, rolled_back_to=0, outcome=Outcome.FAILED, judged_at=200)
    second = Treatment(remedy="slower still", samples=200, outcome=Outcome.HELPED, judged_at=300)
    one = incident(treatments=[first, second])
    plain, drawn = signals_picture(observations(9, lead=0.8)), signals_picture(observations(9, lead=0.8), [one])
    assert size(drawn)[1] > size(plain)[1] and size(drawn)[0] == size(plain)[0]


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_can_be_drawn(outcome: Outcome) -> None:
    treatments = [] if outcome == Outcome.UNTREATED else [Treatment(remedy="", samples=100, outcome=outcome)]
    assert size(signals_picture(observations(9, lead=0.8), [incident(treatments=treatments)]))[0] > 800


@pytest.mark.parametrize(("start", "end"), [(0, 576), (0, 64), (512, 576)])
def test_outcomes_are_not_written_over_names(start: int, end: int) -> None:
    """The margin, where the finding's name stands, is the same for any outcome and duration."""
    margins = []
    for abandoned in (False, True):
        one = incident("unhealthy data", start, end, active=True, abandoned=abandoned)
        with Image.open(io.BytesIO(signals_picture(observations(9, lead=0.8), [one]))) as picture:
            margins.append(picture.crop((0, 0, picture.width // 12, picture.height)).tobytes())
    assert margins[0] == margins[1]


@pytest.mark.parametrize("value", [0.0, -0.01, 1e12])
def test_any_value_can_be_drawn(value: float) -> None:
    signals = {name: value for row in ROWS.values() for panel in row for name in panel.signals}
    log = [LogLine(samples=64 * number, controls={"gamma": value * number}) for number in range(3)]
    assert size(signals_picture(observations(2, **signals), (), log))[0] > 800


def test_controls_that_never_moved_are_left_out() -> None:
    still = [LogLine(samples=64 * number, controls={"gamma": 1.0, "augmentation": 0.0}) for number in range(3)]
    assert size(signals_picture([], (), still)) == size(signals_picture([]))


def test_bands_are_those_of_the_rules() -> None:
    """Just outside of a band all rules of that side complain, just inside at least one does not."""
    criteria = [criterion for rule in RULES for criterion in (*rule.criteria, *rule.any_of)]
    for signal in {criterion.signal for criterion in criteria}:
        band = healthy_band(signal, -1.0, 3.0)
        for end, inside, step in ((-1.0, band[0], -0.01), (3.0, band[1], 0.01)) if band else ():
            side = [criterion for criterion in criteria if criterion.signal == signal and criterion.holds(end, ())]
            assert not side or not all(criterion.holds(inside, ()) for criterion in side)
            assert all(criterion.holds(inside + step, ()) for criterion in side)
    low, high = healthy_band("lead", 0.0, 3.0) or (math.nan, math.nan)
    assert 0.6 < low < SET_POINT < high < 1.5
    assert healthy_band("real slope", 0.0, 10.0) is None


def test_the_gap_to_held_out_samples_is_unhealthy_only_beside_another_sign() -> None:
    """It is a share of the lead, which vanishes as samples become good."""
    for others, bound in (({}, 1.2), ({"overlap": 0.01}, 0.7), ({"nearer to training": 0.9}, 0.7)):
        one = Observation(64, 2048, {"overlap": 0.3, "nearer to training": 0.5, "held-out gap": 0.9, **others})
        assert highest_healthy("held-out gap", one, 1.2) == bound
    assert highest_healthy("held-out gap", Observation(64, 2048, {"held-out gap": 0.9}), 1.2) == 1.2


def test_all_panels_show_known_signals() -> None:
    assert {name for row in ROWS.values() for panel in row for name in panel.signals} <= set(SIGNALS)


def moving(**ends: float) -> list[LogLine]:
    return [LogLine(samples=64 * row, controls={name: end * row for name, end in ends.items()}) for row in range(3)]


def test_all_controls_of_a_kind_are_drawn_whatever_the_players_are_called() -> None:
    series, (left, right) = moved_controls(
        moving(**{"gamma a": 3.0, "augmentation": 0.1, "gamma b": 2.0, "critic rate": 0.5})
    )
    assert left.signals == (f"{GAMMA}: a", f"{GAMMA}: b") and right.signals == ("critic rate", "augmentation")
    assert set(series) == {*left.signals, *right.signals}
    assert moved_controls(moving(lecam=0.3))[0] == {}


def test_gamma_of_a_game_without_a_penalty_has_no_panel() -> None:
    series, (left, right) = moved_controls(moving(**{"gamma": 0.0, "critic rate": 0.5}))
    assert left.signals == () and right.signals == ("critic rate",) and set(series) == {"critic rate"}


@pytest.mark.parametrize("found", [False, True])
def test_a_line_is_drawn_where_a_phase_begins(found: bool) -> None:
    plain, marked = (
        signals_picture(observations(9, lead=0.8), [incident()] * found, (), phases)
        for phases in ((), [(320, "contest")])
    )
    assert size(plain) == size(marked) and plain != marked
