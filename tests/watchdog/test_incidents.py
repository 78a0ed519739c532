"""Incidents, from observations and from events."""

from dataclasses import replace
from typing import Any

import pytest

from sparring.events import AnyEvent, FindingReported, PhaseBegun, RemedyApplied, RemedyJudged, Resumed
from sparring.watchdog.data import UNHEALTHY_DATA
from sparring.watchdog.incidents import Incident, Outcome, Treatment, by_severity, incidents, replay, surviving
from sparring.watchdog.rules import FINDINGS, REPORT_INTERVAL
from sparring.watchdog.signals import Observation

FINE = {"diversity": 1.0, "coverage": 0.7, "distance": 0.02, "moved": 0.2}
WELL = {**FINE, "lead": 0.8, "swing": 0.02, "paired": 1.0}
COLLAPSED = {**WELL, "diversity": 0.1, "coverage": 0.1}
ROUGH = {**WELL, "lead": 3.0, "swing": 1.0}
NAME = "mode collapse"


def observations(*stretches: tuple[dict[str, float], int]) -> list[Observation]:
    """Observations every 1,000 samples: each of these signals so many times in a row."""
    values = [one for value, count in stretches for one in [value] * count]
    return [Observation(100 * place, 1000 * place, one) for place, one in enumerate(values, start=1)]


def finding(at: int, name: str = NAME, **fields: Any) -> FindingReported:
    return FindingReported(samples=1000 * at, step=100 * at, finding=name, **{"explanation": "", **fields})


def remedy(at: int, text: str = "", back: int | None = None) -> RemedyApplied:
    """A remedy against mode collapse, with a rollback to ``back`` thousand samples."""
    target = None if back is None else 1000 * back
    return RemedyApplied(samples=1000 * at, step=100 * at, finding=NAME, remedy=text, rolled_back_to=target)


def judged(at: int, outcome: Any) -> RemedyJudged:
    return RemedyJudged(samples=1000 * at, finding=NAME, remedy="", outcome=outcome)


