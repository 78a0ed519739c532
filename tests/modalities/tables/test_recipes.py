"""Recipes of tables learn a small table, fill in any of its cells, and are asked by --where and by tables."""

from pathlib import Path

import pytest
import torch

from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.tables.asking import known_cells
from sparring.modalities.tables.coding import Rows
from sparring.modalities.tables.conditions import KNOWN, Known, some_known
from sparring.modalities.tables.data import survey
from sparring.modalities.tables.recipes.gan import TableGAN
from sparring.modalities.tables.recipes.masked import Masked
from sparring.recipe import with_fields
from sparring.recipes import default_recipe
from sparring.sampling import generate
from sparring.training.trainer import Trainer
from toys.heights import fitted, write_table

SMALL = {
    "masked": (Masked(), {"width": 48, "blocks": 1, "bins": 16, "learning_rate": 3e-3, "batch": 100}, 300),
    "gan": (TableGAN(), {"width": 48, "blocks": 1, "bins": 16, "noise": 8, "learning_rate": 2e-3, "batch": 100}, 800),
}
"""Recipe, its fields here, and steps."""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("tables") / "heights.csv")


@pytest.fixture(scope="module", params=list(SMALL))
def trained(request: pytest.FixtureRequest, table: Path) -> Trainer:
    recipe, fields, steps = SMALL[request.param]
    return fitted(with_fields(recipe, fields), table, steps)


def asked(table: Path, count: int | None, **options: object) -> Known:
    facts = survey(str(table)).facts
    return known_cells(options, View(facts.shape, KNOWN), facts, count)


def generated(trained: Trainer, condition: Known) -> Rows:
    rows: Rows = generate(trained.average, len(condition.known), condition, seed=0, stream="test")
    return rows


def test_rows_have_the_shares_and_the_dependence_of_the_table(trained: Trainer, table: Path) -> None:
    rows = generated(trained, asked(table, 3000))
    tall, height, score = rows.values.unbind(1)
    assert float(tall.mean()) == pytest.approx(0.3, abs=0.05)
    assert float(height[tall == 1].mean()) == pytest.approx(20, abs=1.5)
    assert float(height[tall == 0].mean()) == pytest.approx(10, abs=1.5)
    assert float(rows.missing[:, 2].double().mean()) == pytest.approx(0.1, abs=0.04)
    there = ~rows.missing[:, 2]
    assert float((score - 2 * height)[there].abs().mean()) < 3
    assert not rows.missing[:, :2].any() and (score[~there] == 0).all()


def test_cells_of_where_are_known_and_others_follow_from_them(trained: Trainer, table: Path) -> None:
    rows = generated(trained, asked(table, 500, where="kind=tall"))
    assert (rows.values[:, 0] == 1).all() and float(rows.values[:, 1].mean()) == pytest.approx(20, abs=1.5)
    rows = generated(trained, asked(table, 500, where={"height": "9.87"}))
    assert (rows.values[:, 1] == 9.87).all() and float(rows.values[:, 0].mean()) < 0.1


def test_missing_cells_of_a_table_are_filled_in_and_the_others_kept(
    trained: Trainer, table: Path, tmp_path: Path
) -> None:
    holes = tmp_path / "holes.csv"
    holes.write_text("score,kind,height\n20.2,,10.11\n,tall,\n")
    rows = generated(trained, asked(table, None, input=(holes,)))
    assert rows.values[0].tolist() == [0, 10.11, 20.2] and not rows.missing[0].any()
    assert rows.values[1, 0] == 1 and abs(rows.values[1, 1] - 20) < 4


def test_some_cells_are_known_in_training_but_never_all(random) -> None:
    rows = Rows(torch.zeros(4000, 3, dtype=torch.float64), torch.zeros(4000, 3, dtype=torch.bool))
    counts = torch.bincount(some_known(rows, random(4000)).known.sum(1), minlength=4) / 4000
    torch.testing.assert_close(counts, torch.tensor([2 / 3, 1 / 6, 1 / 6, 0]), atol=0.03, rtol=0)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (" ", "Found an empty where="),
        ("kind", "COLUMN=VALUE"),
        ("=3", "COLUMN=VALUE"),
        ("kynd=tall", "did you mean 'kind'"),
        ("kind=toll", "did you mean 'tall'"),
        ("height=high", "expected a number such as"),
    ],
)
def test_cells_that_a_table_cannot_have_are_refused(table: Path, where: str, words: str) -> None:
    with pytest.raises(SparringError, match=words):
        asked(table, 3, where=where)


def test_a_missing_cell_may_be_asked_for(table: Path) -> None:
    assert asked(table, 2, where="score=").missing.tolist() == [[False, False, True]] * 2


def test_tables_have_a_default_recipe(table: Path) -> None:
    assert default_recipe(survey(str(table)).facts) == "tables/masked"
