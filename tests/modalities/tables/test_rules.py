"""Rules that every row keeps: parsed, checked against the data, and kept by generated rows whatever generates them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sparring.data.facts import Facts
from sparring.data.reading import Reading, reading
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.tables import data, render
from sparring.modalities.tables.asking import known_cells, selection
from sparring.modalities.tables.coding import Column, Rows, as_written, coding_of
from sparring.modalities.tables.conditions import KNOWN, Known, completed
from sparring.modalities.tables.rules import rules_of
from sparring.modalities.tables.survey import TableSurvey
from sparring.randomness import RandomStream
from sparring.sampling import generate_accepted
from toys.tables import said, survey, write

CITIES = {"France": ["Paris", "Lyon"], "Spain": ["Madrid"], "Italy": ["Rome", "Pisa"]}
KEEP = ("begin<=end", "age>=18", "country,city", "total=net+tax", "gross=total+tip")


def write_orders(path: Path, count: int = 1000) -> str:
    """Write orders that keep all of ``KEEP``; a tenth of the cells of some columns is missing."""
    random, rows = np.random.default_rng(0), list[list[Any]]()
    for number in range(count):
        country = random.choice([*CITIES])
        begin = np.datetime64("2020-01-01") + int(random.integers(0, 300))
        net, tax, tip = (int(random.integers(0, most)) for most in (9000, 1500, 500))
        total, gross = net + tax, net + tax + tip
        row = [f"A{number:04d}", country, random.choice(CITIES[country]), begin, begin + int(random.integers(0, 90))]
        row += [int(random.integers(18, 80)), *(f"{cents / 100:.2f}" for cents in (gross, total, net, tax, tip))]
        for place in (2, 4, 7):
            row[place] = "" if random.random() < 0.1 else row[place]
        rows.append(row)
    header = ["key", "country", "city", "begin", "end", "age", "gross", "total", "net", "tax", "tip"]
    return write(path, [header, *rows])


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> TableSurvey:
    path = write_orders(tmp_path_factory.mktemp("tables") / "orders.csv")
    return data.survey(path, Reading(keep=KEEP))


class IndependentCells:
    """A game whose cells are those of independent random rows, so that most of its rows break rules."""

    published = ()

    def __init__(self, found: TableSurvey) -> None:
        self.rows = Rows(torch.from_numpy(found.rows.values), torch.from_numpy(found.rows.missing))

    def latent(self, random: RandomStream) -> Tensor:
        return random.uniform("latent", self.rows.values.shape[1])

    def generate(self, latent: Tensor, condition: Known) -> Rows:
        chosen = (latent * len(self.rows.values)).long()
        return completed(Rows(*(part.gather(0, chosen) for part in self.rows)), condition)


def generated(found: TableSurvey, count: int, **options: Any) -> Rows:
    view, game = View(found.facts.shape, KNOWN), IndependentCells(found)
    chosen: Any = selection(options, view, found.facts)
    condition = known_cells(options, view, found.facts, count)
    rows: Rows = generate_accepted(
        game,  # type: ignore[arg-type]
        chosen,
        len(condition.known),
        condition,
        seed=0,
        stream="here/",
    ).samples
    return rows


def require_rules(rows: Rows, facts: Facts) -> None:
    """Check the rows as they are written, by other code than the rules'."""
    table = render.decoded(rows, facts)
    for row in (dict(zip(table.header, cells, strict=True)) for cells in table.rows):
        assert not row["end"] or row["begin"] <= row["end"]
        assert int(row["age"]) >= 18 and (not row["city"] or row["city"] in CITIES[row["country"]])
        cents = {name: round(100 * float(row[name] or "nan")) if row[name] else None for name in table.header[-5:]}
        if cents["total"] is not None:
            assert cents["total"] == cents["net"] + cents["tax"] and cents["gross"] == cents["total"] + cents["tip"]


def test_generated_rows_keep_every_rule(orders: TableSurvey) -> None:
    rows = generated(orders, 300)
    assert len(rows.values) == 300
    require_rules(rows, orders.facts)


def test_rules_and_conditions_hold_together(orders: TableSurvey) -> None:
    rows = generated(orders, 50, where="country=Italy,total>=60,begin>=2020-06-01")
    require_rules(rows, orders.facts)
    table = render.decoded(rows, orders.facts).as_columns()
    assert set(table["country"]) == {"Italy"} and min(float(cell or "nan") for cell in table["total"]) >= 60


