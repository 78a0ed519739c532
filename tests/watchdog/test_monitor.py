"""Reports and remedies of the watchdog in runs whose observations are scripted."""

import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from sparring.controls import positions, restore_positions
from sparring.data.dataset import Split
from sparring.events import AnyEvent, FindingReported, PhaseBegun
from sparring.flow import Phase
from sparring.games.duel import AUGMENTATION_SAMPLES, MAX_AUGMENTATION, Duel
from sparring.modalities.points.rooms import POINTS
from sparring.objectives.penalties import r1
from sparring.objectives.schedules import Weighted, constant
from sparring.training.trainer import Trainer
from sparring.watchdog import monitor as watchdog
from sparring.watchdog.best import WINDOW
from sparring.watchdog.convergence import MIN_OBSERVATIONS
from sparring.watchdog.monitor import (
    HELPFUL_RATIO,
    MAX_ROLLBACKS,
    MIN_SKIPPED,
    RUINOUS_RATIO,
    SNAPSHOT_INTERVAL,
    Watchdog,
)
from sparring.watchdog.remedies import MAX_RATE_FACTOR, REMEDIES, SLOW_DOWN, Remedy
from sparring.watchdog.rules import MIN_CONSECUTIVE, NON_FINITE, REPORT_INTERVAL
from sparring.watchdog.rules import WARM_UP as IGNORED
from sparring.watchdog.signals import FIRST_INTERVAL, Observation, due

Make = Callable[..., Any]
Values = Mapping[str, float]

BATCH = 32
HEALTHY = {"lead": 0.8, "overlap": 0.35, "swing": 0.03, "paired": 1.0, "refused": 0.0, "moved": 0.2, "coverage": 0.7}
WELL: Values = {**HEALTHY, "diversity": 1.0, "contrast": 1.0, "outside": 0.0, "distance": 0.02, "held-out gap": 0.1}
ROUGH = {**WELL, "lead": 9.0, "swing": 3.0}
"""Imbalance, whose remedies do not roll back."""
DIVERGED = {**WELL, "outside": 0.99, "contrast": 9.0}
SLOW = {**WELL, "moved": 0.05, "distance": 0.5}
"""Stagnation, whose remedies raise rates and are risky."""
COLLAPSED = {**WELL, "diversity": 0.02, "coverage": 0.02}
WARM_UP = [WELL] * 20
TRIAL = max(remedy.trial for tried in REMEDIES.values() for remedy in tried)
"""Observations after which every remedy is judged."""
LONG = 30
"""Observations after which a lasting fault has been found and treated."""


def without_time(events: Sequence[AnyEvent]) -> list[dict[str, Any]]:
    """Fields of the events but for the time."""
    return [event.model_dump(exclude={"time"}) for event in events]


class Script:
    """An observer whose observations are scripted."""

    def __init__(self, trainer: Trainer, split: Split) -> None:
        self.trainer, self.split, self.modality = trainer, split, POINTS
        self.values: Values = {}
        self.steps = self.resets = 0

    def step(self) -> None:
        self.steps += 1

    def observe(self) -> Observation:
        return Observation(self.trainer.step, self.trainer.samples, dict(self.values))

    def state(self) -> dict[str, Any]:
        return {"sums": [], "skipped": self.steps, "previous": None, "roles": {}}

    def restore(self, state: dict[str, Any]) -> None:
        self.steps = state["skipped"]

    def reset(self) -> None:
        self.resets += 1


