"""Diagnoses of runs with every kind of end."""

import fcntl
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from PIL import Image

import sparring
from sparring.api.diagnose import diagnose
from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.events import (
    AnyEvent,
    BestRestored,
    BudgetChanged,
    CheckpointNotSaved,
    FindingReported,
    Finished,
    GoalReached,
    PhaseBegun,
    RemedyApplied,
    RemedyJudged,
    Resumed,
    UpdateSkipped,
)
from sparring.report.diagnosis import Diagnosis, RunHistory
from sparring.report.page import Picture, Report, page
from sparring.runs.budget import NOT_USED
from sparring.runs.folder import Record, Run, create, keep, versions
from sparring.storage import append_line, write_json, write_text
from sparring.watchdog.convergence import improvement_of
from sparring.watchdog.rules import FINDINGS, fitting_advice

FACTS = Facts("digits", "images", 100, (1, 8, 8), "0" * 64)
HEALTHY = {
    "lead": 0.8,
    "overlap": 0.3,
    "swing": 0.02,
    "refused": 0.0,
    "diversity": 1.0,
    "contrast": 1.0,
    "moved": 0.3,
    "coverage": 0.7,
    "held-out gap": 0.1,
    "generator gradient": 1.0,
    "nearer to training": 0.5,
}
COLLAPSED = {**HEALTHY, "diversity": 0.2, "coverage": 0.1}
COUNT = 40


def written(folder: Path, observations: list[dict[str, float]], events: Sequence[AnyEvent] = (), **choices: Any) -> Run:
    """A run folder with an observation every 1,000 samples."""
    values: dict[str, Any] = {"samples": 1000 * COUNT, "minutes": None, "until": None, "micro_batch": None}
    recipe = {"recipe": "images/r3gan", "choices": {}, "facts": FACTS, "seed": 0, "device": "cpu"}
    run = create(folder, Record(**{**recipe, **values, "versions": versions(), **choices}))
    for number, values in enumerate(observations, start=1):
        append_line(run.folder / "signals.jsonl", {"step": 100 * number, "samples": 1000 * number, **values})
        append_line(run.folder / "log.jsonl", {"samples": 1000 * number, "controls": {"gamma": 1.0 / number}})
    for event in events:
        append_line(run.folder / "events.jsonl", event.model_dump(mode="json"))
    return run


def falling(count: int) -> list[dict[str, float]]:
    """Healthy observations whose distance falls all the time."""
    return [{**HEALTHY, "distance": 1 / number} for number in range(1, count + 1)]


def found(at: int, name: str = "mode collapse", **fields: Any) -> FindingReported:
    evidence, text = ("diversity 0.2 (healthy: above 0.5)",), "different latents give nearly the same samples."
    known = {"explanation": text, "evidence": evidence, "advice": "Take R1.", **fields}
    return FindingReported(samples=1000 * at, step=100 * at, finding=name, **known)


def remedy(at: int, back: int | None = None) -> RemedyApplied:
    """A remedy against mode collapse, with a rollback to ``back`` thousand samples."""
    target, text = None if back is None else 1000 * back, "learning rates × 1/4"
    return RemedyApplied(samples=1000 * at, step=100 * at, finding="mode collapse", remedy=text, rolled_back_to=target)


def judged(at: int, outcome: Any) -> RemedyJudged:
    return RemedyJudged(samples=1000 * at, finding="mode collapse", remedy="learning rates × 1/4", outcome=outcome)


FINISHED = Finished(samples=1000 * COUNT, seconds=60.0)
PHASE = PhaseBegun(samples=16_500, number=1, name="contest", ended="pretraining")


def finish(run: Run) -> Run:
    write_text(run.report, "")
    return run


def test_a_healthy_run_has_no_open_problems(tmp_path: Path) -> None:
    diagnosis = diagnose(finish(written(tmp_path / "run", falling(COUNT), [FINISHED])).folder)
    assert diagnosis.verdict == "No open problems." and not diagnosis.incidents and not diagnosis.open_problems
    assert diagnosis.state == "The run is finished: 40,000 real samples were seen."
    assert diagnosis.improvement.stopped is False and "still improving" in diagnosis.text
    assert f"sparring resume {tmp_path / 'run'} --samples 80000" in diagnosis.text


