"""Metrics of tables have the values that are known, and move in the right direction."""

import math

import numpy as np
import pytest
import torch

from sparring.errors import SparringError
from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.comparators import decision_trees, marginals
from sparring.modalities.tables.judging import closeness, supports
from sparring.modalities.tables.judging.cells import some_rows
from sparring.modalities.tables.judging.learning import boosted_test
from sparring.modalities.tables.judging.shapes import column_shapes, missing_errors, rare_coverages, worst_columns
from sparring.modalities.tables.judging.space import MAX_COORDINATES, Space
from sparring.modalities.tables.judging.trends import associations, cramer, mean_trend, pair_trends, worst_pairs
from sparring.modalities.tables.judging.usefulness import target_of, usefulness

NUMBER = Column("size", "continuous", missing=0.1, quantiles=(-4.0, 4.0))
OTHER = Column("double", "continuous", quantiles=(-8.0, 8.0))
KIND = Column("kind", "category", categories=("a", "b", "c"), shares=(0.6, 0.3, 0.1))
SIGN = Column("sign", "boolean", categories=("yes", "no"), shares=(0.5, 0.5))
COLUMNS = (NUMBER, OTHER, KIND, SIGN)


def rows_of(*columns):
    """Rows from columns of numbers, None where they are missing."""
    cells = [[math.nan if cell is None else cell for cell in one] for one in columns]
    values = torch.tensor(cells, dtype=torch.float64).T
    return Rows(values.nan_to_num(), values.isnan())


def table(count, seed=0, shift=0.0):
    """A number, its double with noise, a category, the sign of the number."""
    random = np.random.default_rng(seed)
    size = random.normal(shift, 1, count)
    kind = random.choice(3, count, p=(0.6, 0.3, 0.1))
    values = np.stack([size, 2 * size + random.normal(0, 0.2, count), kind, size < 0], 1)
    missing = np.zeros(values.shape, dtype=bool)
    missing[:, 0] = random.random(count) < 0.1
    values[missing] = 0
    return Rows(torch.from_numpy(values), torch.from_numpy(missing))


REAL, FAIR, SHIFTED = table(1000, 0), table(1000, 1), table(1000, 2, shift=1.0)
LOST = marginals(REAL, COLUMNS, 0)(1000, 0)


def test_equal_tables_are_perfect():
    assert (column_shapes(REAL, REAL, COLUMNS) == 1).all()
    trends = pair_trends(REAL, REAL, COLUMNS)
    assert np.isnan(trends.diagonal()).all() and np.nanmin(trends) == pytest.approx(1)
    assert (missing_errors(REAL, REAL) == 0).all()
    assert supports.alpha_precision(REAL, REAL, COLUMNS) > 0.98
    assert closeness.exact_copies(REAL, REAL, COLUMNS) == 1
    assert closeness.closest_record(REAL, REAL, COLUMNS) == 0


def test_shapes_of_numbers_and_categories():
    real = rows_of([1, 2, 3, 4], [0, 0, 1, 2])
    fake = rows_of([3, 4, 5, None], [0, 1, 1, None])
    # Below 3 lie half of the real numbers and none of the generated; ½ (|½ − ⅓| + |¼ − ⅔| + |¼ − 0|) = 5/12.
    assert column_shapes(real, fake, (NUMBER, KIND)) == pytest.approx([0.5, 7 / 12])
    assert missing_errors(real, fake) == pytest.approx([0.25, 0.25])


def test_categories_that_one_side_lacks_and_columns_without_values():
    real = rows_of([0, 0, 0, 1], [None] * 4, [1, 2, 3, 4], [5, 5, 5, 5])
    fake = rows_of([2, 2, 2, 2], [1, 2, 3, 4], [None] * 4, [5, 5, 5, 5])
    found = column_shapes(real, fake, (KIND, NUMBER, OTHER, NUMBER))
    assert found[0] == 0 and math.isnan(found[1]) and found[2] == 0 and found[3] == 1
    trends = pair_trends(real, fake, (KIND, NUMBER, OTHER, NUMBER))
    assert trends[0, 1] == 0 and math.isnan(trends[1, 2]) and math.isnan(trends[2, 3])
    assert trends[0, 3] == 0


