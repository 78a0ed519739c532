"""Made-up histories: each fault is found in its own, and none in a healthy one."""

import math
from collections.abc import Mapping

import pytest
import torch

from sparring.modalities.images import extra_signals
from sparring.watchdog.rules import EARLY, LASTING, RULES, Rule, above, below, found, lost, suspicious
from sparring.watchdog.signals import SIGNALS, Observation

HEALTHY = {
    "lead": 0.85,
    "overlap": 0.35,
    "sure": 0.4,
    "real slope": 1.0,
    "fake slope": 1.0,
    "generator gradient": 1.0,
    "discriminator gradient": 1.0,
    "penalty share": 0.2,
    "steered": 1.0,
    "paired": 1.0,
    "swing": 0.03,
    "spent": 0.3,
    "refused": 0.0,
    "diversity": 0.97,
    "contrast": 1.0,
    "moved": 0.45,
    "held-out gap": 0.1,
    "distance": 0.02,
    "coverage": 0.7,
    "nearer to training": 0.5,
    "checkerboard": 0.02,
    "detail": 0.01,
    "outside": 0.001,
}
STILL = {"moved": 1e-4, "distance": 2.0}
ILL: list[tuple[str, dict[str, float]]] = [
    ("non-finite numbers", {"refused": 30.0}),
    ("divergence", {"outside": 0.99, "contrast": 9.0}),
    ("divergence", {"outside": 0.35, "diversity": 1.25}),
    ("vanishing gradient", {**STILL, "generator gradient": 1e-9}),
    ("mode collapse", {"diversity": 0.02, "coverage": 0.02}),
    ("imbalance", {"lead": 9.0, "swing": 3.0}),
    ("imbalance", {"distance": 1.0, "coverage": 0.2, "lead": 9.0}),
    ("imbalance", {"distance": 1.0, "coverage": 0.2, "overlap": 0.0}),
    ("weak discriminator", {"lead": math.log(2), "swing": 1e-6, "coverage": 0.2, "steered": 0.0}),
    ("weak discriminator", {"penalty share": 30.0, "lead": 0.75, "distance": 0.2, "steered": 0.0}),
    ("discriminator overfitting", {"held-out gap": 0.99, "overlap": 0.0}),
    ("memorisation", {"held-out gap": 0.99, "nearer to training": 0.99}),
    ("oscillation", {"moved": 2.0, "swing": 3.0}),
    ("oscillation", {"moved": 2.0, "distance": 1.0}),
    ("checkerboard", {"checkerboard": 3.0, "detail": 2.0}),
    ("stagnation", STILL),
    ("stagnation", {"moved": 0.1, "overlap": 0.02, "detail": -1.0}),
]
JUDGED_EARLIER = {"non-finite numbers", "divergence", "vanishing gradient", "weak discriminator", "stagnation"}
"""What shows, and can be mended with little loss, before much is learned."""
LONG = 30
"""More healthy looks than any rule waits for."""


def history(*values: Mapping[str, float]) -> list[Observation]:
    """One look after the other, of a healthy run but for ``values``."""
    return [Observation(64 * (place + 1), 2048 * (place + 1), {**HEALTHY, **one}) for place, one in enumerate(values)]


def names(*values: Mapping[str, float]) -> list[str]:
    return [finding.name for finding in found(history(*values))]


def rules(name: str, ill: Mapping[str, float]) -> list[Rule]:
    """Those of the name that hold in the fault ``ill``."""
    return [rule for rule in RULES if rule.name == name and rule.evidence(history(*[{}] * LONG, ill))]


def test_nothing_ails_a_healthy_run() -> None:
    for count in range(1, LONG):
        assert not names(*[{}] * count)


def test_nothing_is_found_where_nothing_was_seen() -> None:
    assert not found([])
    assert not found([Observation(64 * place, 0, {}) for place in range(1, LONG)])


@pytest.mark.parametrize(("name", "ill"), ILL)
def test_a_fault_is_found_when_it_has_lasted(name: str, ill: dict[str, float]) -> None:
    (rule,) = rules(name, ill)
    assert name in names(*[{}] * LONG, *[ill] * rule.lasting)
    assert name not in names(*[{}] * LONG, *[ill] * (rule.lasting - 1))


