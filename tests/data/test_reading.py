"""Choices about reading data, from the options of a command."""

from pathlib import Path

import pytest

from sparring.data.reading import reading
from sparring.errors import SparringError


@pytest.mark.parametrize(
    ("given", "recorded"),
    [
        (None, {}),
        (True, {"labels": True}),
        ("true", {"labels": True}),
        (False, {"labels": False}),
        ("false", {"labels": False}),
        (Path("l.csv"), {"labels": "l.csv"}),
        ("l.csv:breed", {"labels": "l.csv:breed"}),
    ],
)
def test_labels_are_recorded_as_given(given: bool | str | Path | None, recorded: dict[str, object]) -> None:
    assert reading(given).as_json() == recorded


def test_a_list_of_labels_is_refused_with_the_way_to_give_it() -> None:
    with pytest.raises(SparringError, match=r"labels of type list.*\(samples, labels\)"):
        reading([0, 1])  # type: ignore[arg-type]
