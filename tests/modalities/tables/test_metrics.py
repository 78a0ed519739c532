"""The evaluation measures rows beside real ones and beside simple models."""

from hashlib import sha256

import numpy as np
import pytest
import torch

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.evaluation.budget import Budget
from sparring.evaluation.evaluator import Evaluator
from sparring.evaluation.glossary import GLOSSARY, is_default
from sparring.evaluation.subject import Subject
from sparring.flow import Batch
from sparring.metrics.sample_sets import Repeat, SampleSet, Subset, in_memory
from sparring.modalities.tables.coding import Column, Rows, TableCoding
from sparring.modalities.tables.comparators import COMPARATORS, marginals, samples
from sparring.modalities.tables.metrics import measure
from sparring.samples import take
from toys.kind import Kind

LIKENESS = {"shapes", "trends", "missing_error", "rare_coverage"}
PRIVACY = {"exact_copies", "near_copies", "closest_record", "closer_to_train", "membership_attack"}
LEARNED = {"boosted_test", "target_f1", "target_auc", "alpha_precision", "beta_recall"}
COLUMNS = (
    Column("size", "continuous", missing=0.1, quantiles=(-4.0, 4.0)),
    Column("double", "continuous", quantiles=(-8.0, 8.0)),
    Column("kind", "category", categories=("a", "b", "c"), shares=(0.6, 0.37, 0.03)),
    Column("id", "identifier", example="A-17"),
    Column("sign", "boolean", categories=("yes", "no"), shares=(0.5, 0.5)),
)
LEARNED_COLUMNS = TableCoding(COLUMNS).learned


def table(count, seed):
    random = np.random.default_rng(seed)
    size = random.normal(size=count)
    kind = random.choice(3, count, p=(0.6, 0.37, 0.03))
    values = np.stack([size, 2 * size + random.normal(0, 0.2, count), kind, size < 0], 1)
    missing = np.zeros(values.shape, dtype=bool)
    missing[:, 0] = random.random(count) < 0.1
    values[missing] = 0
    return Rows(torch.from_numpy(values), torch.from_numpy(missing))


def data_of(rows):
    return in_memory(Batch(rows))


@pytest.fixture(scope="module")
def split():
    coding = TableCoding(COLUMNS).as_json()
    facts = Facts("rows.csv", "tables", 2000, (4,), "0" * 64, coding=coding)
    return Split(data_of(table(1400, 0)), data_of(table(600, 1)), facts)


def repeat(split, fake, size=500):
    def subset(data):
        return Subset(SampleSet(data), torch.arange(size))

    held_out = subset(split.held_out)
    return Repeat(subset(split.train), subset(data_of(fake)), held_out, held_out, seed=0)


def test_default_metrics_are_cheap_ones_and_shown_by_default(split):
    fake, floor = measure(split, 0, further=False)(repeat(split, table(500, 2)))
    assert set(fake) == set(floor) == LIKENESS and all(map(is_default, LIKENESS))
    assert fake["shapes"] > 0.93 and floor["shapes"] > 0.93 and floor["missing_error"] < 0.05


def test_further_metrics_stand_beside_a_floor_of_real_rows(split):
    train = split.train.batch(slice(0, 500)).real
    fake, floor = measure(split, 0)(repeat(split, train))
    assert set(fake) == set(floor) == LIKENESS | PRIVACY | LEARNED <= set(GLOSSARY)
    assert fake["exact_copies"] == fake["near_copies"] == 1 and floor["exact_copies"] == 0
    assert floor["near_copies"] < 0.06 and fake["closest_record"] < floor["closest_record"]
    assert fake["closer_to_train"] > 0.6 and floor["closer_to_train"] == pytest.approx(0.5, abs=0.1)
    assert fake["membership_attack"] > 0.6 and floor["membership_attack"] == pytest.approx(0.5, abs=0.1)
    assert floor["target_auc"] > 0.95 and floor["boosted_test"] == pytest.approx(0.5, abs=0.1)
    assert measure(split, 0)(repeat(split, train)) == (fake, floor)


def test_a_numeric_target_can_be_named(split):
    fake, _ = measure(split, 0, target="double")(repeat(split, table(500, 2)))
    assert fake["target_r2"] > 0.8 and "target_f1" not in fake
    with pytest.raises(SparringError, match="unknown target column 'id'"):
        measure(split, 0, target="id")


