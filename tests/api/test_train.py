"""The first lines of a run, and choices as they are recorded."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparring.api.train import train
from sparring.runs.display import Plain, Silent

pytestmark = pytest.mark.usefixtures("undrawn_figures")

SMALL: dict[str, Any] = {"samples": 16, "batch": 2, "width": 8, "latent_size": 2, "resolution": 8}


@pytest.mark.parametrize("given", [True, "labels.csv"])
def test_the_reason_for_labels_names_the_file_that_was_given(given: bool | str, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", images=np.random.default_rng(0).integers(0, 256, (8, 8, 8), np.uint8), y=[0, 1] * 4)
    (tmp_path / "labels.csv").write_text("label\n" + "a\nb\n" * 4)
    labels = given if given is True else tmp_path / given
    run = train(tmp_path / "data.npz", labels=labels, judge="none", out=tmp_path / "run", display=Silent(), **SMALL)
    reason = "given" if given is True else f"as given: {tmp_path / 'labels.csv'}"
    assert run.record.choices["labels"] == {"value": True, "reason": reason}


@pytest.mark.parametrize("recipe", [None, "images/r3gan"])
def test_the_reason_for_the_recipe_is_printed_where_none_was_given(
    recipe: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "data.npy", np.random.default_rng(0).integers(0, 256, (8, 8, 8), np.uint8))
    train(
        tmp_path / "data.npy",
        recipe=recipe,
        judge="none",
        out=tmp_path / "run",
        display=Plain(),
        watchdog="off",
        **SMALL,
    )
    reason, said = "No recipe was given: images/r3gan is the default for images.", "".join(capsys.readouterr())
    assert (reason in said) is (recipe is None)
    # Fields that were given are repeated, but not the budget.
    assert "width = 8 (given)" in said and "samples = " not in said


def test_labels_may_be_left_out_for_a_recipe_that_does_not_use_them(tmp_path: Path) -> None:
    """Images in sub-folders beside others can only be read with --labels false."""
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "data.npz", images=images, labels=np.arange(12) % 2)
    fields = {"recipe": "images/fill", "width": 4, "discriminator_width": 4, "resolution": 8, "batch": 4}
    run = train(
        tmp_path / "data.npz",
        labels=False,
        samples=16,
        judge="none",
        out=tmp_path / "run",
        display=Silent(),
        watchdog="off",
        **fields,
    )
    assert "labels" not in run.record.choices and run.record.facts.classes == ()
