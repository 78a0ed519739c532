"""Schema of state.json, the part of a checkpoint that is JSON."""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from sparring.schema import STORED, Count, validated
from sparring.storage import read_json


@with_config(STORED)
class Skipped(TypedDict):
    """Skipped updates: in a row, by turn, and in all."""

    skipped: dict[str, Count]
    total: Count


@with_config(STORED)
class Latest(TypedDict, total=False):
    """Latest figures; see ``Figures``."""

    terms: dict[str, dict[str, float]]
    notes: dict[str, dict[str, float]]
    gradients: dict[str, float]
    controls: dict[str, float]
    signals: dict[str, float]
    samples: Count
    fraction: float


@with_config(STORED)
class State(TypedDict):
    """Content of state.json."""

    step: Count
    samples: Count
    seconds: Annotated[float, Field(ge=0)]
    micro_batch: Annotated[Count, Field(ge=1)]
    controls: dict[str, tuple[float, bool]]
    figures: Latest
    guard: Skipped
    extra: dict[str, Any]


@with_config(STORED)
class _Refused(TypedDict):
    """Skipped updates in format 2."""

    refused: dict[str, Count]
    total: Count


@with_config(ConfigDict(strict=True, extra="ignore", allow_inf_nan=False))
class _State2(TypedDict):
    """Content of state.json in format 2; its figures and the state of its watchdog are not used."""

    step: Count
    samples: Count
    seconds: Annotated[float, Field(ge=0)]
    micro_batch: Annotated[Count, Field(ge=1)]
    controls: Annotated[dict[str, tuple[float, bool]], Field(validation_alias="dials")]
    guard: _Refused


def read_state(path: Path, number: int) -> State:
    """Read the state.json of a checkpoint of format ``number``.

    Raises:
        SparringError: it cannot be read, or a value is missing, unknown or of another type.
    """
    content = read_json(path)
    return _upgraded(validated(_State2, content, path)) if number == 2 else validated(State, content, path)


def _upgraded(state: _State2) -> State:
    """Return the state of a checkpoint of format 2 as format 3 has it; the figures are left out."""
    # Format 2 called γ "strength", and counted skipped updates as "refused".
    controls = {re.sub(r"^strength\b", "gamma", name): position for name, position in state["controls"].items()}
    return {
        "step": state["step"],
        "samples": state["samples"],
        "seconds": state["seconds"],
        "micro_batch": state["micro_batch"],
        "controls": controls,
        "figures": {},
        "guard": {"skipped": state["guard"]["refused"], "total": state["guard"]["total"]},
        "extra": {},
    }
