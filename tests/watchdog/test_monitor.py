"""What the watchdog says and does about runs that are made up look by look."""

import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from sparring.controls import restore_positions, standing
from sparring.data.dataset import Split
from sparring.flow import Phase
from sparring.games.duel import MOST_AUGMENTED, SLOWNESS, Duel
from sparring.modalities.points.rooms import POINTS
from sparring.objectives.penalties import r1
from sparring.objectives.schedules import Weighted, constant
from sparring.training.trainer import Trainer
from sparring.watchdog import monitor as watchdog
from sparring.watchdog import rules as findings
from sparring.watchdog.best import WINDOW
from sparring.watchdog.convergence import FEWEST
from sparring.watchdog.monitor import GAIN, KEPT_EVERY, MANY, NOT_FINITE, ROLLBACKS, RUIN, Watchdog
from sparring.watchdog.remedies import REMEDIES, SLOWER, Remedy
from sparring.watchdog.rules import COOLING, LASTING
from sparring.watchdog.signals import FIRST, Observation, due

Make = Callable[..., Any]
Values = Mapping[str, float]

BATCH = 32
HEALTHY = {"lead": 0.8, "overlap": 0.35, "swing": 0.03, "paired": 1.0, "refused": 0.0, "moved": 0.2, "coverage": 0.7}
WELL: Values = {**HEALTHY, "diversity": 1.0, "contrast": 1.0, "outside": 0.0, "distance": 0.02, "held-out gap": 0.1}
ROUGH = {**WELL, "lead": 9.0, "swing": 3.0}
"""Imbalance: nothing to go back for."""
DIVERGED = {**WELL, "outside": 0.99, "contrast": 9.0}
SLOW = {**WELL, "moved": 0.05, "distance": 0.5}
"""Stagnation: rates are raised, which is bold."""
COLLAPSED = {**WELL, "diversity": 0.02, "coverage": 0.02}
WARM_UP = [WELL] * 20
TRIAL = max(remedy.trial for tried in REMEDIES.values() for remedy in tried)
"""Looks after which every remedy is judged."""
ILL = 30
"""Looks after which whatever lasts has been found and tried."""


class Script:
    """An observer that sees what is written down, look by look."""

    def __init__(self, trainer: Trainer, split: Split) -> None:
        self.trainer, self.split, self.signal_source = trainer, split, POINTS
        self.values: Values = {}
        self.steps = self.forgotten = 0

    def step(self) -> None:
        self.steps += 1

    def observe(self) -> Observation:
        return Observation(self.trainer.step, self.trainer.samples, dict(self.values))

    def state(self) -> dict[str, Any]:
        return {"steps": self.steps}

    def restore(self, state: dict[str, Any]) -> None:
        self.steps = state["steps"]

    def forget(self) -> None:
        self.forgotten += 1