class Store:
    """Snapshots of step and controls in memory, and a list of calls with their steps."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.calls: list[tuple[str, int]] = []
        self.good: tuple[int, dict[str, tuple[float, bool]]] | None = None

    def save_good(self) -> None:
        self.good = self.trainer.step, positions(self.trainer.controls)
        self.calls.append(("save good", self.trainer.step))

    def replace_good(self) -> None:
        self.good = self.trainer.step, positions(self.trainer.controls)
        self.calls.append(("replace good", self.trainer.step))

    def save_best(self) -> None:
        self.calls.append(("save best", self.trainer.step))

    def roll_back(self) -> bool:
        if self.good is None:
            return False
        self.calls.append(("roll back", self.trainer.step))
        self.trainer.step, controls = self.good
        self.trainer.samples = self.trainer.step * BATCH
        restore_positions(self.trainer.controls, controls)
        return True

    def save_checkpoint(self) -> None:
        self.calls.append(("save checkpoint", self.trainer.step))

    def drop_before(self, samples: int) -> None:
        self.calls.append(("drop before", samples // BATCH))
        if self.good is not None and self.good[0] * BATCH < samples:
            self.save_good()


class Run:
    """A watchdog with scripted observations and snapshots in memory."""

    def __init__(self, trainer: Trainer, split: Split, mode: str = "repair") -> None:
        self.trainer, self.split = trainer, split
        self.store, self.script = Store(trainer), Script(trainer, split)
        self.events: list[AnyEvent] = []
        self.noted: list[Observation] = []
        self.watchdog = Watchdog(
            self.script,  # type: ignore[arg-type]
            self.store,  # type: ignore[arg-type]
            mode,
            self.events.append,
            self.noted.append,
        )

    def sees(self, script: Sequence[Values]) -> None:
        """Make one observation after the other."""
        for values in script:
            self.trainer.step += FIRST_INTERVAL
            while not due(self.trainer.step):
                self.trainer.step += FIRST_INTERVAL
            self.trainer.samples = self.trainer.step * BATCH
            self.script.values = values
            self.watchdog.step()

    def sees_until(self, kind: str, values: Values) -> int:
        """Repeat an observation until an event of the kind comes; return how many it took."""
        before = len(self.of(kind))
        for count in range(1, 200):
            self.sees([values])
            if len(self.of(kind)) > before:
                return count
        raise AssertionError(f"never: {kind}")

    def of(self, kind: str) -> list[AnyEvent]:
        """The events of a kind, or the outcomes called so."""
        return [event for event in self.events if kind in (event.kind, getattr(event, "outcome", None))]

    def named(self, kind: str) -> list[str]:
        """Findings of these events."""
        return [event.finding for event in self.of(kind)]

    def remedies(self, kind: str = "remedy") -> list[str]:
        """Descriptions of the remedies of these events."""
        return [event.remedy for event in self.of(kind)]

    def called(self, name: str) -> list[int]:
        return [step for one, step in self.store.calls if one == name]


@pytest.fixture
def run(tiny_duel: Callable[..., Duel], split: Make, plan: Make) -> Callable[..., Run]:
    """A run with R1 of a fixed weight, in a mode: ``run("warn")``."""

    def make(mode: str = "repair", data: Split | None = None) -> Run:
        data = data or split()
        duel = tiny_duel(
            penalties={"r1": Weighted(r1, constant(1.0))}, augment=lambda sample, probability, random: sample
        )
        return Run(Trainer(duel, data.train, plan(samples=10_000_000)), data, mode)

    return make


Begin = Callable[..., Run]


def test_a_healthy_run_has_no_events(run: Begin) -> None:
    here = run()
    before = positions(here.trainer.controls)
    here.watchdog.begin()
    here.sees([WELL] * 3 * SNAPSHOT_INTERVAL)
    assert not here.events and positions(here.trainer.controls) == before and here.watchdog.status == "healthy"
    assert here.called("save good") == [0, *(FIRST_INTERVAL * SNAPSHOT_INTERVAL * count for count in (1, 2, 3))]
    assert not here.called("roll back") and not here.called("save checkpoint")
    assert here.noted == here.watchdog.history and len(here.noted) == 3 * SNAPSHOT_INTERVAL


def test_observations_are_made_when_due(run: Begin) -> None:
    here = run()
    here.script.values = WELL
    for step in range(1, 3 * FIRST_INTERVAL):
        here.trainer.step = step
        here.watchdog.step()
    assert here.script.steps == 3 * FIRST_INTERVAL - 1
    assert [observation.step for observation in here.noted] == [FIRST_INTERVAL, 2 * FIRST_INTERVAL]


def test_off_the_watchdog_does_nothing(run: Begin) -> None:
    here = run("off")
    before = positions(here.trainer.controls)
    here.watchdog.begin()
    here.sees([*WARM_UP, *[ROUGH] * LONG])
    assert not here.events and not here.noted and not here.store.calls and here.script.steps == 0
    assert not here.watchdog.rescue() and positions(here.trainer.controls) == before
    assert here.watchdog.status == "not watched"


def test_warn_reports_findings_and_applies_no_remedies(run: Begin) -> None:
    here = run("warn")
    before = positions(here.trainer.controls)
    here.watchdog.begin()
    here.sees([*WARM_UP, *[DIVERGED] * LONG])
    assert set(here.named("finding")) == {"divergence"} and here.watchdog.status == "divergence"
    assert not here.named("remedy") and not here.called("roll back") and positions(here.trainer.controls) == before
    assert not here.watchdog.rescue() and not here.called("roll back")


def test_a_finding_is_reported_again_after_the_report_interval(run: Begin) -> None:
    here, places = run("warn"), []
    here.sees(WARM_UP)
    for place in range(3 * REPORT_INTERVAL):
        here.sees([ROUGH])
        places += [place] * (len(here.events) - len(places))
    first = MIN_CONSECUTIVE - 1
    assert places == [first, first + REPORT_INTERVAL, first + 2 * REPORT_INTERVAL]


def test_a_report_has_evidence_and_advice(run: Begin) -> None:
    here = run("warn")
    here.sees([*WARM_UP, *[COLLAPSED] * MIN_CONSECUTIVE])
    (event,) = here.events
    assert isinstance(event, FindingReported)
    assert event.sentence.startswith("Mode collapse: ") and "diversity 0.02" in event.sentence
    assert event.finding == "mode collapse" and len(event.evidence) == 2 and event.advice.endswith(".")


def test_unhealthy_data_is_reported_at_the_start(run: Begin, split: Make) -> None:
    import numpy as np

    here = run("warn", split(np.zeros((300, 2), dtype=np.float32)))
    here.watchdog.begin()
    assert set(here.named("finding")) == {"unhealthy data"} and len(here.events) == 2


def test_a_remedy_that_helped_stays(run: Begin) -> None:
    here = run()
    here.sees([*WARM_UP, *[ROUGH] * MIN_CONSECUTIVE])
    remedy = REMEDIES["imbalance"][0]
    assert here.named("remedy") == ["imbalance"] and here.remedies() == [remedy.description]
    assert here.trainer.controls["gamma"].enabled
    here.sees([WELL] * (remedy.trial - 1))
    assert not here.named("helped")
    here.sees([WELL])
    assert here.remedies("helped") == [remedy.description] and here.named("helped") == ["imbalance"]
    assert here.events[-1].outcome == "helped" and not here.events[-1].reverted
    assert here.trainer.controls["gamma"].enabled and not here.watchdog.memory.trials
    here.sees([WELL] * LONG)
    assert len(here.events) == 3


def test_a_remedy_that_did_not_help_is_reverted_and_the_next_applied(run: Begin) -> None:
    here = run()
    here.sees(WARM_UP)
    before = positions(here.trainer.controls)
    here.sees_until("remedy", ROUGH)
    assert positions(here.trainer.controls) != before
    assert here.sees_until("did not help", ROUGH) == REMEDIES["imbalance"][0].trial
    assert here.remedies() == [remedy.description for remedy in REMEDIES["imbalance"][:2]]
    assert here.of("did not help")[0].reverted and here.of("did not help")[0].rolled_back_to is None
    assert not here.trainer.controls["gamma"].enabled
    after = {name: value for name, (value, _) in positions(here.trainer.controls).items() if value != before[name][0]}
    assert after == {"discriminator rate": 0.5}


@pytest.mark.parametrize("remedy", REMEDIES["imbalance"])
def test_every_remedy_is_judged_after_its_own_trial(
    remedy: Remedy, run: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    for trial in (remedy.trial, 3):
        monkeypatch.setattr(watchdog, "REMEDIES", {"imbalance": (replace(remedy, trial=trial),)})
        here = run()
        here.sees(WARM_UP)
        here.sees_until("remedy", ROUGH)
        assert here.sees_until("did not help", ROUGH) == trial


@pytest.mark.parametrize(("distance", "helped"), [(0.9 * HELPFUL_RATIO, True), (1.1 * HELPFUL_RATIO, False)])
def test_a_remedy_that_brings_the_samples_much_closer_helped_in_part(distance: float, helped: bool, run: Begin) -> None:
    """It is not reverted, and the next is applied, because the finding still holds."""
    here = run()
    here.sees([{**WELL, "distance": 1.0}] * len(WARM_UP))
    here.sees_until("remedy", {**ROUGH, "distance": 1.0})
    here.sees([{**ROUGH, "distance": distance}] * REMEDIES["imbalance"][0].trial)
    first, second = REMEDIES["imbalance"][:2]
    outcome = "helped in part" if helped else "did not help"
    (judged,) = here.of("remedy judged")
    assert (judged.finding, judged.remedy, judged.outcome) == ("imbalance", first.description, outcome)
    assert judged.reverted == (not helped)
    assert here.trainer.controls["gamma"].enabled == helped
    assert len(here.named("finding")) == 2 and second.description == here.remedies()[1]


def test_a_ruinous_remedy_is_reverted_at_once_with_a_rollback(run: Begin) -> None:
    """The rollback is to the state before the remedy, and rates are what they were then."""
    here = run()
    here.sees(WARM_UP)
    here.sees_until("remedy", SLOW)
    kept, rates = here.trainer.step, here.trainer.controls["generator rate"]
    assert here.called("save good")[-1] == kept and rates.value == MAX_RATE_FACTOR
    assert here.sees_until("did not help", DIVERGED) == 2 < REMEDIES["stagnation"][0].trial
    assert here.of("did not help")[0].reverted and here.of("did not help")[0].rolled_back_to == kept * BATCH
    assert (
        here.trainer.step == kept
        and rates.value == 1.0
        and not here.named("helped")
        and not here.watchdog.memory.trials
    )
    assert here.called("save checkpoint") == [kept] and here.watchdog.history[-1].step == kept
    here.sees([SLOW] * LONG)
    assert here.named("remedy") == ["stagnation"] and rates.value == 1.0


@pytest.mark.parametrize(("farther", "ruined"), [(1.1 * RUINOUS_RATIO, True), (0.9 * RUINOUS_RATIO, False)])
def test_a_risky_remedy_that_doubles_the_distance_has_ruined_the_run(farther: float, ruined: bool, run: Begin) -> None:
    """Even if its finding does not hold any more."""
    here = run()
    here.sees(WARM_UP)
    here.sees_until("remedy", SLOW)
    kept = here.trainer.step
    here.sees([{**WELL, "distance": farther * SLOW["distance"]}] * REMEDIES["stagnation"][0].trial)
    assert here.named("did not help" if ruined else "helped") == ["stagnation"]
    assert (here.trainer.step == kept) == ruined
    assert here.trainer.controls["generator rate"].value == (1.0 if ruined else MAX_RATE_FACTOR)


def test_non_finite_numbers_after_a_risky_remedy_undo_it(run: Begin) -> None:
    here = run()
    here.sees(WARM_UP)
    here.sees_until("remedy", SLOW)
    kept = here.trainer.step
    here.trainer.step += FIRST_INTERVAL // 2
    assert here.watchdog.rescue() and here.trainer.step == kept
    assert here.trainer.controls["generator rate"].value == 1.0 and here.named("did not help") == ["stagnation"]
    assert here.named("remedy") == ["stagnation"]


def test_no_remedy_helped_if_the_run_diverged(run: Begin) -> None:
    here = run()
    here.sees(WARM_UP)
    here.sees_until("remedy", ROUGH)
    here.sees([DIVERGED] * REMEDIES["imbalance"][0].trial)
    assert here.named("did not help") == ["imbalance"] and not here.named("helped") and not here.called("roll back")


def test_trials_are_judged_by_the_median_distance(run: Begin) -> None:
    """The median of three observations, before and after."""
    here, far = run(), {**ROUGH, "distance": 1.0}
    here.sees(WARM_UP)
    here.sees_until("remedy", far)
    here.sees([far] * (REMEDIES["imbalance"][0].trial - 1))
    here.sees([{**ROUGH, "distance": 0.01}])
    assert here.named("did not help") == ["imbalance"] and not here.named("helped")


@pytest.mark.parametrize("seen_later", [False, True])
def test_without_a_distance_only_the_finding_counts(seen_later: bool, run: Begin) -> None:
    """Any distance would be smaller than a missing one."""
    here, unseen = run(), {name: value for name, value in ROUGH.items() if name != "distance"}
    here.sees([{name: value for name, value in WELL.items() if name != "distance"}] * len(WARM_UP))
    here.sees_until("remedy", unseen)
    json.dumps(here.watchdog.state(), allow_nan=False)
    here.sees_until("did not help", ROUGH if seen_later else unseen)
    assert not here.named("helped")


def test_when_no_remedy_is_left_the_finding_is_still_reported(run: Begin) -> None:
    here = run()
    here.sees(WARM_UP)
    before = positions(here.trainer.controls)
    here.sees([ROUGH] * (len(REMEDIES["imbalance"]) + 2) * (TRIAL + REPORT_INTERVAL))
    assert len(here.named("remedy")) == len(here.named("did not help")) == len(REMEDIES["imbalance"])
    assert positions(here.trainer.controls) == before
    count = len(here.named("finding"))
    here.sees([ROUGH] * REPORT_INTERVAL)
    assert len(here.named("finding")) == count + 1


def test_a_relapse_is_treated_by_the_next_remedy(run: Begin) -> None:
    here = run()
    here.sees([*WARM_UP, *[ROUGH] * MIN_CONSECUTIVE, *[WELL] * REPORT_INTERVAL, *[ROUGH] * MIN_CONSECUTIVE])
    assert here.remedies() == [remedy.description for remedy in REMEDIES["imbalance"][:2]]
    assert here.trainer.controls["gamma"].enabled and here.trainer.controls["discriminator rate"].value == 0.5


def test_only_one_remedy_is_on_trial(run: Begin) -> None:
    """Otherwise it would be unknown which of them helped."""
    here, both = run(), {**ROUGH, **{"held-out gap": 0.99, "overlap": 0.0}}
    here.sees(WARM_UP)
    here.sees_until("remedy", both)
    here.sees([both] * (REMEDIES["imbalance"][0].trial - 1))
    assert set(here.named("finding")) == {"imbalance", "discriminator overfitting"}
    assert here.named("remedy") == ["imbalance"] and len(here.watchdog.memory.trials) == 1


def test_a_finding_without_remedies_is_only_reported(run: Begin) -> None:
    here = run()
    here.sees([*WARM_UP, *[{**WELL, "checkerboard": 3.0, "detail": 2.0}] * LONG])
    assert set(here.named("finding")) == {"checkerboard"} and not here.named("remedy")


def test_a_rollback_restores_the_last_good_state_with_lower_rates(run: Begin) -> None:
    """Observations after that state are forgotten."""
    here = run()
    here.trainer.controls["gamma"].enabled = True
    here.watchdog.begin()
    here.sees([WELL] * (SNAPSHOT_INTERVAL + 4))
    here.sees_until("remedy", DIVERGED)
    good = FIRST_INTERVAL * SNAPSHOT_INTERVAL
    assert here.called("save good") == [0, good] and len(here.called("roll back")) == 1
    assert here.trainer.step == good and here.of("remedy")[0].rolled_back_to == good * BATCH
    assert here.called("save checkpoint") == [good]
    assert here.trainer.controls["generator rate"].value == here.trainer.controls["discriminator rate"].value == 0.25
    assert here.trainer.controls["gamma"].value == 2.0
    assert [observation.step for observation in here.watchdog.history] == [
        FIRST_INTERVAL * count for count in range(1, SNAPSHOT_INTERVAL + 1)
    ]
    here.sees([WELL] * TRIAL)
    assert here.named("helped") == ["divergence"]


def test_a_rollback_restores_controls_with_rules_and_keeps_all_others(run: Begin) -> None:
    here = run()
    here.trainer.controls["gamma"].enabled = True
    here.trainer.controls["gamma"].set(5.0)
    here.sees([WELL] * SNAPSHOT_INTERVAL)
    for name, value in (("gamma", 0.01), ("lecam", 0.3), ("real level", -7.0), ("generator rate", 0.5)):
        here.trainer.controls[name].set(value)
    here.sees([{**WELL, "held-out gap": 0.65}] * 3)
    assert here.trainer.controls["augmentation"].value > 0
    here.sees_until("remedy", DIVERGED)
    assert len(here.called("roll back")) == 1
    assert {name: control.value for name, control in here.trainer.controls.items()} == {
        "gamma": 2 * 5.0,
        "augmentation": 0.0,
        "lecam": 0.3,
        "real level": 0.0,
        "fake level": 0.0,
        "generator rate": 0.25 * 0.5,
        "discriminator rate": 0.25,
    }


def test_a_rollback_ends_other_trials_unjudged(run: Begin) -> None:
    here = run()
    here.watchdog.begin()
    here.sees(WARM_UP)
    here.sees_until("remedy", ROUGH)
    assert [trial.finding for trial in here.watchdog.memory.trials] == ["imbalance"]
    assert here.watchdog.rescue() and here.script.resets == 1
    assert [trial.finding for trial in here.watchdog.memory.trials] == [NON_FINITE]
    assert here.trainer.controls["gamma"].enabled
    here.sees([WELL] * 2 * TRIAL)
    assert here.named("helped") == [NON_FINITE] and not here.named("did not help")


def test_a_remedy_is_applied_without_a_rollback_if_there_is_no_good_state(run: Begin) -> None:
    """It can then be reverted, because nothing else has changed."""
    here = run()
    here.trainer.controls["gamma"].enabled = True
    before = positions(here.trainer.controls)
    here.store.save_good = lambda: None  # type: ignore[method-assign]
    here.watchdog.begin()
    here.sees(WARM_UP)
    here.sees_until("remedy", DIVERGED)
    assert here.trainer.controls["generator rate"].value == 0.25 and here.trainer.controls["gamma"].value == 2.0
    assert here.of("remedy")[0].rolled_back_to is None and here.watchdog.memory.rollbacks == here.script.resets == 0
    assert not here.called("roll back") and not here.called("save checkpoint")
    assert len(here.watchdog.history) == len(here.noted) > len(WARM_UP)
    here.sees([DIVERGED] * (SLOW_DOWN.trial - 1))
    assert positions(here.trainer.controls) != before
    here.sees([DIVERGED])
    assert here.of("did not help")[0].reverted and len(here.of("remedy")) == 2
    assert here.trainer.controls["generator rate"].value == 0.25


def test_a_rescue_resets_the_guard_even_without_a_good_state(run: Begin) -> None:
    here = run()
    here.trainer.guard.skipped["generator"] = 5
    assert here.watchdog.rescue() and here.trainer.controls["generator rate"].value == 0.25
    assert here.trainer.guard.exhausted is None


def test_a_rollback_to_the_start_does_not_count_as_a_solution(run: Begin) -> None:
    here = run()
    here.trainer.controls["gamma"].enabled = True
    here.watchdog.begin()
    here.sees_until("remedy", COLLAPSED)
    assert here.trainer.step == 0 and not here.watchdog.history
    here.sees([COLLAPSED] * 2 * TRIAL)
    assert here.named("did not help") and not here.named("helped")


def test_rates_fall_with_every_rollback(run: Begin) -> None:
    """Controls keep their positions through a rollback, and are not reverted after one."""
    here = run()
    here.trainer.controls["gamma"].enabled = True
    here.watchdog.begin()
    here.sees([WELL] * SNAPSHOT_INTERVAL)
    here.sees([DIVERGED] * 6 * (TRIAL + REPORT_INTERVAL))
    tried = [remedy for remedy in REMEDIES["divergence"] if remedy.rolls_back]
    assert len(here.called("roll back")) == min(len(tried), MAX_ROLLBACKS)
    assert here.trainer.controls["generator rate"].value == pytest.approx(0.25 ** len(here.called("roll back")))
    assert set(here.named("did not help")) == {"divergence"}
    assert not any(event.reverted for event in here.of("did not help"))


def test_the_number_of_rollbacks_is_limited(run: Begin) -> None:
    here = run()
    here.trainer.controls["gamma"].enabled = True
    here.watchdog.begin()
    here.sees([WELL] * SNAPSHOT_INTERVAL)
    for values in (DIVERGED, COLLAPSED, {**WELL, "refused": 10.0 * MIN_SKIPPED}):
        here.sees([values] * 4 * (TRIAL + REPORT_INTERVAL))
    assert here.watchdog.memory.rollbacks == len(here.called("roll back")) == MAX_ROLLBACKS
    assert here.named("remedy").count("divergence") + here.named("remedy").count("mode collapse") <= MAX_ROLLBACKS


@pytest.mark.parametrize(("refused", "treated"), [(MIN_SKIPPED - 1.0, False), (float(MIN_SKIPPED), True)])
def test_a_few_skipped_updates_are_only_reported(refused: float, treated: bool, run: Begin) -> None:
    here = run()
    here.watchdog.begin()
    here.sees([*WARM_UP, {**WELL, "refused": refused}])
    assert here.named("finding") == [NON_FINITE]
    assert bool(here.called("roll back")) == bool(here.named("remedy")) == treated


def test_a_run_that_gave_up_is_rescued(run: Begin) -> None:
    here = run()
    here.watchdog.begin()
    here.sees([WELL] * (SNAPSHOT_INTERVAL + 2))
    here.trainer.guard.skipped["generator"] = 5
    assert here.watchdog.rescue()
    assert here.named("finding") == here.named("remedy") == [NON_FINITE]
    assert here.trainer.step == FIRST_INTERVAL * SNAPSHOT_INTERVAL and here.called("save checkpoint") == [
        FIRST_INTERVAL * SNAPSHOT_INTERVAL
    ]
    assert here.trainer.controls["generator rate"].value == 0.25
    assert here.trainer.guard.exhausted is None


def test_reinitialised_weights_replace_all_good_states(run: Begin) -> None:
    """Later rollbacks restore the reinitialised weights."""
    here = run()
    here.trainer.controls["gamma"].enabled = True
    here.watchdog.begin()
    here.sees([WELL] * (SNAPSHOT_INTERVAL + 2))
    assert here.watchdog.rescue() and not here.called("replace good")
    here.sees([WELL])
    assert here.watchdog.rescue() and here.called("replace good") == [FIRST_INTERVAL * SNAPSHOT_INTERVAL]
    assert "reinitialised" in here.remedies()[-1] and here.store.calls[-1] == (
        "replace good",
        FIRST_INTERVAL * SNAPSHOT_INTERVAL,
    )


def test_rescues_end_with_the_remedies(run: Begin) -> None:
    here = run()
    here.watchdog.begin()
    rescued = [here.watchdog.rescue() for _ in range(2 * MAX_ROLLBACKS)]
    tried = len(REMEDIES[NON_FINITE])
    assert rescued == [True] * tried + [False] * (2 * MAX_ROLLBACKS - tried)


def test_controls_moved_by_a_rescue_are_not_reverted(run: Begin) -> None:
    here = run()
    here.trainer.controls["gamma"].enabled = True
    here.watchdog.begin()
    here.sees(WARM_UP)
    here.sees_until("remedy", ROUGH)
    assert here.trainer.controls["discriminator rate"].value == 0.5
    assert here.watchdog.rescue()
    here.sees_until("did not help", ROUGH)
    assert here.trainer.controls["discriminator rate"].value == 0.5 * 0.25


def test_controls_moved_by_their_rule_are_not_reverted(run: Begin) -> None:
    here = run()
    here.trainer.controls["gamma"].enabled = True
    here.sees(WARM_UP)
    here.sees_until("remedy", ROUGH)
    here.trainer.controls["gamma"].set(0.001)
    here.sees_until("did not help", ROUGH)
    assert here.trainer.controls["gamma"].value == 0.001


def test_the_checkpoint_after_a_rollback_has_the_state_of_the_watchdog(run: Begin) -> None:
    """A run that is resumed from it continues as the one that wrote it."""
    here, states = run(), []
    here.trainer.controls["gamma"].enabled = True
    here.store.save_checkpoint = lambda: states.append(json.dumps(here.watchdog.state()))  # type: ignore[method-assign]
    here.watchdog.begin()
    here.sees([WELL] * (SNAPSHOT_INTERVAL + 4))
    here.sees_until("remedy", DIVERGED)
    assert states == [json.dumps(here.watchdog.state())]


def test_no_state_is_saved_as_good_during_a_finding_or_a_trial(run: Begin) -> None:
    here = run()
    here.watchdog.begin()
    here.sees([WELL] * (2 * SNAPSHOT_INTERVAL - MIN_CONSECUTIVE))
    here.sees([COLLAPSED] * MIN_CONSECUTIVE)
    here.sees([WELL] * (REMEDIES["mode collapse"][0].trial - 1))
    assert here.called("save good") == [0, FIRST_INTERVAL * SNAPSHOT_INTERVAL]
    here.sees([WELL] * SNAPSHOT_INTERVAL)
    assert len(here.called("save good")) == 3


@pytest.mark.parametrize("unhealthy", [{**WELL, "refused": 1.0}, COLLAPSED])
def test_a_state_is_good_after_three_healthy_observations(unhealthy: Values, run: Begin) -> None:
    """A single unhealthy observation restarts the count, even if it is not reported."""
    here = run()
    here.watchdog.begin()
    here.sees([WELL] * (2 * SNAPSHOT_INTERVAL - 3))
    here.sees([unhealthy, WELL, WELL])
    assert FIRST_INTERVAL * 2 * SNAPSHOT_INTERVAL not in here.called(
        "save good"
    ) and FIRST_INTERVAL * SNAPSHOT_INTERVAL in here.called("save good")


GAP = "held-out gap"


def test_augmentation_follows_the_held_out_gap(run: Begin) -> None:
    """It moves by the samples since the previous observation, even if that had no gap."""
    here = run()
    control, step = here.trainer.controls["augmentation"], FIRST_INTERVAL * BATCH / AUGMENTATION_SAMPLES
    unseen = {name: value for name, value in WELL.items() if name != GAP}
    for gap, steps in (({GAP: 0.65}, 1), ({GAP: 0.65}, 2), ({}, 2), ({GAP: 0.5}, 1), ({GAP: -1.0}, 0), ({GAP: 0.1}, 0)):
        here.sees([{**unseen, **gap}])
        assert control.value == pytest.approx(steps * step)
    here.sees([{**WELL, GAP: 0.65}] * 200)
    samples = here.noted[-1].samples - here.noted[5].samples
    assert control.value == pytest.approx(min(samples / AUGMENTATION_SAMPLES, MAX_AUGMENTATION)) and not here.events


def test_samples_between_observations_are_counted_from_the_restored_state(run: Begin) -> None:
    here = run()
    here.trainer.controls["gamma"].enabled = True
    here.watchdog.begin()
    here.sees([WELL] * SNAPSHOT_INTERVAL)
    here.sees_until("remedy", DIVERGED)
    assert len(here.called("roll back")) == 1
    here.sees([{**WELL, GAP: 0.65}])
    assert here.trainer.controls["augmentation"].value == pytest.approx(FIRST_INTERVAL * BATCH / AUGMENTATION_SAMPLES)


@pytest.mark.parametrize("mode", ["warn", "off"])
def test_augmentation_moves_in_repair_mode_alone(mode: str, run: Begin) -> None:
    here = run(mode)
    here.sees([{**WELL, GAP: 0.9}] * 5)
    assert here.trainer.controls["augmentation"].value == 0.0


def test_only_rules_on_signals_apply_at_an_observation(run: Begin) -> None:
    here = run()
    here.trainer.controls["gamma"].enabled = True
    before = positions(here.trainer.controls)
    here.sees([{**WELL, "real score": 9.0, "fake score": -9.0, "lead": 0.75}] * 3)
    assert positions(here.trainer.controls) == before


def test_the_best_state_is_saved_when_the_mean_distance_fell_by_a_tenth(run: Begin) -> None:
    here = run()
    distances = [1.0] * WINDOW + [0.95] * WINDOW + [0.85] * WINDOW + [0.81] * WINDOW + [9.0] * WINDOW
    here.sees([{**WELL, "distance": distance} for distance in distances])
    assert here.called("save best") == [FIRST_INTERVAL * WINDOW, FIRST_INTERVAL * (2 * WINDOW + 3)]
    assert here.watchdog.memory.best == pytest.approx((2 * 0.95 + 3 * 0.85) / WINDOW)
    warning = run("warn")
    warning.sees([WELL] * 3 * WINDOW)
    assert not warning.called("save best")


def test_the_best_state_before_the_restored_one_stays_the_best(run: Begin) -> None:
    here, far = run(), {**WELL, "distance": 0.5}
    here.trainer.controls["gamma"].enabled = True
    here.watchdog.begin()
    here.sees([WELL] * SNAPSHOT_INTERVAL)
    here.sees([far] * (3 * SNAPSHOT_INTERVAL))
    best, good = here.called("save best"), here.called("save good")[-1]
    assert best[-1] == FIRST_INTERVAL * WINDOW < good
    here.sees_until("remedy", {**DIVERGED, "distance": 0.5})
    assert here.trainer.step == good
    here.sees([far] * 3)
    assert here.called("save best") == best


def test_the_best_state_of_an_abandoned_course_is_forgotten(run: Begin) -> None:
    here, near = run(), {**WELL, "distance": 0.001}
    here.trainer.controls["gamma"].enabled = True
    here.watchdog.begin()
    here.sees([WELL] * SNAPSHOT_INTERVAL)
    here.sees([near] * WINDOW)
    assert here.called("save best")[-1] > FIRST_INTERVAL * SNAPSHOT_INTERVAL
    here.sees_until("remedy", DIVERGED)
    assert here.trainer.step == FIRST_INTERVAL * SNAPSHOT_INTERVAL and here.watchdog.memory.best is None
    here.sees([WELL])
    assert here.called("save best")[-1] == FIRST_INTERVAL * (SNAPSHOT_INTERVAL + 1)


@pytest.mark.parametrize("mode", ["repair", "warn"])
def test_a_run_has_settled_when_no_further_improvement_is_detectable(mode: str, run: Begin) -> None:
    here, chance = run(mode), random.Random(0)
    for place in range(1, 41):
        here.sees([{**WELL, "distance": 1 / place + chance.gauss(0, 0.002)}])
        assert not here.watchdog.settled
    settled = []
    for _ in range(60):
        here.sees([{**WELL, "distance": 1 / 40 + chance.gauss(0, 0.002)}])
        settled.append(here.watchdog.settled)
    assert not any(settled[:8]) and all(settled[-20:])


def test_a_run_with_a_remedy_on_trial_has_not_settled(run: Begin) -> None:
    here = run()
    here.sees(WARM_UP)
    assert here.watchdog.settled
    here.sees_until("remedy", ROUGH)
    assert not here.watchdog.settled


def test_a_run_with_few_observations_has_not_settled(run: Begin) -> None:
    here, idle = run(), run("off")
    assert not here.watchdog.settled
    for one in (here, idle):
        one.sees([WELL] * (MIN_OBSERVATIONS - 1))
        assert not one.watchdog.settled
        one.sees([WELL])
    assert here.watchdog.settled and not idle.watchdog.settled


def test_the_status_names_active_findings_by_severity(run: Begin) -> None:
    here = run("warn")
    assert here.watchdog.status == "healthy"
    here.sees([*WARM_UP, *[{**DIVERGED, **{"lead": 9.0, "swing": 3.0}}] * MIN_CONSECUTIVE])
    assert here.watchdog.status == "divergence, imbalance"
    here.sees([WELL])
    assert here.watchdog.status == "healthy"


PARTLY_HELPED = [{**ROUGH, "distance": 0.02 * 0.9**place} for place in range(60)]
STORIES: dict[str, list[Values]] = {
    "healthy": [WELL] * 60,
    "one fault": [*WARM_UP, *[ROUGH] * 60],
    "faults that come and go": [*WARM_UP, *([ROUGH] * 5 + [WELL] * 9 + [COLLAPSED] * 7) * 3],
    "rollbacks": [*WARM_UP, *[DIVERGED] * 60],
    "the best of an abandoned course": [*[WELL] * 16, *[{**WELL, "distance": 0.001}] * 5, *[DIVERGED] * 40],
    "a remedy that helps in part": [*WARM_UP, *PARTLY_HELPED],
    "overfitting": [*WARM_UP, *[{**WELL, "held-out gap": 0.65, "overlap": 0.01}] * 60],
}


@pytest.mark.parametrize("stop", [0, 8, 21, 23, 30, 41])
@pytest.mark.parametrize("story", STORIES)
def test_a_restored_watchdog_continues_exactly(story: str, stop: int, run: Begin) -> None:
    whole, first, second = (run() for _ in range(3))
    whole.watchdog.begin()
    first.watchdog.begin()
    whole.sees(STORIES[story])
    first.sees(STORIES[story][:stop])

    # A checkpoint has the state as JSON, and the positions of controls; observations were written as JSON.
    state = json.loads(json.dumps(first.watchdog.state(), allow_nan=False))
    second.trainer.step, second.trainer.samples = first.trainer.step, first.trainer.samples
    for name, (value, enabled) in positions(first.trainer.controls).items():
        second.trainer.controls[name].value, second.trainer.controls[name].enabled = value, enabled
    second.store.good = first.store.good
    second.watchdog.restore(
        state,
        [
            Observation(observation.step, observation.samples, dict(observation.values))
            for observation in first.watchdog.history
        ],
    )
    second.sees(STORIES[story][stop:])

    assert without_time(first.events + second.events) == without_time(whole.events)
    assert first.store.calls + second.store.calls == whole.store.calls
    assert json.dumps(second.watchdog.state()) == json.dumps(whole.watchdog.state())
    assert second.watchdog.history == whole.watchdog.history
    assert positions(second.trainer.controls) == positions(whole.trainer.controls)


def test_the_state_is_json(run: Begin) -> None:
    here = run()
    here.trainer.controls["gamma"].set(math.pi)
    here.watchdog.begin()
    here.sees([*WARM_UP, *[ROUGH] * MIN_CONSECUTIVE])
    state = here.watchdog.state()
    assert len(state["memory"]["trials"]) == 1
    assert json.loads(json.dumps(state, allow_nan=False))["memory"]["trials"][0]["controls"] == {
        "gamma": [math.pi, False]
    }


BOUNDARY = 20
"""Observations after which the second phase begins."""


@pytest.fixture
def phased(run: Begin) -> Callable[..., Run]:
    """A run of pretraining and contest: ``phased(watched=False)``."""

    def make(mode: str = "repair", *, watched: bool = True) -> Run:
        here = run(mode)
        share = BOUNDARY * FIRST_INTERVAL * BATCH / here.trainer.plan.samples
        here.trainer.game.phases = (Phase("pretraining", until=share, watched=watched), Phase("contest"))
        return here

    return make


def test_an_unwatched_phase_is_not_observed(phased: Callable[..., Run]) -> None:
    here = phased(watched=False)
    before = positions(here.trainer.controls)
    here.watchdog.begin()
    here.sees([DIVERGED] * (BOUNDARY - 1))
    assert not here.events and not here.noted and here.script.steps == 0 and here.watchdog.status == "not watched"
    assert (
        here.store.calls == [("save good", 0)]
        and positions(here.trainer.controls) == before
        and not here.watchdog.settled
    )
    here.sees([DIVERGED, WELL])
    (event,) = here.events
    assert event == PhaseBegun(samples=40_960, time=event.time, number=1, name="contest", ended="pretraining")
    assert here.watchdog.status == "healthy"
    assert [(observation.phase, observation.step) for observation in here.noted] == [
        (1, (BOUNDARY + 1) * FIRST_INTERVAL)
    ]


def test_every_phase_starts_afresh(phased: Callable[..., Run]) -> None:
    """A remedy on trial is not judged, and is not reverted."""
    here = phased()
    here.watchdog.begin()
    here.sees([WELL] * (BOUNDARY - MIN_CONSECUTIVE - 1))
    here.sees([ROUGH] * MIN_CONSECUTIVE)
    assert (
        [trial.finding for trial in here.watchdog.memory.trials] == ["imbalance"]
        and here.watchdog.memory.attempts
        and here.watchdog.active
    )
    here.sees([ROUGH])
    assert here.events[-1].kind == "phase" and here.trainer.controls["gamma"].enabled
    assert not (
        here.watchdog.history
        or here.watchdog.memory.trials
        or here.watchdog.memory.attempts
        or here.watchdog.memory.reported
        or here.watchdog.active
    )
    assert here.watchdog.memory.best is None and here.watchdog.memory.healthy == 0 and here.script.resets == 1
    here.sees([ROUGH] * (IGNORED + MIN_CONSECUTIVE))
    assert [event.kind for event in here.events] == ["finding", "remedy", "phase", "finding", "remedy"]
    assert not here.named("helped") and not here.named("did not help")


def test_a_rollback_never_crosses_a_phase(phased: Callable[..., Run]) -> None:
    here = phased()
    here.trainer.controls["gamma"].enabled = True
    here.watchdog.begin()
    here.sees([WELL] * BOUNDARY)
    boundary = BOUNDARY * FIRST_INTERVAL
    assert here.trainer.step == boundary and here.called("save good") == [
        0,
        8 * FIRST_INTERVAL,
        16 * FIRST_INTERVAL,
        boundary,
    ]
    assert here.store.calls[-3:] == [("save checkpoint", boundary), ("drop before", boundary), ("save good", boundary)]
    here.sees_until("remedy", DIVERGED)
    assert here.trainer.step == boundary and here.trainer.game.phases[here.watchdog.memory.phase].name == "contest"
    here.sees([DIVERGED] * 4 * (TRIAL + REPORT_INTERVAL))
    assert len(here.called("roll back")) > 2 and here.trainer.step >= boundary and len(here.of("phase")) == 1


def test_a_run_that_gave_up_in_an_unwatched_phase_is_rescued_within_it(phased: Callable[..., Run]) -> None:
    here = phased()
    here.trainer.game.phases = (here.trainer.game.phases[0], Phase("fine-tuning", watched=False))
    here.watchdog.begin()
    here.sees([WELL] * (BOUNDARY + 5))
    assert here.watchdog.rescue() and here.trainer.step == BOUNDARY * FIRST_INTERVAL
    assert here.named("finding")[-1] == NON_FINITE and here.trainer.controls["generator rate"].value == 0.25
    assert len(here.noted) == BOUNDARY - 1


def test_warn_reports_phases_and_saves_nothing(phased: Callable[..., Run]) -> None:
    here = phased("warn")
    here.sees([WELL] * (BOUNDARY + 1))
    assert len(here.of("phase")) == 1 and not here.store.calls


def test_a_control_can_end_a_phase(phased: Callable[..., Run]) -> None:
    here = phased()
    here.trainer.game.controls["lecam"].set(0.5)
    here.trainer.game.phases = (Phase("pretraining", ended_by="lecam"), Phase("contest"))
    here.sees([WELL] * 3)
    assert here.watchdog.memory.phase == 0
    here.trainer.game.controls["lecam"].set(1.0)
    here.sees([WELL])
    assert (here.watchdog.memory.phase, here.watchdog.memory.start) == (1, here.trainer.samples)


def test_samples_before_the_first_observation_are_counted_from_the_start_of_the_phase(
    phased: Callable[..., Run],
) -> None:
    here = phased(watched=False)
    here.sees([WELL] * BOUNDARY)
    here.sees([{**WELL, GAP: 0.65}])
    assert here.trainer.controls["augmentation"].value == pytest.approx(FIRST_INTERVAL * BATCH / AUGMENTATION_SAMPLES)


def test_no_phase_begins_at_the_end_of_the_budget(phased: Callable[..., Run]) -> None:
    """The best state of the last phase can then be restored."""
    here = phased()
    here.trainer.game.phases = (Phase("pretraining", ended_by="lecam"), Phase("contest"))
    here.sees([WELL] * WINDOW)
    here.trainer.step = here.trainer.plan.samples // BATCH // FIRST_INTERVAL * FIRST_INTERVAL
    here.sees([WELL])
    assert (
        here.trainer.progress.fraction == 1
        and here.watchdog.memory.phase == 0
        and here.watchdog.memory.best is not None
    )


def test_a_phase_without_duration_is_passed_over(phased: Callable[..., Run]) -> None:
    here = phased()
    here.trainer.game.phases = (Phase("pretraining", until=0.0, watched=False), Phase("contest"))
    again = Run(here.trainer, here.split)
    again.sees([WELL])
    assert again.watchdog.memory.phase == 1 and not again.events and len(again.noted) == 1


def test_only_the_last_phase_settles(phased: Callable[..., Run]) -> None:
    here = phased()
    here.sees([WELL] * (BOUNDARY - 1))
    assert len(here.watchdog.history) > MIN_OBSERVATIONS and not here.watchdog.settled
    here.sees([WELL] * MIN_OBSERVATIONS)
    assert not here.watchdog.settled
    here.sees([WELL])
    assert here.watchdog.settled


@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize("stop", [8, 19, 20, 21, 34])
def test_a_restored_watchdog_continues_exactly_in_any_phase(
    stop: int, watched: bool, phased: Callable[..., Run]
) -> None:
    story = [*[WELL] * 12, *[ROUGH] * 30, *[DIVERGED] * 30]
    whole, first, second = (phased(watched=watched) for _ in range(3))
    whole.watchdog.begin()
    first.watchdog.begin()
    whole.sees(story)
    first.sees(story[:stop])
    state = json.loads(json.dumps(first.watchdog.state(), allow_nan=False))
    second.trainer.step, second.trainer.samples = first.trainer.step, first.trainer.samples
    restore_positions(second.trainer.controls, positions(first.trainer.controls))
    second.store.good = first.store.good
    # The observations of all phases were written.
    second.watchdog.restore(state, list(first.noted))
    second.sees(story[stop:])
    assert (
        without_time(first.events + second.events) == without_time(whole.events)
        and whole.named("remedy")[-1] == "divergence"
    )
    resumed = [call for call in second.store.calls if call[0] != "drop before" or call[1] > stop * FIRST_INTERVAL]
    assert first.store.calls + resumed == whole.store.calls
    assert json.dumps(second.watchdog.state()) == json.dumps(whole.watchdog.state())
    assert second.watchdog.history == whole.watchdog.history
    assert positions(second.trainer.controls) == positions(whole.trainer.controls)


def test_a_run_killed_as_a_phase_began_is_not_rolled_back_across_it(phased: Callable[..., Run]) -> None:
    """The checkpoint is written before the states of the phase before are dropped."""
    here, again = phased(), phased()
    here.watchdog.begin()
    here.sees([WELL] * (BOUNDARY - 1))
    good, saved = here.store.good, []
    here.store.save_checkpoint = lambda: saved.append(json.dumps(here.watchdog.state()))  # type: ignore[method-assign]
    here.sees([WELL])
    again.trainer.step, again.trainer.samples = here.trainer.step, here.trainer.samples
    again.store.good = good
    again.watchdog.restore(json.loads(saved[0]), list(here.noted))
    assert again.store.good is not None and again.store.good[0] == BOUNDARY * FIRST_INTERVAL
