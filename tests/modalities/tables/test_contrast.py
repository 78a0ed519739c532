"""Generated rows beside real ones, as a whole."""

import numpy as np
import pytest
import torch

from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.contrast import LOWEST, MAX_PANELS, contrasts
from sparring.rendering.exhibits import Picture, Table

COLUMNS = (
    Column("age $x$", "integer", quantiles=tuple(range(20, 71))),
    Column("when", "date", quantiles=(0.0, 86_400.0 * 365), form="%Y-%m-%d", missing=0.1),
    Column("sex", "category", categories=("male", "female"), shares=(0.6, 0.4)),
)


def rows(count: int, *, share: float, linked: bool, gone: float) -> Rows:
    random = np.random.default_rng(0)
    sex = (random.random(count) < share).astype(float)
    age = 30 + 20 * sex + random.integers(0, 5, count) if linked else random.integers(20, 70, count)
    when = 86_400.0 * random.integers(0, 365, count)
    missing = np.zeros((count, 3), dtype=bool)
    missing[:, 1] = random.random(count) < gone
    values = np.stack([age, when, sex], 1)
    return Rows(torch.from_numpy(np.where(missing, 0.0, values)), torch.from_numpy(missing))


def tables(real: Rows, fake: Rows) -> list[Table]:
    exhibits = contrasts(real, fake, COLUMNS)
    pictures = [one for one in exhibits if isinstance(one, Picture)]
    assert len(pictures) == 2 and all(one.file.startswith(b"\x89PNG") and one.caption for one in pictures)
    return [one for one in exhibits if isinstance(one, Table)]


def test_what_differs_most_comes_first_and_is_said() -> None:
    columns, pairs = tables(rows(2000, share=0.4, linked=True, gone=0.1), rows(2000, share=0.8, linked=False, gone=0.5))
    said = {name: (float(shape), change) for name, shape, change in columns.rows}
    assert list(said)[-1] == "when" and said["when"][1] == "missing: 10.6% → 48.8%"
    assert said["sex"][1].startswith("male: 59.2% → 20.6%") and said["sex"][0] == pytest.approx(0.6, abs=0.05)
    assert said["age $x$"][1].startswith("quartiles: 31 / 34 / 51.25 → 3")
    assert pairs.rows[0][0] == "age $x$ × sex" and pairs.rows[0][2].startswith("+1.00 → +0.0")


def test_equal_rows_do_not_differ() -> None:
    both = rows(500, share=0.4, linked=True, gone=0.1)
    for table in tables(both, both):
        assert {row[1] for row in table.rows} == {"1.000"}


def test_associations_compare_equally_many_rows() -> None:
    random = np.random.default_rng(0)
    columns = [Column(name, "category", categories=tuple("abcdefgh"), shares=(1 / 8,) * 8) for name in "xy"]
    values = torch.from_numpy(random.integers(0, 8, (5000, 2)).astype(float))
    real = Rows(values, torch.zeros_like(values, dtype=torch.bool))
    *_, pairs = contrasts(real, Rows(*(part[:250] for part in real)), columns)
    assert isinstance(pairs, Table) and "in 250 rows of each side" in pairs.caption
    ours, theirs = (float(one) for one in pairs.rows[0][2].split(" → "))
    assert ours == pytest.approx(theirs, abs=0.05), "V of 250 independent rows is .17, of 5,000 .04"


def test_a_column_without_values_on_one_side_is_drawn() -> None:
    real, fake = rows(50, share=0.4, linked=True, gone=0.0), rows(50, share=0.4, linked=True, gone=1.0)
    for one, other in ((real, fake), (fake, real), (fake, fake)):
        assert len(tables(one, other)) == 2


def test_of_many_columns_the_worst_are_shown() -> None:
    count = MAX_PANELS + 10
    values = torch.arange(60, dtype=torch.float64)[:, None].repeat(1, count)
    columns = [Column(f"c{at}", "continuous", quantiles=(0.0, 59.0)) for at in range(count)]
    real = Rows(values, torch.zeros_like(values, dtype=torch.bool))
    fake = Rows(values + torch.arange(count), real.missing)
    picture, table, *_ = contrasts(real, fake, columns)
    assert picture.caption.endswith("10 further columns are more alike.")
    assert isinstance(table, Table) and [row[0] for row in table.rows] == [f"c{count - 1 - at}" for at in range(LOWEST)]


def test_quartiles_above_ten_thousand_are_told_apart() -> None:
    column = Column("price", "continuous", quantiles=(0.0, 1e6), decimals=2, form=".,")
    sides = [torch.tensor([[12_000.0], [13_500.0], [15_000.0]], dtype=torch.float64) * by for by in (1, 2)]
    real, fake = (Rows(values, torch.zeros(3, 1, dtype=torch.bool)) for values in sides)
    table = contrasts(real, fake, [column])[1]
    assert isinstance(table, Table)
    assert table.rows[0][2] == "quartiles: 12,750 / 13,500 / 14,250 → 25,500 / 27,000 / 28,500"
