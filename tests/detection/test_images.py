"""Detection of unusual images: classes, areas under ROC curves and heat maps."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from detection.detecting import detect
from sparring.errors import SparringError


def test_classes_that_are_unknown_are_found_and_mapped(image_run: Path, tmp_path: Path) -> None:
    test = str(image_run.parent / "test.npz")
    for _ in range(2):  # The second call replaces the files of the first.
        found = detect(image_run, test, out=tmp_path / "scores.csv", maps=tmp_path / "maps")
    assert found.normal == ("left", "right") and list(found.chosen.classes) == ["middle"]
    assert found.chosen.auroc is not None and found.chosen.auroc > 0.95
    assert found.methods["nearest"].auroc == pytest.approx(1.0)
    assert len(list((tmp_path / "maps").glob("*.png"))) == found.count == 60
    with Image.open(tmp_path / "scores-maps.png") as sheet:
        assert sheet.mode == "RGB" and sheet.width > 8 * 32
    text = "\n".join(found.lines())
    assert "Normal classes: left, right" in text and "AUROC" in text


def test_samples_without_classes_have_no_areas(image_run: Path, tmp_path: Path) -> None:
    test = np.load(image_run.parent / "test.npz")
    np.save(tmp_path / "plain.npy", test["images"])
    found = detect(image_run, str(tmp_path / "plain.npy"))
    assert not found.normal and all(one.auroc is None for one in found.methods.values())
    labelled = detect(image_run, str(image_run.parent / "test.npz"))
    assert found.scores == pytest.approx(labelled.scores), "labels do not change scores"


def test_methods_without_places_show_the_images_alone(image_run: Path, tmp_path: Path) -> None:
    test = str(image_run.parent / "test.npz")
    found = detect(image_run, test, method="nearest", out=tmp_path / "scores.csv")
    assert str(tmp_path / "scores-maps.png") in found.files and (tmp_path / "scores-maps.png").is_file()
    with pytest.raises(SparringError, match="which scores images as a whole"):
        detect(image_run, test, method="nearest", maps=tmp_path / "maps")


def test_a_better_baseline_is_named(image_run: Path) -> None:
    found = detect(image_run, str(image_run.parent / "test.npz"), method="isolation-forest", normal=["middle"])
    best = max(found.methods, key=lambda name: found.methods[name].auroc or 0)
    assert best == "isolation-forest" or any(f"choose --method {best}" in remark for remark in found.remarks)