@pytest.mark.parametrize(("name", "ill"), [one for one in ILL if one[0] != "non-finite numbers"])
def test_a_healthy_look_between_begins_the_count_anew(name: str, ill: dict[str, float]) -> None:
    (rule,) = rules(name, ill)
    assert name not in names(*[{}] * LONG, *[ill] * rule.lasting, {})
    assert name not in names(*[{}] * LONG, *[ill] * rule.lasting, {}, *[ill] * (rule.lasting - 1))


@pytest.mark.parametrize(("name", "ill"), ILL)
def test_one_signal_alone_is_not_enough(name: str, ill: dict[str, float]) -> None:
    (rule,) = rules(name, ill)
    for signal in ill:
        healed = {**ill, signal: HEALTHY[signal]}
        assert name not in names(*[{}] * LONG, *[healed] * rule.lasting)
        unseen = {**ill, signal: math.nan}
        assert name not in names(*[{}] * LONG, *[unseen] * rule.lasting)


@pytest.mark.parametrize(("name", "ill"), ILL)
def test_the_first_looks_are_not_judged(name: str, ill: dict[str, float]) -> None:
    """All looks from the first on are ill; what is measured by the run's own past is never found so."""
    (rule,) = rules(name, ill)
    waits = rule.early + rule.lasting
    assert name not in names(*[ill] * (waits - 1))
    assert name in names(*[ill] * waits)
    assert rule.early >= EARLY or name in JUDGED_EARLIER


@pytest.mark.parametrize(("name", "ill"), ILL)
def test_a_run_is_suspicious_at_the_first_look_at_which_a_rule_holds(name: str, ill: dict[str, float]) -> None:
    (rule,) = rules(name, ill)
    assert suspicious(history(*[{}] * LONG, ill)) and suspicious(history(*[ill] * (rule.early + 1)))
    assert not suspicious(history(*[{}] * LONG, ill, {}))


def test_a_healthy_run_is_never_suspicious() -> None:
    assert not any(suspicious(history(*[{}] * count)) for count in range(LONG))


def test_every_rule_has_its_fault_here() -> None:
    covered = [rule for name, ill in ILL for rule in rules(name, ill)]
    assert all(rule in covered for rule in RULES)


def test_every_rule_listens_to_signals_that_exist() -> None:
    images = torch.zeros(2, 1, 8, 8)
    known = {*SIGNALS, *extra_signals.extra_signals(images, images)}
    for rule in RULES:
        assert {test.signal for test in (*rule.needed, *rule.either, *rule.only)} <= known, rule.name
        assert rule.says.endswith(".") and rule.advice.endswith(".")
    assert set(HEALTHY) <= known


def test_every_finding_but_the_grossest_takes_two_signals() -> None:
    for rule in RULES:
        assert len(rule.needed) + bool(rule.either) >= 2 or rule.name == "non-finite numbers"


def test_of_one_name_there_is_one_finding() -> None:
    both = {"lead": 9.0, "swing": 3.0, "overlap": 0.0, "distance": 1.0, "coverage": 0.2}
    assert names(*[{}] * LONG, *[both] * LASTING).count("imbalance") == 1


def test_the_gravest_comes_first() -> None:
    all_at_once = {"refused": 30.0, "diversity": 0.02, "coverage": 0.02, "moved": 2.0, "swing": 3.0, "outside": 0.99}
    all_at_once["contrast"] = 9.0
    order = [rule.name for rule in RULES]
    seen = names(*[{}] * LONG, *[all_at_once] * 5)
    assert len(seen) >= 4 and seen == sorted(seen, key=order.index)


def test_what_is_said() -> None:
    ill = {"diversity": 0.0213, "coverage": 0.02}
    (finding,) = found(history(*[{}] * LONG, *[ill] * LASTING))
    (rule,) = (rule for rule in RULES if rule.name == "mode collapse")
    assert (finding.step, finding.samples) == (64 * (LONG + LASTING), 2048 * (LONG + LASTING))
    assert (finding.says, finding.advice) == (rule.says, rule.advice)
    expected = [test.expected for test in rule.needed]
    assert finding.evidence == (
        f"diversity 0.0213 (healthy: {expected[0]})",
        f"coverage 0.02 (healthy: {expected[1]})",
    )
    assert finding.sentence == f"Mode collapse: {rule.says} ({'; '.join(finding.evidence)})"


