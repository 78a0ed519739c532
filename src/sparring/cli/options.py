"""Options of several commands: how data is read, fields of a recipe, and conditions of a model."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, TypeAlias

from cyclopts import Parameter

from sparring.errors import SparringError


def _whole(type_: Any, tokens: Sequence[Any]) -> int:
    """Parse 1000000 and 1e6; 1.5 is no whole number, and is not rounded to one."""
    found = re.fullmatch(r"([+-]?[0-9]{1,40})(?:[eE]\+?([0-9]{1,2}))?", tokens[0].value.strip().replace("_", ""))
    if not found:
        raise ValueError("a whole number")
    digits, zeros = found.groups(default="0")
    return int(digits + "0" * int(zeros))


WholeNumber: TypeAlias = Annotated[int, Parameter(converter=_whole)]
"""Integer that is never rounded: the parser's own would read 1.5 as 2."""


def _file_or_output(type_: Any, tokens: Sequence[Any]) -> str:
    """Parse a file or ``-``; the next option is neither."""
    value = str(tokens[0].value)
    if value.startswith("-") and value != "-":
        raise ValueError("a file, or - for standard output (a file of such a name is typed as ./-x)")
    return value


JsonOption: TypeAlias = Annotated[
    str | None,
    Parameter(
        name="--json",
        allow_leading_hyphen=True,
        converter=_file_or_output,
        help="Write the result as JSON to this file; -: to standard output, and everything else to standard error.",
    ),
]
WindowOption: TypeAlias = Annotated[
    WholeNumber | None,
    Parameter(
        help="Time series: steps of the windows that each series is cut into, one from every step on. Default: whole "
        "series, and windows of 24 steps of a single one. Text and molecules: tokens of one at most."
    ),
]
TokensOption: TypeAlias = Annotated[
    str | None,
    Parameter(help="Text: its units: characters, words, bytes or pairs. Default: chosen by the texts."),
]
ValueRangeOption: TypeAlias = Annotated[
    tuple[float, float] | None,
    Parameter(
        name="--range",
        allow_leading_hyphen=True,
        negative_iterable=(),
        help="Stored values of black and of white, such as 0 4095. Default: found in the data.",
    ),
]

LabelsOption: TypeAlias = Annotated[
    str | None,
    Parameter(
        help="false: use none; true: require some, even where sub-folders look like shards; or FILE or FILE:COLUMN, "
        "which is CSV, JSON or JSON lines; or a column of Parquet files. Default: tables of labels, sub-folders or "
        "columns."
    ),
]
BackgroundOption: TypeAlias = Annotated[
    str | None,
    Parameter(
        help="Colour under transparent pixels: a name or #rrggbb; ignore: leave that channel out. Default: white."
    ),
]
PairsOption: TypeAlias = Annotated[
    str | None,
    Parameter(
        help="halves: the left and right half of each image; folders: equal names in two folders; FILE.csv: two "
        "columns of files; false: no pairs. Default: found in the data."
    ),
]
ToOption: TypeAlias = Annotated[
    str | None,
    Parameter(help="Another folder: the domain that images of the data are to be translated into, without pairs."),
]
ColumnsOption: TypeAlias = Annotated[
    str | None,
    Parameter(
        help="Kinds of columns of a table, such as age=continuous,zip=category,note=drop: continuous, integer, date or "
        "a pattern such as %d.%m.%Y, category, boolean, identifier, or drop; of time series also entity, time and "
        "attribute, as in patient=entity,day=time; of texts text, and source in pairs, as in en=source,zh=text. "
        "Default: found in the data."
    ),
]
LabelOption: TypeAlias = Annotated[
    str | None,
    Parameter(help="Models of classes, such as images/r3gan on labelled data: a class, by name or number."),
]
InputOption: TypeAlias = Annotated[
    str | None,
    Parameter(
        help="Models that take inputs, as `sparring apply` does: files of the kind that the model takes; or a "
        "sentence, for models of pairs of texts."
    ),
]
DomainOption: TypeAlias = Annotated[
    str | None,
    Parameter(help="Models of domains, such as images/cyclegan and images/stargan: the domain to translate into."),
]
MaskOption: TypeAlias = Annotated[
    str | None,
    Parameter(
        help="Models that fill holes, images/fill: an image that is white in the hole, or a folder of as many as there "
        "are inputs. Default: random holes."
    ),
]
LengthOption: TypeAlias = Annotated[
    WholeNumber | None, Parameter(help="Models of time series: steps of each new series. Default: those of the data.")
]
PrefixOption: TypeAlias = Annotated[str | None, Parameter(help="Models of text or molecules: the beginning of each.")]
TemperatureOption: TypeAlias = Annotated[
    float | None,
    Parameter(
        help="Models of text or molecules: divisor of the logits, below 1 for likelier samples, above 1 for more "
        "varied ones. Default: 1, and 0, the likeliest text, for translations."
    ),
]
HorizonOption: TypeAlias = Annotated[
    WholeNumber | None,
    Parameter(
        help="Models of time series: steps that follow each series that is continued. Default: half of those of the "
        "model."
    ),
]
WhereOption: TypeAlias = Annotated[
    str | None,
    Parameter(
        help="Models of tables: cells of the rows, such as sex=Female,age>=65; of time series: attributes; of "
        "molecules: properties, such as qed>=0.6,weight<150."
    ),
]
ObjectiveOption: TypeAlias = Annotated[
    str | None,
    Parameter(
        help="Models of molecules: score by which they are sorted: druglikeness, solubility, synthesizability, or your "
        "own as file.py:function of an RDKit molecule."
    ),
]
BalanceOption: TypeAlias = Annotated[
    str | None,
    Parameter(help="Models of tables: a column of categories, each of which has equally many rows."),
]
KeepOption: TypeAlias = Annotated[
    list[str] | None,
    Parameter(
        negative_iterable=(),
        help="A rule that all rows of a table keep, once for each: the order of columns (start<=end) or to a number "
        "(age>=18), a sum (total=net+tax), or combinations that occur in the data (city,country).",
    ),
]


def given_options(**options: Any) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def extra_options(options: Mapping[str, str], function: Callable[..., Any]) -> dict[str, str]:
    """Return options by their Python names, with underscores in place of dashes.

    Args:
        options: as typed, without the leading dashes.
        function: takes them beside parameters of its own.

    Raises:
        SparringError: an option has the name of a parameter of ``function`` that is no option of the command.
    """
    found = {name.replace("-", "_"): value for name, value in options.items()}
    for name in inspect.signature(function).parameters.keys() & found.keys():
        raise SparringError(
            found=f"--{name} {found[name]}",
            expected="an option of this command",
            remedy="see --help, and `sparring recipes NAME` for the fields of a recipe",
        )
    return found
