"""Users ask for rows by ranges, sets and balance; every row meets them, and their distribution is the right one."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sparring.data.columns.where import conditions_of
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.tables.asking import CONDITIONS, conditioned_on, known_cells, selection
from sparring.modalities.tables.coding import Column, Rows, coding_of
from sparring.modalities.tables.conditions import KNOWN, Known, completed
from sparring.modalities.tables.data import survey
from sparring.modalities.tables.predicates import predicates_of
from sparring.modalities.tables.rules import as_written, value_of
from sparring.modalities.tables.survey import TableSurvey
from sparring.randomness import RandomStream
from sparring.sampling import Accepted, generate_accepted

NAMES = ("age", "city", "day", "height", "income", "a<b")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> TableSurvey:
    random, lines = np.random.default_rng(0), [",".join(NAMES)]
    for _ in range(3000):
        age = int(random.integers(17, 91))
        city = random.choice(["Paris", "Rome", "Ulm", ""], p=[0.5, 0.3, 0.1, 0.1])
        day = np.datetime64("2020-01-01") + int(random.integers(0, 700))
        income = ">50K" if random.random() < age / 100 else "<=50K"
        lines.append(f"{age},{city},{day},{random.normal(1.7, 0.1):.3f},{income},{random.integers(0, 400) / 4}")
    path = tmp_path_factory.mktemp("tables") / "people.csv"
    path.write_text("\n".join(lines))
    return survey(str(path))


class RowsOfTable:
    """A game whose samples are rows of a table, with known cells in place of their own."""

    published = ()

    def __init__(self, found: TableSurvey) -> None:
        self.rows = Rows(torch.from_numpy(found.rows.values), torch.from_numpy(found.rows.missing))

    def latent(self, random: RandomStream) -> Tensor:
        return random.uniform("latent", 1)

    def generate(self, latent: Tensor, condition: Known) -> Rows:
        chosen = (latent[:, 0] * len(self.rows.values)).long()
        return completed(Rows(*(part[chosen] for part in self.rows)), condition)


def asked(table: TableSurvey, count: int, seed: int = 0, first: int = 0, **options: Any) -> Accepted:
    view = View(table.facts.shape, KNOWN)
    condition, game = known_cells(options, view, table.facts, count), RowsOfTable(table)
    chosen: Any = selection(options, view, table.facts)
    return generate_accepted(game, chosen, count, condition, seed=seed, stream="here/", first=first)  # type: ignore[arg-type]


def cells(table: TableSurvey, found: Accepted, name: str) -> list[float]:
    place = [column.name for column in coding_of(table.facts).learned].index(name)
    values = as_written(found.samples.values[:, place], coding_of(table.facts).learned[place])
    return [
        float("nan") if missing else value
        for value, missing in zip(values.tolist(), found.samples.missing[:, place], strict=True)
    ]


def test_every_row_meets_all_conditions(table: TableSurvey) -> None:
    found = asked(table, 300, where="age>=65,age<80,city!=Paris,income=>50K,day<2021-01-01")
    assert len(found.rows) == 300 and all(65 <= age < 80 for age in cells(table, found, "age"))
    assert max(cells(table, found, "day")) < np.datetime64("2021-01-01").astype("datetime64[s]").astype(float)
    paris = coding_of(table.facts).learned[1].categories.index("Paris")
    assert paris not in cells(table, found, "city") and found.generated > 300


def test_a_missing_cell_differs_from_every_value_and_lies_in_no_range(table: TableSurvey) -> None:
    assert np.isnan(cells(table, asked(table, 400, where="city!=Paris,age>20"), "city")).mean() == pytest.approx(
        0.2, abs=0.07
    )
    assert not np.isnan(cells(table, asked(table, 400, where="city!="), "city")).any()
    assert np.isnan(cells(table, asked(table, 50, where="city="), "city")).all()


def test_a_single_range_needs_no_rejection_and_has_the_distribution_of_the_data(table: TableSurvey) -> None:
    for where, name in (
        ("age>=65", "age"),
        ("height<1.6", "height"),
        ("city=Rome|Ulm", "city"),
        ("a<b>=50,a<b<60", "a<b"),
    ):
        found, plain = asked(table, 2000, where=where), asked(table, 2000)
        assert found.generated < 2150
        (predicate,) = predicates_of(where, coding_of(table.facts).learned)
        real = Rows(*(torch.from_numpy(part)[predicate.holds(RowsOfTable(table).rows).numpy()] for part in table.rows))
        expected = as_written(real.values[:, predicate.place], predicate.column).numpy()
        values = np.array(cells(table, found, name))
        for level in (0.1, 0.5, 0.9):
            spread = expected.std() * 0.15
            assert np.quantile(values, level) == pytest.approx(np.quantile(expected, level), abs=spread + 1e-9)
        assert not np.array_equal(values, np.array(cells(table, plain, name)))


def test_rows_depend_on_the_seed_and_not_on_the_count_or_the_parts(table: TableSurvey) -> None:
    for where in ("age>=85", "age>=85,city=Rome"):
        many = asked(table, 100, where=where).samples.values
        assert torch.equal(asked(table, 30, where=where).samples.values, many[:30])
        assert torch.equal(asked(table, 50, where=where, first=50).samples.values, many[50:])
        assert not torch.equal(asked(table, 100, seed=1, where=where).samples.values, many)


def test_balance_gives_equally_many_rows_of_each_category(table: TableSurvey) -> None:
    assert np.unique(cells(table, asked(table, 100, balance="income"), "income"), return_counts=True)[1].tolist() == [
        50,
        50,
    ]
    found = asked(table, 99, balance="city", where="city!=Ulm,city!=,age>70")
    assert sorted(np.unique(cells(table, found, "city"), return_counts=True)[1].tolist()) == [49, 50]
    assert min(cells(table, found, "age")) > 70


def test_equalities_alone_are_conditions_of_the_network(table: TableSurvey) -> None:
    view = View(table.facts.shape, KNOWN)
    assert selection({"where": "city=Ulm,age=37"}, view, table.facts) is None
    assert selection({"balance": "city", "where": "city=Ulm|Rome"}, view, table.facts) is None
    assert selection({}, view, table.facts) is None
    found = known_cells({"where": {"city": "Ulm", "age": 37}}, view, table.facts, 2)
    assert found.known.tolist() == [[True, True, False, False, False, False]] * 2


def test_cells_that_the_network_cannot_take_are_left_to_rejection(table: TableSurvey) -> None:
    view = View(table.facts.shape, "")
    assert conditioned_on([1, 4], view, coding_of(table.facts).learned) == []
    chosen = selection({"where": "city=Ulm"}, view, table.facts)
    assert chosen is not None and chosen.drawn is None and len(chosen.predicates) == 1


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (" city = Rome , age>=3", [("city", "=", ("Rome",)), ("age", ">=", ("3",))]),
        ("income=>50K", [("income", "=", (">50K",))]),
        ("a<b<3,a<b!=4", [("a<b", "<", ("3",)), ("a<b", "!=", ("4",))]),
        ('"city=Paris, Texas",age==3', [("city", "=", ("Paris, Texas",)), ("age", "=", ("3",))]),
        ("city=Rome\nage>=3\r\n", [("city", "=", ("Rome",)), ("age", ">=", ("3",))]),
        ({"city": ["Rome", "Ulm"], "age": 3}, [("city", "=", ("Rome", "Ulm")), ("age", "=", ("3",))]),
        ({"age": np.array([3, 4])}, [("age", "=", ("3", "4"))]),
        ({"age": range(3, 5), "city": np.array("Ulm")}, [("age", "=", ("3", "4")), ("city", "=", ("Ulm",))]),
        ({"day": datetime(2020, 1, 2)}, [("day", "=", ("2020-01-02",))]),
        (
            {"day": np.array(["2020-01-02T03", "2020-01-03T00"], "datetime64[s]")},
            [("day", "=", ("2020-01-02 03:00:00", "2020-01-03"))],
        ),
        (None, []),
    ],
)
def test_where_is_parsed(where: str | Mapping[str, Any] | None, expected: list[tuple[str, ...]]) -> None:
    assert conditions_of(where, NAMES) == expected


def test_dates_are_asked_for_in_iso_form_too() -> None:
    column = Column("day", "date", form="%d.%m.%Y")
    days = {value_of(text, column) for text in ("02.01.2020", "2020-01-02", "2020-01-02 00:00:00")}
    assert days == {1577923200.0} and value_of("01/02/2020", column) is None


def test_values_of_pandas_are_asked_for_as_cells() -> None:
    pandas = pytest.importorskip("pandas")
    where = {"city": pandas.Series(["Ulm", "Rome"]), "day": pandas.Timestamp("2020-01-02")}
    assert conditions_of(where, NAMES) == [("city", "=", ("Ulm", "Rome")), ("day", "=", ("2020-01-02",))]


def test_a_condition_too_long_to_be_separated_is_refused() -> None:
    with pytest.raises(SparringError, match="text of 2,097,157 characters in where= that cannot be separated"):
        conditions_of(f"city={'x' * 2**21}", NAMES)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"where": "aeg>3"}, "the column 'aeg' in where=, but expected one of age, city.*did you mean 'age'"),
        ({"where": "city>3"}, "city>3 in where=, but expected = or != for 'city'"),
        ({"where": "age>=200"}, "a range that meets the training data, where 'age' is 17 to 90"),
        ({"where": "day<2019-01-01"}, "where 'day' is 2020-01-01 to 2021-1"),
        ({"where": "day<yesterday"}, "'yesterday' for 'day' in where=, but expected a date such as 2020-01-01"),
        ({"where": "age>65,age<20"}, "age>65,age<20 in where=, but expected conditions that a cell can meet at once"),
        ({"where": "age>65,age<66"}, "expected conditions that a cell can meet at once"),
        ({"where": "age=30,age!=30"}, "expected conditions that a cell can meet at once"),
        ({"where": "city=Rome,city=Ulm"}, "expected conditions that a cell can meet at once"),
        ({"where": "city=Berlin|Rome"}, "'Berlin' for 'city' in where=, but expected one of Paris, Rome, Ulm"),
        ({"where": "age=37.5"}, "'37.5' for 'age' in where=, but expected a whole number such as 17"),
        ({"where": "age"}, "'age' in where=, but expected columns and their values"),
        ({"where": {"city": []}}, "an empty list of values for 'city' in where"),
        (
            {"balance": "age"},
            "the column 'age' of kind integer in balance=, but expected a column of categories: city",
        ),
        ({"balance": "cyty"}, "the column 'cyty' in balance=.*did you mean 'city'"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_one_sentence(
    table: TableSurvey, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(SparringError, match=words):
        asked(table, 3, **options)


def test_inputs_must_be_able_to_meet_where(table: TableSurvey, tmp_path: Path) -> None:
    holes = tmp_path / "holes.csv"
    holes.write_text("age,city,day,height,income,a<b\n,Rome,,,,\n30,,,,,\n")
    condition = CONDITIONS[KNOWN].build({"input": (holes,)}, View(table.facts.shape, KNOWN), table.facts, None)
    assert condition.known.sum() == 2
    with pytest.raises(SparringError, match="input 2, whose cells contradict where='age>=65'"):
        asked(table, 2, input=(holes,), where="age>=65")
    with pytest.raises(SparringError, match="input 2, whose cells contradict where='age=31'"):
        asked(table, 2, input=(holes,), where="age=31")
    with pytest.raises(SparringError, match="balance= for rows that are filled in"):
        asked(table, 2, input=(holes,), balance="city")
    assert min(cells(table, asked(table, 2, input=(holes,), where="age>=25"), "age")) >= 25


def test_a_column_without_values_cannot_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,\n2,\n3,\n")
    facts = survey(str(tmp_path / "a.csv")).facts
    for where in ("b!=", "b=7"):
        with pytest.raises(SparringError, match="in where="):
            selection({"where": where}, View(facts.shape, KNOWN), facts)


def test_inputs_may_be_data_frames(table: TableSurvey) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    view = View(table.facts.shape, KNOWN)
    frame = pandas.DataFrame({name: [None] * 2 for name in (one.name for one in coding_of(table.facts).learned)})
    frame["city"] = ["Ulm", "Rome"]
    assert known_cells({"input": (frame,)}, view, table.facts, None).known.sum(0).tolist() == [0, 2, 0, 0, 0, 0]
    with pytest.raises(SparringError, match="no inputs"):
        known_cells({"input": ()}, view, table.facts, None)
