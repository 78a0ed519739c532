"""What ails a run: rules on its signals, each with its evidence and one plain sentence.

A finding needs two signals that agree, at several looks in a row. The bounds were set by runs into which faults were
planted and by healthy ones (docs/en/explanation/watchdog.md), never by the data of a user.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias, final

from sparring.watchdog.signals import Observation

History: TypeAlias = Sequence[Observation]

LASTING = 3
"""Looks in a row at which a rule must hold."""
COOLING = 12
"""Looks after a finding during which it is not said again."""
EARLY = 5
"""Looks at the start that are not judged, but for numbers that are not finite: nothing is learned yet."""


@final
@dataclass(frozen=True)
class Test:
    """One condition on one signal.

    Args:
        signal: its name.
        holds: whether the condition holds, of the value now and those before, the oldest first.
        expected: what a healthy run shows, in words.
    """

    signal: str
    holds: Callable[[float, Sequence[float]], bool]
    expected: str

    def evidence(self, history: History) -> str | None:
        """What was seen, in words, if the condition holds at the last look."""
        values = [observation[self.signal] for observation in history if not math.isnan(observation[self.signal])]
        if not values or math.isnan(history[-1][self.signal]) or not self.holds(values[-1], values[:-1]):
            return None
        return f"{self.signal} {values[-1]:.3g} (healthy: {self.expected})"


@final
@dataclass(frozen=True)
class Rule:
    """A finding's name, what it takes, and what is said.

    Args:
        name: of the finding.
        needed: tests that must all hold.
        either: further tests, of which at least one must hold, if there are any.
        only: in which circumstances the rule is asked; they speak for nothing.
        says: one plain sentence.
        advice: what a person can do.
        lasting: looks in a row at which it must hold.
        early: first look, counted from 0, that is judged.
    """

    name: str
    needed: tuple[Test, ...]
    says: str
    advice: str
    either: tuple[Test, ...] = ()
    only: tuple[Test, ...] = ()
    lasting: int = LASTING
    early: int = EARLY

    def evidence(self, history: History) -> tuple[str, ...]:
        """What speaks for it at the last look; empty where too little does."""
        if len(history) <= self.early or not all(test.evidence(history) for test in self.only):
            return ()
        needed = [test.evidence(history) for test in self.needed]
        either = [test.evidence(history) for test in self.either]
        enough = all(needed) and (any(either) or not self.either)
        return tuple(words for words in (*needed, *either) if words) if enough else ()


@final
@dataclass(frozen=True)
class Finding:
    """What was found, when, and why."""

    name: str
    step: int
    samples: int
    says: str
    advice: str
    evidence: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """One line for a person."""
        return f"{self.name[0].upper()}{self.name[1:]}: {self.says} ({'; '.join(self.evidence)})"


def above(signal: str, bound: float, expected: str = "") -> Test:
    """The signal is above ``bound``."""
    return Test(signal, lambda now, before: now > bound, expected or f"below {bound:g}")


def below(signal: str, bound: float, expected: str = "") -> Test:
    """The signal is below ``bound``."""
    return Test(signal, lambda now, before: now < bound, expected or f"above {bound:g}")


def staying(signal: str, bound: float, expected: str) -> Test:
    """The signal is above ``bound``, and not on its way down: hardly lower than two looks before."""
    return Test(signal, lambda now, before: now > bound and (len(before) < 2 or now > 0.9 * before[-2]), expected)


def lingering(signal: str, bound: float) -> Test:
    """The signal is below ``bound``, and not on its way up: hardly higher than two looks before."""
    return Test(
        signal,
        lambda now, before: now < bound and (len(before) < 2 or now < 1.1 * before[-2]),
        f"above {bound:g}, or rising",
    )


def stuck(signal: str, bound: float) -> Test:
    """The signal is above ``bound`` and does not fall: in the last four looks, hardly less than in the four before."""
    return Test(
        signal,
        lambda now, before: now > bound and len(before) > 6 and not _falls([*before[-7:], now]),
        f"below {bound:g}, or falling",
    )


def lost(signal: str, share: float) -> Test:
    """The signal, better when high, is below ``share`` of the best mean of three looks in a row."""
    return Test(
        signal,
        lambda now, before: len(before) >= EARLY and now < share * _best(before),
        f"above {share:g} of its best",
    )


def _falls(eight: Sequence[float]) -> bool:
    return median(eight[4:]) <= 0.95 * median(eight[:4])


def _best(values: Sequence[float]) -> float:
    return max(sum(values[place : place + 3]) / 3 for place in range(max(1, len(values) - 2)))


GIVEN = (below("steered", 0.5),)
"""γ was given. One that finds itself falls by itself where the discriminator says too little."""
UNLIKE = (above("distance", 0.05), below("coverage", 0.5))
"""The samples are not good yet. Of good ones a discriminator has little to say, and should not."""
PAIRED = (above("paired", 0.5),)
"""The loss scores pairs. With others a run that does well may have any lead, which may swing by any number."""
AHEAD = staying("lead", 1.25, "0.8 to 1, or falling")
LOWER_RATE = "Lower --learning-rate, or raise --gamma."
RULES = (
    Rule(
        "non-finite numbers",
        (above("refused", 0, "0"),),
        "updates came out as infinite or as no number, and were not made.",
        "Lower --learning-rate, or compute with --precision float32.",
        lasting=1,
        early=0,
    ),
    Rule(
        "divergence",
        (above("outside", 0.3, "near 0"),),
        "the samples have left the range of the data.",
        f"{LOWER_RATE} Batch norm does not go together with R1 and R2.",
        either=(above("contrast", 1.2, "near 1"), above("diversity", 1.2, "near 1")),
        lasting=2,
        early=3,
    ),
    Rule(
        "vanishing gradient",
        (below("moved", 0.03), above("distance", 0.1)),
        "the generator stands still although its samples are far from the data.",
        "Take the relativistic or the non-saturating loss, and the initial weights of the recipe.",
        either=(lost("generator gradient", 0.02), below("generator gradient", 1e-6, "not zero")),
        early=3,
    ),
    Rule(
        "mode collapse",
        (lingering("diversity", 0.5), below("coverage", 0.35)),
        "different noise gives nearly the same samples.",
        "Take the relativistic loss with R1 and R2, raise --gamma, or give larger batches.",
    ),
    Rule(
        "imbalance",
        (AHEAD, above("swing", 0.07)),
        "the discriminator is far ahead, and rough: its scores jump from batch to batch.",
        "Let γ be found (--gamma auto); where it is already, give a higher number, or train longer.",
        only=PAIRED,
    ),
    Rule(
        "imbalance",
        (stuck("distance", 0.02), below("coverage", 0.5)),
        "the discriminator is far ahead, and the samples come no nearer to the data.",
        "Let γ be found (--gamma auto), or raise it; make the generator wider or the discriminator narrower.",
        either=(AHEAD, below("overlap", 0.03, "0.1 to 0.5")),
        early=7,
    ),
    Rule(
        "weak discriminator",
        (below("lead", 0.705, "0.8 to 1"), below("swing", 0.006)),
        "the discriminator hardly says anything: it is smoothed away.",
        "Let γ be found (--gamma auto), or lower it; give the discriminator more width.",
        either=UNLIKE,
        only=GIVEN,
    ),
    Rule(
        "weak discriminator",
        (above("penalty share", 2, "below 1"), below("lead", 0.8, "0.8 to 1")),
        "the penalties outweigh what the discriminator has to say.",
        "Let γ be found (--gamma auto), or lower it.",
        either=UNLIKE,
        only=GIVEN,
        early=1,
    ),
    Rule(
        "discriminator overfitting",
        (above("held-out gap", 0.7), below("overlap", 0.06, "0.1 to 0.5")),
        "the discriminator knows the training samples by heart: held-out ones look generated to it.",
        "More data helps most, then augmentation, then a narrower discriminator.",
        lasting=4,
    ),
    Rule(
        "memorisation",
        (above("held-out gap", 0.7), above("nearer to training", 0.75, "near 0.5")),
        "the samples lie nearer to training samples than to others of their kind.",
        "Do not share these samples before you have looked at the closest pairs in the report; give more data.",
        lasting=4,
    ),
    Rule(
        "oscillation",
        (above("moved", 0.6), above("swing", 0.1)),
        "the samples keep changing and come to no rest.",
        LOWER_RATE,
        only=PAIRED,
        lasting=4,
        early=12,
    ),
    Rule(
        "oscillation",
        (above("moved", 0.6), stuck("distance", 0.05)),
        "the samples keep changing and come no nearer to the data.",
        LOWER_RATE,
        lasting=4,
        early=12,
    ),
    Rule(
        "checkerboard",
        (above("checkerboard", 0.5, "near 0"), above("detail", 0.1, "near 0")),
        "the samples alternate from pixel to pixel as the data does not.",
        "Replace transposed convolutions by resizing and convolution.",
        lasting=4,
        early=10,
    ),
    Rule(
        "stagnation",
        (below("moved", 0.12), above("distance", 0.1)),
        "hardly anything changes, and the samples are still far from the data.",
        "Raise --learning-rate, or train longer.",
        early=8,
    ),
    Rule(
        "stagnation",
        (below("moved", 0.4), below("overlap", 0.12, "0.1 to 0.5"), below("detail", -0.12, "near 0")),
        "the generator follows too slowly: it changes little, and its samples are told apart by their smoothness.",
        "Raise --learning-rate, or train longer.",
        # Later all runs are slow, as the rates fall; and one that knows its data by heart would break at higher rates.
        only=(below("spent", 0.5), below("held-out gap", 0.4)),
        early=3,
    ),
)


def found(history: History) -> list[Finding]:
    """What holds at the last look and at those before it, the gravest first; one finding of a name."""
    findings: dict[str, Finding] = {}
    for rule in RULES:
        evidence = rule.evidence(history) if rule.name not in findings else ()
        if evidence and all(rule.evidence(history[: len(history) - ago]) for ago in range(1, rule.lasting)):
            now = history[-1]
            findings[rule.name] = Finding(rule.name, now.step, now.samples, rule.says, rule.advice, evidence)
    return list(findings.values())


def suspicious(history: History) -> bool:
    """Whether any rule holds at the last look, be it for the first time."""
    return any(rule.evidence(history) for rule in RULES)
