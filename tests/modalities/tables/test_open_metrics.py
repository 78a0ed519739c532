"""Shapes and trends are those of the open package sdmetrics 0.32, where it is installed."""

import numpy as np
import pytest
import torch

from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.judging.shapes import column_shapes
from sparring.modalities.tables.judging.trends import associations, mean_trend, pair_trends

pytest.importorskip("pandas", reason="pandas is not installed")
pytest.importorskip("sdmetrics", reason="sdmetrics is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")

COLUMNS = (
    Column("size", "continuous", quantiles=(0.0, 1.0)),
    Column("income", "integer", quantiles=(0.0, 1.0)),
    Column("kind", "category", categories=tuple("abcde")),
    Column("sign", "category", categories=tuple("xyz")),
)


def table(count, seed, missing):
    random = np.random.default_rng(seed)
    size, kind = random.normal(seed / 4, 1, count), random.integers(0, 5, count)
    values = np.stack([size, np.round(20 * size + random.exponential(50, count)), kind, size > 1], 1)
    gone = random.random(values.shape) < missing
    values[gone] = 0
    return Rows(torch.from_numpy(values), torch.from_numpy(gone))


def frame(rows):
    import pandas

    cells = {}
    for column, values, missing in zip(COLUMNS, rows.values.T.tolist(), rows.missing.T.tolist(), strict=True):
        cells[column.name] = [
            None if gone else value if column.is_numeric else column.categories[int(value)]
            for value, gone in zip(values, missing, strict=True)
        ]
    return pandas.DataFrame(cells)


@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("seed", range(3))
def test_shapes_and_trends_equal_those_of_the_package(seed, missing):
    from sdmetrics.column_pairs import ContingencySimilarity, CorrelationSimilarity
    from sdmetrics.single_column import KSComplement, TVComplement

    real, fake = table(1000, 2 * seed, missing), table(700, 2 * seed + 1, missing)
    ours, theirs = frame(real), frame(fake)
    shapes, trends = column_shapes(real, fake, COLUMNS), pair_trends(real, fake, COLUMNS)
    names = [column.name for column in COLUMNS]
    for place, column in enumerate(COLUMNS):
        metric = KSComplement if column.is_numeric else TVComplement
        assert shapes[place] == pytest.approx(metric.compute(ours[column.name], theirs[column.name]), abs=1e-9)
    for one in range(4):
        for other in range(one):
            pair = [names[one], names[other]]
            numbers = [name for name in pair if name in names[:2]]
            if len(numbers) == 2:
                wanted = CorrelationSimilarity.compute(ours[pair], theirs[pair])
            else:
                wanted = ContingencySimilarity.compute(ours[pair], theirs[pair], continuous_column_names=numbers)
            assert trends[one, other] == pytest.approx(wanted, abs=1e-9), pair


def test_the_mean_trend_has_the_thresholds_of_the_report():
    """Reports put the highest number into a bin of its own, so that values of one cell differ."""
    from sdmetrics.reports import QualityReport

    real = table(1000, 2, 0.0)
    fake = Rows(real.values.clone(), real.missing)
    fake.values[:, :3] = fake.values[torch.randperm(1000, generator=torch.Generator().manual_seed(0)), :3]
    report = QualityReport()
    kinds = {one.name: {"sdtype": "numerical" if one.is_numeric else "categorical"} for one in COLUMNS}
    metadata = {"tables": {"rows": {"columns": kinds}}}
    report.generate({"rows": frame(real)}, {"rows": frame(fake)}, metadata, verbose=False)
    wanted = report.get_properties().set_index("Property")["Score"]
    trends = pair_trends(real, fake, COLUMNS)
    found = mean_trend(trends, associations(real, COLUMNS), COLUMNS)
    assert found == pytest.approx(wanted["Column Pair Trends"], abs=4e-3)
    assert abs(np.nanmean(trends) - found) > 0.05
    assert column_shapes(real, fake, COLUMNS).mean() == pytest.approx(wanted["Column Shapes"], abs=1e-9)
