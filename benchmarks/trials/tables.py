"""Tables of numbers that are easily misunderstood: every row is read as it is meant, or a remark names what is not."""

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import verbs
from attacks import Attack, Materials, attempt
from outcomes import Judgement

ROWS = [[round(1.5 + row, 3), round(100 - 3.25 * row, 3)] for row in range(20)]
WHOLE = [[row + 7, 100 - 3 * row] for row in range(20)]
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}
HEADINGS = (
    "x,y", "0,1", "2020,2021", ",a", "Unnamed: 0,a", "NA,a", "NA,null", "a,2", "a,a", '"a ""b""",c', "# x,y",
    "#", "größe,高", "-,?", "1.5,x", "inf,nan", "a", "a,b,c",
)  # fmt: skip
CELLS = (
    "", "NA", "n/a", "-", "?", "nan", "inf", "1e400", "1_000", "1,5", "0x10", "١", "1.5.2", "# 3", "TRUE", "2020-01-01",
    "1 000", "€5", "5%", "1e39", "-1e39", '"', "\0", "\u2028", "\x1b[31m",
)  # fmt: skip
ARRAYS = ("<f2", ">f8", "<c8", "|b1", "<u8", "<i2", "|O", "|S3", "<M8[s]")


class Meant(NamedTuple):
    """Contents of a table.

    Args:
        rows: number of rows.
        columns: their names.
    """

    rows: int
    columns: tuple[str, ...]


def attacks() -> Iterator[Attack]:
    """Yield every attack of this kind."""
    for kind, rows in (("fractions", ROWS), ("whole numbers", WHOLE)):
        for separator in SEPARATORS:
            for heading in HEADINGS:
                yield Attack(
                    "table", f"{kind}, {separator}, heading {heading}", partial(_headed, rows, separator, heading)
                )
    for separator in SEPARATORS:
        for cell in CELLS:
            for row in (0, 7, 19):
                yield Attack("table", f"{separator}, {cell!r} in row {row}", partial(_marred, separator, cell, row))
    for dtype in ARRAYS:
        yield Attack("table", f"array of {dtype}", partial(_array, dtype))
    for encoding in ("utf-16", "utf-8-sig", "latin-1", "cp1252", "utf-32"):
        yield Attack("table", f"in {encoding}", partial(_encoded, encoding))
    yield Attack("table", "32 MB of short rows", partial(_long, 8_000_000))
    yield Attack("table", "64 MB of short rows", partial(_long, 16_000_000))


def _headed(rows: list[list[float]], separator: str, heading: str, folder: Path, _: Materials) -> Iterator[Judgement]:
    lines = [heading, *(",".join(map(str, row)) for row in rows)]
    names = tuple(next(csv.reader([heading.lstrip("# ")])))
    names = tuple(f"column {at}" if name in ("", "Unnamed: 0") else name for at, name in enumerate(names, 1))
    text = "\n".join(lines).replace(",", SEPARATORS[separator])
    return _inspected(folder, text.encode(), Meant(len(rows), names))


def _marred(separator: str, cell: str, row: int, folder: Path, _: Materials) -> Iterator[Judgement]:
    rows = [[str(value) for value in row] for row in ROWS]
    rows[row][1] = cell
    text = "\n".join(SEPARATORS[separator].join(one) for one in [["x", "y"], *rows])
    number = cell == "١" or (cell == "1,5" and separator == "semicolon")
    return _inspected(folder, text.encode(), Meant(len(ROWS) - (not number), ("x", "y")))


def _array(dtype: str, folder: Path, _: Materials) -> Iterator[Judgement]:
    (folder / "data").mkdir()
    np.save(folder / "data" / "x.npy", np.arange(40).reshape(20, 2).astype(dtype), allow_pickle=True)
    yield attempt(folder, verbs.inspect, folder / "data" / "x.npy", refuse=dtype in ("<c8", "|O", "|S3", "<M8[s]"))


def _encoded(encoding: str, folder: Path, _: Materials) -> Iterator[Judgement]:
    text = "größe,y\n" + "\n".join(",".join(map(str, row)) for row in ROWS)
    return _inspected(folder, text.encode(encoding), Meant(len(ROWS), ("größe", "y")))


def _long(rows: int, folder: Path, _: Materials) -> Iterator[Judgement]:
    (folder / "data").mkdir()
    (folder / "data" / "x.csv").write_text("1,2\n" * rows)
    yield attempt(folder, partial(verbs.inspect, seconds=60), folder / "data" / "x.csv")


def _inspected(folder: Path, content: bytes, meant: Meant) -> Iterator[Judgement]:
    (folder / "data").mkdir()
    place = folder / "data" / "x.csv"
    place.write_bytes(content)

    def wrong(seen: verbs.Seen) -> bool:
        return (seen.result["count"], tuple(seen.result["columns"])) != meant and not seen.remarked

    yield attempt(folder, verbs.inspect, place, wrong=wrong)
