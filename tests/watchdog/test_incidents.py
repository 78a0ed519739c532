"""The story of ailments, from looks and from what was said."""

from dataclasses import replace
from typing import Any

import pytest

from sparring.watchdog.data import NAME as UNHEALTHY_DATA
from sparring.watchdog.incidents import (
    CUT_SHORT,
    HELPED,
    IN_VAIN,
    PARTLY,
    PENDING,
    PHASE,
    UNDONE,
    Incident,
    Treatment,
    gravest,
    incidents,
    replayed,
    surviving,
)
from sparring.watchdog.rules import COOLING, RULES
from sparring.watchdog.signals import Observation

FINE = {"diversity": 1.0, "coverage": 0.7, "distance": 0.02, "moved": 0.2}
WELL = {**FINE, "lead": 0.8, "swing": 0.02, "paired": 1.0}
COLLAPSED = {**WELL, "diversity": 0.1, "coverage": 0.1}
ROUGH = {**WELL, "lead": 3.0, "swing": 1.0}
NAME = "mode collapse"


def observations(*stretches: tuple[dict[str, float], int]) -> list[Observation]:
    """So many of each, every 1,000 samples."""
    values = [one for value, count in stretches for one in [value] * count]
    return [Observation(100 * place, 1000 * place, one) for place, one in enumerate(values, start=1)]


def event(at: int, kind: str, name: str = NAME, **facts: Any) -> dict[str, Any]:
    return {"samples": 1000 * at, "kind": kind, "finding": name, "said": "", **facts}