def test_rare_categories_count_by_the_share_that_was_reached():
    real = rows_of([0] * 95 + [1] * 3 + [2] * 2)
    assert rare_coverages(real, real, (KIND,)) == pytest.approx([1])
    assert rare_coverages(real, rows_of([0] * 99 + [1]), (KIND,)) == pytest.approx([1 / 6])
    assert math.isnan(rare_coverages(rows_of([0, 1, 2]), real, (KIND,))[0])
    assert math.isnan(rare_coverages(real, real, (NUMBER,))[0])


def test_trends_of_numbers_and_of_categories():
    real = rows_of([1, 2, 3, 4], [2, 4, 6, 8], [0, 0, 1, 1], [0, 0, 1, 1])
    fake = rows_of([1, 2, 3, 4], [8, 6, 4, 2], [0, 1, 0, 1], [0, 0, 1, 1])
    trends = pair_trends(real, fake, COLUMNS)
    assert trends[0, 1] == pytest.approx(0)  # Correlations of 1 and −1.
    assert trends[2, 3] == pytest.approx(0.5)
    assert trends[0, 3] == pytest.approx(1) == trends[3, 0]
    assert worst_pairs(trends, COLUMNS, 1)[0][:2] == ("size", "double")
    assert worst_columns(np.array([0.5, np.nan, 0.2, 1]), COLUMNS, 2) == [("kind", 0.2), ("size", 0.5)]


def test_constants_have_no_correlation():
    varied, constant = rows_of([1, 2, 3], [3, 1, 2]), rows_of([1, 1, 1], [3, 1, 2])
    assert math.isnan(pair_trends(constant, varied, (NUMBER, OTHER))[0, 1])
    assert pair_trends(varied, constant, (NUMBER, OTHER))[0, 1] == pytest.approx(0.75)  # Of ρ = −½.
    assert cramer(np.array([0, 0]), np.array([0, 1])) == 0


def test_numbers_of_any_size_have_trends():
    huge = rows_of([1e300, -1e300, 5e299, 0.0], [1e-300, -1e-300, 5e-301, 0.0])
    assert pair_trends(huge, huge, (NUMBER, OTHER))[0, 1] == 1
    assert associations(huge, (NUMBER, OTHER))[0, 1] == pytest.approx(1)
    assert column_shapes(huge, huge, (NUMBER, OTHER)).tolist() == [1, 1]
    assert closeness.closest_record(huge, huge, (NUMBER, OTHER)) == 0


def test_a_table_without_trends_is_detected_by_its_related_columns():
    real = associations(REAL, COLUMNS)
    assert real[0, 1] > 0.9 and real[1, 3] > 0.7 and real[0, 2] < 0.2
    good, bad = (mean_trend(pair_trends(REAL, side, COLUMNS), real, COLUMNS) for side in (FAIR, LOST))
    assert good > 0.95 and bad < 0.65
    assert mean_trend(pair_trends(REAL, LOST, COLUMNS), np.zeros((4, 4)), COLUMNS) > bad
    assert math.isnan(mean_trend(np.full((1, 1), np.nan), np.zeros((1, 1)), (NUMBER,)))


def test_one_row_is_enough_for_shapes_trends_and_copies():
    one = rows_of([1.0], [2.0], [0], [1])
    assert (column_shapes(one, one, COLUMNS) == 1).all()
    assert pair_trends(one, one, COLUMNS)[2, 3] == 1
    assert closeness.exact_copies(one, REAL, COLUMNS) == 0