def test_a_run_that_trains_on_with_a_larger_budget_is_not_finished(tmp_path: Path) -> None:
    """Its old report stays while it trains; what happened at the end of the old budget is over."""
    numbers = {"samples_before": 40_000, "minutes_before": None, "minutes_now": None}
    changed = BudgetChanged(samples=40_000, samples_now=80_000, **numbers)
    ends = [BestRestored(samples=40_000, best=32_000), FINISHED, changed]
    run = finish(written(tmp_path / "run", falling(COUNT), ends))
    keep(run, replace(run.record, samples=80_000))
    assert diagnose(run.folder).state.startswith("The run was interrupted")
    append_line(run.folder / "events.jsonl", Finished(samples=80_000, seconds=1.0).model_dump(mode="json"))
    state = diagnose(run.folder).state
    assert state.startswith("The run is finished") and "32,000" not in state


def test_goal_and_restored_average_are_part_of_the_state(tmp_path: Path) -> None:
    ends = [GoalReached(samples=40_000, goal="fd < 0.4"), BestRestored(samples=40_000, best=32_000)]
    diagnosis = diagnose(finish(written(tmp_path / "run", falling(COUNT), [*ends, FINISHED])).folder)
    assert diagnosis.state.endswith(f"were seen. {ends[0].sentence} {ends[1].sentence}")


def test_a_solved_collapse_is_no_open_problem(tmp_path: Path) -> None:
    """Found at the 20th observation, rolled back to the 8th; the observations between them are no longer there."""
    events = [found(20), remedy(20, back=8), judged(18, "helped"), FINISHED]
    diagnosis = diagnose(finish(written(tmp_path / "run", falling(COUNT), events)).folder)
    (one,) = diagnosis.incidents
    assert diagnosis.verdict == "No open problems (mode collapse: remedy helped)." and not diagnosis.open_problems
    assert (one.finding, one.start, one.outcome, one.active) == ("mode collapse", 20_000, "helped", False)
    treatment = one.treatments[0]
    assert (treatment.samples, treatment.rolled_back_to, one.solved_at) == (20_000, 8_000, 18_000)
    assert one.explanation == "different latents give nearly the same samples."
    done = "learning rates × 1/4, rolled back to 8,000 samples; helped (judged at 18,000 samples)"
    assert f"Remedy at 20,000 samples: {done}." in diagnosis.text
    assert "Advice" not in diagnosis.text


def test_a_collapse_without_a_helpful_remedy_is_an_open_problem(tmp_path: Path) -> None:
    observations = [*falling(13), *[{**COLLAPSED, "distance": 0.5}] * (COUNT - 13)]
    events = [found(16), remedy(16), judged(26, "did not help"), found(26)]
    diagnosis = diagnose(finish(written(tmp_path / "run", observations, [*events, FINISHED])).folder)
    (one,) = diagnosis.incidents
    assert diagnosis.verdict == "Open problems: mode collapse since 40 % of the run (remedy did not help)."
    assert (one.start, one.end, one.active, one.outcome) == (16_000, 40_000, True, "did not help")
    assert diagnosis.open_problems
    assert diagnosis.next_steps[0] == "Take R1." and "Advice: Take R1." in diagnosis.text
    assert "It was better earlier" in diagnosis.improvement.sentence


def test_a_remedy_that_helped_in_part_leaves_an_open_problem(tmp_path: Path) -> None:
    observations = [
        *falling(13),
        *[{**COLLAPSED, "distance": 0.5}] * 10,
        *[{**COLLAPSED, "distance": 0.2}] * (COUNT - 23),
    ]
    events = [found(16), remedy(16), judged(26, "helped in part"), found(26), FINISHED]
    diagnosis = diagnose(finish(written(tmp_path / "run", observations, events)).folder)
    (one,) = diagnosis.incidents
    assert (one.start, one.end, one.active, one.solved_at) == (16_000, 40_000, True, None)
    assert "since 40 % of the run (remedy helped in part)" in diagnosis.verdict
    assert "nothing" not in diagnosis.verdict.lower()
    assert "helped in part (judged at 26,000 samples)" in diagnosis.text


def test_a_remedy_on_trial_is_not_judged_yet(tmp_path: Path) -> None:
    observations = [*falling(13), *[{**COLLAPSED, "distance": 0.5}] * 7]
    diagnosis = diagnose(written(tmp_path / "run", observations, [found(16), remedy(16)]).folder)
    assert diagnosis.verdict.endswith("mode collapse since 40 % of the run (remedy not judged yet).")
    assert "learning rates × 1/4; not judged yet." in diagnosis.text
    back = [found(20), remedy(20, back=8)]
    verdict = diagnose(written(tmp_path / "back", falling(12), back).folder).verdict
    assert verdict == "Undecided (mode collapse: remedy not judged yet)."


