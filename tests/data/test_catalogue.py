"""The catalogue lists the names that modalities claim."""

import pytest

from sparring.data.catalogue import CIFAR_LAYOUT, DATASETS, NAMES
from sparring.modalities import MODALITIES, modality


@pytest.mark.parametrize("name", NAMES)
def test_one_modality_claims_each_name(name: str) -> None:
    claims = [modality(kind).claims(name) for kind in MODALITIES]
    assert sorted(claims) == [0] * (len(claims) - 1) + [2]


def test_the_layout_of_records_matches_the_published_classes() -> None:
    assert len(CIFAR_LAYOUT.files) * CIFAR_LAYOUT.count == 50_000 and CIFAR_LAYOUT.shape == (3, 32, 32)
    assert len(DATASETS["cifar10"].classes) == 10
