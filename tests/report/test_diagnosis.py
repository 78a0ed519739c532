"""What is said of made-up runs, of every kind of end."""

import fcntl
import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import sparring
from sparring.api.diagnose import diagnose
from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.report.diagnosis import Traces
from sparring.report.page import Picture, Report, Training, page
from sparring.runs.folder import Record, Run, create, versions
from sparring.storage import append_line, write_json, write_text
from sparring.watchdog.convergence import improvement_of

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
LOOKS = 40


def made(folder: Path, observations: list[dict[str, float]], events: list[dict[str, Any]] = [], **choices: Any) -> Run:  # noqa: B006
    """A run folder of looks every 1,000 samples."""
    values: dict[str, Any] = {"samples": 1000 * LOOKS, "minutes": None, "until": None, "micro_batch": None}
    recipe = {"recipe": "images/r3gan", "choices": {}, "facts": FACTS, "seed": 0, "device": "cpu"}
    run = create(folder, Record(**{**recipe, **values, "versions": versions(), **choices}))
    for number, values in enumerate(observations, start=1):
        append_line(run.folder / "signals.jsonl", {"step": 100 * number, "samples": 1000 * number, **values})
        append_line(run.folder / "log.jsonl", {"samples": 1000 * number, "dial: strength": 1.0 / number})
    for event in events:
        append_line(run.folder / "events.jsonl", {"time": 0.0, "said": "", **event})
    return run


def falling(count: int) -> list[dict[str, float]]:
    """Healthy looks, the distance falling all the time."""
    return [{**HEALTHY, "distance": 1 / number} for number in range(1, count + 1)]


def collapse(at: int, kind: str, samples: int | None = None, **facts: Any) -> dict[str, Any]:
    said = {
        "finding": "Mode collapse: different noise gives nearly the same samples. (diversity 0.2 (healthy: above 0.5))",
        "remedy": "Against mode collapse: rates to a quarter; the run goes on from step 5.",
    }.get(kind, kind)
    seen = {"evidence": ["diversity 0.2 (healthy: above 0.5)"], "advice": "Take R1."} if kind == "finding" else {}
    return {"samples": 1000 * at, "kind": kind, "said": said, "finding": "mode collapse", **seen, **facts}


FINISHED = {"samples": 1000 * LOOKS, "kind": "finished", "said": "Trained."}


def finish(run: Run) -> Run:
    write_text(run.report, "")
    return run


def test_nothing_ails_a_healthy_run(tmp_path: Path) -> None:
    found = diagnose(finish(made(tmp_path / "run", falling(LOOKS), [FINISHED])).folder)
    assert found.verdict == "Nothing ails this run." and not found.incidents and not found.ails
    assert found.state == "It is finished: 40,000 real samples were seen."
    assert found.improvement.stopped is False and "still improved" in found.words()
    assert "sparring train digits --samples 80000" in found.words()


def test_a_collapse_that_was_mended(tmp_path: Path) -> None:
    """Found at the 20th look, gone back to the 8th; what was seen between them is no longer in the signals."""
    events = [collapse(20, "finding"), collapse(8, "remedy", step=2000), collapse(18, "helped"), FINISHED]
    found = diagnose(finish(made(tmp_path / "run", falling(LOOKS), events)).folder)
    (one,) = found.incidents
    assert found.verdict == "Nothing ails this run any more (mode collapse: mended)." and not found.ails
    assert (one.finding, one.start, one.outcome, one.lasts) == ("mode collapse", 20_000, "helped", False)
    assert (one.treatments[0].samples, one.treatments[0].back, one.mended) == (20_000, 8_000, 18_000)
    assert one.says == "different noise gives nearly the same samples."
    done = "rates to a quarter; the run goes on from step 5; it helped, as judged 10,000 samples later"
    assert f"Done at 20,000 samples: {done}." in found.words()
    assert "To try" not in found.words()


