"""Histories with one fault each: the fault is found in its own, and none in a healthy one."""

import math
from collections.abc import Mapping

import pytest
import torch

from sparring.modalities.images import extra_signals
from sparring.watchdog.rules import (
    FINDINGS,
    MIN_CONSECUTIVE,
    RULES,
    WARM_UP,
    Rule,
    above,
    any_rule_holds,
    below,
    falls_to,
    findings_in,
)
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
    "peak": 0.3,
    "peak power": 0.2,
    "outside": 0.001,
}
STILL = {"moved": 1e-4, "distance": 2.0}
FAULTS: list[tuple[str, dict[str, float]]] = [
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
    ("checkerboard", {"peak": 1.0, "peak power": 0.8}),
    ("stagnation", STILL),
    ("stagnation", {"moved": 0.1, "overlap": 0.02, "detail": -1.0, "coverage": 0.2}),
]
SHORT_WARM_UP = {"non-finite numbers", "divergence", "vanishing gradient", "weak discriminator", "stagnation"}
"""Findings that show, and can be treated at little cost, before much is learned."""
LONG = 30
"""More healthy observations than any rule ignores."""


def history(*values: Mapping[str, float]) -> list[Observation]:
    """Observations of a run that is healthy but for ``values``."""
    return [Observation(64 * (place + 1), 2048 * (place + 1), {**HEALTHY, **one}) for place, one in enumerate(values)]


def names(*values: Mapping[str, float]) -> list[str]:
    return [finding.finding for finding in findings_in(history(*values))]


def rules(name: str, fault: Mapping[str, float]) -> list[Rule]:
    """Return the rules of the finding that hold under the fault."""
    return [rule for rule in RULES if rule.finding == name and rule.evidence(history(*[{}] * LONG, fault))]


def test_a_healthy_run_has_no_findings() -> None:
    for count in range(1, LONG):
        assert not names(*[{}] * count)


def test_observations_without_signals_have_no_findings() -> None:
    assert not findings_in([])
    assert not findings_in([Observation(64 * place, 0, {}) for place in range(1, LONG)])


@pytest.mark.parametrize(("name", "fault"), FAULTS)
def test_a_fault_is_found_after_enough_observations_in_a_row(name: str, fault: dict[str, float]) -> None:
    (rule,) = rules(name, fault)
    assert name in names(*[{}] * LONG, *[fault] * rule.consecutive)
    assert name not in names(*[{}] * LONG, *[fault] * (rule.consecutive - 1))


@pytest.mark.parametrize(("name", "fault"), [one for one in FAULTS if one[0] != "non-finite numbers"])
def test_a_healthy_observation_restarts_the_count(name: str, fault: dict[str, float]) -> None:
    (rule,) = rules(name, fault)
    assert name not in names(*[{}] * LONG, *[fault] * rule.consecutive, {})
    assert name not in names(*[{}] * LONG, *[fault] * rule.consecutive, {}, *[fault] * (rule.consecutive - 1))


@pytest.mark.parametrize(("name", "fault"), FAULTS)
def test_one_signal_alone_is_not_enough(name: str, fault: dict[str, float]) -> None:
    (rule,) = rules(name, fault)
    for signal in fault:
        healthy = {**fault, signal: HEALTHY[signal]}
        assert name not in names(*[{}] * LONG, *[healthy] * rule.consecutive)
        unknown = {**fault, signal: math.nan}
        assert name not in names(*[{}] * LONG, *[unknown] * rule.consecutive)


@pytest.mark.parametrize(("name", "fault"), FAULTS)
def test_the_first_observations_are_ignored(name: str, fault: dict[str, float]) -> None:
    """A fault from the first observation on is found when the rule's first observations have passed."""
    (rule,) = rules(name, fault)
    waits = rule.ignored + rule.consecutive
    assert name not in names(*[fault] * (waits - 1))
    assert name in names(*[fault] * waits)
    assert rule.ignored >= WARM_UP or name in SHORT_WARM_UP


@pytest.mark.parametrize(("name", "fault"), FAULTS)
def test_a_rule_holds_from_the_first_observation_of_its_fault(name: str, fault: dict[str, float]) -> None:
    (rule,) = rules(name, fault)
    assert any_rule_holds(history(*[{}] * LONG, fault)) and any_rule_holds(history(*[fault] * (rule.ignored + 1)))
    assert not any_rule_holds(history(*[{}] * LONG, fault, {}))


