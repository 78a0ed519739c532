"""Values that are read have the type and the bounds of their schema, or are refused in one sentence."""

from typing import Any

import pytest
from pydantic import Field, with_config
from typing_extensions import TypedDict

from sparring.errors import SparringError
from sparring.schema import STORED, Count, Stored, validated


@with_config(STORED)
class Inner(TypedDict):
    pair: tuple[float, bool]


class Content(Stored):
    count: Count
    inner: dict[str, Inner] = Field(default_factory=dict)


def test_lists_stand_for_tuples_and_integers_for_floats() -> None:
    found = validated(Content, {"count": 3, "inner": {"a": {"pair": [1, True]}}}, "file.json")
    assert found.count == 3 and found.inner["a"]["pair"] == (1.0, True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "no value for 'count' in file.json"),
        ({"count": "3"}, "'3' for 'count'"),
        ({"count": True}, "True for 'count'"),
        ({"count": -1}, "-1 for 'count'"),
        ({"count": 10**40}, "for 'count'"),
        ({"count": 3.5}, "3.5 for 'count'"),
        ({"count": 3, "more": 1}, "an unknown key 'more'"),
        ({"count": 3, "inner": {"a": {"pair": [1, 1]}}}, "1 for 'inner.a.pair.1'"),
        ({"count": 3, "inner": {"a": {"pair": [1]}}}, "'inner.a.pair"),
        ({"count": 3, "inner": {"a": {"pair": [1, True], "more": 2}}}, "an unknown key 'inner.a.more'"),
        ([], "for 'the whole content'"),
        ("x" * 1000, "xx…"),
    ],
)
def test_other_values_are_refused_by_their_place(content: Any, words: str) -> None:
    with pytest.raises(SparringError) as caught:
        validated(Content, content, "file.json")
    assert words in str(caught.value) and len(str(caught.value)) < 300 and "Restore it" in str(caught.value)
