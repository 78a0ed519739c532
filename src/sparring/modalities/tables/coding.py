"""Rows as samples, and their coding: kinds, categories and distributions of the columns, as published with a model."""

import math
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, TypeAlias, final

from pydantic import ConfigDict, Field
from torch import Tensor

from sparring.data.columns import dates
from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.schema import STORED, validated

Kind: TypeAlias = Literal["continuous", "integer", "date", "category", "boolean", "constant", "identifier", "text"]
"""Kind of a column. Identifiers and free text are not learned."""
NUMERIC: tuple[Kind, ...] = ("continuous", "integer", "date")
"""Kinds whose values are numbers."""
NOT_LEARNED: tuple[Kind, ...] = ("identifier", "text")
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]


class Rows(NamedTuple):
    """Rows of a table: the samples of this modality, of the columns that are learned alone.

    Args:
        values: (count, columns) float64: a number in its unit (of a date seconds since 1970), or the number of a
            category; 0 where it is missing.
        missing: (count, columns) bool.
    """

    values: Tensor
    missing: Tensor


@final
@dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        name: its heading.
        kind: its kind.
        missing: share of missing cells.
        blank: text of a missing cell.
        categories: text of each category, the most frequent first; none for numbers.
        shares: share of each category among the cells that are not missing.
        quantiles: values of a numeric column at equally spaced probabilities, from its lowest to its highest one.
        decimals: digits after the decimal point of a number or of the seconds of a date; None for as many as needed.
        form: pattern of a date, as in strptime, with %-d and %-m for days and months without leading zeros; of a number
            its thousands separator, if there is one, and its decimal mark, "" for a plain one, with its unit (see
            ``numbers.FORMS`` and ``numbers.unit_of``);
            of an identifier see ``keys.form_of``.
        example: the last identifier.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    name: str
    kind: Kind
    missing: Share = 0.0
    blank: str = ""
    categories: tuple[str, ...] = ()
    shares: tuple[Share, ...] = ()
    quantiles: tuple[float, ...] = ()
    decimals: Annotated[int, Field(ge=0, le=20)] | None = None
    form: str = ""
    example: str = ""

    @property
    def is_numeric(self) -> bool:
        """Return whether values are numbers rather than categories."""
        return self.kind in NUMERIC

    @property
    def is_choice(self) -> bool:
        """Return whether it has at least two categories, of which a missing cell is one."""
        return self.kind not in (*NUMERIC, *NOT_LEARNED) and len(self.categories) + (self.missing > 0) > 1


@final
@dataclass(frozen=True)
class Rule:
    """A rule that all rows keep; see ``rules`` for its forms. A row keeps it where one of its cells is missing.

    Args:
        text: the rule, such as "start<=end", "total=net+tax" or "city,country".
        seen: of a combination, each that the data has: numbers of categories, and whole numbers.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    text: str
    seen: tuple[tuple[int, ...], ...] = ()


@final
@dataclass(frozen=True)
class TableCoding:
    """The values of ``Facts.coding``.

    Args:
        columns: all columns in the order of the table.
        rules: those that every generated row keeps.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    columns: tuple[Column, ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def learned(self) -> tuple[Column, ...]:
        """Columns of ``Rows``, in order."""
        return tuple(column for column in self.columns if column.kind not in NOT_LEARNED)

    def as_json(self) -> dict[str, Any]:
        """Return the values that are not the default as JSON values."""
        plain = asdict(Column("", "text"))
        columns = [
            {name: value for name, value in asdict(column).items() if value != plain[name] or name in ("name", "kind")}
            for column in self.columns
        ]
        rules = [{"text": rule.text, "seen": [list(one) for one in rule.seen]} for rule in self.rules]
        return {
            "columns": [
                {name: list(value) if isinstance(value, tuple) else value for name, value in column.items()}
                for column in columns
            ]
        } | ({"rules": rules} if rules else {})


def as_written(values: Tensor, column: Column) -> Tensor:
    """Return the values of a column, (count,) float64, rounded as they are written."""
    if column.kind == "date" and not dates.has_days(column.form):
        return values.new_tensor(dates.month_starts(values.detach().cpu().numpy()))
    if column.kind == "date":
        unit = dates.unit_of(column.form, column.decimals)
        return (values / unit + 0.5).floor() * unit if unit >= 1 else values.round(decimals=-round(math.log10(unit)))
    if column.kind == "integer":
        return values.round()
    return values if column.decimals is None else values.round(decimals=column.decimals)


def coding_of(facts: Facts) -> TableCoding:
    """Return the coding of the table that ``facts`` describes.

    Raises:
        SparringError: it is not what this program writes, as in a folder that somebody else changed.
    """
    coding = validated(TableCoding, facts.coding, f"the coding of {facts.source}")
    wrong = next((column for column in coding.columns if not _is_whole(column)), None)
    if wrong is not None or len(coding.learned) != facts.shape[0]:
        what = f"the column {wrong.name!r}" if wrong else f"{len(coding.learned)} columns"
        raise SparringError(
            found=f"{what} in the coding of {facts.source}",
            expected=f"{facts.shape[0]} columns with their categories or quantiles",
            remedy="restore it from a backup",
        )
    return coding


def _is_whole(column: Column) -> bool:
    """Return whether a column has what its kind needs."""
    if column.kind in NOT_LEARNED:
        return True
    if column.is_numeric:
        pairs = zip(column.quantiles[:-1], column.quantiles[1:], strict=True)
        return len(column.quantiles) > 1 and all(one <= other for one, other in pairs)
    return len(column.categories) == len(column.shares) > 0
