"""Metrics of tables, as the evaluation asks for them."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, final

import numpy as np

from sparring.data.dataset import Dataset, Split
from sparring.metrics.metric import MetricValues, attempted, known
from sparring.metrics.sample_sets import Repeat, SampleMetrics, cached
from sparring.modalities.tables.coding import Column, Rows, coding_of
from sparring.modalities.tables.judging.cells import check, some_rows
from sparring.modalities.tables.judging.closeness import (
    closer_to_train,
    closest_record,
    exact_copies,
    membership_attack,
    near_copies,
)
from sparring.modalities.tables.judging.learning import boosted_test
from sparring.modalities.tables.judging.shapes import column_shapes, missing_errors, rare_coverages
from sparring.modalities.tables.judging.supports import alpha_precision, beta_recall
from sparring.modalities.tables.judging.trends import associations, mean_trend, pair_trends
from sparring.modalities.tables.judging.usefulness import target_of, usefulness
from sparring.randomness import derive

MAX_ROWS = 10_000
"""Real rows that generated ones are compared with at most."""
MAX_TRAINING_ROWS = 20_000
"""Training rows among which near copies are looked for."""


def measure(split: Split, seed: int, *, further: bool = True, target: str | None = None) -> SampleMetrics:
    """Return the metrics of rows: ``likeness``, and where ``further`` is set also ``privacy`` and ``learned``.

    Values of generated rows stand beside those of held-out rows, or of training rows where a learner is trained.

    Args:
        split: the table.
        seed: of the rows that are drawn from it.
        further: compute those that take seconds to minutes, too.
        target: name of the column to predict; chosen by ``usefulness.target_of`` where it is None.

    Raises:
        SparringError: there is no such column.
    """
    columns = coding_of(split.facts).learned
    place = target_of(columns, target)
    aside = _Aside(split, seed)
    floors: dict[str, MetricValues] = {}

    def one_side(one: Repeat, rows: Rows, *, is_floor: bool) -> MetricValues:
        real = one.real.batch().real
        found = likeness(real, rows, columns)
        if further:
            found |= attempted("alpha_precision", lambda: alpha_precision(real, rows, columns))
            found |= attempted("beta_recall", lambda: beta_recall(real, rows, columns))
            # Neither training rows nor those that distances are compared with can stand for a perfect generator.
            found |= privacy(aside, aside.fresh if is_floor else rows, columns)
            alike = some_rows(aside.train, len(rows.values), derive(one.seed, "alike"))
            found |= learned(aside.held_out, alike if is_floor else rows, columns, place, one.seed)
        return known(found)

    def compute(one: Repeat) -> tuple[MetricValues, MetricValues]:
        # Comparators are measured in the same repeat, whose floor is known by then.
        key = f"{one.real.digest} {one.floor.digest} {one.seed}"
        if key not in floors:
            floors[key] = one_side(one, one.floor.batch().real, is_floor=True)
        return one_side(one, one.fake.batch().real, is_floor=False), floors[key]

    return cached(f"tables {split.facts.fingerprint} {seed} {further} {place}", compute)


def likeness(real: Rows, rows: Rows, columns: Sequence[Column]) -> MetricValues:
    """Return ``shapes``, ``trends``, ``missing_error`` and ``rare_coverage``, all in [0, 1].

    The error is the largest one of the columns, the others are means.
    """
    check(columns, real, rows)
    return {
        "shapes": _mean(column_shapes(real, rows, columns)),
        "trends": mean_trend(pair_trends(real, rows, columns), associations(real, columns), columns),
        "missing_error": float(missing_errors(real, rows).max()),
        "rare_coverage": _mean(rare_coverages(real, rows, columns)),
    }


def privacy(aside: "_Aside", rows: Rows, columns: Sequence[Column]) -> MetricValues:
    """Return ``exact_copies``, ``near_copies``, ``closest_record``, ``closer_to_train`` and ``membership_attack``."""
    members, others = aside.members, aside.others
    metrics: Mapping[str, Callable[[], float]] = {
        "exact_copies": lambda: exact_copies(aside.train, rows, columns),
        "near_copies": lambda: near_copies(aside.some_train, others, rows, columns),
        "closest_record": lambda: closest_record(members, rows, columns),
        "closer_to_train": lambda: closer_to_train(members, others, rows, columns),
        "membership_attack": lambda: membership_attack(members, others, rows, columns),
    }
    found: MetricValues = {}
    for name, compute in metrics.items():
        found |= attempted(name, compute)
    return found


def learned(held_out: Rows, rows: Rows, columns: Sequence[Column], target: int | None, seed: int) -> MetricValues:
    """Return ``boosted_test``, and the values of ``usefulness`` for a target."""
    found = attempted("boosted_test", lambda: boosted_test(held_out, rows, columns, seed))
    if target is None:
        return found
    names = ("target_r2", "target_r2_boosted") if columns[target].is_numeric else ("target_f1", "target_auc")
    return found | attempted(names, lambda: usefulness(rows, held_out, columns, target, seed))


@final
class _Aside:
    """Real rows that privacy and usefulness need, beside those of a repeat; each is read on first use.

    Attributes:
        train: all training rows; some_train: at most 20,000 of them.
        held_out: rows that were not trained on, at most 20,000.
        others, fresh: its two halves, so that one can stand for generated rows.
        members: as many training rows.
    """

    def __init__(self, split: Split, seed: int) -> None:
        self._split, self._seed = split, seed

    @cached_property
    def train(self) -> Rows:
        return _all(self._split.train)

    @cached_property
    def some_train(self) -> Rows:
        return some_rows(self.train, MAX_TRAINING_ROWS, derive(self._seed, "training rows"))

    @cached_property
    def held_out(self) -> Rows:
        return some_rows(_all(self._split.held_out), 2 * MAX_ROWS, derive(self._seed, "held-out rows"))

    @cached_property
    def others(self) -> Rows:
        return Rows(*(part[: len(part) // 2] for part in self.held_out))

    @cached_property
    def fresh(self) -> Rows:
        return Rows(*(part[len(part) // 2 :] for part in self.held_out))

    @cached_property
    def members(self) -> Rows:
        return some_rows(self.train, len(self.others.values), derive(self._seed, "members"))


def _all(data: Dataset) -> Rows:
    rows: Rows = data.batch(slice(None)).real
    return rows


def _mean(values: Any) -> float:
    present = values[~np.isnan(values)]
    return float(present.mean()) if len(present) else math.nan
