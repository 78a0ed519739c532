"""Tables: reading, and the kinds of columns."""

import json
import math

import numpy as np
import pytest

from sparring.data.facts import Facts
from sparring.data.reading import Reading, reading
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities import modality_of
from sparring.modalities.tables import data, features, render
from sparring.modalities.tables.coding import coding_of
from sparring.modalities.tables.rooms import TABLES
from toys.tables import cells_of, kinds, reason, rows_of, said, survey, write

NUMBERS = [[f"{at * 7 % 50}", f"{at / 8}"] for at in range(60)]


class TestText:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1"])
    def test_separators_and_encodings(self, tmp_path, delimiter, encoding):
        rows = [["größe", "art, form"], ["1", "a;b|c\t,"], ["2", 'say "é"'], ["3", "a;b|c\t,"], ["4", "two\nlines"]]
        path = write(tmp_path / "a.csv", rows, delimiter=delimiter, encoding=encoding)
        found = data.survey(path)
        assert [list(render.decoded(rows_of(found), found.facts).header), *cells_of(found)] == rows
        assert ("Latin-1" in said(found)) == (encoding == "latin-1")

    @pytest.mark.parametrize(
        ("content", "values", "form"),
        [
            ('a,b\n"1.234,5",1\n"2,25",3\n1,4\n', [1234.5, 2.25, 1], ".,"),
            ("a;b\n1,5;1\n22,25;3\n1;4\n", [1.5, 22.25, 1], ","),
            ("a;b\n1,500;1\n22,250;3\n1;4\n", [1.5, 22.25, 1], ","),
            ('a,b\n"1,500.5",1\n"22,250",3\n1,4\n', [1500.5, 22250, 1], ",."),
            ('a,b\n"1,500",1\n"22,250",3\n7.5,4\n', [1500, 22250, 7.5], ",."),
            ("a;b\n1 500,5;1\n22 250;3\n1;4\n", [1500.5, 22250, 1], " ,"),
            ("a,b\n1e3,1\n2.5E-1,3\n-4,4\n", [1000, 0.25, -4], ""),
            ("a;b\n" + "".join(f"{at},50 €;{at % 3}\n" for at in range(30)), [at + 0.5 for at in range(30)], "{,} €"),
            ("a;b\n" + "".join(f"${at},000.25;{at % 3}\n" for at in range(1, 30)), None, "${,.}"),
            ("a;b\n" + "".join(f"{at}kg;{at % 3}\n" for at in range(30)), list(range(30)), "{}kg"),
        ],
    )
    def test_numbers_of_any_notation(self, tmp_path, content, values, form):
        found = survey(tmp_path, content)
        values = found.rows.values[:, 0].tolist() if values is None else values
        assert found.rows.values[:, 0].tolist() == values and coding_of(found.facts).columns[0].form == form
        path = TABLES.save(rows_of(found), found.facts, tmp_path / "new")[0]
        assert data.read(str(path), View((2,)), found.facts).samples.values[:, 0].tolist() == values

    def test_commas_that_could_be_either_are_told(self, tmp_path):
        assert "separates thousands" in said(survey(tmp_path, 'a,b\n"1,500",x\n"2,500",y\n"3,250",x\n'))
        assert "is a decimal comma" in said(survey(tmp_path, "a;b\n1,500;x\n2,500;y\n3,250;x\n"))

    def test_comments_separator_and_blank_lines_above(self, tmp_path):
        found = survey(tmp_path, "sep=;\n# made today\n\nx;y\n1;2,5\n\n3;4\n;\n2;8\n")
        assert found.rows.values.tolist() == [[1, 2.5], [3, 4], [2, 8]]
        assert "Left out the comments" in said(found) and "Left out 1 row without any value" in said(found)
        assert "Took the comment" in said(survey(tmp_path, "# x, y\n1.5,2\n3,4\n"))

    @pytest.mark.parametrize(
        ("content", "names"),
        [
            ("1.5,a\n2.5,b\n3.5,a\n", ["column 1", "column 2"]),
            ("x,y\na,b\nc,d\na,e\n", ["x", "y"]),
            ("a,b\na,c\nb,b\na,b\n", ["column 1", "column 2"]),
            ("name,2019,2020\nx,1,2\ny,3,4\nx,5,9\n", ["name", "2019", "2020"]),
            (",x\n0,1.5\n1,2.5\n2,0.5\n", ["x"]),
            ("x,y\nr1,1,2\nr2,3,5\nr3,4,9\n", ["column 1", "x", "y"]),
            ("a,a,b,a\n1,2,3,4.5\n3,4,5,6\n7,5,2,1\n", ["a", "a.2", "b", "a.3"]),
            ("x,y\ncm,kg\n1.5,2\n2.5,3\n3,5\n", ["x", "y"]),
            ("x,y\n1.5,2\n2.5,3\nx,y\n3,5\n", ["x", "y"]),
            ("Sales of 2024,,\n,,\nx,y,who\n1.5,2,a\n2.5,3,b\n", ["x", "y", "who"]),
            ("Sales of 2024\nx;net\n1,5;2\n2,5;3\n", ["x", "net"]),
            ("x,,y\n1,2,3.5\n2,3,4\n5,1,1\n", ["x", "column 2", "y"]),
        ],
    )
    def test_headings(self, tmp_path, content, names):
        found = survey(tmp_path, content)
        assert [column.name for column in coding_of(found.facts).columns] == names
        silent = (["x", "y"], ["x", "column 2", "y"], ["column 1", "x", "y"])
        assert "heading" in said(found) or bool(found.facts.remarks) == (names not in silent)

    def test_ragged_rows_are_left_out_or_refused(self, tmp_path):
        rows = [["x", "y"], *NUMBERS, ["1", "2", "3"], ["1", "2", ""], ["4"]]
        found = data.survey(write(tmp_path / "a.csv", rows))
        assert found.facts.count == 61
        assert "1 row of 3 cells in place of 2 (first: row 61)" in said(found) and "1 row of 1 cells" in said(found)
        with pytest.raises(SparringError, match=r"3 of 4 rows with 3 cells .* expected 2 cells in every row"):
            survey(tmp_path, "x,y\n1,2\n1,2,3\n1,2,3\n1,2,3\n")

    def test_thousands_of_columns(self, tmp_path):
        random = np.random.default_rng(0)
        rows = random.normal(size=(30, 3000)).round(3).tolist()
        found = data.survey(write(tmp_path / "a.csv", [[f"c{at}" for at in range(3000)], *rows]))
        assert found.facts.shape == (3000,) and np.allclose(found.rows.values, rows)
        assert features.cheap_features(rows_of(found), found.facts).shape[1] <= 256

    def test_a_column_with_more_numbers_than_are_kept_as_text(self, tmp_path):
        values = np.random.default_rng(0).normal(size=30_000).round(6)
        rows = [[f"{value:.6f}" if at % 10 else "NA", f"{at % 7}"] for at, value in enumerate(values)]
        found = data.survey(write(tmp_path / "a.csv", [["x", "y"], *rows]))
        expected = np.where(np.arange(30_000) % 10 == 0, 0, values)
        assert np.array_equal(found.rows.values[:, 0], expected) and found.rows.missing[:, 0].sum() == 3000
        column = coding_of(found.facts).columns[0]
        assert (column.decimals, column.blank, column.missing) == (6, "NA", 0.1) and len(column.quantiles) == 1001
        days = [[str(np.datetime64("2020-01-01T00:00:00") + at * 61).replace("T", " ")] for at in range(25_000)]
        found = data.survey(write(tmp_path / "b.csv", [["when"], *days]))
        assert kinds(found) == {"when": "date"} and cells_of(found) == days


