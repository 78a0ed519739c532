"""Rows as features: for metrics, and cheaply for the watchdog."""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor

from sparring.data.dataset import Split
from sparring.data.facts import Facts
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.extractors.own_function import named_or_own
from sparring.modalities.tables.coding import Column, Rows, coding_of

MIN_DEVIATION = 0.05
"""Least standard deviation by which indicators are divided."""
MAX_SCORE = 3.0
"""Largest normal score of a number."""
MAX_CATEGORIES = 32
"""Categories of a column that have a feature of their own."""
MAX_FEATURES = 2048
"""Features of the extractor, about."""
MAX_CHEAP, CHEAP_CATEGORIES = 256, 4
"""Features for the watchdog, and categories of a column among them."""
MAX_DEVIATION = 5.0
"""Largest distance of a number from the median, in spreads of its column, that counts for the watchdog."""


def normal_scores(values: Float[Tensor, " count"], column: Column) -> Float[Tensor, " count"]:
    """Return the normal scores of numbers by the quantiles of their column, in [-3, 3].

    A number that several quantiles equal has the probability in the middle of theirs.
    """
    knots = torch.tensor(column.quantiles, dtype=torch.float64, device=values.device)
    steps = len(knots) - 1
    values = values.double().contiguous()
    left = torch.searchsorted(knots, values)
    right = torch.searchsorted(knots, values, right=True)
    below, above = (left - 1).clamp(0, steps), left.clamp(0, steps)
    width = (knots[above] - knots[below]).clamp_min(torch.finfo(torch.float64).tiny)
    between = below + ((values - knots[below]) / width).clamp(0, 1)
    place = torch.where(right > left, (left + right - 1).double() / 2, between)
    margin = 0.5 / (steps + 1)
    probability = (place / steps).clamp(margin, 1 - margin)
    scores: Tensor = torch.special.ndtri(probability)
    return scores.clamp(-MAX_SCORE, MAX_SCORE)


def unbounded_scores(values: Float[Tensor, " count"], column: Column) -> Float[Tensor, " count"]:
    """Return normal scores that go on beyond the quantiles of their column, by 6 for each length of their range."""
    low, high = column.quantiles[0], column.quantiles[-1]
    values = values.double()
    beyond = (values - values.clamp(low, high)) / ((high - low) or 1.0)
    return normal_scores(values, column) + 2 * MAX_SCORE * beyond


