"""Colour and size of the two sides: nothing that one of them shows is dropped."""

from pathlib import Path

import numpy as np
import pytest
import torch

import sparring
from sparring.modalities import modality
from sparring.modalities.images.data import survey
from sparring.runs.display import Silent

pytestmark = pytest.mark.usefixtures("brief_extractors")
TINT = torch.tensor([1.0, 0.6, 0.3])[None, :, None, None]


def written(folder: Path, images: torch.Tensor) -> Path:
    modality("images").save(images, survey("digits").facts, folder)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write digits as grey images, and tinted ones: 120 of each to be judged, 600 others as real ones."""
    folder = tmp_path_factory.mktemp("colour")
    digits = survey("digits").prepare(modality("images").view_of(survey("digits").facts, survey("digits").facts))
    grey = digits.train.batch(np.random.default_rng(0).permutation(len(digits.train))[:720]).real
    tinted = (grey.repeat(1, 3, 1, 1) + 1) * TINT - 1
    sides = {"grey": grey[:120], "tinted": tinted[:120], "real grey": grey[120:], "real tinted": tinted[120:]}
    return {name: written(folder / name, images) for name, images in sides.items()}


@pytest.mark.parametrize(
    ("samples", "real", "extractors"),
    [
        ("tinted", "real grey", []),
        ("grey", "real tinted", ["pixels"]),
        pytest.param("grey", "real tinted", [], marks=pytest.mark.slow),
    ],
)
def test_a_tint_on_one_side_is_detected(
    folders: dict[str, Path], samples: str, real: str, extractors: list[str]
) -> None:
    """By default too: ``own``, trained on grey images, would ignore it."""
    other = "grey" if samples == "tinted" else "tinted"
    tint, fair = (
        sparring.evaluate(folders[name], folders[real], extractors=extractors, display=Silent())
        for name in (samples, other)
    )
    # Grey against grey uses other features by default, so only its significance is compared.
    wrong, right = (found.scores[0].metrics["frechet"] for found in (tint, fair))
    assert wrong.significant and wrong.value > 3 * wrong.floor
    assert not right.significant
    side = "real" if samples == "tinted" else "generated"
    assert any(
        remark.startswith(f"The {side} samples, most of shape 1 × 8 × 8, are compared at 3 ×")
        for remark in tint.remarks
    )
    assert not any("compared at" in remark for remark in fair.remarks)


def test_a_model_of_grey_images_is_compared_with_colour_in_colour(folders: dict[str, Path], tmp_path: Path) -> None:
    small = {"samples": 64, "batch": 16, "width": 8, "discriminator_width": 8, "latent_size": 4, "display": Silent()}
    run = sparring.train(folders["grey"], recipe="images/r3gan", out=tmp_path / "run", **small)
    page = tmp_path / "page.html"
    found = sparring.evaluate(
        run.folder, folders["real tinted"], count=60, extractors=["pixels"], all=True, report=page, display=Silent()
    )
    assert "3 × 8 × 8" in found.scores[0].protocol and "path_length" not in found.metrics
    assert "The generated samples, most of shape 1 × 8 × 8, are compared at 3 × 8 × 8." in found.remarks
    assert page.stat().st_size > 10_000


def test_grey_and_tinted_samples_are_compared_in_colour(folders: dict[str, Path]) -> None:
    for pair, verdict in ((("grey", "tinted"), "first"), (("tinted", "grey"), "second")):
        found = sparring.compare(
            *(folders[name] for name in pair), folders["real grey"], extractors=["pixels"], display=Silent()
        )
        assert found.differences["pixels"]["frechet"].verdict == verdict
        assert all("3 × 8 × 8" in side.scores[0].protocol for side in (found.first, found.second))


def test_images_of_another_size_are_said_to_be_resized(folders: dict[str, Path], tmp_path: Path) -> None:
    large = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (60, 1, 12, 16))).float()
    found = sparring.evaluate(
        written(tmp_path / "large", large), folders["real grey"], extractors=["pixels"], display=Silent()
    )
    assert "The real samples, most of shape 1 × 8 × 8, are compared at 1 × 12 × 16." in found.remarks