def test_evidence_has_what_is_needed_and_what_else_speaks_for_it() -> None:
    rule = Rule("fever", (above("lead", 1.0),), "", "", either=(above("swing", 1.0), below("moved", 0.1)), early=0)
    both, one, none = {"lead": 2.0, "swing": 2.0, "moved": 0.0}, {"lead": 2.0, "swing": 2.0}, {"lead": 2.0}
    assert [words.split()[0] for words in rule.evidence(history(both))] == ["lead", "swing", "moved"]
    assert [words.split()[0] for words in rule.evidence(history(one))] == ["lead", "swing"]
    assert rule.evidence(history(none)) == rule.evidence(history({"swing": 2.0})) == ()


def test_above_and_below_their_bounds() -> None:
    assert above("lead", 1.0, "near 0.8").evidence(history({"lead": 1.5})) == "lead 1.5 (healthy: near 0.8)"
    assert above("lead", 1.0).evidence(history({"lead": 1.5})) == "lead 1.5 (healthy: below 1)"
    assert below("lead", 1.0).evidence(history({"lead": 0.5})) == "lead 0.5 (healthy: above 1)"
    for test in (above("lead", 1.0), below("lead", 1.0)):
        assert test.evidence(history({"lead": 1.0})) is None
        assert test.evidence(history({"lead": math.nan})) is None


def past(*leads: float) -> list[Observation]:
    return history(*({"lead": lead} for lead in leads))


def test_what_is_measured_by_the_best_of_the_run() -> None:
    """The best are three in a row: single looks jump."""
    fallen = lost("lead", 0.5)
    assert fallen.evidence(past(1, 4, 4, 4, 1, 9, 1, 1.9)) is not None
    assert fallen.evidence(past(1, 4, 4, 4, 1, 9, 1, 2.4)) is None
    assert fallen.evidence(past(*[1] * (EARLY - 1), 0.0)) is None


def test_looks_without_the_signal_do_not_count_as_its_past() -> None:
    assert lost("lead", 0.5).evidence(past(4, 4, math.nan, 4, 4, 4, 1)) is not None
    assert lost("lead", 0.5).evidence(past(4, 4, math.nan, 4, 4, 1)) is None


def test_a_generator_that_stands_still_is_not_taken_for_a_slow_one() -> None:
    """Both rules may hold; the graver one is named, and treated, first."""
    still = {**STILL, "generator gradient": 0.0, "overlap": 0.0, "detail": -5.0}
    observations = [still] * LONG
    first = next(count for count in range(1, LONG) if names(*observations[:count]))
    assert names(*observations[:first])[0] == "vanishing gradient"


def test_a_run_that_knows_its_data_by_heart_is_not_taken_for_a_slow_one() -> None:
    """Rates 64 times as high would break it."""
    slow = {"moved": 0.3, "overlap": 0.02, "detail": -1.0}
    assert "stagnation" in names(*[slow] * LONG)
    assert "stagnation" not in names(*[{**slow, "held-out gap": 0.9, "nearer to training": 0.8}] * LONG)


def test_a_lead_that_falls_by_itself_is_no_imbalance() -> None:
    """At first the discriminator is far ahead whatever γ is; what counts is a lead that stays."""
    falling = [{"lead": 8 * 0.85**observation, "swing": 0.5} for observation in range(LONG)]
    assert not any("imbalance" in names(*falling[:count]) for count in range(1, LONG))
    assert "imbalance" in names(*falling[:4], *[{"lead": 4.0, "swing": 0.5}] * 5)


def test_a_loss_without_pairs_lets_the_discriminator_lead_while_samples_come_nearer() -> None:
    """The GAN of 2014 leads by any number and learns all the same."""
    ahead = {"lead": 6.0, "swing": 1.0, "overlap": 0.02, "coverage": 0.2, "paired": 0.0}
    assert "imbalance" not in names(*[ahead] * LONG)
    coming = [{**ahead, "distance": 0.98**observation} for observation in range(2 * LONG)]
    assert not any("imbalance" in names(*coming[:count]) for count in range(1, 2 * LONG))
    assert "imbalance" in names(*[{**ahead, "distance": 0.5}] * LONG)


def test_samples_that_become_more_various_have_not_collapsed() -> None:
    rising = [{"diversity": 0.02 * 1.1**observation, "coverage": 0.1} for observation in range(LONG)]
    assert not any("mode collapse" in names(*rising[:count]) for count in range(1, LONG))
    assert "mode collapse" in names(*rising[:10], *[rising[9]] * 5)