@final
class ColumnFeatures:
    """Extracts a few features of each column: normal scores, indicators of categories and of missing cells.

    All features of a column have a variance of about one together.

    Args:
        facts: of the data.
    """

    name = "columns"
    cacheable = False

    def __init__(self, facts: Facts) -> None:
        self.columns = coding_of(facts).learned
        self.categories = max(2, min(MAX_CATEGORIES, MAX_FEATURES // len(self.columns)))

    def __call__(self, samples: Rows) -> Float[Tensor, "count features"]:
        """Return float32 features of rows."""
        return self._features(samples, normal_scores)

    def unbounded(self, samples: Rows) -> Float[Tensor, "count features"]:
        """Return float32 features of rows, in which numbers beyond those of the data are as far away as they are."""
        return self._features(samples, unbounded_scores)

    def _features(self, samples: Rows, scores: Callable[[Tensor, Column], Tensor]) -> Tensor:
        found = list[Tensor]()
        for at, column in enumerate(self.columns):
            values, missing = samples.values[:, at], samples.missing[:, at]
            if column.is_numeric:
                found.append(scores(values, column).masked_fill(missing, 0.0)[:, None])
            elif len(column.categories) > 1:
                found.append(_indicators(values, missing, column, self.categories))
            if 0 < column.missing < 1:
                variance = column.missing * (1 - column.missing)
                found.append(missing.double()[:, None] / math.sqrt(max(variance, MIN_DEVIATION**2)))
        if not found:
            return torch.zeros(len(samples.values), 1)
        return torch.cat(found, dim=1).float()


@final
class _CheapFeatures:
    """Few features of rows, cheap to compute."""

    def __init__(self, coding: Any, columns: Sequence[Column]) -> None:
        self.coding = coding
        # Columns at equal distances where there are too many.
        width = 2 if len(columns) * 2 <= MAX_CHEAP else 1
        step = max(1, -(-len(columns) * width // MAX_CHEAP))
        self.missing_too, kept = width == 2, list(range(0, len(columns), step))
        self.numeric = [at for at in kept if columns[at].is_numeric]
        self.others = [(at, columns[at]) for at in kept if len(columns[at].categories) > 1]
        room = (MAX_CHEAP - len(kept) - len(self.numeric)) // max(1, len(self.others))
        self.categories, self.kept = max(1, min(CHEAP_CATEGORIES, room)), kept
        ends = [_spread(columns[at]) for at in self.numeric]
        self.center = torch.tensor([center for center, _ in ends], dtype=torch.float64)
        self.scale = torch.tensor([scale for _, scale in ends], dtype=torch.float64)

    def __call__(self, samples: Rows) -> Tensor:
        values, missing = samples.values, samples.missing
        numbers = (values[:, self.numeric].double() - self.center.to(values.device)) / self.scale.to(values.device)
        numbers = numbers.clamp(-MAX_DEVIATION, MAX_DEVIATION).masked_fill(missing[:, self.numeric], 0.0)
        found = [numbers]
        found += [_indicators(values[:, at], missing[:, at], one, self.categories) for at, one in self.others]
        found += [missing[:, self.kept].double()] if self.missing_too else []
        return torch.cat(found, dim=1)[:, :MAX_CHEAP].float()


_recent: deque[_CheapFeatures] = deque(maxlen=4)
"""Features of the codings that were used last: checking a coding takes longer than using it."""


def cheap_features(samples: Rows, facts: Facts) -> Float[Tensor, "count features"]:
    """Return numbers in spreads of their columns, indicators of the first categories, and of missing cells."""
    found = next((one for one in _recent if one.coding is facts.coding), None)
    if found is None:
        found = _CheapFeatures(facts.coding, coding_of(facts).learned)
        _recent.append(found)
    return found(samples)


def extra_signals(real: Rows, fake: Rows) -> dict[str, float]:
    """Return ``missing``: the largest difference of the shares of missing cells of a column."""
    shares = [one.missing.double().mean(dim=0) for one in (real, fake)]
    return {"missing": float((shares[0] - shares[1]).abs().max())}


def extractors(split: Split, seed: int, names: Sequence[str] = ()) -> Mapping[str, Extractor]:
    """Return the named extractors: ``columns``, the default, or the user's own ``file.py:function``.

    Raises:
        SparringError: there is no extractor of such a name.
    """
    return named_or_own(names, ColumnFeatures.name, lambda: ColumnFeatures(split.facts))


def _indicators(values: Tensor, missing: Tensor, column: Column, limit: int) -> Tensor:
    """Return indicators of the most frequent categories, scaled to a variance of one together."""
    shares = torch.tensor(column.shares[:limit], dtype=torch.float64)
    variance = float((shares * (1 - shares)).sum())
    numbers = torch.arange(len(shares), device=values.device, dtype=values.dtype)
    hot = (values[:, None] == numbers) & ~missing[:, None]
    return hot.double() / math.sqrt(max(variance, MIN_DEVIATION**2))


def _spread(column: Column) -> tuple[float, float]:
    """Return the median of a column of numbers, and a standard deviation from its quantiles."""
    knots, last = column.quantiles, len(column.quantiles) - 1
    center, low, high = (knots[round(last * share)] for share in (0.5, 0.159, 0.841))
    spread = (high - low) / 2 or (knots[-1] - knots[0]) / 2 or 1.0
    return center, spread