def test_a_collapse_that_nothing_helped_against(tmp_path: Path) -> None:
    observations = [*falling(13), *[{**COLLAPSED, "distance": 0.5}] * (LOOKS - 13)]
    events = [collapse(16, "finding"), collapse(16, "remedy"), collapse(26, "did not help"), collapse(26, "finding")]
    found = diagnose(finish(made(tmp_path / "run", observations, [*events, FINISHED])).folder)
    (one,) = found.incidents
    words = "The run suffered from mode collapse from 40 % of it to the end; nothing that was tried helped."
    assert found.verdict == words and found.ails
    assert (one.start, one.end, one.lasts, one.outcome) == (16_000, 40_000, True, "did not help")
    assert found.next_steps[0] == "Take R1." and "To try: Take R1." in found.words()
    assert "It was better before" in found.improvement.sentence


def test_a_collapse_that_something_helped_against_though_not_enough(tmp_path: Path) -> None:
    observations = [
        *falling(13),
        *[{**COLLAPSED, "distance": 0.5}] * 10,
        *[{**COLLAPSED, "distance": 0.2}] * (LOOKS - 23),
    ]
    told = "It helped against mode collapse, though not enough: rates to a quarter."
    helped = collapse(26, "helped", said=told, mended=False)
    events = [collapse(16, "finding"), collapse(16, "remedy"), helped, collapse(26, "finding"), FINISHED]
    found = diagnose(finish(made(tmp_path / "run", observations, events)).folder)
    (one,) = found.incidents
    assert (one.start, one.end, one.lasts, one.mended) == (16_000, 40_000, True, None)
    assert "from 40 % of it to the end" in found.verdict and "nothing" not in found.verdict.lower()
    assert "not enough" in found.words()


def test_a_remedy_that_is_not_judged_yet(tmp_path: Path) -> None:
    observations = [*falling(13), *[{**COLLAPSED, "distance": 0.5}] * 7]
    found = diagnose(made(tmp_path / "run", observations, [collapse(16, "finding"), collapse(16, "remedy")]).folder)
    assert found.verdict.endswith("suffers from mode collapse since 40 % of it; what was tried last is not judged yet.")
    assert "whether it helped is not judged yet" in found.words()
    back = [collapse(20, "finding"), collapse(8, "remedy")]
    assert "not judged yet" in diagnose(made(tmp_path / "back", falling(12), back).folder).verdict


def test_where_nothing_was_said_the_rules_are_asked_again(tmp_path: Path) -> None:
    """Twice, because the pause is longer than the watchdog's silence."""
    observations = falling(10) + [COLLAPSED] * 5 + falling(15) + [COLLAPSED] * 5 + falling(5)
    run = made(tmp_path / "run", observations, watchdog="warn")
    found = diagnose(run.folder)
    assert [(one.start, one.end, one.outcome) for one in found.incidents] == [
        (13_000, 15_000, "nothing was done"),
        (33_000, 35_000, "nothing was done"),
    ]
    assert found.verdict == "Nothing ails this run any more (mode collapse: passed by itself)."
    assert "Nothing was said at the time" in found.words() and found.incidents[0].evidence
    said = [collapse(13, "finding"), collapse(33, "finding")]
    assert [one.end for one in diagnose(made(tmp_path / "said", observations, said).folder).incidents] == [
        15_000,
        35_000,
    ]


def test_what_another_remedy_left_behind(tmp_path: Path) -> None:
    other = {"finding": "oscillation", "evidence": [], "said": "Oscillation: it shakes. ()"}
    events = [collapse(18, "finding", **other), collapse(20, "finding"), collapse(8, "remedy"), collapse(18, "helped")]
    found = diagnose(made(tmp_path / "run", falling(LOOKS), events).folder)
    assert [one.left for one in found.incidents] == [True, False]
    assert "oscillation: left behind" in found.verdict and "went back to before it" in found.words()


def test_faults_of_the_data_are_all_told(tmp_path: Path) -> None:
    data = [
        {"samples": 0, "kind": "finding", "finding": "unhealthy data", "said": f"Unhealthy data: {fault}", "advice": ""}
        for fault in ("many copies.", "one class.", "many copies.")
    ]
    found = diagnose(made(tmp_path / "run", falling(LOOKS), data).folder)
    assert [one.says for one in found.incidents] == ["many copies.", "one class."]
    assert found.verdict == "Nothing ails this run but its data." and found.ails


