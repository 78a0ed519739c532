"""Options about tables that nearly fit are understood, or answered by the right one."""

from pathlib import Path

import pytest

from sparring.data.columns.where import conditions_of
from sparring.data.conditions import check_options
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.tables.asking import CONDITIONS
from sparring.modalities.tables.coding import coding_of
from sparring.modalities.tables.conditions import KNOWN
from sparring.modalities.tables.data import survey
from sparring.modalities.tables.predicates import Predicate, predicates_of


def write(folder: Path, text: str) -> str:
    (folder / "table.csv").write_text(text)
    return str(folder / "table.csv")


@pytest.fixture
def sales(tmp_path: Path) -> str:
    """A table with identifiers, and numbers with a unit and a decimal comma."""
    rows = [f"K{100 + at};{at * 37 % 90 + 10},{at % 10}0 €;{'AB'[at % 2]}" for at in range(120)]
    return write(tmp_path, "\n".join(["Kunde;Umsatz;Art", *rows]))


def asked(source: str, where: str) -> list[Predicate]:
    coding = coding_of(survey(source).facts)
    return predicates_of(where, coding.learned, coding.columns)


def test_numbers_with_a_decimal_comma_have_a_point_in_english_sentences(sales: str) -> None:
    """A list of them would be read as twice as many numbers."""
    said = {one["name"]: one["values"] for one in survey(sales).facts.details["columns"]}
    assert said["Umsatz"] == "10.00 € to 99.70 €"


@pytest.mark.parametrize("where", ["Umsatz>=50 €", "Umsatz>=50€", "Umsatz>=50", "Umsatz >= 50.0"])
def test_numbers_are_asked_for_with_the_unit_of_their_column(where: str, sales: str) -> None:
    assert [one.low for one in asked(sales, where)] == [50]


def test_identifiers_cannot_be_asked_for(sales: str) -> None:
    with pytest.raises(SparringError, match=r"the column 'Kunde' of identifiers in where=.* made anew"):
        asked(sales, "Kunde=K101")


def test_a_decimal_comma_is_answered_by_the_point() -> None:
    with pytest.raises(SparringError, match=r"Write the decimal point as a point: x>=1000\.5"):
        conditions_of("x>=1000,5", ("x",))


def test_a_label_of_a_table_is_answered_by_the_column() -> None:
    with pytest.raises(SparringError, match=r"label='Berlin'.*where='COLUMN=Berlin'"):
        check_options(CONDITIONS, View((3,), KNOWN), {"label": "Berlin"})


def test_all_columns_that_cannot_be_used_are_named_at_once(tmp_path: Path) -> None:
    words = [f"{at} words of free text number {at * 7919 % 1000}" for at in range(200)]
    rows = [f"{at * 31 % 97},{words[at]},{words[-at - 1]}" for at in range(200)]
    source = write(tmp_path, "\n".join(["x,note,remark", *rows]))
    with pytest.raises(SparringError, match=r"in the column 'note'; .* in the column 'remark'.*note=drop,remark=drop"):
        survey(source)


def test_a_regular_log_is_answered_by_windows(tmp_path: Path) -> None:
    def remarks(step: int) -> str:
        lines = [f"2024-01-{1 + at // 24:02d} {at % 24:02d}:00,{at * 17 % 23}.5" for at in range(0, 100 * step, step)]
        return " ".join(survey(write(tmp_path, "\n".join(["time,value", *lines]))).facts.remarks)

    assert "give --window 24" in remarks(1)
    shuffled = [f"2024-01-{1 + at * 7 % 28:02d} {at % 24:02d}:00,{at * 17 % 23}.5" for at in range(100)]
    assert "--window" not in " ".join(survey(write(tmp_path, "\n".join(["time,value", *shuffled]))).facts.remarks)