class TestOtherFiles:
    def test_parquet(self, tmp_path):
        arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        table = arrow.table(
            {
                "i": [1, 2, None, 5],
                "f": [0.1, 1e20, 2.5, None],
                "s": arrow.array(["a", None, "b", "a"]).dictionary_encode(),
                "t": np.array(["2020-01-01T01:02:03", "2021-01-01", "2022-01-01", "2022-01-05"], "datetime64[ns]"),
                "b": [True, False, True, None],
            }
        )
        parquet.write_table(table, tmp_path / "a.parquet")
        found = data.survey(str(tmp_path / "a.parquet"))
        assert kinds(found) == {"i": "integer", "f": "continuous", "s": "category", "t": "date", "b": "boolean"}
        assert cells_of(found)[0] == ["1", "0.1", "a", "2020-01-01 01:02:03", "true"] and found.rows.missing.sum() == 4
        assert modality_of(str(tmp_path / "a.parquet")).name == modality_of(str(tmp_path)).name == "tables"
        parquet.write_table(arrow.table({"image": [b"x", b"y"], "label": [1, 2]}), tmp_path / "b.parquet")
        assert modality_of(str(tmp_path / "b.parquet")).name == "images"
        parquet.write_table(arrow.table({"l": [[1], [2]]}), tmp_path / "c.parquet")
        with pytest.raises(SparringError, match="column 'l' of type list"):
            data.survey(str(tmp_path / "c.parquet"))

    def test_excel(self, tmp_path):
        import datetime

        openpyxl = pytest.importorskip("openpyxl")
        book = openpyxl.Workbook()
        book.active.title = "first"
        for row in (["x", "day", "who"], [1.5, datetime.datetime(2020, 1, 2), "a"], [2, datetime.datetime(2020, 1, 3)]):
            book.active.append(row)
        book.active.append([3, None, "b"])
        book.create_sheet("notes")
        book.save(tmp_path / "a.xlsx")
        found = data.survey(str(tmp_path / "a.xlsx"))
        assert cells_of(found) == [["1.5", "2020-01-02", "a"], ["2.0", "2020-01-03", ""], ["3.0", "", "b"]]
        assert "Read the sheet 'first', and not notes" in said(found)
        book.active.insert_rows(1)
        book.active["A1"] = "Visits of 2020"
        book.save(tmp_path / "b.xlsx")
        titled = data.survey(str(tmp_path / "b.xlsx"))
        assert titled.facts.fingerprint == found.facts.fingerprint
        assert "Left out the first row, 'Visits of 2020', which is a title" in said(titled)

    @pytest.mark.parametrize(
        ("drawn", "words"), [(True, "sheets that are charts, and no"), (False, "a chart, and empty")]
    )
    def test_charts_are_no_tables(self, tmp_path, drawn, words):
        openpyxl, chart = pytest.importorskip("openpyxl"), pytest.importorskip("openpyxl.chart")
        book = openpyxl.Workbook()
        sheet, bars = book.create_chartsheet("chart", 0), chart.BarChart()
        bars.add_data(chart.Reference(book.active, min_col=1, min_row=1, max_row=4))
        if drawn:
            sheet.add_chart(bars)
        book.save(tmp_path / "a.xlsx")
        with pytest.raises(SparringError, match=words):
            data.survey(str(tmp_path / "a.xlsx"))

    def test_without_openpyxl_the_command_is_named(self, tmp_path, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
        (tmp_path / "a.xlsx").write_bytes(b"PK")
        with pytest.raises(SparringError, match=r'pip install "sparring\[xlsx\]"'):
            data.survey(str(tmp_path / "a.xlsx"))

    def test_a_folder_of_files_of_the_same_columns(self, tmp_path):
        write(tmp_path / "1.csv", [["x", "y"], ["1", "a"], ["2", "b"]])
        write(tmp_path / "2.csv", [["y", "x"], ["c", "3"], ["a", "4"]])
        found = data.survey(str(tmp_path))
        assert cells_of(found) == [["1", "a"], ["2", "b"], ["3", "c"], ["4", "a"]]
        assert "Read 2 files of the same columns" in said(found) and data.claims(str(tmp_path)) == 1
        write(tmp_path / "3.csv", [["x", "z"], ["1", "a"]])
        with pytest.raises(SparringError, match=r"other columns in 3\.csv than in 1\.csv"):
            data.survey(str(tmp_path))

    def test_data_frames(self, monkeypatch, tmp_path):
        pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
        from sparring.data.in_memory import source_of

        monkeypatch.setenv("SPARRING_CACHE", str(tmp_path))
        frame = pandas.DataFrame(
            {
                "n": pandas.array([1, None, 30] * 8, dtype="Int64"),
                "f": [0.5, math.nan, 2.0] * 8,
                "s": ["a", None, "c, d"] * 8,
                "d": pandas.date_range("2020-01-01", periods=24),
                "b": [True, False, True] * 8,
            }
        )
        for one in (frame, polars.from_pandas(frame)):
            found = data.survey(source_of(one))
            assert list(kinds(found).values()) == ["category", "continuous", "category", "date", "boolean"]
            assert cells_of(found)[:2] == [["1", "0.5", "a", "2020-01-01", "1"], ["", "", "", "2020-01-02", "0"]]


class TestKinds:
    def column(self, tmp_path, cells, name="x", **choice):
        return data.survey(
            write(tmp_path / "a.csv", [[name], *([cell] for cell in cells)]), Reading(columns=choice or None)
        )

    @pytest.mark.parametrize(
        ("cells", "kind", "why"),
        [
            (["1", "2", "5", "7", "2.5"] * 20, "continuous", "20 of 100 values are no whole number"),
            ([str(at * 7 % 50) for at in range(100)], "integer", "whole numbers, 50 different ones"),
            (["yes", "no"] * 10, "boolean", "every cell is"),
            (["0", "1", "1"] * 10, "boolean", "0 or 1"),
            (["1", "2"] * 10, "category", "two whole numbers, which look like codes"),
            (["1", "3", "20"] * 10, "category", "uneven gaps"),
            (["2", "4", "6"] * 10, "integer", "3 different ones"),
            (["00501", "10115", "20095", "10115"] * 10, "category", "leading zeros"),
            (["a", "b", "NA", "?"] * 10, "category", "2 different texts in 20 cells"),
            (["7"] * 10, "constant", "every cell is '7'"),
            (["", "NA"] * 10, "constant", "all cells are missing"),
            ([f"2020-01-{at:02d}" for at in range(1, 29)], "date", "year-month-day"),
            ([f"{at}.12.2020" for at in range(1, 29)], "date", "day.month.year"),
            ([f"12/{at:02d}/2020 08:30" for at in range(1, 29)], "date", "month/day/year hour:minute"),
            ([f"{2020 + at // 12}-{at % 12 + 1:02d}" for at in range(60)], "date", "dates, year-month"),
            ([f"{2020 + at // 12}/{at % 12 + 1}" for at in range(60)], "date", "dates, year/month"),
            ([f"{at % 12 + 1:02d}/{2020 + at // 12}" for at in range(60)], "date", "dates, month/year"),
            (["2020-13", "2020-05"] * 10, "category", "2 different texts in 20 cells"),
            ([f"202001{at:02d}" for at in range(1, 29)], "date", "yearmonthday"),
            (["a", "b", "c", "12", "13"] * 10, "category", "40% of the cells are numbers"),
            ([str(at) for at in range(1950, 2020)], "integer", "70 different ones"),
            ([f"{at},5 €" for at in range(60)], "continuous", "60 of 60 values are no whole number"),
            ([f"{at} %" for at in range(60)], "integer", "60 different ones"),
            (["5 mg", "10 mg", "15 mg"] * 10, "category", "3 different texts"),
            ([f"{at % 20} {'AB'[at % 2]}" for at in range(60)], "category", "20 different texts"),
            (["inf", "1.5", "2.5", "1e300", "3"] * 4, "continuous", "no whole number"),
        ],
    )
    def test_kinds_and_their_reasons(self, tmp_path, cells, kind, why):
        found = self.column(tmp_path, cells)
        assert kinds(found) == {"x": kind} and why in reason(found, "x")

    def test_identifiers_are_not_learned_and_new_ones_are_made(self, tmp_path):
        random = np.random.default_rng(0)
        rows = [[str(at + 1), f"C-{at:04d}x", random.bytes(8).hex(), str(at % 9)] for at in range(60)]
        found = data.survey(write(tmp_path / "a.csv", [["n", "key", "hash", "v"], *rows]))
        assert list(kinds(found).values()) == ["identifier", "identifier", "identifier", "integer"]
        assert found.facts.shape == (1,) and cells_of(found)[1][:2] == ["62", "C-0061x"]
        table = render.decoded(rows_of(found), found.facts)
        for made, old in zip(table.columns[:3], zip(*rows, strict=True), strict=False):
            assert (
                len(set(made)) == 60
                and not set(made) & set(old)
                and {len(one) for one in made} <= {len(one) for one in old} | {3}
            )
        later = render.decoded(rows_of(found), found.facts, first=60)
        assert not set(later.columns[2]) & set(table.columns[2]) and later.columns[0][0] == "121"

    def test_columns_of_numbers_under_names_of_codes_are_categories(self, tmp_path):
        cells = [str(at % 13) for at in range(60)]
        assert kinds(self.column(tmp_path, cells, "zip")) == {"zip": "category"}
        assert kinds(self.column(tmp_path, cells, "age")) == {"age": "integer"}

    def test_free_text_is_refused_with_the_option_to_drop_it(self, tmp_path):
        rows = [
            ["note", "v"],
            *([f"a long remark about the number {at} of this table, in words", at % 9] for at in range(60)),
        ]
        path = write(tmp_path / "a.csv", rows)
        with pytest.raises(SparringError, match=r"free text .* in the column 'note' .* columns='note=drop'"):
            data.survey(path)
        found = data.survey(path, Reading(columns={"note": "drop"}))
        assert kinds(found) == {"v": "integer"}

    def test_words_among_numbers_are_refused_or_missing(self, tmp_path):
        cells = [str(at * 7 % 90) for at in range(99)] + ["unknown"]
        with pytest.raises(SparringError, match=r"words among numbers \('unknown'; 1 of 100 cells\) in the column 'x'"):
            self.column(tmp_path, cells)
        found = self.column(tmp_path, cells, x="continuous")
        assert found.rows.missing.sum() == 1 and "1 cell counts as missing, not being a number" in said(found)
        assert kinds(self.column(tmp_path, cells, x="category")) == {"x": "category"}

    def test_dates_of_several_forms_are_refused_and_ambiguous_ones_told(self, tmp_path):
        with pytest.raises(SparringError, match=r"dates of several forms: .*2020-01-01.*31\.12\.2020.*5/28/2020"):
            self.column(tmp_path, ["2020-01-01", "2020-02-01", "31.12.2020", "5/28/2020"])
        found = self.column(tmp_path, ["01/02/2020", "03/04/2021", "05/06/2022"])
        assert "read as day/month/year" in said(found) and "x=%m/%d/%Y" in said(found)
        other = self.column(tmp_path, ["01/02/2020", "03/04/2021", "05/06/2022"], x="%m/%d/%Y")
        assert other.rows.values[0, 0] != found.rows.values[0, 0]
        assert cells_of(other) == cells_of(found) == [["01/02/2020"], ["03/04/2021"], ["05/06/2022"]]

    @pytest.mark.parametrize(("form", "pattern"), [("{}-{:02d}", "%Y-%m"), ("{}/{}", "%Y/%-m")])
    def test_months_are_learned_and_written_without_days(self, tmp_path, form, pattern):
        cells = [form.format(2020 + at // 12, at % 12 + 1) for at in range(60)]
        found = self.column(tmp_path, cells)
        column, values = coding_of(found.facts).columns[0], found.rows.values[:, 0]
        assert column.form == pattern and cells_of(found) == [[cell] for cell in cells]
        between = np.random.default_rng(0).uniform(values[0], values[-1], 500)
        assert set(render.texts(column, between)) <= set(cells)
        assert render.texts(column, values + 13 * 86400) == cells
        assert self.column(tmp_path, cells, x=pattern).facts.fingerprint == found.facts.fingerprint

    def test_infinite_and_enormous_numbers_are_told(self, tmp_path):
        found = self.column(tmp_path, ["inf", "1.5", "2.5", "3", "1e300"])
        assert "1 infinite value counts as missing" in said(found) and "1e+300, far from the others" in said(found)
        table = features.ColumnFeatures(found.facts)(rows_of(found))
        assert table.isfinite().all() and features.cheap_features(rows_of(found), found.facts).isfinite().all()

    def test_kinds_can_be_chosen(self, tmp_path):
        rows = [["a", "b", "c, d", "e"], *([at % 9, at % 13, at, f"{at}.5"] for at in range(60))]
        path = write(tmp_path / "a.csv", rows)
        chosen = reading(columns='a=continuous,b=category,"c, d=integer",e=drop')
        found = data.survey(path, chosen)
        assert kinds(found) == {"a": "continuous", "b": "category", "c, d": "integer"}
        assert chosen == reading(columns={"a": "continuous", "b": "category", "c, d": "integer", "e": "drop"})
        assert chosen == reading(columns='a=continuous,b=category\n"c, d=integer"\ne=drop\n')
        for wrong, words in (
            ({"aa": "category"}, "no column 'aa' .* did you mean 'a'"),
            ({"a": "catgory"}, "the kind 'catgory' .* did you mean 'category'"),
            ({"e": "date"}, "expected dates, since columns= says date"),
            ({"b": "boolean"}, "such as '0', in the column 'b', but expected two different ones in place of 13, since"),
        ):
            with pytest.raises(SparringError, match=words):
                data.survey(path, Reading(columns=wrong))
        for wrong in ("a", "=b", "a=", {"a": 3}, 7):
            with pytest.raises(SparringError, match="for columns"):
                reading(columns=wrong)
        with pytest.raises(SparringError, match="the column 'a' twice in columns="):
            reading(columns="a=drop,b=date, a=integer")

    def test_quantiles_and_categories_of_the_coding(self, tmp_path):
        rows = [["x", "c"], *([at * at % 97 / 4, "bca"[min(at % 5, 2)]] for at in range(300))]
        found = data.survey(write(tmp_path / "a.csv", rows))
        number, category = coding_of(Facts.from_json(json.loads(json.dumps(found.facts.as_json())))).columns
        values = np.array([row[0] for row in rows[1:]])
        assert (
            len(number.quantiles) == 300
            and number.quantiles[0] == values.min()
            and number.quantiles[-1] == values.max()
        )
        assert category.categories == ("a", "b", "c") and category.shares == pytest.approx((0.6, 0.2, 0.2))


class TestBadInput:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "no rows"),
            (b"# only a comment\n", "no rows"),
            (b"x,y\n", "a table without rows .* expected rows of values below the heading"),
            (b"x,y\n,\n,\n", "a table of 2 rows, none of which has a value, in"),
            (b"x,y\n1," + b"a" * 10 * 2**20 + b"\n2,b\n", "a cell of over 1 MiB near row 1"),
            (b'x,y\n1,"' + b"a,b\n" * 2**19 + b"\n2,b\n", "a cell of over 1 MiB near row 1"),
            (b'x,y\n1,a\n2,"b\n3,c\n', "a quotation mark that is never closed, in row 2"),
            (b"id\n" + b"".join(b"%d\n" % at for at in range(50)), "only identifiers in .* columns='NAME=category'"),
        ],
    )
    def test_files_that_are_no_tables(self, tmp_path, content, words):
        with pytest.raises(SparringError, match=words):
            survey(tmp_path, content)

    def test_missing_files_and_empty_folders(self, tmp_path):
        for path, words in ((tmp_path, "no table in the folder"), (tmp_path / "a.csv", "no file")):
            with pytest.raises(SparringError, match=words):
                data.survey(str(path))

    def test_one_row_cannot_be_split(self, tmp_path):
        found = survey(tmp_path, "x,y\n1.5,a\n")
        with pytest.raises(SparringError, match="one row"):
            found.prepare(View((2,)))
        with pytest.raises(SparringError, match="expected 3 columns"):
            found.prepare(View((3,)))

    def test_one_column_and_all_missing(self, tmp_path):
        assert survey(tmp_path, "x\n1.5\n2\n").facts.shape == (1,)
        found = survey(tmp_path, "x,y\nNA,?\nNA,\n,?\n")
        assert found.rows.missing.all() and kinds(found) == {"x": "constant", "y": "constant"}
        assert cells_of(found) == [["NA", "?"]] * 3