def test_what_a_killed_run_had_said_is_not_told_twice(tmp_path: Path) -> None:
    observations = [*falling(13), *[{**COLLAPSED, "distance": 0.5}] * 7]
    once = [collapse(16, "finding"), collapse(16, "remedy")]
    events = [*once, {"samples": 12_000, "kind": "resumed"}, *once]
    (one,) = diagnose(made(tmp_path / "run", observations, events).folder).incidents
    assert len(one.treatments) == 1


def test_without_a_watchdog_figures_speak(tmp_path: Path) -> None:
    run = made(tmp_path / "run", [], [{"samples": 500, "kind": "refused"}], watchdog="off")
    figures = {"discriminator: lead": 0.7, "generator/gradient": 2.0, "discriminator/gradient": 3.0}
    append_line(run.folder / "log.jsonl", {"samples": 1000, "generator/gradient": 2.0})
    append_line(run.folder / "log.jsonl", {"samples": 2000, **figures})
    found = diagnose(run.folder)
    assert "nobody watched it (--watchdog off)" in found.verdict and not found.incidents
    assert "lead of the discriminator 0.7" in found.words() and "1 update came out" in found.words()
    assert "In 1 of 2 lines" in found.words() and "--watchdog warn" in found.next_steps[-1]
    assert Traces(run).picture() is None
    with pytest.raises(SparringError, match="no signals"):
        diagnose(run.folder, picture=tmp_path / "picture.png")


