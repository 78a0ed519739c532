"""Choices about reading a source that its files alone do not settle."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, final

from pydantic import BaseModel, ConfigDict

from sparring.arguments import option, whole_number
from sparring.data.columns.where import parts_of
from sparring.data.readers.label_files import absolute_choice
from sparring.errors import SparringError, nearest, shown
from sparring.schema import validated

Labels: TypeAlias = bool | str | Path | None
"""False to read no labels, a file or a column to read them from, True to require some, or None to find them."""
ValueRange: TypeAlias = tuple[float, float] | None
"""(lowest, highest) stored value, or None to find both."""
Pairs: TypeAlias = bool | str | Path | None
"""False for no pairs, "halves", "folders", a CSV file with two columns of files, or None to find pairs."""
Keep: TypeAlias = str | Sequence[str] | None
"""Rules that all rows of a table keep: "start<=end", "total=net+tax", "city,country"; one or several."""
Columns: TypeAlias = str | Mapping[str, str] | None
"""Kinds of columns by name, or as text: "age=continuous,note=drop", "patient=entity,day=time"; None to find them."""
KINDS = ("characters", "words", "bytes", "pairs")
"""Units of texts; see ``data.words``."""
MAX_WINDOW = 4096
"""Steps of a window at most."""
HALVES, FOLDERS = "halves", "folders"
"""Forms of pairs: side by side in one image, or in two folders by equal names."""


@final
class Reading(BaseModel):
    """Choices that were given, recorded with a run so that it reads its data alike; None is found in the source."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)

    labels: bool | str | None = None
    """False: no labels; True: some are required; or the file, or the column of a Parquet file, that holds them."""
    range: tuple[float, float] | None = None
    """Stored values that stand for black and for white."""
    background: str | None = None
    """Colour under transparent pixels: a name, or #rrggbb; "ignore" leaves transparency, or a fourth channel, out."""
    pairs: bool | str | None = None
    """False: no pairs; "halves" of each image, "folders" with equal names, or a CSV file with two columns of files."""
    to: str | None = None
    """Another folder, or a name: the domain that images of the data are to be translated into."""

    columns: dict[str, str] | None = None
    """Kinds of columns of a table, by name; "drop" leaves a column out, "entity" and "time" are those of series."""
    keep: tuple[str, ...] | None = None
    """Rules that all rows of a table keep, such as "start<=end"."""
    window: int | None = None
    """Steps of the windows that each time series is cut into, or tokens of a text at most."""
    tokens: str | None = None
    """Units of texts: characters, words, bytes or pairs."""
    target: str | None = None
    """Column of a table that generated rows are to be useful to predict."""

    def as_json(self) -> dict[str, Any]:
        """Return the choices that were given."""
        return self.model_dump(mode="json", exclude_none=True)

    @staticmethod
    def recorded(choices: Mapping[str, Any]) -> "Reading":
        """Return the choices that a folder records; see ``as_json``.

        Raises:
            SparringError: a value is unknown or of another type.
        """
        return validated(Reading, dict(choices), "the facts of the data")


DEFAULT_READING = Reading()
"""No choice was given: everything is found in the source."""


def reading(
    labels: Labels = None,
    value_range: ValueRange = None,
    background: str | None = None,
    pairs: Pairs = None,
    to: str | Path | None = None,
    columns: Columns = None,
    keep: Keep = None,
    window: int | None = None,
    target: str | None = None,
    tokens: str | None = None,
) -> Reading:
    """Return choices from the options of a command.

    Args:
        labels: see ``Labels``; the words "true" and "false" stand for the values.
        value_range: see ``ValueRange``.
        background: colour under transparent pixels, or "ignore".
        pairs: see ``Pairs``; the word "false" stands for the value.
        to: folder, file or name of the images of another domain.
        columns: see ``Columns``.
        keep: see ``Keep``.
        window: steps of the windows that time series are cut into, or tokens of a text at most, from 2 to 4,096.
        target: column of a table that generated rows are to be useful to predict.
        tokens: units of texts, one of ``KINDS``.

    Raises:
        SparringError: the range is not two ascending finite numbers, there is no such table of pairs, the columns are
            no names with kinds, a window has too few or too many steps, or another choice is of another type.
    """
    if not isinstance(labels, bool | str | Path | None):
        raise SparringError(
            found=f"labels of type {type(labels).__name__}",
            expected="True, False, or a file of labels",
            remedy="give data in memory as (samples, labels)",
        )
    if not isinstance(background, str | None):
        raise SparringError(
            found=f"a background of type {type(background).__name__}",
            expected="the name of a colour, #rrggbb, or ignore",
            remedy="write it as text, such as 'white' or '#808080'",
        )
    words: dict[Labels, bool | None] = {None: None, True: True, "true": True, False: False, "false": False}
    chosen = words[labels] if labels in words else absolute_choice(str(labels))
    wanted, second = _pairs(pairs), None if to is None else _absolute(to)
    kinds, rules = _columns(columns), _rules(keep)
    units = _tokens(tokens)
    steps = None if window is None else whole_number("window", window, least=2, most=MAX_WINDOW)
    try:
        found = Reading(
            labels=chosen,
            range=value_range,
            background=background,
            pairs=wanted,
            to=second,
            columns=kinds,
            keep=rules,
            window=steps,
            tokens=units,
            target=None if target is None else str(target),
        )
        if found.range is None or found.range[0] < found.range[1]:
            return found
    except ValueError:
        pass  # Not two numbers.
    raise SparringError(
        found=f"the range {value_range}",
        expected="two finite numbers, the lower one first",
        remedy=f"give the stored values of black and of white, such as {option('range', 0, 4095)}",
    )


