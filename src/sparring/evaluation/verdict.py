"""The verdict on an evaluation: a few sentences that need no knowledge of the metrics, each borne out by figures.

No single figure is trusted: precision is high for blurry samples, which lie among real ones in most features, and
recall for noise around them. So samples are as realistic as the worst of their figures proves, and as diverse.
"""

from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from sparring.evaluation.glossary import number, title
from sparring.evaluation.scores import Score, Scores

if TYPE_CHECKING:
    from sparring.evaluation.result import Evaluation


class Level(IntEnum):
    """Likeness to real samples, the least first."""

    UNLIKE = 0
    ROUGH = 1
    DISTINGUISHABLE = 2
    CLOSE = 3
    SAME = 4


HEADLINES: Final[Mapping[Level, str]] = {
    Level.UNLIKE: "As a whole, the samples are nothing like real ones",
    Level.ROUGH: "Only roughly like real ones",
    Level.DISTINGUISHABLE: "Similar to real ones, but distinguishable from them",
    Level.CLOSE: "Close to real ones: the differences are small, but measurable",
    Level.SAME: "No difference from real ones is detectable",
}
RECOGNISABLE = "Recognisable, but distinguishable from real ones"
"""Headline of ``Level.DISTINGUISHABLE`` where a classifier finds the classes that were asked for."""
LIMITS: Final = (0.1, 0.4, 0.85)
"""Shares of the real value below which samples are UNLIKE, ROUGH and DISTINGUISHABLE."""
DISTANCES: Final = (200.0, 30.0, 3.0)
"""The same of distances that grow without bound: multiples of the distance between two sets of 1,000 real samples."""
REFERENCE_SIZE: Final = 1000
GAPS: Final = (0.5, 0.2, 0.03)
"""The same of agreements of distributions, in [0, 1]: how far they lie below the real value."""
SEPARATION: Final = 0.6
"""Accuracy or AUC above which samples are distinguishable from real ones; 0.5 is chance."""
SHARES_OF_REALISM = ("precision", "quality", "agreement", "bleu_4", "validity")
AGREEMENTS = ("shapes", "trends", "marginals")
TESTS = ("classifier_test", "nearest_neighbour_test", "boosted_test")
SHARES_OF_DIVERSITY = ("coverage", "recall", "classes", "modes", "uniqueness")
DIVERSE, LACKING = 0.9, 0.5
"""Shares of the real variety from which samples are diverse, and below which most of it is missing."""
NOWHERE: Final = 0.01
"""Share of the real coverage up to which samples are UNLIKE: those of a single mode are near some real ones."""
MANY: Final = 500
"""Samples on each side with which small differences are detected."""


class Evidence(NamedTuple):
    """A figure, and the level that it allows at most.

    Args:
        level: that samples of such a figure have at most.
        name: of the metric.
        score: its value and the real one.
        badness: orders figures of one level; higher is worse.
        is_clear: whether the interval, too, lies within the level.
    """

    level: Level
    name: str
    score: Score
    badness: float
    is_clear: bool


def verdict_of(evaluation: "Evaluation") -> tuple[str, ...]:
    """Return the verdict as full sentences: likeness, diversity, answers to inputs, copies."""
    if evaluation.protocol == "standard":
        return (
            "A figure to compare with published ones, and no verdict: the standard protocol has no real samples to "
            "compare with real ones.",
        )
    copies = [evaluation.memorisation.answer] if evaluation.memorisation else []
    scores = evaluation.scores[0]
    found = {**evaluation.metrics, **scores.metrics}
    evidence = list(_evidence(found, scores))
    decided, level = scores.repeats > 0, min((one.level for one in evidence), default=Level.SAME)
    if not evidence or (not decided and level > Level.ROUGH):
        return (_undecided(scores), *_valid(found, scores), *_answers(evaluation), *copies)
    likeness = _likeness(evidence, scores, decided=decided)
    diversity = [] if level == Level.UNLIKE else [*_diversity(found)]
    return (likeness, *_valid(found, scores), *diversity, *_answers(evaluation), *copies)


def level_of(evaluation: "Evaluation") -> Level | None:
    """Return the level of the samples by the worst of their figures; None without figures."""
    scores = evaluation.scores[0]
    evidence = _evidence({**evaluation.metrics, **scores.metrics}, scores)
    return min((one.level for one in evidence), default=None)


def _evidence(found: Mapping[str, Score], scores: Scores) -> Iterator[Evidence]:
    """Yield the figures of realism, each with the level that it allows."""
    for name, score in found.items():
        value, real = score.value, score.floor
        if value is None or real is None:
            continue
        # That a share is close to the real one has to be proven: the end of its interval counts that is farther away.
        around = score.plus_minus or 0.0
        away = -around if name in SHARES_OF_REALISM and value < real else 0.0
        likely, worst, best = (
            _badness(name, one, real, score, scores.count)
            for one in (value, value + away, value - min(max(value - real, -around), around))
        )
        if likely is None or worst is None or best is None:
            continue
        badness = worst if int(likely) == 0 and int(worst) == 1 else likely
        graded = Level(max(Level.UNLIKE, Level.CLOSE - int(badness)))
        is_worse = value != real and (value > real) != (score.better == "higher")
        level = graded if is_worse and score.significant is not False else Level.SAME
        yield Evidence(level, name, score, badness, int(best) == int(badness))