def test_how_far_it_came(tmp_path: Path) -> None:
    begun = made(tmp_path / "begun", [])
    assert "has not begun" in diagnose(begun.folder).state
    assert "the watchdog has not looked so far" in diagnose(begun.folder).verdict

    early = diagnose(made(tmp_path / "early", falling(5)).folder)
    assert "the first 5 looks are not judged, and there are only 5" in early.verdict

    half = made(tmp_path / "half", falling(20))
    assert "interrupted: 20,000 of 40,000 real samples were seen (50 %)" in diagnose(half.folder).state
    assert f"sparring resume {half.folder}" in diagnose(half.folder).next_steps
    with (half.folder / "lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = diagnose(half.folder)
        assert "still going" in found.state and not any("resume" in step for step in found.next_steps)

    timed = made(tmp_path / "timed", falling(20), samples=None, minutes=10.0)
    assert "in some of 10 minutes" in diagnose(timed.folder).state
    (timed.checkpoints / "000020000").mkdir()
    write_json(timed.checkpoints / "000020000" / "state.json", {"seconds": 246.0})
    assert "in about 4.1 of 10 minutes" in diagnose(timed.folder).state
    assert "not judged yet" in diagnose(made(tmp_path / "trained", falling(LOOKS)).folder).state


def test_giving_up(tmp_path: Path) -> None:
    refused = [{"samples": 3000, "kind": "refused"}] * 5
    found = diagnose(made(tmp_path / "warned", falling(3), refused).folder)
    assert "gave up, because numbers were not finite" in found.state and found.ails
    assert found.verdict == "The run suffered from non-finite numbers; nothing was done."
    said = {"samples": 3000, "kind": "finding", "finding": "non-finite numbers", "said": "", "evidence": ["5 in a row"]}
    assert "gave up" in diagnose(made(tmp_path / "repaired", falling(3), [*refused, said]).folder).state
    on = [*refused, {"samples": 0, "kind": "resumed"}]
    assert "interrupted" in diagnose(made(tmp_path / "resumed", falling(3), on).folder).state
    full = diagnose(made(tmp_path / "full", falling(3), [{"samples": 3000, "kind": "not saved"}]).folder)
    assert "a checkpoint could not be written" in full.state


def test_whether_it_still_improves_is_told_of_its_looks(tmp_path: Path) -> None:
    """By the share of what was planned, or of what was seen where the run is over."""
    observations = [{**HEALTHY, "distance": max(0.1, 1 - number / 10) + 0.01 * (number % 2)} for number in range(20)]
    run = made(tmp_path / "run", observations)
    for total, since in ((1000 * LOOKS, "30 %"), (20_000, "60 %")):
        found = diagnose(run.folder)
        assert found.improvement == improvement_of(Traces(run).observations, total) and found.improvement.stopped
        assert found.improvement.since == 12_000 and f"since {since} of the run" in found.words()
        finish(run)


def test_damaged_lines_are_passed_over(tmp_path: Path) -> None:
    run = made(tmp_path / "run", falling(LOOKS), [FINISHED])
    for name in ("signals.jsonl", "events.jsonl", "log.jsonl"):
        with (run.folder / name).open("ab") as file:
            file.write(b'12\n{"samples": "many"}\n{"samples": 41000, "step": null}\n\xff\xfe\x00\n{"samp')
    found = diagnose(run.folder)
    assert found.verdict == "Nothing ails this run." and found.reached == 41_000


def test_files_that_are_asked_for(tmp_path: Path) -> None:
    run = made(tmp_path / "run", falling(LOOKS), [collapse(20, "finding"), FINISHED])
    found = sparring.diagnose(str(run.folder), picture=tmp_path / "a.png", json=tmp_path / "a.json")
    content = json.loads((tmp_path / "a.json").read_text())
    assert content == json.loads(json.dumps(found.as_json())) and content["format"] == 1
    assert content["episodes"][0]["share"] == [0.5, 0.5] and content["improvement"]["stopped"] is False
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width > 800


def test_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(SparringError, match=r"no recipe\.json"):
        diagnose(tmp_path)


def test_the_section_of_the_report(tmp_path: Path) -> None:
    wild = "<b>&"
    whole = Training(wild, True, [wild], [(wild, [wild])], Picture(b"", wild, wild))
    text = page(Report("title", [], [], training=whole))
    assert '<p class="flag">&lt;b&gt;&amp;</p>' in text and "<h3>&lt;b&gt;&amp;</h3>" in text
    assert re.findall("<h2>(.*)</h2>", text) == ["How the training went"] and text.count("<figure") == 1
    assert "<h2>" not in page(Report("title", [], [], training=Training("Nothing to say.")))


def test_phases_are_told_apart(tmp_path: Path) -> None:
    """A collapse of pretraining, about which something was being tried when the contest began."""
    observations = [*[{**HEALTHY, "distance": 0.1}] * 10, *[{**COLLAPSED, "distance": 0.1}] * 6]
    observations += [{**values, "phase": 1} for values in falling(LOOKS - 16)]
    said = "The phase pretraining ends after 16,500 samples; contest begins."
    begins = {"samples": 16_500, "kind": "phase", "said": said, "phase": 1, "name": "contest"}
    events = [collapse(13, "finding"), collapse(13, "remedy"), begins, FINISHED]
    run = finish(made(tmp_path / "run", observations, events))
    found, words = diagnose(run.folder, picture=tmp_path / "picture.png"), diagnose(run.folder).words()
    assert not found.ails and "(mode collapse: not judged before the phase ended)" in found.verdict
    assert said in words and "the phase ended before that was judged" in words
    assert found.improvement.stopped is False and (tmp_path / "picture.png").exists()
    assert found.incidents[0].end == 16_000 and "phase" not in Traces(run).observations[-1].values


def test_an_ailment_that_nobody_treated_ends_with_its_phase(tmp_path: Path) -> None:
    begins = {"samples": 16_500, "kind": "phase", "said": "", "name": "contest"}
    events = [collapse(13, "finding"), begins, FINISHED]
    observations = [*falling(10), *[{**COLLAPSED, "distance": 0.1}] * 6]
    found = diagnose(finish(made(tmp_path / "run", observations, events)).folder)
    assert not found.ails and "mode collapse: left behind with its phase" in found.verdict
    assert "Nothing was done. Its phase ended." in found.words() and found.improvement.stopped is None
