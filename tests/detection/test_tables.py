"""Detection of unusual rows of tables: names of columns, classes in a column, and rows that nothing is known of."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparring
from detection.detecting import detect
from sparring.runs.display import Silent

ROWS = 400


def write_table(path: Path, *, odd: int = 0) -> str:
    """Write rows whose width is twice their height, but for the last ones, and a category."""
    random = np.random.default_rng(odd)
    height = random.normal(10, 1, ROWS if not odd else 2 * odd)
    width = 2 * height + random.normal(0, 0.1, len(height))
    lines = ["height,width,colour,kind"]
    for row, (one, other) in enumerate(zip(height, width, strict=True)):
        kind = "odd" if odd and row >= odd else "plain"
        wide = other + 9 if kind == "odd" else other
        lines.append(f"{one:.3f},{wide:.3f},{'red' if row % 3 else 'blue'},{kind}")
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.fixture(scope="module")
def table_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("table")
    data = write_table(folder / "plain.csv")
    write_table(folder / "test.csv", odd=40)
    small = {"samples": 8000, "batch": 100, "width": 32, "latent_size": 8, "display": Silent(), "watchdog": "off"}
    sparring.train(data, recipe="tables/ctgan", columns={"kind": "drop"}, judge="none", out=folder / "run", **small)
    return folder / "run"


@pytest.mark.filterwarnings("ignore:.*Left out columns")
def test_odd_rows_are_found_by_the_column_of_their_kinds(table_run: Path, tmp_path: Path) -> None:
    test = str(table_run.parent / "test.csv")
    found = detect(table_run, test, labels="kind", normal="plain", out=tmp_path / "scores.csv")
    assert found.chosen.auroc is not None and found.chosen.auroc > 0.9
    assert found.normal == ("plain",) and list(found.chosen.classes) == ["odd"]
    first = [row[0] for row in found.columns[40:]]
    assert np.mean([name == "width" for name in first]) > 0.8, "the column that is wrong contributes most"
    assert all(found.columns[row] and set(found.columns[row]) <= {"height", "width", "colour"} for row in range(80))


@pytest.mark.filterwarnings("ignore:.*Left out columns")
@pytest.mark.parametrize(
    ("options", "told"),
    [({"labels": "kinds"}, "did you mean 'kind'"), ({"labels": "kind", "normal": "plane"}, "did you mean 'plain'")],
)
def test_columns_and_classes_that_do_not_exist_are_refused(table_run: Path, options: Any, told: str) -> None:
    with pytest.raises(sparring.SparringError, match=told):
        detect(table_run, str(table_run.parent / "test.csv"), **options)


def test_other_columns_are_refused(table_run: Path, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("height,colour\n1,red\n")
    with pytest.raises(sparring.SparringError, match="no column width"):
        detect(table_run, str(tmp_path / "other.csv"))


@pytest.mark.filterwarnings("ignore:.*Left out columns")
def test_absurd_values_are_far_from_all_training_rows(table_run: Path, tmp_path: Path) -> None:
    lines = Path(write_table(tmp_path / "given.csv")).read_text().splitlines()[:41]
    absurd = ["10,1e12,red,plain", "10,-1e12,red,plain", "10,26,red,plain"]
    (tmp_path / "given.csv").write_text("\n".join([*lines, *absurd]) + "\n")
    scores = detect(table_run, str(tmp_path / "given.csv"), method="nearest").scores
    assert min(scores[40:42]) > 1e9 and scores[42] > max(scores[:40]), scores[40:]
