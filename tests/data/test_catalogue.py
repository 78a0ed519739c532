"""The catalogue lists the names that modalities claim."""

from pathlib import Path

import pytest
from PIL import Image

from sparring.data.catalogue import CIFAR_LAYOUT, DATASETS, NAMES
from sparring.data.reading import DEFAULT_READING
from sparring.errors import SparringWarning
from sparring.modalities import MODALITIES, modality, modality_of, surveyed
from sparring.modality import BY_NAME


@pytest.mark.parametrize("name", NAMES)
def test_one_modality_claims_each_name(name: str) -> None:
    claims = [modality(kind).claims(name) for kind in MODALITIES]
    assert sorted(claims) == [0] * (len(claims) - 1) + [BY_NAME]


@pytest.mark.parametrize(("name", "kind"), [("digits", "images"), ("ring", "points")])
def test_a_built_in_data_set_wins_over_a_folder_of_its_name_which_is_said(
    name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).mkdir()
    for number in range(4):
        Image.new("L", (8, 8), number).save(f"{name}/{number}.png")
    with pytest.warns(SparringWarning, match=rf"{name} names a built-in data set; .* give \./{name}"):
        found = surveyed(modality_of(name), name, DEFAULT_READING).facts
    assert (found.modality, found.count > 1000) == (kind, True)
    assert surveyed(modality_of(f"./{name}"), f"./{name}", DEFAULT_READING).facts.count == 4


def test_the_layout_of_records_matches_the_published_classes() -> None:
    assert len(CIFAR_LAYOUT.files) * CIFAR_LAYOUT.count == 50_000 and CIFAR_LAYOUT.shape == (3, 32, 32)
    assert len(DATASETS["cifar10"].classes) == 10