def _tokens(given: Any) -> str | None:
    """Return the units of texts.

    Raises:
        SparringError: there are no such units.
    """
    if given is None or given in KINDS:
        return None if given is None else str(given)
    raise SparringError(
        found=f"tokens of {shown(given)}",
        expected=f"one of {', '.join(KINDS)}",
        remedy=f"check the spelling{nearest(str(given), list(KINDS))}",
    )


def _columns(given: Columns) -> dict[str, str] | None:
    """Return kinds of columns by name.

    Raises:
        SparringError: a part of the text is no name with a kind, a value is no text, or a column is named twice.
    """
    if given is None:
        return None
    if isinstance(given, str):
        parts = [part for part in parts_of(given, "columns") if part.strip()]
        # A name may have an equals sign, a kind has none.
        pairs = [part.rpartition("=")[::2] for part in parts]
    else:
        pairs = list(given.items()) if isinstance(given, Mapping) else [("", "")]
    named = all(isinstance(name, str) and isinstance(kind, str) and name and kind for name, kind in pairs)
    if not pairs or not named:
        raise SparringError(
            found=f"{shown(given)} for columns",
            expected="names of columns with their kinds, such as age=continuous,note=drop",
            remedy=f"give {option('columns', 'NAME=KIND,…')}",
        )
    kinds = {name.strip(): kind.strip() for name, kind in pairs}
    if len(kinds) < len(pairs):
        names = [name.strip() for name, _ in pairs]
        repeated = next(name for at, name in enumerate(names) if name in names[:at])
        raise SparringError(
            found=f"the column {repeated!r} twice in {option('columns')}",
            expected="one kind for each column",
            remedy="leave one of them out",
        )
    return kinds


def _rules(given: Keep) -> tuple[str, ...] | None:
    """Return rules without spaces around them; None if there are none.

    Raises:
        SparringError: one is no text.
    """
    rules = [given] if isinstance(given, str) else given or ()
    if not isinstance(rules, Sequence) or not all(isinstance(one, str) and one.strip() for one in rules):
        raise SparringError(
            found=f"{shown(given)} for rules",
            expected="text such as start<=end, or a list of such texts",
            remedy=f"give {option('keep')} once for each rule, or a list in Python",
        )
    return tuple(dict.fromkeys(one.strip() for one in rules)) or None


def _pairs(given: Pairs) -> bool | str | None:
    """Return the choice of pairs, with the absolute path of a table.

    Raises:
        SparringError: it is none of ``Pairs``.
    """
    if given is None or given is False or str(given).lower() == "false":
        return None if given is None else False
    if given in (HALVES, FOLDERS):
        return str(given)
    if isinstance(given, str | Path) and Path(given).is_file():
        return str(Path(given).absolute())
    raise SparringError(
        found=f"{str(given)!r} for pairs",
        expected=f"false, {HALVES}, {FOLDERS}, or a CSV file with two columns of files",
        remedy="check the path, or leave it out to find pairs in the data",
    )


def _absolute(place: str | Path) -> str:
    """Return the absolute path of something that exists; anything else, such as the name of a data set, as it is."""
    return str(Path(place).absolute() if Path(place).exists() else place)


def reading_of_model(recorded: Mapping[str, Any], given: Reading, *, same_data: bool) -> Reading:
    """Return choices by which data is read as the training data of a model was.

    A file or a column of labels, a table of pairs and the folder of a second domain belong to the training data; other
    data has its own, or none.

    Args:
        recorded: choices that were given for the training data.
        given: choices for the present data, which come first.
        same_data: whether it is the training data.
    """
    kept = dict(recorded)
    if not same_data:
        own = {"labels": kept.get("labels") is not False, "pairs": kept.get("pairs") not in (False, HALVES, FOLDERS)}
        kept = {name: value for name, value in kept.items() if name != "to" and not own.get(name, False)}
    return Reading.recorded(kept | given.as_json())


def require_known(given: Reading, known: frozenset[str], modality: str) -> None:
    """Refuse choices that a modality does not have.

    Args:
        given: the choices.
        known: names of those that the modality has.
        modality: its name, for the message.

    Raises:
        SparringError: a choice is not among them.
    """
    classes_of_texts = f"; for texts with these classes, give {option('columns', 'NAME=text')}, too"
    for name in given.as_json():
        if name not in known:
            raise SparringError(
                found=f"{option(name)} for {modality}",
                expected=f"one of {', '.join(option(one) for one in sorted(known))}" if known else "no such option",
                remedy="leave it out" + (classes_of_texts if name == "labels" and "columns" in known else ""),
            )
