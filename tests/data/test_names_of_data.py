"""Names of data sets, as people type them."""

import pytest

from sparring.data.catalogue import NAMES, meant
from sparring.data.in_memory import source_of


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("FashionMNIST", "fashion-mnist"),
        ("fashion_mnist/", "fashion-mnist"),
        ("CIFAR-10", "cifar10"),
        ("MNIST/", "mnist"),
    ],
)
def test_names_are_understood_in_other_spellings(typed: str, name: str) -> None:
    assert meant(typed) == source_of(typed) == name


def test_other_text_and_existing_folders_stay_as_they_are(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert [meant(name) for name in (*NAMES, "photos/", "mnst", "./MNIST")] == [*NAMES, "photos/", "mnst", "./MNIST"]
    (tmp_path / "MNIST").mkdir()  # type: ignore[operator]
    assert source_of("MNIST") == "MNIST"
