"""Identifiers: new ones are unique, in one call and over several, and none of the data's as far as these are known."""

import pytest

from sparring.modalities.tables.keys import COUNTED, example_of, form_of, new_keys

EXAMPLES = ["0b5a2cf8-7a1e-5f6c-9d2e-3f4a5b6c7d8e", "123456789012", "Qz7-Kp3-Wx", "A1B2", "customer no. 7"]


@pytest.mark.parametrize("example", EXAMPLES)
def test_new_keys_differ_from_the_example_and_from_one_another(example: str) -> None:
    keys = new_keys(example, "", 20_000)
    assert len(set(keys)) == 20_000 and example not in keys


@pytest.mark.parametrize("example", EXAMPLES)
def test_keys_do_not_depend_on_the_parts_in_which_they_are_made(example: str) -> None:
    assert new_keys(example, "", 3) + new_keys(example, "", 4, first=3) == new_keys(example, "", 7)


def test_new_keys_have_the_form_of_the_example() -> None:
    for example, key in ((one, new_keys(one, "", 1)[0]) for one in EXAMPLES[:2]):
        assert [letter.isalnum() for letter in key] == [letter.isalnum() for letter in example]
    assert new_keys("123456789012", "", 1)[0].isdigit()


def test_counted_keys_come_after_all_of_the_data() -> None:
    texts = ["K007", "K123", "K045"]
    assert form_of(texts) == COUNTED
    keys = new_keys(example_of(texts), COUNTED, 1000)
    assert keys[:2] == ["K124", "K125"] and len(set(keys)) == 1000 and not set(keys) & set(texts)


def test_without_an_example_keys_are_counted_from_1() -> None:
    assert new_keys("", "", 2) == ["1", "2"]