def spans(found: list[Incident]) -> list[tuple[str, int, int, bool]]:
    return [(one.finding, one.start // 1000, one.end // 1000, one.lasts) for one in found]


def test_when_each_rule_held() -> None:
    """It is found at the third look; the last at which it held is its end."""
    found = replayed(observations((WELL, 10), (COLLAPSED, 6), (WELL, 20), (ROUGH, 5)))
    assert spans(found) == [(NAME, 13, 16, False), ("imbalance", 39, 41, True)]
    assert all(one.says and one.advice and one.evidence and one.outcome == UNDONE for one in found)


@pytest.mark.parametrize(("pause", "count"), [(COOLING - 4, 1), (COOLING + 4, 2)])
def test_pauses_as_long_as_the_silence_of_the_watchdog_part_two_ailments(pause: int, count: int) -> None:
    found = replayed(observations((WELL, 10), (COLLAPSED, 4), (WELL, pause), (COLLAPSED, 4)))
    assert len(found) == count and found[-1].lasts


def test_healthy_looks_have_no_story() -> None:
    assert (
        not replayed(observations((WELL, 40))) and not incidents(observations((WELL, 40)), []) and not incidents([], [])
    )


def test_what_a_killed_run_said_after_its_checkpoint_is_left_out() -> None:
    told = [event(at, "finding") for at in (3, 8, 9)]
    again = {"samples": 5000, "kind": "resumed", "said": ""}
    assert surviving([*told, again, told[1]]) == [told[0], again, told[1]]
    assert surviving(told) == told


def test_what_was_said_and_done_is_told_with_its_outcome() -> None:
    """Found, tried in vain, tried again on the way back, and mended."""
    seen = observations((WELL, 10), (COLLAPSED, 4), (WELL, 30))
    said = [
        event(13, "finding", said="Mode collapse: it is one. (seen)", evidence=["seen"], advice="Rest."),
        event(13, "remedy", said="Against mode collapse: tea."),
        event(19, IN_VAIN),
        event(19, "finding"),
        event(8, "remedy", said="Against mode collapse: soup."),
        event(14, HELPED),
    ]
    (one,) = incidents(seen, said)
    assert (one.finding, one.says, one.evidence, one.advice) == (NAME, "it is one.", ("seen",), "Rest.")
    assert one.treatments == (
        Treatment("tea", 13_000, None, IN_VAIN, 19_000),
        Treatment("soup", 19_000, 8_000, HELPED, 14_000),
    )
    assert (one.outcome, one.mended, one.reaches_back, one.lasts) == (HELPED, 14_000, 8_000, False)


def test_what_was_not_mended_goes_on_though_something_helped() -> None:
    """One ailment, from its beginning to its end, with all that was done about it."""
    seen = observations((WELL, 10), (COLLAPSED, 30))
    half = event(19, HELPED, mended=False)
    said = [event(13, "finding"), event(13, "remedy"), half, event(19, "finding")]
    (one,) = incidents(seen, said)
    assert (one.start, one.end, one.lasts, one.outcome, one.mended) == (13_000, 40_000, True, PARTLY, None)
    (more,) = incidents(seen, [*said, event(19, "remedy"), event(25, IN_VAIN)])
    assert [treatment.outcome for treatment in more.treatments] == [PARTLY, IN_VAIN] and more.start == 13_000


def test_what_is_being_tried_is_not_judged_yet() -> None:
    (one,) = incidents(observations((WELL, 10), (COLLAPSED, 5)), [event(13, "finding"), event(13, "remedy")])
    assert (one.outcome, one.mended, one.lasts) == (PENDING, None, True)


def test_a_relapse_after_it_was_mended_is_another_ailment() -> None:
    told = [event(13, "finding"), event(13, "remedy"), event(19, HELPED), event(33, "finding")]
    found = incidents(observations((WELL, 10), (COLLAPSED, 4), (WELL, 16), (COLLAPSED, 6), (WELL, 4)), told)
    assert [(one.outcome, one.start) for one in found] == [(HELPED, 13_000), (UNDONE, 33_000)]
    assert not found[1].lasts


def test_what_else_ailed_a_run_that_went_back_is_left_behind() -> None:
    told = [event(14, "finding", "imbalance"), event(16, "finding"), event(8, "remedy"), event(14, HELPED)]
    found = incidents(observations((WELL, 30)), told)
    assert [(one.finding, one.left) for one in found] == [("imbalance", True), (NAME, False)]


def test_what_nobody_said_is_told_after_what_was_said() -> None:
    both = {**COLLAPSED, **{"lead": 3.0, "swing": 1.0}}
    found = incidents(observations((WELL, 10), (both, 6)), [event(13, "finding", "imbalance")])
    assert [one.finding for one in found] == ["imbalance", NAME]


def test_the_gravest_comes_first() -> None:
    names = [UNHEALTHY_DATA, *dict.fromkeys(rule.name for rule in RULES), "something of another version"]
    several = [Incident(name, 0, 0, False, "", (), "") for name in names]
    assert gravest(reversed(several)) == several


def in_phases(first: list[Observation], second: list[Observation]) -> list[Observation]:
    """Looks of two phases, the second after the boundary."""
    return [*first, *(replace(observation, phase=1) for observation in second)]


BEGINS = {"samples": 16_500, "kind": PHASE, "said": "The phase pretraining ends after 16,500 samples; contest begins."}


def test_rules_are_asked_in_each_phase_anew() -> None:
    """Its first looks are not judged, and what ailed the phase before does not last."""
    every = observations((WELL, 10), (COLLAPSED, 16))
    found = replayed(in_phases(every[:16], every[16:]))
    assert spans(found) == [(NAME, 13, 16, False), (NAME, 24, 26, True)]
    assert spans(replayed(in_phases(every[:16], every[16:20]))) == [(NAME, 13, 16, False)]


def test_an_ailment_ends_with_its_phase_and_its_trial_is_not_judged() -> None:
    every = observations((WELL, 10), (COLLAPSED, 16))
    events = [event(13, "finding"), event(13, "remedy"), BEGINS, event(24, "finding")]
    first, second = incidents(in_phases(every[:16], every[16:]), events)
    assert spans([first, second]) == [(NAME, 13, 16, False), (NAME, 24, 26, True)]
    assert (first.outcome, first.phase_end, second.outcome, second.phase_end) == (CUT_SHORT, 16_500, UNDONE, None)


@pytest.mark.parametrize("said", [True, False])
def test_what_was_seen_last_does_not_last_where_nobody_watches_the_next_phase(said: bool) -> None:
    (one,) = incidents(observations((WELL, 10), (COLLAPSED, 6)), [*[event(13, "finding")] * said, BEGINS])
    assert spans([one]) == [(NAME, 13, 16, False)]


def test_data_stays_unhealthy_in_every_phase() -> None:
    (one,) = incidents(observations((WELL, 20)), [event(0, "finding", UNHEALTHY_DATA), BEGINS])
    assert one.lasts and one.phase_end is None


def test_a_phase_that_a_killed_run_had_seen_begin_is_told_once() -> None:
    again = {"samples": 12_000, "kind": "resumed", "said": ""}
    assert [one["kind"] for one in surviving([BEGINS, again, BEGINS])] == ["resumed", PHASE]
