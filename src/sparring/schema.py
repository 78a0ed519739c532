"""Typed schemas of the JSON that is read: every value has the type and the bounds that were written, or is refused."""

import json
from collections.abc import Hashable, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sparring.errors import SparringError

STORED = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)
"""Configuration of every schema: exact types, no unknown key, no infinity."""
Count = Annotated[int, Field(ge=0, le=2**62)]
"""Number of samples, steps or bytes."""

Schema = TypeVar("Schema")


class Stored(BaseModel):
    """Base of the schemas of files."""

    model_config = STORED


def require_format(content: Any, readable: Sequence[int], place: Path) -> int:
    """Return the format number of an object of JSON.

    Raises:
        SparringError: it is no object, or of a format that is not ``readable``.
    """
    found = content.get("format") if isinstance(content, dict) else None
    if type(found) is not int or found not in readable:
        raise SparringError(
            found=f"another format in {place}",
            expected=f"format {max(readable)} or an older one",
            remedy="use the version of sparring that wrote it",
        )
    return found


def validated(schema: type[Schema], content: Any, place: Path | str) -> Schema:
    """Return JSON values as ``schema`` types them.

    Args:
        schema: a ``Stored`` class, a TypedDict or a dataclass with the configuration ``STORED``.
        content: the JSON values, as ``read_json`` returns them.
        place: where they come from, for the error.

    Raises:
        SparringError: a value is missing, unknown or of another type; the message names it.
    """
    try:
        # As JSON, where a list stands for a tuple but 1 never stands for "1" or true.
        found: Schema = _adapter(cast(Hashable, schema)).validate_json(json.dumps(content))
        return found
    except ValidationError as error:
        raise SparringError(
            found=f"{first_complaint(error)} in {place}",
            expected="the values that sparring wrote",
            remedy="restore it from a backup",
        ) from None


@cache
def _adapter(schema: Any) -> TypeAdapter[Any]:
    """Return the validator of a schema, which takes much longer to build than to use."""
    return TypeAdapter(schema)


def first_complaint(error: ValidationError) -> str:
    """Return a noun phrase for the first wrong value: its place, its value, and what it should have been."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the whole content"
    reason = first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        return f"no value for {where!r}"
    if first["type"] == "extra_forbidden":
        return f"an unknown key {where!r}"
    value = repr(first.get("input"))
    return f"{value if len(value) <= 60 else f'{value[:60]}…'} for {where!r} ({reason[:1].lower()}{reason[1:]})"