def test_rules_are_replayed_where_nothing_was_reported(tmp_path: Path) -> None:
    """Two incidents, because the pause is longer than the report interval."""
    observations = falling(10) + [COLLAPSED] * 5 + falling(15) + [COLLAPSED] * 5 + falling(5)
    run = written(tmp_path / "run", observations, watchdog="warn")
    diagnosis = diagnose(run.folder)
    assert [(one.start, one.end, one.outcome) for one in diagnosis.incidents] == [
        (13_000, 15_000, "nothing was done"),
        (33_000, 35_000, "nothing was done"),
    ]
    assert diagnosis.verdict == "No open problems (mode collapse: passed by itself)."
    assert "Nothing was reported during the run" in diagnosis.text and diagnosis.incidents[0].evidence
    reported = diagnose(written(tmp_path / "reported", observations, [found(13), found(33)]).folder)
    assert [one.end for one in reported.incidents] == [15_000, 35_000]


def test_incidents_of_an_abandoned_course_are_marked(tmp_path: Path) -> None:
    events = [found(18, "oscillation"), found(20), remedy(20, back=8), judged(18, "helped")]
    diagnosis = diagnose(written(tmp_path / "run", falling(COUNT), events).folder)
    assert [one.abandoned for one in diagnosis.incidents] == [True, False]
    assert "oscillation: undone by a rollback" in diagnosis.verdict
    assert "Nothing was done: undone by a rollback." in diagnosis.text


def test_every_fault_of_the_data_is_an_incident(tmp_path: Path) -> None:
    faults = ("many copies.", "one class.", "many copies.")
    data = [found(0, "unhealthy data", explanation=fault, advice="") for fault in faults]
    diagnosis = diagnose(written(tmp_path / "run", falling(COUNT), data).folder)
    assert [one.explanation for one in diagnosis.incidents] == ["many copies.", "one class."]
    assert diagnosis.verdict == "Open problems: unhealthy data." and diagnosis.open_problems
    early = diagnose(written(tmp_path / "early", falling(3), data).folder)
    assert early.verdict.startswith("Open problems: unhealthy data. Too little is known to judge the training: ")


def test_events_of_a_killed_run_are_not_counted_twice(tmp_path: Path) -> None:
    observations = [*falling(13), *[{**COLLAPSED, "distance": 0.5}] * 7]
    once = [found(16), remedy(16)]
    events = [*once, Resumed(samples=12_000), *once]
    (one,) = diagnose(written(tmp_path / "run", observations, events).folder).incidents
    assert len(one.treatments) == 1


def test_without_a_watchdog_the_last_figures_are_shown(tmp_path: Path) -> None:
    skipped = UpdateSkipped(samples=500, step=5, turn="generator", quantity="gradient")
    run = written(tmp_path / "run", [], [skipped], watchdog="off")
    gradients = {"generator": 2.0, "discriminator": 3.0}
    append_line(run.folder / "log.jsonl", {"samples": 1000, "gradients": {"generator": 2.0}})
    last = {"samples": 2000, "notes": {"discriminator": {"lead": 0.7}}, "gradients": gradients}
    append_line(run.folder / "log.jsonl", last)
    diagnosis = diagnose(run.folder)
    assert "the watchdog was off" in diagnosis.verdict and not diagnosis.incidents
    assert "lead of the discriminator 0.7" in diagnosis.text
    assert "Updates that were skipped because they were infinite or not a number: 1." in diagnosis.text
    assert "not finite: 1 of 2" in diagnosis.text and "--watchdog warn" in diagnosis.next_steps[-1]
    assert RunHistory(run).picture() is None
    with pytest.raises(SparringError, match="no signals"):
        diagnose(run.folder, picture=tmp_path / "picture.png")


def test_a_short_run_is_advised_to_train_longer_where_the_watchdog_was_on(tmp_path: Path) -> None:
    choices: Any = {"batch": {"value": 32, "reason": "given"}}
    run = written(tmp_path / "run", [], [Finished(samples=128, seconds=1)], choices=choices)
    append_line(run.folder / "log.jsonl", {"samples": 128})
    write_text(run.report, "")
    steps = diagnose(run.folder).next_steps
    assert steps[-1].endswith(
        f"sparring resume {run.folder} --samples {12 * 64 * 32}"
    ) and "--watchdog" not in " ".join(steps)
    with pytest.raises(SparringError, match="has not reached its first observation"):
        diagnose(run.folder, picture=tmp_path / "picture.png")


