"""Rules on the signals of a run: each finds a training failure, and gives the evidence for it.

A finding needs two signals that agree, at several observations in a row. The bounds were set on healthy runs and runs
with planted faults (docs/en/explanation/watchdog.md), never on the data of a user.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import TypeAlias, final

from sparring.events import FindingReported
from sparring.watchdog.signals import Observation

History: TypeAlias = Sequence[Observation]

MIN_CONSECUTIVE = 3
"""Observations in a row at which a rule must hold."""
REPORT_INTERVAL = 12
"""Observations after a report before the same finding is reported again."""
WARM_UP = 5
"""Observations at the start that most rules ignore: nothing is learned yet."""
NON_FINITE, DIVERGENCE = "non-finite numbers", "divergence"
"""Findings that the watchdog treats differently from all others."""
FINDINGS = {
    NON_FINITE: (
        "updates were infinite or not a number, and were skipped.",
        "Lower --learning-rate, or compute with --precision float32.",
    ),
    DIVERGENCE: (
        "the samples have left the range of the data.",
        "Lower --learning-rate, or raise --gamma. Do not combine batch norm with R1 and R2.",
    ),
    "vanishing gradient": (
        "the generator has stopped changing although its samples are far from the data.",
        "Use the relativistic or the non-saturating loss, and the initial weights of the recipe.",
    ),
    "mode collapse": (
        "different latents give nearly the same samples.",
        "Use the relativistic loss with R1 and R2, raise --gamma, or use larger batches.",
    ),
    "imbalance": (
        "the discriminator is far ahead of the generator.",
        "Use --gamma auto, or raise --gamma; make the generator wider or the discriminator narrower; or train longer.",
    ),
    "weak discriminator": (
        "the discriminator is over-regularised: it hardly separates real from generated samples.",
        "Use --gamma auto, or lower --gamma; make the discriminator wider.",
    ),
    "discriminator overfitting": (
        "the discriminator overfits the training set: it takes held-out samples for generated ones.",
        "More data helps most, then augmentation, then a narrower discriminator.",
    ),
    "memorisation": (
        "the samples are closer to training samples than to held-out ones.",
        "Do not share these samples before you have checked the closest pairs in the report; use more data.",
    ),
    "oscillation": (
        "the samples keep changing and do not settle.",
        "Lower --learning-rate, or raise --gamma.",
    ),
    "checkerboard": (
        "a fine regular pattern, such as a checkerboard or a grid, lies on the samples and not on the data.",
        "Replace transposed convolutions by resizing and convolution; with images/r3gan, try the other --upsampling.",
    ),
    "stagnation": (
        "the generator learns too slowly, or not at all: its samples change little and are still far from the data.",
        "Raise --learning-rate, or train longer.",
    ),
}
"""Finding → explanation and advice to the user, the most severe first."""


def fitting_advice(advice: str, fields: Mapping[str, object]) -> str:
    """Return the advice of a finding without what the run does already: γ is not to be found where it was.

    Args:
        advice: that of ``FINDINGS``.
        fields: those of the run's recipe.
    """
    if fields.get("gamma") != "auto":
        return advice
    return re.sub(r"Use --gamma auto, or \w+ --gamma; (\w)", lambda found: found[1].upper(), advice)


@final
@dataclass(frozen=True)
class Criterion:
    """One condition on one signal.

    Args:
        signal: its name.
        holds: (value now, earlier values, the oldest first) → bool.
        expected: values of a healthy run, in words.
        low: lower bound of the values that are healthy whatever came before.
        high: upper bound of these values.
    """

    signal: str
    holds: Callable[[float, Sequence[float]], bool]
    expected: str
    low: float = -math.inf
    high: float = math.inf

    def evidence(self, history: History) -> str | None:
        """Return the observed value in words, if the criterion holds at the last observation."""
        values = [value for observation in history if not math.isnan(value := observation[self.signal])]
        if not values or math.isnan(history[-1][self.signal]) or not self.holds(values[-1], values[:-1]):
            return None
        return f"{self.signal} {values[-1]:.3g} (healthy: {self.expected})"


@final
@dataclass(frozen=True)
class Rule:
    """The criteria of a finding.

    Args:
        finding: its name, a key of ``FINDINGS``.
        criteria: all of these must hold.
        any_of: at least one of these must hold too, if there are any.
        only_if: circumstances in which the rule applies; they are no evidence.
        consecutive: observations in a row at which it must hold.
        ignored: observations at the start that are not judged.
    """

    finding: str
    criteria: tuple[Criterion, ...]
    any_of: tuple[Criterion, ...] = ()
    only_if: tuple[Criterion, ...] = ()
    consecutive: int = MIN_CONSECUTIVE
    ignored: int = WARM_UP

    def evidence(self, history: History) -> tuple[str, ...]:
        """Return the evidence at the last observation; empty if the rule does not hold."""
        if len(history) <= self.ignored or not all(criterion.evidence(history) for criterion in self.only_if):
            return ()
        required = [criterion.evidence(history) for criterion in self.criteria]
        optional = [criterion.evidence(history) for criterion in self.any_of]
        holds = all(required) and (any(optional) or not optional)
        return tuple(words for words in (*required, *optional) if words) if holds else ()


def above(signal: str, bound: float, expected: str = "") -> Criterion:
    """Hold above ``bound``."""
    return Criterion(signal, lambda now, before: now > bound, expected or f"below {bound:g}", high=bound)


def below(signal: str, bound: float, expected: str = "") -> Criterion:
    """Hold below ``bound``."""
    return Criterion(signal, lambda now, before: now < bound, expected or f"above {bound:g}", low=bound)


def stays_above(signal: str, bound: float, expected: str) -> Criterion:
    """Hold above ``bound`` unless falling, to 0.9 of the value two observations before."""

    def holds(now: float, before: Sequence[float]) -> bool:
        return now > bound and (len(before) < 2 or now > 0.9 * before[-2])

    return Criterion(signal, holds, expected, high=bound)


def stays_below(signal: str, bound: float) -> Criterion:
    """Hold below ``bound`` unless rising, to 1.1 of the value two observations before."""

    def holds(now: float, before: Sequence[float]) -> bool:
        return now < bound and (len(before) < 2 or now < 1.1 * before[-2])

    return Criterion(signal, holds, f"above {bound:g}, or rising", low=bound)


def stalls_above(signal: str, bound: float) -> Criterion:
    """Hold above ``bound`` unless the median of the last four values is at most 0.95 of that of the four before."""

    def holds(now: float, before: Sequence[float]) -> bool:
        last = [*before[-7:], now]
        return now > bound and len(last) == 8 and median(last[4:]) > 0.95 * median(last[:4])

    return Criterion(signal, holds, f"below {bound:g}, or falling")


def falls_to(share: float, signal: str) -> Criterion:
    """Hold below ``share`` of the best mean of three values in a row."""

    def holds(now: float, before: Sequence[float]) -> bool:
        windows = [before[start : start + 3] for start in range(len(before) - 2)]
        return len(before) >= WARM_UP and now < share * max(map(fmean, windows))

    return Criterion(signal, holds, f"above {share:g} of its best")


FIXED_GAMMA = (below("steered", 0.5),)
"""γ is fixed; an automatic one would fall by itself where the discriminator is too weak."""
POOR_SAMPLES = (above("distance", 0.05), below("coverage", 0.5))
"""Samples are poor; from good ones a discriminator need not separate the real ones."""
PAIRED_LOSS = (above("paired", 0.5),)
"""The loss is paired; with others the lead of a healthy run may have any value and any swing."""
FIRST_HALF = (below("spent", 0.5), below("held-out gap", 0.4))
"""Higher rates may help: later all runs are slow, as rates fall, and one that overfits would break at higher rates."""
FAR_AHEAD = stays_above("lead", 1.25, "0.8 to 1, or falling")
SPREAD = (above("contrast", 1.2, "near 1"), above("diversity", 1.2, "near 1"))
NO_GRADIENT = (falls_to(0.02, "generator gradient"), below("generator gradient", 1e-6, "not zero"))
TOO_SLOW = (
    below("moved", 0.4),
    below("overlap", 0.12, "0.1 to 0.5"),
    below("detail", -0.12, "near 0"),
    below("coverage", 0.5),
)
"""Answers to inputs, such as enlarged pictures, move little and are too smooth as well, but they cover the data."""
RULES = (
    Rule(NON_FINITE, (above("refused", 0, "0"),), consecutive=1, ignored=0),
    Rule(DIVERGENCE, (above("outside", 0.3, "near 0"),), any_of=SPREAD, consecutive=2, ignored=3),
    Rule("vanishing gradient", (below("moved", 0.03), above("distance", 0.1)), any_of=NO_GRADIENT, ignored=3),
    Rule("mode collapse", (stays_below("diversity", 0.5), below("coverage", 0.35))),
    Rule("imbalance", (FAR_AHEAD, above("swing", 0.07)), only_if=PAIRED_LOSS),
    Rule(
        "imbalance",
        (stalls_above("distance", 0.02), below("coverage", 0.5)),
        any_of=(FAR_AHEAD, below("overlap", 0.03, "0.1 to 0.5")),
        ignored=7,
    ),
    Rule(
        "weak discriminator",
        (below("lead", 0.705, "0.8 to 1"), below("swing", 0.006)),
        any_of=POOR_SAMPLES,
        only_if=FIXED_GAMMA,
    ),
    Rule(
        "weak discriminator",
        (above("penalty share", 2, "below 1"), below("lead", 0.8, "0.8 to 1")),
        any_of=POOR_SAMPLES,
        only_if=FIXED_GAMMA,
        ignored=1,
    ),
    Rule(
        "discriminator overfitting", (above("held-out gap", 0.7), below("overlap", 0.06, "0.1 to 0.5")), consecutive=4
    ),
    Rule("memorisation", (above("held-out gap", 0.7), above("nearer to training", 0.75, "near 0.5")), consecutive=4),
    Rule("oscillation", (above("moved", 0.6), above("swing", 0.1)), only_if=PAIRED_LOSS, consecutive=4, ignored=12),
    Rule("oscillation", (above("moved", 0.6), stalls_above("distance", 0.05)), consecutive=4, ignored=12),
    Rule(
        "checkerboard",
        (above("checkerboard", 0.5, "near 0"), above("detail", 0.1, "near 0")),
        consecutive=4,
        ignored=10,
    ),
    Rule(
        "checkerboard",
        (above("peak", 0.7, "below 0.5"), above("peak power", 0.3, "near 0")),
        consecutive=4,
        ignored=10,
    ),
    Rule("stagnation", (below("moved", 0.12), stalls_above("distance", 0.1)), ignored=8),
    Rule("stagnation", TOO_SLOW, only_if=FIRST_HALF, ignored=3),
)
"""All rules; findings are treated in this order."""


def findings_in(history: History) -> list[FindingReported]:
    """Return the findings at the last observation, one per name, the most severe first."""
    found: dict[str, FindingReported] = {}
    for rule in RULES:
        evidence = rule.evidence(history) if rule.finding not in found else ()
        if evidence and all(rule.evidence(history[: len(history) - ago]) for ago in range(1, rule.consecutive)):
            found[rule.finding] = finding_named(rule.finding, history[-1].step, history[-1].samples, evidence)
    return list(found.values())


def finding_named(name: str, step: int, samples: int, evidence: tuple[str, ...]) -> FindingReported:
    """Return a finding with its explanation and advice."""
    explanation, advice = FINDINGS[name]
    return FindingReported(
        samples=samples, step=step, finding=name, explanation=explanation, evidence=evidence, advice=advice
    )


def any_rule_holds(history: History) -> bool:
    """Return whether any rule holds at the last observation, even for the first time."""
    return any(rule.evidence(history) for rule in RULES)