def spans(found: list[Incident]) -> list[tuple[str, int, int, bool]]:
    return [(one.finding, one.start // 1000, one.end // 1000, one.active) for one in found]


def test_replay_finds_when_each_rule_held() -> None:
    """A finding starts at the third observation, and ends at the last at which the rule held."""
    found = replay(observations((WELL, 10), (COLLAPSED, 6), (WELL, 20), (ROUGH, 5)))
    assert spans(found) == [(NAME, 13, 16, False), ("imbalance", 39, 41, True)]
    assert all(one.explanation and one.advice and one.evidence and one.outcome == Outcome.UNTREATED for one in found)


@pytest.mark.parametrize(("pause", "count"), [(REPORT_INTERVAL - 4, 1), (REPORT_INTERVAL + 4, 2)])
def test_pauses_as_long_as_the_report_interval_separate_incidents(pause: int, count: int) -> None:
    found = replay(observations((WELL, 10), (COLLAPSED, 4), (WELL, pause), (COLLAPSED, 4)))
    assert len(found) == count and found[-1].active


def test_healthy_observations_have_no_incidents() -> None:
    assert not replay(observations((WELL, 40)))
    assert not incidents(observations((WELL, 40)), []) and not incidents([], [])


def test_events_of_a_killed_run_after_its_checkpoint_are_left_out() -> None:
    events = [finding(at) for at in (3, 8, 9)]
    again = Resumed(samples=5000)
    assert surviving([*events, again, events[1]]) == [events[0], again, events[1]]
    assert surviving(events) == events


def test_a_remedy_that_rolled_the_run_back_survives_a_resumption_from_there() -> None:
    """The state after it, from which the run was resumed, has fewer samples than the state before it."""
    events: list[AnyEvent] = [finding(20), remedy(20, back=8), finding(12)]
    again = Resumed(samples=8000)
    assert surviving([*events, again]) == [*events[:2], again]


def test_reports_and_remedies_become_an_incident_with_its_outcome() -> None:
    """Found, treated in vain, treated again with a rollback, and solved."""
    seen = observations((WELL, 10), (COLLAPSED, 4), (WELL, 30))
    events: list[AnyEvent] = [
        finding(13, explanation="it is one.", evidence=("seen",), advice="Rest."),
        remedy(13, "tea"),
        judged(19, "did not help"),
        finding(19),
        remedy(19, "soup", back=8),
        judged(14, "helped"),
    ]
    (one,) = incidents(seen, events)
    assert (one.finding, one.explanation, one.evidence, one.advice) == (NAME, "it is one.", ("seen",), "Rest.")
    assert one.treatments == [
        Treatment(remedy="tea", samples=13_000, outcome=Outcome.FAILED, judged_at=19_000),
        Treatment(remedy="soup", samples=19_000, rolled_back_to=8_000, outcome=Outcome.HELPED, judged_at=14_000),
    ]
    assert (one.outcome, one.solved_at, one.earliest, one.active) == (Outcome.HELPED, 14_000, 8_000, False)
    assert one.summary == "remedy 2 helped"


def test_an_incident_continues_after_a_remedy_that_helped_in_part() -> None:
    """One incident, from its start to its end, with all its remedies."""
    seen = observations((WELL, 10), (COLLAPSED, 30))
    events: list[AnyEvent] = [finding(13), remedy(13), judged(19, "helped in part"), finding(19)]
    (one,) = incidents(seen, events)
    assert (one.start, one.end, one.active, one.outcome, one.solved_at) == (13_000, 40_000, True, Outcome.PARTLY, None)
    (more,) = incidents(seen, [*events, remedy(19), judged(25, "did not help")])
    assert [treatment.outcome for treatment in more.treatments] == [Outcome.PARTLY, Outcome.FAILED]
    assert more.start == 13_000


def test_a_remedy_on_trial_is_not_judged_yet() -> None:
    (one,) = incidents(observations((WELL, 10), (COLLAPSED, 5)), [finding(13), remedy(13)])
    assert (one.outcome, one.solved_at, one.active) == (Outcome.PENDING, None, True)
    assert one.summary == "remedy not judged yet"


def test_a_relapse_after_a_solution_is_another_incident() -> None:
    events = [finding(13), remedy(13), judged(19, "helped"), finding(33)]
    found = incidents(observations((WELL, 10), (COLLAPSED, 4), (WELL, 16), (COLLAPSED, 6), (WELL, 4)), events)
    assert [(one.outcome, one.start) for one in found] == [(Outcome.HELPED, 13_000), (Outcome.UNTREATED, 33_000)]
    assert not found[1].active and found[1].summary == "passed by itself"


def test_a_rollback_abandons_the_incidents_of_the_course_before() -> None:
    events = [finding(14, "imbalance"), finding(16), remedy(16, back=8), judged(14, "helped")]
    found = incidents(observations((WELL, 30)), events)
    assert [(one.finding, one.abandoned) for one in found] == [("imbalance", True), (NAME, False)]


def test_a_rollback_after_a_ruinous_remedy_abandons_incidents_too() -> None:
    back = RemedyJudged(samples=17_000, finding=NAME, remedy="", outcome="did not help", rolled_back_to=13_000)
    found = incidents(observations((WELL, 30)), [finding(13), remedy(13), finding(16, "divergence"), back])
    assert [(one.finding, one.abandoned) for one in found] == [(NAME, False), ("divergence", True)]


def test_unreported_incidents_come_after_reported_ones() -> None:
    both = {**COLLAPSED, **{"lead": 3.0, "swing": 1.0}}
    found = incidents(observations((WELL, 10), (both, 6)), [finding(13, "imbalance")])
    assert [one.finding for one in found] == ["imbalance", NAME]


def test_the_most_severe_incident_comes_first() -> None:
    names = [UNHEALTHY_DATA, *FINDINGS, "something of another version"]
    several = [Incident(finding=name, start=0, end=0, explanation="") for name in names]
    assert by_severity(reversed(several)) == several


def in_phases(first: list[Observation], second: list[Observation]) -> list[Observation]:
    """Observations of two phases, the second after the boundary."""
    return [*first, *(replace(observation, phase=1) for observation in second)]


BEGINS = PhaseBegun(samples=16_500, number=1, name="contest", ended="pretraining")


def test_rules_are_replayed_in_each_phase_afresh() -> None:
    """Its first observations are ignored, and findings of the phase before are not active."""
    every = observations((WELL, 10), (COLLAPSED, 16))
    found = replay(in_phases(every[:16], every[16:]))
    assert spans(found) == [(NAME, 13, 16, False), (NAME, 24, 26, True)]
    assert spans(replay(in_phases(every[:16], every[16:20]))) == [(NAME, 13, 16, False)]


def test_an_incident_ends_with_its_phase_and_its_remedy_is_not_judged() -> None:
    every = observations((WELL, 10), (COLLAPSED, 16))
    events = [finding(13), remedy(13), BEGINS, finding(24)]
    first, second = incidents(in_phases(every[:16], every[16:]), events)
    assert spans([first, second]) == [(NAME, 13, 16, False), (NAME, 24, 26, True)]
    assert (first.outcome, first.phase_end) == (Outcome.UNJUDGED, 16_500)
    assert (second.outcome, second.phase_end) == (Outcome.UNTREATED, None)


@pytest.mark.parametrize("reported", [True, False])
def test_no_finding_is_active_after_its_phase_if_the_next_one_is_not_watched(reported: bool) -> None:
    (one,) = incidents(observations((WELL, 10), (COLLAPSED, 6)), [*[finding(13)] * reported, BEGINS])
    assert spans([one]) == [(NAME, 13, 16, False)]


def test_faults_of_the_data_last_through_all_phases() -> None:
    (one,) = incidents(observations((WELL, 20)), [finding(0, UNHEALTHY_DATA), BEGINS])
    assert one.active and one.phase_end is None


def test_a_phase_that_a_killed_run_had_begun_is_counted_once() -> None:
    again = Resumed(samples=12_000)
    assert surviving([BEGINS, again, BEGINS]) == [again, BEGINS]
