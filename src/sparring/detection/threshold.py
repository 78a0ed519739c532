"""Thresholds: the score above which a sample counts as unusual, for a rate of false alarms that is asked for."""

import math
from typing import final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from sparring.arguments import option
from sparring.errors import SparringError
from sparring.randomness import derive

CONFIDENCE = 0.95
"""Confidence of the interval of the rate of false alarms."""


@final
class Threshold(BaseModel):
    """A threshold on scores, and the rate of false alarms that it has on other normal samples."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    value: float
    """Samples with a higher score are unusual."""
    asked: float
    """Rate of false alarms that was asked for."""
    found_on: int
    """Held-out normal samples by which the threshold was chosen."""
    tested_on: int
    """Other held-out normal samples, on which the rate was measured."""
    alarms: int
    """Of these, samples above the threshold."""
    low: float
    """Lower end of the 95 % interval of the rate (Clopper & Pearson 1934)."""
    high: float
    """Upper end of it."""

    @property
    def rate(self) -> float | None:
        """Rate of false alarms on samples that the threshold was not chosen by; None where there are none."""
        return self.alarms / self.tested_on if self.tested_on else None

    @property
    def is_highest(self) -> bool:
        """True if there are too few samples for the rate, so that the highest score is the threshold."""
        return _rank(self.found_on, self.asked) > self.found_on

    def words(self) -> str:
        """Return "1.2 % (0.3 to 3.1)"."""
        if self.rate is None:
            return "not measured"
        return f"{_percent(self.rate)} % ({_percent(self.low)} to {_percent(self.high)})"

    def remarks(self) -> list[str]:
        """Return a sentence about too few samples for the rate that was asked for."""
        if not self.is_highest:
            return []
        needed = 2 * math.ceil(1 / self.asked - 1)
        return [
            f"A rate of {_percent(self.asked)} % needs {needed:,} held-out samples, and there are "
            f"{self.found_on + self.tested_on:,}: the threshold is the highest score of {self.found_on:,} of them."
        ]


def checked_rate(value: object) -> float:
    """Return a rate of false alarms.

    Raises:
        SparringError: it is no number between 0 and 1, or one of these.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise SparringError(
            found=f"{option('false-alarms', value)}",
            expected="a number between 0 and 1, such as 0.01 for one false alarm in a hundred normal samples",
            remedy="give another number",
        )
    return float(value)


def threshold_of(scores: NDArray[np.float64], rate: float, seed: int) -> Threshold:
    """Choose a threshold on a random half of normal samples, and measure its rate of false alarms on the other half.

    It is the ⌈(n + 1)(1 − rate)⌉-th lowest of n scores: a new normal sample is above it with a probability of at most
    ``rate`` (conformal prediction, Vovk et al. 2005, section 2.2). Where n is too small it is the highest score.

    Args:
        scores: of held-out normal samples, (count,), at least one.
        rate: of false alarms, in (0, 1).
        seed: of the halves.
    """
    order = np.random.default_rng(derive(seed, "halves")).permutation(len(scores))
    half = (len(scores) + 1) // 2
    first, second = np.sort(scores[order[:half]]), scores[order[half:]]
    value = float(first[min(_rank(half, rate), half) - 1])
    alarms = int((second > value).sum())
    low, high = clopper_pearson(alarms, len(second))
    return Threshold(value=value, asked=rate, found_on=half, tested_on=len(second), alarms=alarms, low=low, high=high)


def clopper_pearson(hits: int, count: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a probability (Clopper & Pearson 1934); (0, 1) without observations."""
    from scipy.stats import beta

    tail = (1 - CONFIDENCE) / 2
    low = float(beta.ppf(tail, hits, count - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, count - hits)) if hits < count else 1.0
    return low, high


def _rank(count: int, rate: float) -> int:
    # Without the rounding, 0.9 · 10 would be above 9 for some rates.
    return math.ceil(round((count + 1) * (1 - rate), 9))


def _percent(share: float) -> str:
    return f"{100 * share:.2g}"