def test_metrics_that_need_more_rows_leave_the_others():
    coding = TableCoding(COLUMNS).as_json()
    facts = Facts("rows.csv", "tables", 10, (4,), "1" * 64, coding=coding)
    few = Split(data_of(table(9, 0)), data_of(table(1, 1)), facts)
    one = Subset(SampleSet(few.held_out), torch.arange(1))
    fake, _ = measure(few, 0)(Repeat(Subset(SampleSet(few.train), torch.arange(1)), one, one, one, seed=0))
    assert isinstance(fake["boosted_test"], SparringError) and isinstance(fake["beta_recall"], SparringError)
    assert isinstance(fake["shapes"], float) and fake["exact_copies"] == 0


def test_comparators_are_fitted_to_the_training_rows(split):
    found = samples(split, 30, 0)
    assert set(found) == set(COMPARATORS)
    train = split.train.batch(slice(None)).real
    assert all(torch.isin(rows.values[:, 1], train.values[:, 1]).all() for rows in found.values())
    assert torch.equal(found["decision trees"].values, samples(split, 30, 0)["decision trees"].values)


class Tables:
    """A modality with the metrics and the simple models of tables, and one feature for each value."""

    def __init__(self):
        self.kind = Kind(
            name="tables",
            load=lambda source, view: Dataset(None),
            features=lambda rows: rows.values,
            exhibits=lambda batch, facts, columns: [],
            suffix=".csv",
        )

    def __getattr__(self, name):
        return getattr(self.kind, name)

    def measure(self, split, seed, *, further=True):
        return measure(split, seed, further=further)

    def comparators(self, split, count, seed):
        return samples(split, count, seed)


def test_an_evaluation_has_a_row_for_each_simple_model(split):
    subject = Subject("some rows", Tables(), View((4,)))
    lost = marginals(split.train.batch(slice(None)).real, LEARNED_COLUMNS, 0)(500, 0)
    found = Evaluator(split, further=False).evaluate(subject, Batch(lost))
    assert list(found.baselines) == ["this", *COMPARATORS, "real"]
    assert all(set(row) == LIKENESS for row in found.baselines.values())
    trends = {name: row["trends"] for name, row in found.baselines.items()}
    assert trends["this"] < 0.7 > trends["independent marginals"] and trends["decision trees"] > 0.85
    assert trends["this"] == found.metrics["trends"].value and trends["real"] == found.metrics["trends"].floor
    text = "\n".join(found.lines())
    assert "beside simple models" in text and "pair trends" in text


@pytest.mark.parametrize(
    "case",
    ["one column", "nothing but missing cells", "a missing column", "huge numbers", "constants", "a rare target"],
)
def test_odd_tables_have_values_or_reasons(case):
    rows, columns = table(300, 0), LEARNED_COLUMNS
    if case == "one column":
        rows, columns = Rows(*(part[:, :1] for part in rows)), columns[:1]
    elif case == "nothing but missing cells":
        rows = Rows(torch.zeros(300, 4, dtype=torch.float64), torch.ones(300, 4, dtype=torch.bool))
    elif case == "a missing column":
        rows.missing[:, 1] = True
    elif case == "huge numbers":
        rows.values[:, :2] *= 1e300
    elif case == "constants":
        rows = Rows(torch.zeros(300, 4, dtype=torch.float64), torch.zeros(300, 4, dtype=torch.bool))
    else:
        rows.values[:, 3], rows.values[7, 3] = 0, 1
    coding = TableCoding(columns).as_json()
    data = data_of(rows)
    facts = Facts("rows.csv", "tables", 300, (len(columns),), sha256(case.encode()).hexdigest(), coding=coding)
    split = Split(data.subset(slice(0, 200)), data.subset(slice(200, 300)), facts)
    one = repeat(split, take(rows, slice(100, 200)), 100)
    for target in (columns[0].name, columns[-1].name):
        for values in measure(split, 0, target=target)(one):
            assert all(isinstance(value, SparringError) or np.isfinite(value) for value in values.values())
            assert {"missing_error", "exact_copies", "boosted_test"} <= set(values)
    assert set(samples(split, 20, 0)) == set(COMPARATORS)


def test_without_time_no_simple_models_are_fitted(split):
    evaluator = Evaluator(split, further=False, budget=Budget(0.0))
    found = evaluator.evaluate(Subject("some rows", Tables(), View((4,))), Batch(table(300, 3)))
    assert found.baselines == {} and "no simple models beside it" in found.remarks[-1]