def _badness(name: str, value: float, real: float, score: Score, count: int) -> float | None:
    """Return how far a figure is from that of real samples, from 0, its whole part in levels; None for others."""
    if name in SHARES_OF_REALISM:
        return _grade(real / max(value, 1e-9), [1 / limit for limit in LIMITS])
    if name in AGREEMENTS:
        return _grade(real - value, GAPS)
    if name == "coverage" and score.value is not None and score.value <= NOWHERE * real:
        return 3.0  # Generated samples are near no real one.
    if name in SHARES_OF_DIVERSITY:
        # Differences are not small where most of the variety is missing.
        return 1.0 if value < LACKING * real else None
    if name == "frechet":
        # The distance between sets of real samples shrinks with their number: that of 1,000 is the unit.
        unit = max(real, score.floor_plus_minus or 0.0, 1e-9) * count / REFERENCE_SIZE
        return _grade(1 + (value - real) / unit, DISTANCES)
    if name in TESTS:
        return 1.5 if value > max(SEPARATION, real) else 0.5
    return None


def _grade(value: float, limits: tuple[float, ...] | list[float]) -> float:
    """Return how many of the limits, the largest first, ``value`` exceeds, and a fraction that grows with it."""
    passed = sum(value > limit for limit in limits)
    scale = abs(limits[-1])
    return passed + 1 - 1 / (1 + max(value, 0.0) / scale)


def _likeness(evidence: list[Evidence], scores: Scores, *, decided: bool) -> str:
    """Say how like real ones the samples are, and by which figure."""
    worst = min(evidence, key=lambda one: (one.level, -one.badness))
    level, score = worst.level, worst.score
    if level == Level.SAME:
        limited = "" if scores.count >= MANY else "; more samples could show one"
        return f"{HEADLINES[level]} with {scores.count:,} of each{limited}."
    agreement = next((one for one in evidence if one.name == "agreement"), None)
    recognised = agreement is not None and agreement.level >= Level.CLOSE
    headline = RECOGNISABLE if level == Level.DISTINGUISHABLE and recognised else HEADLINES[level]
    headline = headline.replace("but dist", "but clearly dist") if worst.is_clear else headline
    figure = f"{title(worst.name, scores.extractor)} {number(score.value)}, real against real {number(score.floor)}"
    limited = "" if decided else f", as far as {scores.count:,} samples can tell"
    return f"{headline}{limited} ({figure})."


def _diversity(found: Mapping[str, Score]) -> Iterator[str]:
    """Say how much of the variety of real samples is generated."""
    shares = {}
    for name in SHARES_OF_DIVERSITY:
        score = found.get(name)
        if score is not None and score.value is not None and score.floor:
            shares[name] = 1.0 if score.significant is False else min(1.0, score.value / score.floor)
    for name, kind in (("classes", "classes"), ("modes", "modes")):
        if shares.get(name, 1.0) < 1.0:
            score = found[name]
            yield f"{number(score.value)} of {number(score.floor)} {kind} are generated."
    if not shares:
        return
    name = min(shares, key=lambda one: shares[one])
    share = shares[name]
    figure = f"{100 * share:.0f} % of the real variety ({title(name)})"
    if share >= DIVERSE:
        yield "Diverse: no part of the real variety is missing." if share == 1 else f"Diverse: {figure}."
    elif share >= LACKING:
        yield f"Less diverse than real ones: {figure}."
    else:
        yield f"Not diverse: {figure}."


def _valid(found: Mapping[str, Score], scores: Scores) -> Iterator[str]:
    """Say how many samples are valid, different and new, where these are figures, since each is cheap alone."""
    values = {name: found[name].value for name in ("validity", "uniqueness", "novelty") if name in found}
    percent = {name: f"{100 * value:.3g} %" for name, value in values.items() if value is not None}
    if len(percent) == 3:
        yield (
            f"Of {scores.count:,} samples {percent['validity']} are valid; of these {percent['uniqueness']} are "
            f"different and {percent['novelty']} are not in the training data."
        )
    elif "validity" in percent:
        yield f"Of {scores.count:,} samples {percent['validity']} are valid."


def _answers(evaluation: "Evaluation") -> Iterator[str]:
    """Compare answers to inputs with those that need no model, by the distance to the true ones or to real ones."""
    rows = evaluation.baselines
    if "this" not in rows or "real" in rows:
        return
    metric = "l1" if "l1" in rows["this"] else "frechet"
    others = {name: row[metric] for name, row in rows.items() if name not in ("this", "truth") and metric in row}
    if metric not in rows["this"] or not others:
        return
    best, own = min(others, key=lambda name: others[name]), rows["this"][metric]
    target = "the true answers" if metric == "l1" else "real answers"
    figures = f"{title(metric)} {number(own)}; {best} {number(others[best])}"
    closer = "Closer" if own < others[best] else "No closer"
    yield f"{closer} to {target} than the best answer that needs no model ({figures})."


def _undecided(scores: Scores) -> str:
    return (
        f"Too few samples or too little time to tell how good they are: {scores.count:,} generated samples were "
        f"compared with {scores.real_count:,} real ones, without intervals."
    )