def test_the_space_counts_categories_and_ranks_alike():
    real = rows_of([1, 2, 3, 1000], [0, 0, 1, 2])
    space = Space(real, (NUMBER, KIND))
    features = space.features(rows_of([-5, 2000, None, -5], [0, 0, 0, 1]))
    between = torch.cdist(features, features)
    assert between[0, 1] == pytest.approx(1)  # The lowest and the highest number.
    assert between[0, 3] == pytest.approx(1)  # Two categories.
    assert between[0, 2] == pytest.approx(math.sqrt(1.25))


def test_the_space_is_bounded_for_many_categories():
    many = Column("tail", "category", categories=tuple(map(str, range(300_000))), shares=(0.0,) * 300_000)
    rows = rows_of([0, 5, 299_999, None])
    assert Space(rows, (many,)).features(rows).shape[1] < 200
    wide = Rows(rows.values.expand(4, 500), rows.missing.expand(4, 500))
    assert Space(wide, [many] * 500).features(wide).shape[1] <= MAX_COORDINATES + 500


def test_copies_are_exact_or_near():
    near = Rows(REAL.values + torch.tensor([1e-9, 1e-9, 0, 0]), REAL.missing)
    assert closeness.exact_copies(REAL, near, COLUMNS) < 0.01
    assert closeness.near_copies(REAL, FAIR, near, COLUMNS) > 0.99
    assert closeness.near_copies(REAL, FAIR, table(1000, 5), COLUMNS) < 0.03
    assert closeness.exact_copies(rows_of([-0.0, None]), rows_of([0.0, None, 1.0, 2.0]), (NUMBER,)) == 0.5


def test_closest_records_are_nearer_for_copies():
    fresh = table(1000, 5)
    assert closeness.closer_to_train(REAL, FAIR, REAL, COLUMNS) > 0.95
    assert closeness.closer_to_train(REAL, FAIR, FAIR, COLUMNS) < 0.05
    assert closeness.closer_to_train(REAL, FAIR, fresh, COLUMNS) == pytest.approx(0.5, abs=0.05)
    assert closeness.closer_to_train(REAL, REAL, fresh, COLUMNS) == 0.5
    # Only as many training rows as there are held-out ones count.
    more = table(4000, 6)
    assert closeness.closer_to_train(more, FAIR, fresh, COLUMNS) == pytest.approx(0.5, abs=0.05)
    assert closeness.closest_record(REAL, REAL, COLUMNS) < closeness.closest_record(REAL, fresh, COLUMNS)


def test_an_attack_finds_members_among_copies_only():
    assert closeness.membership_attack(REAL, FAIR, REAL, COLUMNS) > 0.95
    assert closeness.membership_attack(REAL, FAIR, table(1000, 5), COLUMNS) == pytest.approx(0.5, abs=0.05)
    assert closeness.membership_attack(REAL, FAIR, FAIR, COLUMNS) < 0.05


def test_closest_records_and_attacks_are_unbiased():
    """With few rows a bias of the ranks would show."""
    draws = [[table(300, 3 * draw + side) for side in (1000, 1001, 1002)] for draw in range(40)]
    for metric in (closeness.closer_to_train, closeness.membership_attack):
        values = [metric(*sides, COLUMNS) for sides in draws]
        assert abs(np.mean(values) - 0.5) < 4 * np.std(values) / math.sqrt(len(values))


def test_supports_know_quality_from_diversity():
    fair, typical = table(1000, 7), Rows(REAL.values[:3].repeat(300, 1), REAL.missing[:3].repeat(300, 1))
    assert supports.alpha_precision(REAL, fair, COLUMNS) > 0.95
    assert supports.alpha_precision(REAL, typical, COLUMNS) < 0.9
    assert supports.beta_recall(REAL, fair, COLUMNS) == pytest.approx(0.5, abs=0.08)
    assert supports.beta_recall(REAL, typical, COLUMNS) < 0.1
    assert supports.beta_recall(REAL, REAL, COLUMNS) > 0.9
    with pytest.raises(SparringError, match="1 rows"):
        supports.beta_recall(REAL, some_rows(REAL, 1, 0), COLUMNS)