def test_the_state_says_how_far_the_run_came(tmp_path: Path) -> None:
    begun = written(tmp_path / "begun", [])
    assert "has not begun" in diagnose(begun.folder).state
    assert "the watchdog has made no observations" in diagnose(begun.folder).verdict

    early = diagnose(written(tmp_path / "early", falling(5)).folder)
    assert "the first 5 observations are not judged, and this run has 5" in early.verdict

    half = written(tmp_path / "half", falling(20))
    assert "interrupted: 20,000 of 40,000 real samples were seen (50 %)" in diagnose(half.folder).state
    assert f"sparring resume {half.folder}" in diagnose(half.folder).next_steps
    with (half.folder / "lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        diagnosis = diagnose(half.folder)
        assert "still going" in diagnosis.state and not any("resume" in step for step in diagnosis.next_steps)

    timed = written(tmp_path / "timed", falling(20), samples=None, minutes=10.0)
    assert "in some of 10 minutes" in diagnose(timed.folder).state
    (timed.checkpoints / "000020000").mkdir()
    write_json(timed.checkpoints / "000020000" / "state.json", {"seconds": 246.0})
    assert "in about 4.1 of 10 minutes" in diagnose(timed.folder).state
    assert "not evaluated yet" in diagnose(written(tmp_path / "trained", falling(COUNT)).folder).state


def test_a_run_that_gave_up_has_an_open_problem(tmp_path: Path) -> None:
    skipped = [UpdateSkipped(samples=3000, step=30, turn="generator", quantity="gradient")] * 5
    diagnosis = diagnose(written(tmp_path / "warned", falling(3), skipped).folder)
    assert "gave up, because updates were not finite" in diagnosis.state and diagnosis.open_problems
    assert diagnosis.verdict == "Open problems: non-finite numbers since 8 % of the run (nothing was done)."
    assert "--precision float32" in diagnosis.next_steps[0]
    report = found(3, "non-finite numbers", explanation="", evidence=("5 in a row",))
    repaired = diagnose(written(tmp_path / "repaired", falling(3), [*skipped, report]).folder)
    assert "gave up" in repaired.state and len(repaired.incidents) == 1 and repaired.open_problems
    resumed = [*skipped, Resumed(samples=0)]
    assert "interrupted" in diagnose(written(tmp_path / "resumed", falling(3), resumed).folder).state
    full = written(tmp_path / "full", falling(3), [CheckpointNotSaved(samples=3000, error="full")])
    assert "a checkpoint could not be written" in diagnose(full.folder).state


def test_improvement_is_that_of_the_observations(tmp_path: Path) -> None:
    """As a share of the planned samples, or of those that were seen where the run is over."""
    observations = [{**HEALTHY, "distance": max(0.1, 1 - number / 10) + 0.01 * (number % 2)} for number in range(20)]
    run = written(tmp_path / "run", observations)
    for total, since in ((1000 * COUNT, "30 %"), (20_000, "60 %")):
        diagnosis = diagnose(run.folder)
        assert diagnosis.improvement == improvement_of(RunHistory(run).observations, total)
        assert diagnosis.improvement.stopped and diagnosis.improvement.since == 12_000
        assert f"since {since} of the run" in diagnosis.text
        finish(run)


def test_damaged_lines_are_passed_over(tmp_path: Path) -> None:
    run = written(tmp_path / "run", falling(COUNT), [FINISHED])
    append_line(run.folder / "log.jsonl", {"samples": 41_000})
    for name in ("signals.jsonl", "events.jsonl", "log.jsonl"):
        with (run.folder / name).open("ab") as file:
            file.write(b'12\n{"samples": "many"}\n{"samples": 41000, "step": null}\n\xff\xfe\x00\n{"samp')
    diagnosis = diagnose(run.folder)
    assert diagnosis.verdict == "No open problems." and diagnosis.reached == 41_000


def test_json_and_picture_are_written_on_request(tmp_path: Path) -> None:
    run = written(tmp_path / "run", falling(COUNT), [found(20), FINISHED])
    diagnosis = sparring.diagnose(str(run.folder), picture=tmp_path / "a.png", json=tmp_path / "a.json")
    content = json.loads((tmp_path / "a.json").read_text())
    jsonschema.validate(content, Diagnosis.model_json_schema(mode="serialization"))
    assert Diagnosis.model_validate(content) == diagnosis and content["format"] == 2
    (incident,) = content["incidents"]
    assert [incident["start"], incident["end"], content["total"]] == [20_000, 20_000, 40_000]
    assert incident["outcome"] == "nothing was done" and content["improvement"]["stopped"] is False
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width > 800


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SparringError, match=r"no recipe\.json"):
        diagnose(tmp_path)


