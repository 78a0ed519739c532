"""Input of `sparring detect` that cannot be used is refused in one sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import sparring
from sparring.cli import main
from sparring.runs.display import Silent

pytestmark = pytest.mark.usefixtures("undrawn_figures")

Make = Callable[[], object]


def code_of(*words: object) -> int:
    try:
        main([str(word) for word in words])
    except SystemExit as leaving:
        return int(leaving.code or 0)
    return 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("odd.csv --false-alarms 0", "--false-alarms 0"),
        ("odd.csv --false-alarms 1", "between 0 and 1"),
        ("odd.csv --false-alarms 2", "between 0 and 1"),
        ("odd.csv --false-alarms nan", "between 0 and 1"),
        ("odd.csv --false-alarms many", "'many' for --false-alarms"),
        ("odd.csv --method gan", "f-anogan"),
        ("odd.csv --method own", "Leave --method out"),
        ("odd.csv --seed -1", "--seed -1"),
        ("odd.csv --out empty", "a folder"),
        ("odd.csv --normal good", "--normal"),
        ("odd.csv --labels target", "--labels target"),
        ("odd.csv --maps maps", "no images"),
        ("odd.csv --reference nowhere.csv", "nowhere.csv"),
        ("empty", "empty"),
        ("nowhere.csv", "nowhere.csv"),
        ("two.csv", "points of shape (2,)"),
        ("words.csv", "words.csv"),
        ("pictures", "images in pictures"),
    ],
)
def test_mistakes_are_refused(plane: Path, capsys: pytest.CaptureFixture[str], words: str, told: str) -> None:
    for name in ("empty", "pictures"):
        Path(name).mkdir()
    Path("two.csv").write_text("a,b\n1,2\n3,4\n")
    Path("words.csv").write_text("a,b,c\nx,y,z\n")
    for number in range(3):
        Image.fromarray(np.full((8, 8), number * 50, np.uint8)).save(f"pictures/{number}.png")
    assert code_of("detect", "run", *words.split()) == 2
    message = capsys.readouterr().err.strip()
    assert message.count("\n") == 0 and told in message and "but expected" in message
    assert not (plane / "detector").exists(), "refused before anything is trained"


def test_a_folder_that_is_no_run_is_refused(plane: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("detect", ".", "odd.csv") == 2
    assert "recipe.json" in capsys.readouterr().err


def test_a_folder_of_other_files_is_not_filled_with_maps(image_run: Path, tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "mine.txt").write_text("mine")
    with pytest.raises(sparring.SparringError, match=r"mine\.txt.*maps="):
        sparring.detect(image_run, str(image_run.parent / "test.npz"), maps=tmp_path / "maps", display=Silent())


@pytest.mark.parametrize(
    ("recipe", "told"), [("series/timegan", "no discriminator"), ("images/pix2pix", "from inputs")]
)
def test_games_without_a_detector_are_refused(recipe: str, told: str, tmp_path: Path) -> None:
    random, small = np.random.default_rng(0), {"samples": 64, "batch": 16, "width": 8, "display": Silent()}
    further: dict[str, Any] = {}
    if recipe == "series/timegan":
        data = tmp_path / "series.npy"
        np.save(data, random.normal(size=(40, 4, 1)))
    else:
        data = tmp_path / "pairs"
        data.mkdir()
        for number in range(20):
            image = random.integers(0, 255, size=(16, 32), dtype=np.uint8)
            Image.fromarray(image).save(data / f"{number}.png")
        further = {"pairs": "halves", "resolution": (16, 16)}
    run = sparring.train(str(data), recipe=recipe, judge="none", out=tmp_path / "run", **small, **further)
    with pytest.raises(sparring.SparringError, match=told):
        sparring.detect(run.folder, str(data), display=Silent())
    with pytest.raises(sparring.SparringError, match=told):
        model = sparring.load(run.folder)
        model.anomaly(model.modality.read(str(data), model.view, model.facts).batch(slice(0, 2)).real)


def test_a_file_that_is_no_table_of_scores_is_not_replaced(plane: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("name,age\nAda,36\n")
    given = {"method": "nearest", "display": Silent()}
    with pytest.raises(sparring.SparringError, match="sparring has not written"):
        sparring.detect(plane, str(plane.parent / "odd.csv"), out=mine, **given)
    assert mine.read_text() == "name,age\nAda,36\n"
    for _ in range(2):
        sparring.detect(plane, str(plane.parent / "odd.csv"), out=tmp_path / "scores.csv", **given)
    (tmp_path / "scores-maps.png").write_bytes(b"mine")
    with pytest.raises(sparring.SparringError, match=r"the file .*scores-maps.png, which sparring has not written"):
        sparring.detect(plane, str(plane.parent / "odd.csv"), out=tmp_path / "scores.csv", **given)