def test_boosted_trees_detect_lost_trends():
    assert boosted_test(REAL, FAIR, COLUMNS, 0) == pytest.approx(0.5, abs=0.08)
    assert boosted_test(REAL, LOST, COLUMNS, 0) > 0.85
    assert boosted_test(REAL, SHIFTED, COLUMNS, 0) > 0.7
    assert boosted_test(REAL, LOST, COLUMNS, 0) == boosted_test(REAL, LOST, COLUMNS, 0)
    with pytest.raises(SparringError, match="10 rows"):
        boosted_test(REAL, some_rows(FAIR, 10, 0), COLUMNS, 0)


def test_targets_are_chosen_or_named():
    many = Column("tail", "category", categories=tuple(map(str, range(21))))
    assert target_of((NUMBER, KIND, many, Column("unit", "constant", categories=("m",)))) == 1
    assert target_of((NUMBER, OTHER, many)) == 1
    assert target_of((many,)) is None
    assert target_of(COLUMNS, "double") == 1
    with pytest.raises(SparringError, match=r"'sise'.*did you mean 'size'"):
        target_of(COLUMNS, "sise")


def test_usefulness_for_a_category_falls_with_its_trend():
    good, bad = (usefulness(side, FAIR, COLUMNS, 3) for side in (REAL, LOST))
    assert set(good) == {"target_f1", "target_auc"}
    assert good["target_f1"] > 0.9 and good["target_auc"] > 0.97
    assert bad["target_f1"] < 0.7 and bad["target_auc"] < 0.75
    assert usefulness(REAL, FAIR, COLUMNS, 3) == good


def test_usefulness_for_several_classes_and_for_numbers():
    classes = usefulness(REAL, FAIR, COLUMNS, 2)
    assert classes["target_f1"] < 0.45 and classes["target_auc"] == pytest.approx(0.5, abs=0.08)
    good, bad = (usefulness(side, FAIR, COLUMNS, 1) for side in (REAL, LOST))
    assert good["target_r2"] > 0.8 and good["target_r2_boosted"] > 0.8
    assert bad["target_r2"] < 0.1 and bad["target_r2_boosted"] < 0.1
    assert min(bad.values()) >= -1


def test_a_target_that_was_not_generated_or_does_not_vary():
    one_class = Rows(REAL.values.clone(), REAL.missing)
    one_class.values[:, 3] = 0
    found = usefulness(one_class, FAIR, COLUMNS, 3)
    assert found["target_auc"] == 0.5 and found["target_f1"] < 0.7
    with pytest.raises(SparringError, match="single value of 'sign'"):
        usefulness(REAL, one_class, COLUMNS, 3)
    without = Rows(REAL.values, REAL.missing.clone())
    without.missing[:, 3] = True
    with pytest.raises(SparringError, match="0 rows"):
        usefulness(without, FAIR, COLUMNS, 3)


def test_trees_pass_and_marginals_fail_on_every_count():
    trees = decision_trees(REAL, COLUMNS, 0)(1000, 0)
    assert usefulness(trees, FAIR, COLUMNS, 3)["target_auc"] > 0.9
    assert boosted_test(FAIR, trees, COLUMNS) < boosted_test(FAIR, LOST, COLUMNS)


def test_broken_rows_are_refused():
    broken = Rows(REAL.values.clone(), REAL.missing)
    broken.values[3, 1] = math.inf
    with pytest.raises(SparringError, match="not finite in 1 of 1000 rows"):
        column_shapes(REAL, broken, COLUMNS)
    with pytest.raises(SparringError, match=r"shape \(1000, 4\)"):
        pair_trends(REAL, FAIR, COLUMNS[:2])