def test_the_report_has_a_section_on_training(tmp_path: Path) -> None:
    wild = "<b>&"
    run = finish(written(tmp_path / "run", [{**COLLAPSED, "distance": 0.1}] * COUNT, [found(13), FINISHED]))
    whole = diagnose(run.folder).model_copy(update={"verdict": wild, "open_problems": True})
    text = page(Report("title", [], [], diagnosis=whole, signals=Picture(b"", wild, wild)))
    assert '<p class="flag">&lt;b&gt;&amp;</p>' in text and "<h3>Mode collapse, at " in text
    assert re.findall("<h2>(.*)</h2>", text) == ["How the training went"] and text.count("<figure") == 1
    assert "<h2>" not in page(Report("title", [], [], diagnosis=whole.model_copy(update={"incidents": ()})))


def test_incidents_of_two_phases_are_separate(tmp_path: Path) -> None:
    """A collapse in pretraining, with a remedy on trial when the contest began."""
    observations = [*[{**HEALTHY, "distance": 0.1}] * 10, *[{**COLLAPSED, "distance": 0.1}] * 6]
    observations += [{**values, "phase": 1} for values in falling(COUNT - 16)]
    run = finish(written(tmp_path / "run", observations, [found(13), remedy(13), PHASE, FINISHED]))
    diagnosis = diagnose(run.folder, picture=tmp_path / "picture.png")
    assert not diagnosis.open_problems
    assert "(mode collapse: remedy not judged before the phase ended)" in diagnosis.verdict
    assert PHASE.sentence in diagnosis.text and "1/4; not judged before the phase ended." in diagnosis.text
    assert diagnosis.improvement.stopped is False and (tmp_path / "picture.png").exists()
    assert diagnosis.incidents[0].end == 16_000 and "phase" not in RunHistory(run).observations[-1].values


def test_an_untreated_incident_ends_with_its_phase(tmp_path: Path) -> None:
    observations = [*falling(10), *[{**COLLAPSED, "distance": 0.1}] * 6]
    diagnosis = diagnose(finish(written(tmp_path / "run", observations, [found(13), PHASE, FINISHED])).folder)
    assert not diagnosis.open_problems and "mode collapse: ended with its phase" in diagnosis.verdict
    assert "Nothing was done: ended with its phase." in diagnosis.text and diagnosis.improvement.stopped is None


def test_the_verdict_of_a_run_ends_with_the_command_that_trains_longer(tmp_path: Path) -> None:
    run = written(tmp_path / "run", [], [Finished(samples=400, seconds=400)], samples=400)
    append_line(run.folder / "log.jsonl", {"samples": 400})
    write_text(run.report, "")
    history = RunHistory(run)
    assert history.advice is not None and history.diagnosis().longer == history.prospect
    sentence, command = history.prospect
    assert sentence.startswith("Train longer: ") and " more:" in sentence
    assert command == history.longer and command.startswith(f"sparring resume {run.folder} --samples ")
    text = history.diagnosis().text
    assert f"{sentence}\n  {command}\n" in text and text.count(command) == 1


def test_a_picture_that_was_just_drawn_is_not_advised(tmp_path: Path) -> None:
    run = finish(written(tmp_path / "run", falling(COUNT), [FINISHED]))
    picture = tmp_path / "signals.png"
    assert "--picture signals.png" in diagnose(run.folder).text
    assert "--picture" not in diagnose(run.folder, picture=picture).text and picture.exists()


def test_a_run_given_minutes_is_told_minutes_and_the_budget_of_its_recipe(tmp_path: Path) -> None:
    planned = {"samples": {"value": 40_000, "reason": NOT_USED}}
    ended = [Finished(samples=400, seconds=70)]
    run = written(tmp_path / "run", [], ended, samples=None, minutes=1, choices=planned)
    append_line(run.folder / "log.jsonl", {"samples": 400})
    write_text(run.report, "")
    sentence, command = RunHistory(run).prospect
    assert sentence.endswith(" more (the recipe's own budget is 40,000 samples, 100 times as many):")
    assert command.startswith(f"sparring resume {run.folder} --minutes ") and float(command.split()[-1]) >= 140 / 60


def test_gamma_is_not_advised_to_be_found_where_it_was() -> None:
    _, advice = FINDINGS["imbalance"]
    assert "--gamma auto" in fitting_advice(advice, {"gamma": 1.0})
    assert fitting_advice(advice, {"gamma": "auto"}).startswith("Make the generator wider or")
    assert all("gamma auto" not in fitting_advice(advice, {"gamma": "auto"}) for _, advice in FINDINGS.values())