def test_filled_in_rows_keep_every_rule_and_their_known_cells(orders: TableSurvey, tmp_path: Path) -> None:
    header = "country,city,begin,end,age,gross,total,net,tax,tip"
    (tmp_path / "holes.csv").write_text(
        f"{header}\n,Pisa,,2020-02-01,30,,20.00,12.50,,1.00\nSpain,,2020-09-01,,,,,90,,\n"
    )
    rows = generated(orders, 2, input=(tmp_path / "holes.csv",))
    require_rules(rows, orders.facts)
    first, second = render.decoded(rows, orders.facts).rows
    assert first[1:3] == ["Italy", "Pisa"] and first[4:] == [
        "2020-02-01",
        "30",
        "21.00",
        "20.00",
        "12.50",
        "7.50",
        "1.00",
    ]
    assert second[8] == "90.00"


def test_known_cells_that_break_a_rule_are_refused(orders: TableSurvey, tmp_path: Path) -> None:
    for where in ("country=Spain,city=Rome", "begin=2020-05-01,end=2020-04-01", "total=3,net=1,tax=1", "age=17"):
        with pytest.raises(SparringError, match="cells that contradict the rule"):
            generated(orders, 2, where=where)
    header = "country,city,begin,end,age,gross,total,net,tax,tip"
    (tmp_path / "bad.csv").write_text(f"{header}\nSpain,,,,,,,,,\n,,2020-05-01,2020-04-01,30,,,,,\n")
    with pytest.raises(SparringError, match="input 2, whose cells contradict the rule begin<=end"):
        generated(orders, 2, input=(tmp_path / "bad.csv",))


def test_rules_are_stored_with_the_coding(orders: TableSurvey) -> None:
    facts = Facts.from_json(orders.facts.as_json())
    coding = coding_of(facts)
    assert [rule.text for rule in coding.rules] == list(KEEP) and len(coding.rules[2].seen) == 5
    assert all(rule.kept(IndependentCells(orders).rows).all() for rule in rules_of(coding.rules, coding.columns))
    assert facts.reading["keep"] == list(KEEP)
    assert "Rule 'country,city': 5 combinations occur" in said(orders) and "Rule 'begin<=end': all rows keep" in said(
        orders
    )


def test_a_rule_that_few_rows_break_is_told_and_kept_anyway(tmp_path: Path) -> None:
    lines = ["a,b", *(f"{at % 50},{at % 50 + 3}" for at in range(500)), "9,4"]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    found = data.survey(str(tmp_path / "a.csv"), Reading(keep=("a<=b",)))
    assert "Rule 'a<=b' has 1 of 501 rows that break it, such as row 501 (a = 9, b = 4)" in said(found)
    rows = generated(found, 100)
    assert (rows.values[:, 0] <= rows.values[:, 1]).all()
    with pytest.raises(SparringError, match=r"500 of 501 rows that break it, such as row 1 \(a = 0, b = 3\) in keep="):
        data.survey(str(tmp_path / "a.csv"), Reading(keep=("a>=b",)))


def test_whole_numbers_may_be_parts_of_combinations(tmp_path: Path) -> None:
    found = survey(tmp_path, "a,b,c\n" + "".join(f"{at % 40},{'xyz'[at % 40 % 3]},{at % 7}\n" for at in range(900)))
    found = data.survey(found.facts.source, Reading(keep=("b,a",)))
    rows = generated(found, 200)
    assert all("xyz".index(word) == int(number) % 3 for number, word, _ in render.decoded(rows, found.facts).rows)
    with pytest.raises(SparringError, match="cells that contradict the rule b,a"):
        generated(found, 2, where="a=4,b=x")


def test_known_cells_that_never_occur_together_are_refused(tmp_path: Path) -> None:
    lines = ["a,b,c", *(f"{'xy'[at % 2]},{'uv'[at % 2]},{'klm'[at % 3]}" for at in range(60))]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    found = data.survey(str(tmp_path / "a.csv"), Reading(keep=("a,b,c",)))
    (tmp_path / "holes.csv").write_text("a,b,c\nx,u,\n,v,m\nx,v,\n")
    with pytest.raises(SparringError, match="input 3, whose cells contradict the rule a,b,c"):
        generated(found, 3, input=(tmp_path / "holes.csv",))
    with pytest.raises(SparringError, match="cells that contradict the rule a,b,c"):
        generated(found, 3, where="a=y,b=u")