def test_no_rule_holds_in_a_healthy_run() -> None:
    assert not any(any_rule_holds(history(*[{}] * count)) for count in range(LONG))


def test_every_rule_is_tested() -> None:
    covered = [rule for name, fault in FAULTS for rule in rules(name, fault)]
    assert all(rule in covered for rule in RULES)


def test_every_rule_uses_signals_that_exist() -> None:
    images = torch.zeros(2, 1, 8, 8)
    known = {*SIGNALS, *extra_signals.extra_signals(images, images)}
    for rule in RULES:
        assert {criterion.signal for criterion in (*rule.criteria, *rule.any_of, *rule.only_if)} <= known, rule.finding
        assert all(text.endswith(".") for text in FINDINGS[rule.finding])
    assert set(HEALTHY) <= known


def test_every_finding_takes_two_signals_but_for_non_finite_numbers() -> None:
    for rule in RULES:
        assert len(rule.criteria) + bool(rule.any_of) >= 2 or rule.finding == "non-finite numbers"


def test_rules_of_one_name_give_one_finding() -> None:
    both = {"lead": 9.0, "swing": 3.0, "overlap": 0.0, "distance": 1.0, "coverage": 0.2}
    assert names(*[{}] * LONG, *[both] * MIN_CONSECUTIVE).count("imbalance") == 1


def test_the_most_severe_finding_comes_first() -> None:
    all_at_once = {"refused": 30.0, "diversity": 0.02, "coverage": 0.02, "moved": 2.0, "swing": 3.0, "outside": 0.99}
    all_at_once["contrast"] = 9.0
    order = list(FINDINGS)
    assert order == list(dict.fromkeys(rule.finding for rule in RULES))
    seen = names(*[{}] * LONG, *[all_at_once] * 5)
    assert len(seen) >= 4 and seen == sorted(seen, key=order.index)


def test_a_finding_has_explanation_advice_and_evidence() -> None:
    fault = {"diversity": 0.0213, "coverage": 0.02}
    (finding,) = findings_in(history(*[{}] * LONG, *[fault] * MIN_CONSECUTIVE))
    (rule,) = (rule for rule in RULES if rule.finding == "mode collapse")
    assert (finding.step, finding.samples) == (64 * (LONG + MIN_CONSECUTIVE), 2048 * (LONG + MIN_CONSECUTIVE))
    assert (finding.explanation, finding.advice) == FINDINGS["mode collapse"]
    expected = [criterion.expected for criterion in rule.criteria]
    assert finding.evidence == (
        f"diversity 0.0213 (healthy: {expected[0]})",
        f"coverage 0.02 (healthy: {expected[1]})",
    )
    assert finding.sentence == f"Mode collapse: {finding.explanation} ({'; '.join(finding.evidence)})"


def test_evidence_has_required_and_optional_criteria() -> None:
    rule = Rule("fever", (above("lead", 1.0),), any_of=(above("swing", 1.0), below("moved", 0.1)), ignored=0)
    both, one, none = {"lead": 2.0, "swing": 2.0, "moved": 0.0}, {"lead": 2.0, "swing": 2.0}, {"lead": 2.0}
    assert [words.split()[0] for words in rule.evidence(history(both))] == ["lead", "swing", "moved"]
    assert [words.split()[0] for words in rule.evidence(history(one))] == ["lead", "swing"]
    assert rule.evidence(history(none)) == rule.evidence(history({"swing": 2.0})) == ()


def test_above_and_below_hold_beyond_their_bounds() -> None:
    assert above("lead", 1.0, "near 0.8").evidence(history({"lead": 1.5})) == "lead 1.5 (healthy: near 0.8)"
    assert above("lead", 1.0).evidence(history({"lead": 1.5})) == "lead 1.5 (healthy: below 1)"
    assert below("lead", 1.0).evidence(history({"lead": 0.5})) == "lead 0.5 (healthy: above 1)"
    for criterion in (above("lead", 1.0), below("lead", 1.0)):
        assert criterion.evidence(history({"lead": 1.0})) is None
        assert criterion.evidence(history({"lead": math.nan})) is None


def past(*leads: float) -> list[Observation]:
    return history(*({"lead": lead} for lead in leads))