class SnapshotStore:
    """Remembers at which steps it was called, and goes back to the step and the dials that it was told to keep."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.calls: list[tuple[str, int]] = []
        self.good: tuple[int, dict[str, tuple[float, bool]]] | None = None

    def keep(self) -> None:
        self.good = self.trainer.step, standing(self.trainer.controls)
        self.calls.append(("keep", self.trainer.step))

    def keep_this(self) -> None:
        self.good = self.trainer.step, standing(self.trainer.controls)
        self.calls.append(("keep this", self.trainer.step))

    def keep_best(self) -> None:
        self.calls.append(("keep best", self.trainer.step))

    def go_back(self) -> bool:
        if self.good is None:
            return False
        self.calls.append(("back", self.trainer.step))
        self.trainer.step, controls = self.good
        self.trainer.samples = self.trainer.step * BATCH
        restore_positions(self.trainer.controls, controls)
        return True

    def secure(self) -> None:
        self.calls.append(("secure", self.trainer.step))

    def forget_before(self, samples: int) -> None:
        self.calls.append(("forget before", samples // BATCH))
        if self.good is not None and self.good[0] * BATCH < samples:
            self.keep()


class Run:
    """A watchdog with a made-up past and future."""

    def __init__(self, trainer: Trainer, split: Split, mode: str = "repair") -> None:
        self.trainer, self.split = trainer, split
        self.past, self.script = SnapshotStore(trainer), Script(trainer, split)
        self.events: list[tuple[str, str, dict[str, Any]]] = []
        self.noted: list[Observation] = []
        self.dog = Watchdog(
            self.script,  # type: ignore[arg-type]
            self.past,
            mode,
            lambda *event: self.events.append(event),
            self.noted.append,
        )

    def sees(self, script: Sequence[Values]) -> None:
        """One look after the other."""
        for values in script:
            self.trainer.step += FIRST
            while not due(self.trainer.step):
                self.trainer.step += FIRST
            self.trainer.samples = self.trainer.step * BATCH
            self.script.values = values
            self.dog.step()

    def sees_until(self, kind: str, values: Values) -> int:
        """The same look again and again until something of the kind was said; how many looks it took."""
        before = len(self.said(kind))
        for count in range(1, 200):
            self.sees([values])
            if len(self.said(kind)) > before:
                return count
        raise AssertionError(f"never: {kind}")

    def said(self, kind: str) -> list[str]:
        return [facts["finding"] for one, _, facts in self.events if one == kind]

    def sentences(self, kind: str) -> list[str]:
        return [sentence for one, sentence, _ in self.events if one == kind]

    def called(self, name: str) -> list[int]:
        return [step for one, step in self.past.calls if one == name]


@pytest.fixture
def run(tiny_duel: Callable[..., Duel], split: Make, plan: Make) -> Callable[..., Run]:
    """A run with R1 of a fixed strength, in a mode: ``run("warn")``."""

    def make(mode: str = "repair", data: Split | None = None) -> Run:
        data = data or split()
        duel = tiny_duel(
            penalties={"r1": Weighted(r1, constant(1.0))}, augment=lambda sample, probability, random: sample
        )
        return Run(Trainer(duel, data.train, plan(samples=10_000_000)), data, mode)

    return make


Begin = Callable[..., Run]


def test_a_healthy_run_is_left_alone(run: Begin) -> None:
    here = run()
    before = standing(here.trainer.controls)
    here.dog.begin()
    here.sees([WELL] * 3 * KEPT_EVERY)
    assert not here.events and standing(here.trainer.controls) == before and here.dog.word == "healthy"
    assert here.called("keep") == [0, *(FIRST * KEPT_EVERY * count for count in (1, 2, 3))]
    assert not here.called("back") and not here.called("secure")
    assert here.noted == here.dog.history and len(here.noted) == 3 * KEPT_EVERY


def test_it_looks_when_it_is_time_and_takes_note_of_every_step(run: Begin) -> None:
    here = run()
    here.script.values = WELL
    for step in range(1, 3 * FIRST):
        here.trainer.step = step
        here.dog.step()
    assert here.script.steps == 3 * FIRST - 1
    assert [observation.step for observation in here.noted] == [FIRST, 2 * FIRST]


def test_off_it_does_nothing_at_all(run: Begin) -> None:
    here = run("off")
    before = standing(here.trainer.controls)
    here.dog.begin()
    here.sees([*WARM_UP, *[ROUGH] * ILL])
    assert not here.events and not here.noted and not here.past.calls and here.script.steps == 0
    assert not here.dog.rescue() and standing(here.trainer.controls) == before
    assert here.dog.word == "not watched"


def test_warning_it_speaks_and_does_nothing(run: Begin) -> None:
    here = run("warn")
    before = standing(here.trainer.controls)
    here.dog.begin()
    here.sees([*WARM_UP, *[DIVERGED] * ILL])
    assert set(here.said("finding")) == {"divergence"} and here.dog.word == "divergence"
    assert not here.said("remedy") and not here.called("back") and standing(here.trainer.controls) == before
    assert not here.dog.rescue() and not here.called("back")


def test_the_same_is_not_said_again_for_a_while(run: Begin) -> None:
    here, places = run("warn"), []
    here.sees(WARM_UP)
    for place in range(3 * COOLING):
        here.sees([ROUGH])
        places += [place] * (len(here.events) - len(places))
    first = LASTING - 1
    assert places == [first, first + COOLING, first + 2 * COOLING]


def test_what_is_said_of_a_finding(run: Begin) -> None:
    here = run("warn")
    here.sees([*WARM_UP, *[COLLAPSED] * LASTING])
    ((kind, sentence, facts),) = here.events
    assert kind == "finding" and sentence.startswith("Mode collapse: ") and "diversity 0.02" in sentence
    assert facts["finding"] == "mode collapse" and len(facts["evidence"]) == 2 and facts["advice"].endswith(".")
    json.dumps(facts)


def test_unhealthy_data_is_said_at_the_beginning(run: Begin, split: Make) -> None:
    import numpy as np

    here = run("warn", split(np.zeros((300, 2), dtype=np.float32)))
    here.dog.begin()
    assert set(here.said("finding")) == {"unhealthy data"} and len(here.events) == 2


def test_a_remedy_is_tried_and_helps(run: Begin) -> None:
    here = run()
    here.sees([*WARM_UP, *[ROUGH] * LASTING])
    remedy = REMEDIES["imbalance"][0]
    assert here.said("remedy") == ["imbalance"] and remedy.says in here.sentences("remedy")[0]
    assert here.trainer.controls["strength"].enabled
    here.sees([WELL] * (remedy.trial - 1))
    assert not here.said("helped")
    here.sees([WELL])
    assert here.sentences("helped") == [f"It helped against imbalance: {remedy.says}."]
    assert here.events[-1][2]["mended"] is True
    assert here.trainer.controls["strength"].enabled and not here.dog.trials
    here.sees([WELL] * ILL)
    assert len(here.events) == 3


def test_what_did_not_help_is_put_back_and_the_next_is_tried(run: Begin) -> None:
    here = run()
    here.sees(WARM_UP)
    before = standing(here.trainer.controls)
    here.sees_until("remedy", ROUGH)
    assert standing(here.trainer.controls) != before
    assert here.sees_until("did not help", ROUGH) == REMEDIES["imbalance"][0].trial
    first, second = here.sentences("remedy")
    assert REMEDIES["imbalance"][0].says in first and REMEDIES["imbalance"][1].says in second
    assert "it is put back" in here.sentences("did not help")[0]
    assert not here.trainer.controls["strength"].enabled
    after = {name: value for name, (value, _) in standing(here.trainer.controls).items() if value != before[name][0]}
    assert after == {"discriminator rate": 0.5}


@pytest.mark.parametrize("remedy", REMEDIES["imbalance"])
def test_every_remedy_has_a_trial_of_its_own(remedy: Remedy, run: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    for trial in (remedy.trial, 3):
        monkeypatch.setattr(watchdog, "REMEDIES", {"imbalance": (replace(remedy, trial=trial),)})
        here = run()
        here.sees(WARM_UP)
        here.sees_until("remedy", ROUGH)
        assert here.sees_until("did not help", ROUGH) == trial


@pytest.mark.parametrize(("distance", "helped"), [(0.9 * GAIN, True), (1.1 * GAIN, False)])
def test_what_brings_the_samples_much_nearer_has_helped_though_not_enough(
    distance: float, helped: bool, run: Begin
) -> None:
    """It stays as it is turned, and the next is tried: what it was against still holds."""
    here = run()
    here.sees([{**WELL, "distance": 1.0}] * len(WARM_UP))
    here.sees_until("remedy", {**ROUGH, "distance": 1.0})
    here.sees([{**ROUGH, "distance": distance}] * REMEDIES["imbalance"][0].trial)
    first, second = REMEDIES["imbalance"][:2]
    told = here.sentences("helped" if helped else "did not help")
    assert told == [
        f"It helped against imbalance, though not enough: {first.says}."
        if helped
        else f"It did not help against imbalance: {first.says}; it is put back."
    ]
    assert [facts["mended"] for kind, _, facts in here.events if kind == "helped"] == [False] * helped
    assert here.trainer.controls["strength"].enabled == helped
    assert len(here.said("finding")) == 2 and second.says in here.sentences("remedy")[1]


def test_what_breaks_the_run_is_put_back_at_once_and_the_run_goes_back(run: Begin) -> None:
    """To where it was alive, though something ailed it; and not slower for what rates too high have done."""
    here = run()
    here.sees(WARM_UP)
    here.sees_until("remedy", SLOW)
    kept, rates = here.trainer.step, here.trainer.controls["generator rate"]
    assert here.called("keep")[-1] == kept and rates.value == 64.0
    assert here.sees_until("did not help", DIVERGED) == 2 < REMEDIES["stagnation"][0].trial
    assert here.sentences("did not help")[0].endswith("; it is put back, and the run goes back.")
    assert here.trainer.step == kept and rates.value == 1.0 and not here.said("helped") and not here.dog.trials
    assert here.called("secure") == [kept] and here.dog.history[-1].step == kept
    here.sees([SLOW])
    assert here.said("remedy") == ["stagnation", "stagnation"] and rates.value == 4.0


@pytest.mark.parametrize(("farther", "ruined"), [(1.1 * RUIN, True), (0.9 * RUIN, False)])
def test_a_bold_remedy_that_brings_the_samples_far_off_has_ruined_the_run(
    farther: float, ruined: bool, run: Begin
) -> None:
    """Though what it was against holds no more: samples that have died far from the data are not slow."""
    here = run()
    here.sees(WARM_UP)
    here.sees_until("remedy", SLOW)
    kept = here.trainer.step
    here.sees([{**WELL, "distance": farther * SLOW["distance"]}] * REMEDIES["stagnation"][0].trial)
    assert here.said("did not help" if ruined else "helped") == ["stagnation"]
    assert (here.trainer.step == kept) == ruined
    assert here.trainer.controls["generator rate"].value == (1.0 if ruined else 64.0)


def test_numbers_that_a_bold_remedy_makes_infinite_are_not_held_against_the_run(run: Begin) -> None:
    here = run()
    here.sees(WARM_UP)
    here.sees_until("remedy", SLOW)
    kept = here.trainer.step
    here.trainer.step += FIRST // 2
    assert here.dog.rescue() and here.trainer.step == kept
    assert here.trainer.controls["generator rate"].value == 1.0 and here.said("did not help") == ["stagnation"]
    assert here.said("remedy") == ["stagnation"]


def test_nothing_has_helped_where_the_samples_left_the_range_of_the_data(run: Begin) -> None:
    here = run()
    here.sees(WARM_UP)
    here.sees_until("remedy", ROUGH)
    here.sees([DIVERGED] * REMEDIES["imbalance"][0].trial)
    assert here.said("did not help") == ["imbalance"] and not here.said("helped") and not here.called("back")


def test_the_distance_of_a_single_look_tells_nothing(run: Begin) -> None:
    """The median of three counts, before and after."""
    here, far = run(), {**ROUGH, "distance": 1.0}
    here.sees(WARM_UP)
    here.sees_until("remedy", far)
    here.sees([far] * (REMEDIES["imbalance"][0].trial - 1))
    here.sees([{**ROUGH, "distance": 0.01}])
    assert here.said("did not help") == ["imbalance"] and not here.said("helped")


@pytest.mark.parametrize("seen_later", [False, True])
def test_where_there_is_no_distance_only_the_finding_counts(seen_later: bool, run: Begin) -> None:
    """Any distance would be nearer than none."""
    here, unseen = run(), {name: value for name, value in ROUGH.items() if name != "distance"}
    here.sees([{name: value for name, value in WELL.items() if name != "distance"}] * len(WARM_UP))
    here.sees_until("remedy", unseen)
    json.dumps(here.dog.state(), allow_nan=False)
    here.sees_until("did not help", ROUGH if seen_later else unseen)
    assert not here.said("helped")


def test_where_nothing_helps_all_is_as_before_and_it_keeps_speaking(run: Begin) -> None:
    here = run()
    here.sees(WARM_UP)
    before = standing(here.trainer.controls)
    here.sees([ROUGH] * (len(REMEDIES["imbalance"]) + 2) * (TRIAL + COOLING))
    assert len(here.said("remedy")) == len(here.said("did not help")) == len(REMEDIES["imbalance"])
    assert standing(here.trainer.controls) == before
    count = len(here.said("finding"))
    here.sees([ROUGH] * COOLING)
    assert len(here.said("finding")) == count + 1


def test_a_fault_that_comes_again_is_treated_by_the_next_remedy(run: Begin) -> None:
    here = run()
    here.sees([*WARM_UP, *[ROUGH] * LASTING, *[WELL] * COOLING, *[ROUGH] * LASTING])
    assert [REMEDIES["imbalance"][place].says in here.sentences("remedy")[place] for place in (0, 1)] == [True, True]
    assert here.trainer.controls["strength"].enabled and here.trainer.controls["discriminator rate"].value == 0.5


def test_one_remedy_at_a_time(run: Begin) -> None:
    """Else nobody could say which of them helped."""
    here, both = run(), {**ROUGH, **{"held-out gap": 0.99, "overlap": 0.0}}
    here.sees(WARM_UP)
    here.sees_until("remedy", both)
    here.sees([both] * (REMEDIES["imbalance"][0].trial - 1))
    assert set(here.said("finding")) == {"imbalance", "discriminator overfitting"}
    assert here.said("remedy") == ["imbalance"] and len(here.dog.trials) == 1


def test_a_finding_without_a_remedy_is_only_said(run: Begin) -> None:
    here = run()
    here.sees([*WARM_UP, *[{**WELL, "checkerboard": 3.0, "detail": 2.0}] * ILL])
    assert set(here.said("finding")) == {"checkerboard"} and not here.said("remedy")


def test_going_back(run: Begin) -> None:
    """To the state that was kept, with slower rates; what came after it is forgotten."""
    here = run()
    here.trainer.controls["strength"].enabled = True
    here.dog.begin()
    here.sees([WELL] * (KEPT_EVERY + 4))
    here.sees_until("remedy", DIVERGED)
    good = FIRST * KEPT_EVERY
    assert here.called("keep") == [0, good] and len(here.called("back")) == 1
    assert here.trainer.step == good and f"; the run goes on from step {good}." in here.sentences("remedy")[0]
    assert here.called("secure") == [good]
    assert here.trainer.controls["generator rate"].value == here.trainer.controls["discriminator rate"].value == 0.25
    assert here.trainer.controls["strength"].value == 2.0
    assert [observation.step for observation in here.dog.history] == [
        FIRST * count for count in range(1, KEPT_EVERY + 1)
    ]
    here.sees([WELL] * TRIAL)
    assert here.said("helped") == ["divergence"]


def test_dials_on_the_way_back(run: Begin) -> None:
    """What follows a rule goes on from the state that was kept; what only the watchdog turns stays as it is."""
    here = run()
    here.trainer.controls["strength"].enabled = True
    here.trainer.controls["strength"].set(5.0)
    here.sees([WELL] * KEPT_EVERY)
    for name, value in (("strength", 0.01), ("lecam", 0.3), ("real level", -7.0), ("generator rate", 0.5)):
        here.trainer.controls[name].set(value)
    here.sees([{**WELL, "held-out gap": 0.65}] * 3)
    assert here.trainer.controls["augmentation"].value > 0
    here.sees_until("remedy", DIVERGED)
    assert len(here.called("back")) == 1
    assert {name: control.value for name, control in here.trainer.controls.items()} == {
        "strength": 2 * 5.0,
        "augmentation": 0.0,
        "lecam": 0.3,
        "real level": 0.0,
        "fake level": 0.0,
        "generator rate": 0.25 * 0.5,
        "discriminator rate": 0.25,
    }


def test_what_was_being_tried_is_not_judged_after_going_back(run: Begin) -> None:
    here = run()
    here.dog.begin()
    here.sees(WARM_UP)
    here.sees_until("remedy", ROUGH)
    assert [trial.finding for trial in here.dog.trials] == ["imbalance"]
    assert here.dog.rescue() and here.script.forgotten == 1
    assert [trial.finding for trial in here.dog.trials] == [NOT_FINITE]
    assert here.trainer.controls["strength"].enabled
    here.sees([WELL] * 2 * TRIAL)
    assert here.said("helped") == [NOT_FINITE] and not here.said("did not help")


def test_without_a_state_to_go_back_to_the_remedy_is_applied_all_the_same(run: Begin) -> None:
    """And can be put back, because nothing else has changed."""
    here = run()
    here.trainer.controls["strength"].enabled = True
    before = standing(here.trainer.controls)
    here.past.keep = lambda: None  # type: ignore[method-assign]
    here.dog.begin()
    here.sees(WARM_UP)
    here.sees_until("remedy", DIVERGED)
    assert here.trainer.controls["generator rate"].value == 0.25 and here.trainer.controls["strength"].value == 2.0
    assert "again" not in here.sentences("remedy")[0] and here.dog.rollbacks == here.script.forgotten == 0
    assert not here.called("back") and not here.called("secure")
    assert len(here.dog.history) == len(here.noted) > len(WARM_UP)
    here.sees([DIVERGED] * (SLOWER.trial - 1))
    assert standing(here.trainer.controls) != before
    here.sees([DIVERGED])
    assert "it is put back" in here.sentences("did not help")[0] and len(here.sentences("remedy")) == 2
    assert here.trainer.controls["generator rate"].value == 0.25


def test_a_rescue_without_a_state_to_go_back_to_gives_as_much_time_to_mend(run: Begin) -> None:
    here = run()
    here.trainer.guard.refused["generator"] = 5
    assert here.dog.rescue() and here.trainer.controls["generator rate"].value == 0.25
    assert here.trainer.guard.exhausted is None


def test_going_back_to_the_beginning_is_not_taken_for_a_cure(run: Begin) -> None:
    here = run()
    here.trainer.controls["strength"].enabled = True
    here.dog.begin()
    here.sees_until("remedy", COLLAPSED)
    assert here.trainer.step == 0 and not here.dog.history
    here.sees([COLLAPSED] * 2 * TRIAL)
    assert here.said("did not help") and not here.said("helped")


def test_rates_fall_with_every_rollback_and_rollbacks_end(run: Begin) -> None:
    """What was turned before is kept on the way back, and is not put back where it did not help."""
    here = run()
    here.trainer.controls["strength"].enabled = True
    here.dog.begin()
    here.sees([WELL] * KEPT_EVERY)
    here.sees([DIVERGED] * 6 * (TRIAL + COOLING))
    tried = [remedy for remedy in REMEDIES["divergence"] if remedy.back]
    assert len(here.called("back")) == min(len(tried), ROLLBACKS)
    assert here.trainer.controls["generator rate"].value == pytest.approx(0.25 ** len(here.called("back")))
    assert set(here.said("did not help")) == {"divergence"}
    assert not any("put back" in sentence for sentence in here.sentences("did not help"))


def test_there_are_only_so_many_rollbacks_in_a_run(run: Begin) -> None:
    here = run()
    here.trainer.controls["strength"].enabled = True
    here.dog.begin()
    here.sees([WELL] * KEPT_EVERY)
    for values in (DIVERGED, COLLAPSED, {**WELL, "refused": 10.0 * MANY}):
        here.sees([values] * 4 * (TRIAL + COOLING))
    assert here.dog.rollbacks == len(here.called("back")) == ROLLBACKS
    assert here.said("remedy").count("divergence") + here.said("remedy").count("mode collapse") <= ROLLBACKS


@pytest.mark.parametrize(("refused", "mended"), [(MANY - 1.0, False), (float(MANY), True)])
def test_a_few_updates_that_were_not_made_are_only_said(refused: float, mended: bool, run: Begin) -> None:
    here = run()
    here.dog.begin()
    here.sees([*WARM_UP, {**WELL, "refused": refused}])
    assert here.said("finding") == [NOT_FINITE]
    assert bool(here.called("back")) == bool(here.said("remedy")) == mended


def test_a_run_that_gave_up_is_rescued(run: Begin) -> None:
    here = run()
    here.dog.begin()
    here.sees([WELL] * (KEPT_EVERY + 2))
    here.trainer.guard.refused["generator"] = 5
    assert here.dog.rescue()
    assert here.said("finding") == here.said("remedy") == [NOT_FINITE]
    assert here.trainer.step == FIRST * KEPT_EVERY and here.called("secure") == [FIRST * KEPT_EVERY]
    assert here.trainer.controls["generator rate"].value == 0.25
    assert here.trainer.guard.exhausted is None


def test_there_is_no_going_back_to_weights_that_were_drawn_anew(run: Begin) -> None:
    """What is drawn anew is kept in place of what was kept before, and later remedies go back to that."""
    here = run()
    here.trainer.controls["strength"].enabled = True
    here.dog.begin()
    here.sees([WELL] * (KEPT_EVERY + 2))
    assert here.dog.rescue() and not here.called("keep this")
    here.sees([WELL])
    assert here.dog.rescue() and here.called("keep this") == [FIRST * KEPT_EVERY]
    assert "drawn anew" in here.sentences("remedy")[-1] and here.past.calls[-1] == ("keep this", FIRST * KEPT_EVERY)


def test_a_run_is_not_rescued_for_ever(run: Begin) -> None:
    here = run()
    here.dog.begin()
    rescued = [here.dog.rescue() for _ in range(2 * ROLLBACKS)]
    tried = len(REMEDIES[NOT_FINITE])
    assert rescued == [True] * tried + [False] * (2 * ROLLBACKS - tried)


def test_what_a_rescue_turned_stays_turned(run: Begin) -> None:
    here = run()
    here.trainer.controls["strength"].enabled = True
    here.dog.begin()
    here.sees(WARM_UP)
    here.sees_until("remedy", ROUGH)
    assert here.trainer.controls["discriminator rate"].value == 0.5
    assert here.dog.rescue()
    here.sees_until("did not help", ROUGH)
    assert here.trainer.controls["discriminator rate"].value == 0.5 * 0.25


def test_what_turns_by_itself_is_not_put_back(run: Begin) -> None:
    here = run()
    here.trainer.controls["strength"].enabled = True
    here.sees(WARM_UP)
    here.sees_until("remedy", ROUGH)
    here.trainer.controls["strength"].set(0.001)
    here.sees_until("did not help", ROUGH)
    assert here.trainer.controls["strength"].value == 0.001


def test_the_checkpoint_after_going_back_knows_all(run: Begin) -> None:
    """A run that is resumed from it has to go on as the one that wrote it."""
    here, states = run(), []
    here.trainer.controls["strength"].enabled = True
    here.past.secure = lambda: states.append(json.dumps(here.dog.state()))  # type: ignore[method-assign]
    here.dog.begin()
    here.sees([WELL] * (KEPT_EVERY + 4))
    here.sees_until("remedy", DIVERGED)
    assert states == [json.dumps(here.dog.state())]


def test_nothing_is_kept_while_something_is_wrong_or_being_tried(run: Begin) -> None:
    here = run()
    here.dog.begin()
    here.sees([WELL] * (2 * KEPT_EVERY - LASTING))
    here.sees([COLLAPSED] * LASTING)
    here.sees([WELL] * (REMEDIES["mode collapse"][0].trial - 1))
    assert here.called("keep") == [0, FIRST * KEPT_EVERY]
    here.sees([WELL] * KEPT_EVERY)
    assert len(here.called("keep")) == 3


@pytest.mark.parametrize("ill", [{**WELL, "refused": 1.0}, COLLAPSED])
def test_a_short_healthy_time_is_not_enough_to_keep(ill: Values, run: Begin) -> None:
    """Though what ails it was seen but once, and may be nothing."""
    here = run()
    here.dog.begin()
    here.sees([WELL] * (2 * KEPT_EVERY - 3))
    here.sees([ill, WELL, WELL])
    assert FIRST * 2 * KEPT_EVERY not in here.called("keep") and FIRST * KEPT_EVERY in here.called("keep")


GAP = "held-out gap"


def test_augmentation_follows_how_much_of_the_data_is_known_by_heart(run: Begin) -> None:
    """By the samples since the look before, those at which there was nothing to follow included."""
    here = run()
    control, step = here.trainer.controls["augmentation"], FIRST * BATCH / SLOWNESS
    unseen = {name: value for name, value in WELL.items() if name != GAP}
    for gap, steps in (({GAP: 0.65}, 1), ({GAP: 0.65}, 2), ({}, 2), ({GAP: 0.5}, 1), ({GAP: -1.0}, 0), ({GAP: 0.1}, 0)):
        here.sees([{**unseen, **gap}])
        assert control.value == pytest.approx(steps * step)
    here.sees([{**WELL, GAP: 0.65}] * 200)
    samples = here.noted[-1].samples - here.noted[5].samples
    assert control.value == pytest.approx(min(samples / SLOWNESS, MOST_AUGMENTED)) and not here.events


def test_samples_are_counted_from_where_the_run_went_back_to(run: Begin) -> None:
    here = run()
    here.trainer.controls["strength"].enabled = True
    here.dog.begin()
    here.sees([WELL] * KEPT_EVERY)
    here.sees_until("remedy", DIVERGED)
    assert len(here.called("back")) == 1
    here.sees([{**WELL, GAP: 0.65}])
    assert here.trainer.controls["augmentation"].value == pytest.approx(FIRST * BATCH / SLOWNESS)


@pytest.mark.parametrize("mode", ["warn", "off"])
def test_nothing_is_augmented_unless_it_may_repair(mode: str, run: Begin) -> None:
    here = run(mode)
    here.sees([{**WELL, GAP: 0.9}] * 5)
    assert here.trainer.controls["augmentation"].value == 0.0


def test_only_the_rule_for_looks_is_obeyed_at_a_look(run: Begin) -> None:
    here = run()
    here.trainer.controls["strength"].enabled = True
    before = standing(here.trainer.controls)
    here.sees([{**WELL, "real score": 9.0, "fake score": -9.0, "lead": 0.75}] * 3)
    assert standing(here.trainer.controls) == before


def test_the_best_is_kept_where_the_mean_distance_has_fallen_by_a_tenth(run: Begin) -> None:
    here = run()
    distances = [1.0] * WINDOW + [0.95] * WINDOW + [0.85] * WINDOW + [0.81] * WINDOW + [9.0] * WINDOW
    here.sees([{**WELL, "distance": distance} for distance in distances])
    assert here.called("keep best") == [FIRST * WINDOW, FIRST * (2 * WINDOW + 3)]
    assert here.dog.best == pytest.approx((2 * 0.95 + 3 * 0.85) / WINDOW)
    warning = run("warn")
    warning.sees([WELL] * 3 * WINDOW)
    assert not warning.called("keep best")


def test_what_was_best_before_the_state_that_it_goes_back_to_stays_so(run: Begin) -> None:
    here, far = run(), {**WELL, "distance": 0.5}
    here.trainer.controls["strength"].enabled = True
    here.dog.begin()
    here.sees([WELL] * KEPT_EVERY)
    here.sees([far] * (3 * KEPT_EVERY))
    best, good = here.called("keep best"), here.called("keep")[-1]
    assert best[-1] == FIRST * WINDOW < good
    here.sees_until("remedy", {**DIVERGED, "distance": 0.5})
    assert here.trainer.step == good
    here.sees([far] * 3)
    assert here.called("keep best") == best


def test_what_was_best_on_the_way_that_was_left_is_no_more(run: Begin) -> None:
    here, near = run(), {**WELL, "distance": 0.001}
    here.trainer.controls["strength"].enabled = True
    here.dog.begin()
    here.sees([WELL] * KEPT_EVERY)
    here.sees([near] * WINDOW)
    assert here.called("keep best")[-1] > FIRST * KEPT_EVERY
    here.sees_until("remedy", DIVERGED)
    assert here.trainer.step == FIRST * KEPT_EVERY and here.dog.best == math.inf
    here.sees([WELL])
    assert here.called("keep best")[-1] == FIRST * (KEPT_EVERY + 1)


@pytest.mark.parametrize("mode", ["repair", "warn"])
def test_a_run_has_settled_when_no_gain_can_be_told(mode: str, run: Begin) -> None:
    here, chance = run(mode), random.Random(0)
    for place in range(1, 41):
        here.sees([{**WELL, "distance": 1 / place + chance.gauss(0, 0.002)}])
        assert not here.dog.settled
    settled = []
    for _ in range(60):
        here.sees([{**WELL, "distance": 1 / 40 + chance.gauss(0, 0.002)}])
        settled.append(here.dog.settled)
    assert not any(settled[:8]) and all(settled[-20:])


def test_a_run_in_which_something_is_being_tried_has_not_settled(run: Begin) -> None:
    here = run()
    here.sees(WARM_UP)
    assert here.dog.settled
    here.sees_until("remedy", ROUGH)
    assert not here.dog.settled


def test_a_run_that_nobody_has_looked_at_for_long_has_not_settled(run: Begin) -> None:
    here, idle = run(), run("off")
    assert not here.dog.settled
    for one in (here, idle):
        one.sees([WELL] * (FEWEST - 1))
        assert not one.dog.settled
        one.sees([WELL])
    assert here.dog.settled and not idle.dog.settled


def test_the_worst_is_its_word(run: Begin) -> None:
    here = run("warn")
    assert here.dog.word == "healthy"
    here.sees([*WARM_UP, *[{**DIVERGED, **{"lead": 9.0, "swing": 3.0}}] * LASTING])
    assert here.dog.word == "divergence, imbalance"
    here.sees([WELL])
    assert here.dog.word == "healthy"


HALF_MENDED = [{**ROUGH, "distance": 0.02 * 0.9**place} for place in range(60)]
STORIES: dict[str, list[Values]] = {
    "healthy": [WELL] * 60,
    "one fault": [*WARM_UP, *[ROUGH] * 60],
    "faults that come and go": [*WARM_UP, *([ROUGH] * 5 + [WELL] * 9 + [COLLAPSED] * 7) * 3],
    "rollbacks": [*WARM_UP, *[DIVERGED] * 60],
    "the best on a way that is left": [*[WELL] * 16, *[{**WELL, "distance": 0.001}] * 5, *[DIVERGED] * 40],
    "a fault that is mended by half": [*WARM_UP, *HALF_MENDED],
    "data known by heart": [*WARM_UP, *[{**WELL, "held-out gap": 0.65, "overlap": 0.01}] * 60],
}


@pytest.mark.parametrize("stop", [0, 8, 21, 23, 30, 41])
@pytest.mark.parametrize("story", STORIES)
def test_stopped_and_restored_it_goes_on_as_if_never_stopped(story: str, stop: int, run: Begin) -> None:
    whole, first, second = (run() for _ in range(3))
    whole.dog.begin()
    first.dog.begin()
    whole.sees(STORIES[story])
    first.sees(STORIES[story][:stop])

    # What a checkpoint keeps: the state as JSON, the looks as they were written down, and where the dials stand.
    state = json.loads(json.dumps(first.dog.state(), allow_nan=False))
    second.trainer.step, second.trainer.samples = first.trainer.step, first.trainer.samples
    for name, (value, enabled) in standing(first.trainer.controls).items():
        second.trainer.controls[name].value, second.trainer.controls[name].enabled = value, enabled
    second.past.good = first.past.good
    second.dog.restore(
        state,
        [
            Observation(observation.step, observation.samples, dict(observation.values))
            for observation in first.dog.history
        ],
    )
    second.sees(STORIES[story][stop:])

    assert first.events + second.events == whole.events
    assert first.past.calls + second.past.calls == whole.past.calls
    assert json.dumps(second.dog.state()) == json.dumps(whole.dog.state())
    assert second.dog.history == whole.dog.history
    assert standing(second.trainer.controls) == standing(whole.trainer.controls)


def test_the_state_is_json(run: Begin) -> None:
    here = run()
    here.trainer.controls["strength"].set(math.pi)
    here.dog.begin()
    here.sees([*WARM_UP, *[ROUGH] * LASTING])
    state = here.dog.state()
    assert len(state["trials"]) == 1
    assert json.loads(json.dumps(state, allow_nan=False))["trials"][0]["dials"] == {"strength": [math.pi, False]}


BOUNDARY = 20
"""Looks after which the second phase begins."""


@pytest.fixture
def phased(run: Begin) -> Callable[..., Run]:
    """A run of pretraining and contest: ``phased(watched=False)``."""

    def make(mode: str = "repair", *, watched: bool = True) -> Run:
        here = run(mode)
        share = BOUNDARY * FIRST * BATCH / here.trainer.plan.samples
        here.trainer.game.phases = (Phase("pretraining", until=share, watched=watched), Phase("contest"))
        return here

    return make


def test_an_unwatched_phase_is_neither_looked_at_nor_acted_upon(phased: Callable[..., Run]) -> None:
    here = phased(watched=False)
    before = standing(here.trainer.controls)
    here.dog.begin()
    here.sees([DIVERGED] * (BOUNDARY - 1))
    assert not here.events and not here.noted and here.script.steps == 0 and here.dog.word == "not watched"
    assert here.past.calls == [("keep", 0)] and standing(here.trainer.controls) == before and not here.dog.settled
    here.sees([DIVERGED, WELL])
    ((kind, sentence, facts),) = here.events
    assert kind == "phase" and sentence == "The phase pretraining ends after 40,960 samples; contest begins."
    assert facts == {"phase": 1, "name": "contest", "dropped": []} and here.dog.word == "healthy"
    assert [(observation.phase, observation.step) for observation in here.noted] == [(1, (BOUNDARY + 1) * FIRST)]


def test_every_phase_has_a_history_of_its_own(phased: Callable[..., Run]) -> None:
    """A trial that is still open is dropped, and what it turned stays turned."""
    here = phased()
    here.dog.begin()
    here.sees([WELL] * (BOUNDARY - LASTING - 1))
    here.sees([ROUGH] * LASTING)
    assert [trial.finding for trial in here.dog.trials] == ["imbalance"] and here.dog.tries and here.dog.ailing
    here.sees([ROUGH])
    assert here.events[-1][2]["dropped"] == ["imbalance"] and here.trainer.controls["strength"].enabled
    assert not (here.dog.history or here.dog.trials or here.dog.tries or here.dog.said or here.dog.ailing)
    assert here.dog.best == math.inf and here.dog.healthy == 0 and here.script.forgotten == 1
    here.sees([ROUGH] * (findings.EARLY + LASTING))
    assert [kind for kind, _, _ in here.events] == ["finding", "remedy", "phase", "finding", "remedy"]
    assert not here.said("helped") and not here.said("did not help")


def test_a_rollback_never_crosses_a_phase(phased: Callable[..., Run]) -> None:
    here = phased()
    here.trainer.controls["strength"].enabled = True
    here.dog.begin()
    here.sees([WELL] * BOUNDARY)
    boundary = BOUNDARY * FIRST
    assert here.trainer.step == boundary and here.called("keep") == [0, 8 * FIRST, 16 * FIRST, boundary]
    assert here.past.calls[-3:] == [("secure", boundary), ("forget before", boundary), ("keep", boundary)]
    here.sees_until("remedy", DIVERGED)
    assert here.trainer.step == boundary and here.trainer.game.phases[here.dog.phase].name == "contest"
    here.sees([DIVERGED] * 4 * (TRIAL + COOLING))
    assert len(here.called("back")) > 2 and here.trainer.step >= boundary and len(here.sentences("phase")) == 1


def test_a_run_that_gave_up_in_an_unwatched_phase_is_rescued_within_it(phased: Callable[..., Run]) -> None:
    here = phased()
    here.trainer.game.phases = (here.trainer.game.phases[0], Phase("fine-tuning", watched=False))
    here.dog.begin()
    here.sees([WELL] * (BOUNDARY + 5))
    assert here.dog.rescue() and here.trainer.step == BOUNDARY * FIRST
    assert here.said("finding")[-1] == NOT_FINITE and here.trainer.controls["generator rate"].value == 0.25
    assert len(here.noted) == BOUNDARY - 1


def test_warning_it_tells_of_phases_and_keeps_nothing(phased: Callable[..., Run]) -> None:
    here = phased("warn")
    here.sees([WELL] * (BOUNDARY + 1))
    assert len(here.sentences("phase")) == 1 and not here.past.calls


def test_a_dial_that_ends_a_phase_begins_the_next(phased: Callable[..., Run]) -> None:
    here = phased()
    here.trainer.game.controls["lecam"].set(0.5)
    here.trainer.game.phases = (Phase("pretraining", ended_by="lecam"), Phase("contest"))
    here.sees([WELL] * 3)
    assert here.dog.phase == 0
    here.trainer.game.controls["lecam"].set(1.0)
    here.sees([WELL])
    assert (here.dog.phase, here.dog.began) == (1, here.trainer.samples)


def test_samples_are_counted_from_the_beginning_of_the_phase(phased: Callable[..., Run]) -> None:
    here = phased(watched=False)
    here.sees([WELL] * BOUNDARY)
    here.sees([{**WELL, GAP: 0.65}])
    assert here.trainer.controls["augmentation"].value == pytest.approx(FIRST * BATCH / SLOWNESS)


def test_at_the_end_of_the_budget_no_phase_begins(phased: Callable[..., Run]) -> None:
    """What was best in the phase that the run ended with may be put back."""
    here = phased()
    here.trainer.game.phases = (Phase("pretraining", ended_by="lecam"), Phase("contest"))
    here.sees([WELL] * WINDOW)
    here.trainer.step = here.trainer.plan.samples // BATCH // FIRST * FIRST
    here.sees([WELL])
    assert here.trainer.progress.fraction == 1 and here.dog.phase == 0 and here.dog.best < math.inf


def test_a_phase_of_no_length_is_passed_over(phased: Callable[..., Run]) -> None:
    here = phased()
    here.trainer.game.phases = (Phase("pretraining", until=0.0, watched=False), Phase("contest"))
    again = Run(here.trainer, here.split)
    again.sees([WELL])
    assert again.dog.phase == 1 and not again.events and len(again.noted) == 1


def test_only_the_last_phase_settles_and_by_its_own_looks(phased: Callable[..., Run]) -> None:
    here = phased()
    here.sees([WELL] * (BOUNDARY - 1))
    assert len(here.dog.history) > FEWEST and not here.dog.settled
    here.sees([WELL] * FEWEST)
    assert not here.dog.settled
    here.sees([WELL])
    assert here.dog.settled


@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize("stop", [8, 19, 20, 21, 34])
def test_in_any_phase_it_can_be_stopped_and_restored(stop: int, watched: bool, phased: Callable[..., Run]) -> None:
    story = [*[WELL] * 12, *[ROUGH] * 30, *[DIVERGED] * 30]
    whole, first, second = (phased(watched=watched) for _ in range(3))
    whole.dog.begin()
    first.dog.begin()
    whole.sees(story)
    first.sees(story[:stop])
    state = json.loads(json.dumps(first.dog.state(), allow_nan=False))
    second.trainer.step, second.trainer.samples = first.trainer.step, first.trainer.samples
    restore_positions(second.trainer.controls, standing(first.trainer.controls))
    second.past.good = first.past.good
    # The looks at all phases were written down.
    second.dog.restore(state, list(first.noted))
    second.sees(story[stop:])
    assert first.events + second.events == whole.events and whole.said("remedy")[-1] == "divergence"
    resumed = [call for call in second.past.calls if call[0] != "forget before" or call[1] > stop * FIRST]
    assert first.past.calls + resumed == whole.past.calls
    assert json.dumps(second.dog.state()) == json.dumps(whole.dog.state())
    assert second.dog.history == whole.dog.history
    assert standing(second.trainer.controls) == standing(whole.trainer.controls)


def test_a_run_that_was_killed_as_a_phase_began_does_not_go_back_across_it(phased: Callable[..., Run]) -> None:
    """The checkpoint is written before the states of the phase before are forgotten."""
    here, again = phased(), phased()
    here.dog.begin()
    here.sees([WELL] * (BOUNDARY - 1))
    good, saved = here.past.good, []
    here.past.secure = lambda: saved.append(json.dumps(here.dog.state()))  # type: ignore[method-assign]
    here.sees([WELL])
    again.trainer.step, again.trainer.samples = here.trainer.step, here.trainer.samples
    again.past.good = good
    again.dog.restore(json.loads(saved[0]), list(here.noted))
    assert again.past.good is not None and again.past.good[0] == BOUNDARY * FIRST


def test_what_was_written_before_there_were_phases_is_restored(run: Begin) -> None:
    here, again = run(), run()
    here.sees([*WARM_UP, *[ROUGH] * LASTING])
    state = {name: value for name, value in here.dog.state().items() if name != "phase"}
    again.dog.restore(json.loads(json.dumps(state)), list(here.noted))
    assert again.dog.state() == json.loads(json.dumps(here.dog.state())) and again.dog.history == here.dog.history
    assert not again.past.calls