@pytest.mark.parametrize(
    "column",
    [
        Column("a", "date", form="%Y-%m-%d"),
        Column("a", "date", form="%m/%Y"),
        Column("a", "date", form="%d.%m.%Y %H:%M"),
        Column("a", "date", form="%Y-%m-%dT%H:%M:%S"),
        Column("a", "date", form="%Y-%m-%dT%H:%M:%S.%f", decimals=2),
        Column("a", "continuous", decimals=2),
        Column("a", "continuous"),
        Column("a", "integer", decimals=0),
    ],
    ids=lambda column: f"{column.kind} {column.form} {column.decimals}",
)
def test_cells_are_compared_as_they_are_written(column: Column) -> None:
    values = torch.from_numpy(np.random.default_rng(0).normal(0, 1e6, 500))
    rounded = as_written(values, column)
    assert render.texts(column, rounded.numpy()) == render.texts(column, values.numpy())
    assert len(rounded.unique()) == len(set(render.texts(column, values.numpy())))


def test_sums_are_right_up_to_the_digits_that_are_written(tmp_path: Path) -> None:
    lines = [
        "total,net,tax",
        *(f"{(at + at % 7 * 13 + 5) // 10},{at / 10:.1f},{at % 7 * 1.3:.1f}" for at in range(400)),
    ]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    found = data.survey(str(tmp_path / "a.csv"), Reading(keep=("total=net+tax",)))
    rows = generated(found, 200)
    assert ((rows.values[:, 0] - rows.values[:, 1:].sum(1)).abs() <= 0.5 + 1e-9).all()
    assert (rows.values[:, 0] == rows.values[:, 0].round()).all()


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        (
            "begn<=end",
            "the column 'begn' in keep='begn<=end', but expected one that is learned.*did you mean 'begin'",
        ),
        ("key<=age", "the column 'key' of kind identifier in keep="),
        (
            "country<=city",
            "the column 'country' of kind category in keep='country<=city', but expected numbers or dates",
        ),
        ("begin<=age", "the column 'age' of kind integer in keep='begin<=age', but expected dates, too"),
        ("age<=begin", "expected numbers, too"),
        ("age>=many", "'many' in keep='age>=many', but expected a column, or a number"),
        ("begin>=2020", "expected a column, or a date"),
        (
            "tax,city",
            "the column 'tax' of kind continuous in keep='tax,city', but expected categories or whole numbers",
        ),
        ("total=net+city", "the column 'city' of kind category"),
        ("begin=end", "expected numbers"),
        ("total!=net", "no rule in keep='total!=net', but expected START<=END"),
        ("age", "no rule in keep='age'"),
        ("age<=age", "a column twice"),
        ("age>=18\ntotal>=0", "expected a column, or a number"),
        (
            "age>=50",
            r"rows that break it, such as row \d+ \(age = \d+\) in keep='age>=50', but expected a rule that at",
        ),
    ],
)
def test_what_is_no_rule_of_the_table_is_refused_in_one_sentence(orders: TableSurvey, keep: str, words: str) -> None:
    with pytest.raises(SparringError, match=words):
        data.survey(orders.facts.source, Reading(keep=(keep,)))


def test_a_rule_about_a_dropped_column_is_refused(orders: TableSurvey) -> None:
    with pytest.raises(SparringError, match=r"'tip'.*Check the name, and that the column is not dropped"):
        data.survey(orders.facts.source, Reading(keep=("tip>=0",), columns={"tip": "drop"}))


def test_rules_are_given_one_by_one_or_as_a_list() -> None:
    assert reading(keep=" a<b ").keep == ("a<b",) and reading(keep=["a<b", "c,d"]).keep == ("a<b", "c,d")
    assert reading().keep is None and reading(keep=()).keep is None
    for wrong in ([3], [""], 3):
        with pytest.raises(SparringError, match="for rules"):
            reading(keep=wrong)  # type: ignore[arg-type]


def test_tables_without_rules_are_coded_as_before(tmp_path: Path) -> None:
    assert "rules" not in survey(tmp_path, "a,b\n1,2\n3,4\n").facts.coding
