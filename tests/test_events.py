"""Events of a run: written as fields, read back as the same values, put into words when shown."""

import json
from pathlib import Path
from typing import get_args

import pytest

from sparring.events import (
    AnyEvent,
    BestRestored,
    BudgetChanged,
    CheckpointDamaged,
    CheckpointNotSaved,
    FindingReported,
    Finished,
    GoalMeasured,
    GoalReached,
    LogChanged,
    MicroBatchHalved,
    ObservationsChanged,
    PhaseBegun,
    PictureNotWritten,
    RemedyApplied,
    RemedyJudged,
    Resumed,
    SnapshotDamaged,
    UpdateSkipped,
    WatchdogRestarted,
    read_events,
)
from sparring.storage import append_line

EVENTS: dict[str, AnyEvent] = {
    "micro-batches of 8": MicroBatchHalved(samples=1, size=8),
    "The gradient of the generator is not finite at step 3": UpdateSkipped(
        samples=1, step=3, turn="generator", quantity="gradient"
    ),
    "Mode collapse: too alike (diversity 0.1)": FindingReported(
        samples=1, finding="mode collapse", step=3, explanation="too alike", evidence=("diversity 0.1",), advice="Wait."
    ),
    "Remedy for imbalance: rates are halved; rolled back to 1,024 samples.": RemedyApplied(
        samples=2048, finding="imbalance", remedy="rates are halved", step=64, rolled_back_to=1024
    ),
    "The remedy for imbalance (rates are halved) helped in part.": RemedyJudged(
        samples=1, finding="imbalance", remedy="rates are halved", outcome="helped in part"
    ),
    "The remedy for imbalance (rates are halved) did not help; reverted; rolled back to 5 samples.": RemedyJudged(
        samples=9,
        finding="imbalance",
        remedy="rates are halved",
        outcome="did not help",
        reverted=True,
        rolled_back_to=5,
    ),
    "Phase pre-training ended after 64 samples; phase contest begins.": PhaseBegun(
        samples=64, number=1, name="contest", ended="pre-training"
    ),
    "starting again from the beginning": Resumed(samples=0),
    "Resumed at 64 samples.": Resumed(samples=64, checkpoint="000000064"),
    "The budget is now 2,000 samples or 10 minutes in all, instead of 1,000 samples.": BudgetChanged(
        samples=1000, samples_before=1000, minutes_before=None, samples_now=2000, minutes_now=10.0
    ),
    "The goal fd < 3 was reached and is dropped.": BudgetChanged(
        samples=640, samples_before=1000, minutes_before=None, samples_now=2000, minutes_now=None, goal="fd < 3"
    ),
    "Checkpoint 7 is damaged.": CheckpointDamaged(samples=1, complaint="Checkpoint 7 is damaged."),
    "Damage in good/, the states to roll back to: none is left. It is gone.": SnapshotDamaged(
        samples=1, folder="good", complaint="It is gone."
    ),
    "if the last one is worse: that of 1,000 samples is used. It is gone.": SnapshotDamaged(
        samples=1, folder="best", complaint="It is gone.", used=1000
    ),
    "log.jsonl was changed or damaged": LogChanged(samples=1, file="log.jsonl"),
    "signals.jsonl is damaged": ObservationsChanged(samples=1),
    "could not be written (disk full); the previous one": CheckpointNotSaved(samples=1, error="disk full"),
    "A picture could not be written (disk full).": PictureNotWritten(samples=1, error="disk full"),
    "the watchdog resets": WatchdogRestarted(samples=1),
    "best after 1,000 samples": BestRestored(samples=2000, best=1000),
    "FID is 3.25; the goal is fd < 3.": GoalMeasured(samples=1, metric="FID", value=3.25, goal="fd < 3"),
    "FID is not a number": GoalMeasured(samples=1, metric="FID", value=None, goal="fd < 3"),
    "The goal fd < 3 is reached after 64 samples.": GoalReached(samples=64, goal="fd < 3"),
    "Trained on 40,000 samples in 22 s.": Finished(samples=40_000, seconds=22.2),
}
"""Part of the sentence → event."""


def test_every_kind_of_event_is_here() -> None:
    assert {type(event) for event in EVENTS.values()} == set(get_args(AnyEvent))


@pytest.mark.parametrize("words", EVENTS)
def test_events_are_put_into_words(words: str) -> None:
    assert words in EVENTS[words].sentence


def test_events_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    for event in EVENTS.values():
        append_line(tmp_path / "events.jsonl", event.model_dump(mode="json"))
    assert read_events(tmp_path / "events.jsonl") == list(EVENTS.values())


def test_lines_that_are_damaged_or_of_another_format_are_skipped(tmp_path: Path) -> None:
    event = Finished(samples=64, seconds=1.0)
    good = json.dumps(event.model_dump(mode="json"))
    other = ['{"samples": 64, "kind": "finished", "said": "Done."}', '{"samples": "many"}', "[1, 2]", good[:20]]
    (tmp_path / "events.jsonl").write_text("\n".join([*other[:2], good, *other[2:]]), encoding="utf-8")
    assert read_events(tmp_path / "events.jsonl") == [event]
    assert read_events(tmp_path / "missing.jsonl") == []
