"""Choices about reading data, from the options of a command."""

from pathlib import Path

import pytest

from sparring.data.reading import reading, reading_of_model
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


def test_a_file_of_labels_is_recorded_with_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "l.csv").touch()
    monkeypatch.chdir(tmp_path)
    assert reading("l.csv").labels == str(tmp_path / "l.csv")
    assert reading("l.csv:breed").labels == f"{tmp_path / 'l.csv'}:breed"


def test_a_file_of_labels_belongs_to_the_training_data() -> None:
    recorded = {"labels": "l.csv", "background": "black"}
    assert reading_of_model(recorded, reading(), same_data=True).as_json() == recorded
    assert reading_of_model(recorded, reading(), same_data=False).as_json() == {"background": "black"}
    assert reading_of_model(recorded, reading(False), same_data=True).labels is False
    assert reading_of_model({"labels": False}, reading(), same_data=False).labels is False


def test_a_list_of_labels_is_refused_with_the_way_to_give_it() -> None:
    with pytest.raises(SparringError, match=r"labels of type list.*\(samples, labels\)"):
        reading([0, 1])  # type: ignore[arg-type]


def test_a_colour_that_is_no_text_is_refused() -> None:
    with pytest.raises(SparringError, match="a background of type tuple"):
        reading(False, background=(255, 255, 255))  # type: ignore[arg-type]


@pytest.mark.parametrize("recorded", [{"labels": 5}, {"range": [0]}, {"background": []}, {"colour": "red"}])
def test_recorded_choices_of_another_type_are_refused(recorded: dict[str, object]) -> None:
    with pytest.raises(SparringError, match="in the facts of the data"):
        reading_of_model(recorded, reading(), same_data=True)


@pytest.mark.parametrize(("given", "recorded"), [(False, False), ("false", False), ("halves", "halves"), (None, None)])
def test_pairs_are_recorded_as_given(given: bool | str | None, recorded: bool | str | None) -> None:
    assert reading(pairs=given).pairs == recorded


def test_tables_of_pairs_and_second_domains_are_recorded_with_their_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p.csv").touch()
    monkeypatch.chdir(tmp_path)
    assert reading(pairs="p.csv", to=".").as_json() == {"pairs": str(tmp_path / "p.csv"), "to": str(tmp_path)}
    assert reading(to="mnist").to == "mnist"


def test_pairs_that_are_neither_a_word_nor_a_file_are_refused() -> None:
    for wrong in ("halfs", True, "nowhere.csv"):
        with pytest.raises(SparringError, match="expected false, halves, folders, or a CSV file"):
            reading(pairs=wrong)


def test_tables_of_pairs_and_second_domains_belong_to_the_training_data() -> None:
    recorded = {"pairs": "p.csv", "to": "b"}
    assert reading_of_model(recorded, reading(), same_data=True).as_json() == recorded
    assert reading_of_model(recorded, reading(), same_data=False).as_json() == {}
    for lasting in ("halves", "folders", False):
        assert reading_of_model({"pairs": lasting}, reading(), same_data=False).pairs == lasting


def test_windows_are_recorded_and_read_alike() -> None:
    given = reading(window=24, columns="day=time")
    assert given.as_json() == {"window": 24, "columns": {"day": "time"}}
    assert reading_of_model(given.as_json(), reading(), same_data=False) == given
    assert reading_of_model(given.as_json(), reading(window=12), same_data=True).window == 12