def test_falls_to_compares_with_the_best_of_the_run() -> None:
    """The best is a mean of three in a row, because single observations jump."""
    fallen = falls_to(0.5, "lead")
    assert fallen.evidence(past(1, 4, 4, 4, 1, 9, 1, 1.9)) is not None
    assert fallen.evidence(past(1, 4, 4, 4, 1, 9, 1, 2.4)) is None
    assert fallen.evidence(past(*[1] * (WARM_UP - 1), 0.0)) is None


def test_observations_without_the_signal_are_skipped() -> None:
    assert falls_to(0.5, "lead").evidence(past(4, 4, math.nan, 4, 4, 4, 1)) is not None
    assert falls_to(0.5, "lead").evidence(past(4, 4, math.nan, 4, 4, 1)) is None


def test_a_vanishing_gradient_comes_before_stagnation() -> None:
    """Both rules may hold; the more severe finding is reported and treated first."""
    still = {**STILL, "generator gradient": 0.0, "overlap": 0.0, "detail": -5.0}
    observations = [still] * LONG
    first = next(count for count in range(1, LONG) if names(*observations[:count]))
    assert names(*observations[:first])[0] == "vanishing gradient"


def test_a_run_that_overfits_does_not_stagnate() -> None:
    """Rates 64 times as high would break it."""
    slow = {"moved": 0.3, "overlap": 0.02, "detail": -1.0, "coverage": 0.2}
    assert "stagnation" in names(*[slow] * LONG)
    assert "stagnation" not in names(*[{**slow, "held-out gap": 0.9, "nearer to training": 0.8}] * LONG)


def test_enlarged_pictures_that_are_too_smooth_do_not_stagnate() -> None:
    """Signals of images/super-resolution on digits: answers to inputs move little from the start, and improve."""
    distances, coverages = (0.119, 0.061, 0.055, 0.044, 0.037, 0.036, 0.032), (0.39, 0.57, 0.61, 0.6, 0.62, 0.67, 0.71)
    smooth = {"moved": 0.2, "overlap": 0.03, "detail": -0.2}
    seen = [{**smooth, "distance": one, "coverage": two} for one, two in zip(distances, coverages, strict=True)]
    assert not any("stagnation" in names(*seen[:count]) for count in range(1, len(seen) + 1))


def test_a_run_that_comes_closer_slowly_does_not_stagnate() -> None:
    falling = [{"moved": 0.1, "distance": 2 * 0.97**place} for place in range(LONG)]
    assert not any("stagnation" in names(*falling[:count]) for count in range(1, LONG))
    assert "stagnation" in names(*falling, *[falling[-1]] * 12)


def test_a_falling_lead_is_no_imbalance() -> None:
    """At first the discriminator is far ahead whatever γ is; what counts is a lead that stays."""
    falling = [{"lead": 8 * 0.85**observation, "swing": 0.5} for observation in range(LONG)]
    assert not any("imbalance" in names(*falling[:count]) for count in range(1, LONG))
    assert "imbalance" in names(*falling[:4], *[{"lead": 4.0, "swing": 0.5}] * 5)


def test_an_unpaired_loss_may_have_any_lead_while_samples_improve() -> None:
    """The GAN of 2014 leads by any number and learns all the same."""
    ahead = {"lead": 6.0, "swing": 1.0, "overlap": 0.02, "coverage": 0.2, "paired": 0.0}
    assert "imbalance" not in names(*[ahead] * LONG)
    coming = [{**ahead, "distance": 0.98**observation} for observation in range(2 * LONG)]
    assert not any("imbalance" in names(*coming[:count]) for count in range(1, 2 * LONG))
    assert "imbalance" in names(*[{**ahead, "distance": 0.5}] * LONG)


def test_samples_whose_diversity_rises_have_not_collapsed() -> None:
    rising = [{"diversity": 0.02 * 1.1**observation, "coverage": 0.1} for observation in range(LONG)]
    assert not any("mode collapse" in names(*rising[:count]) for count in range(1, LONG))
    assert "mode collapse" in names(*rising[:10], *[rising[9]] * 5)


def test_samples_that_are_easily_recognised_are_no_overfitting() -> None:
    """A discriminator that ranks held-out samples as it ranks training samples does not overfit, whatever its lead."""
    assert "discriminator overfitting" not in names(*[{}] * LONG, *[{"overlap": 0.0, "held-out gap": 0.15}] * LONG)
