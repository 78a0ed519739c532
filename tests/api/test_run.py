"""Runs and models as notebooks show them, and what a run gives to Python."""

import base64
import importlib.util
import io
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import sparring
from rendering.test_fragments import Checked
from sparring.errors import SparringError
from sparring.rendering.grids import GAP, MIN_CELL_SIDE
from sparring.runs.display import Silent


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> sparring.Run:
    pictures = np.random.default_rng(0).integers(0, 256, (64, 8, 8), dtype=np.uint8)
    out = tmp_path_factory.mktemp("runs") / "noise"
    data = pictures, np.arange(64) % 2
    return sparring.train(data, recipe="images/vae", samples=64, batch=16, out=out, display=Silent())


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> sparring.Model:
    folder = tmp_path_factory.mktemp("table")
    rows = "".join(f"{20 + row % 50},{row / 7:.2f},{'yes' if row % 3 else 'no'}\n" for row in range(200))
    (folder / "people.csv").write_text("age,score,smoker\n" + rows)
    run = sparring.train(
        folder / "people.csv", recipe="tables/tvae", samples=500, judge="none", out=folder / "run", display=Silent()
    )
    return run.load()


def test_a_run_is_one_line_of_text(run: sparring.Run) -> None:
    assert repr(run).startswith(f"Run('{run.folder}': images/vae on ") and "The run is finished" in repr(run)
    assert "\n" not in repr(run)


def test_a_run_shows_samples_state_scores_and_links(run: sparring.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.folder.parent)
    page = Checked(run._repr_html_())
    assert [tag for tag, _ in page.elements].count("img") == 1
    assert "The run is finished" in page.text and "Fréchet distance" in page.text
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert links == ["noise/report.html", "noise/samples"]


def test_a_run_that_cannot_be_read_shows_why(run: sparring.Run, tmp_path: Path) -> None:
    lost = sparring.Run(shutil.copytree(run.folder, tmp_path / "lost"))
    (lost.folder / "recipe.json").unlink()
    assert "recipe.json" in repr(lost) and "recipe.json" in Checked(lost._repr_html_()).text


@pytest.mark.parametrize("place", ["nothing", "."])
def test_a_folder_without_a_run_is_no_run(place: str, tmp_path: Path) -> None:
    with pytest.raises(SparringError, match=f"no recipe.json in .*{place}.* but expected a run folder"):
        sparring.Run(tmp_path / place)


def test_a_run_that_was_not_evaluated_says_how_to(run: sparring.Run, tmp_path: Path) -> None:
    copy = sparring.Run(shutil.copytree(run.folder, tmp_path / "copy"))
    copy.scores.unlink()
    with pytest.raises(SparringError, match=r"no evaluation in .*`sparring resume .*copy --judge quick`"):
        copy.evaluation


def test_a_plot_replaces_plots_and_no_other_picture(run: sparring.Run, tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "mine.png")
    before = (tmp_path / "mine.png").read_bytes()
    with pytest.raises(SparringError, match="which sparring has not written"):
        run.plot(tmp_path / "mine.png")
    assert (tmp_path / "mine.png").read_bytes() == before
    for _ in range(2):
        run.plot(tmp_path / "plot.png")


def test_shown_samples_replace_their_own_files_only(run: sparring.Run, tmp_path: Path) -> None:
    model = run.load()
    for _ in range(2):
        assert model.show(model.sample(2), tmp_path / "shown.png") == [tmp_path / "shown.png"]
    Image.new("L", (8, 8)).save(tmp_path / "mine.png")
    with pytest.raises(SparringError, match=r"the file .*mine.png, which sparring has not written"):
        model.show(model.sample(2), tmp_path / "mine")


def test_a_run_gives_its_model_evaluation_and_diagnosis(run: sparring.Run) -> None:
    model = run.load()
    assert model.sample(2).equal(sparring.load(run.folder).sample(2))
    assert repr(model).startswith("Model(images/vae on array-") and "shape: 1 × 8 × 8; " in repr(model)
    assert run.evaluation.subject == str(run.folder)
    assert run.diagnosis == sparring.diagnose(run.folder)
    for shown in (run.evaluation, run.diagnosis):
        assert repr(shown).startswith(type(shown).__name__) and "\n" not in repr(shown)
        assert Checked(shown._repr_html_()).text
    assert "recall" in str(run.evaluation) and "recall" in repr(run.evaluation)


def test_figures_are_arrays_of_one_length(run: sparring.Run) -> None:
    figures = run.figures()
    assert {"samples", "samples_per_second", "autoencoder/gradient"} <= figures.keys()
    assert {len(values) for values in figures.values()} == {len(figures["samples"])}
    assert figures["samples"][-1] == 64 and np.isfinite(figures["autoencoder/gradient"]).all()


def test_curves_are_a_figure_that_a_notebook_shows(run: sparring.Run, tmp_path: Path) -> None:
    figure = run.plot(tmp_path / "new" / "curves.svg")
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "new" / "curves.svg").read_text()
    with pytest.raises(SparringError, match=r"\.pdf"):
        run.plot(tmp_path / "curves.txt")


def test_a_model_shows_samples_in_a_column_for_each_class(run: sparring.Run) -> None:
    model = sparring.load(run.folder)
    page = Checked(model._repr_html_())
    source = next(attributes["src"] for tag, attributes in page.elements if tag == "img")
    with Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as grid:
        assert grid.size[0] == GAP + 2 * (MIN_CELL_SIDE + GAP)
    assert "images/vae on array-" in page.text and "real samples seen" in page.text


def test_images_are_those_of_pillow(run: sparring.Run, table: sparring.Model) -> None:
    model = run.load()
    images = model.images(3, seed=5)
    assert [image.mode for image in images] == ["L"] * 3 and all(isinstance(one, Image.Image) for one in images)
    assert np.array_equal(np.stack(images), model.modality.decode(model.sample(3, seed=5), model.facts))
    with pytest.raises(SparringError, match=r"model\.frame\(100\)"):
        table.images(3)


def test_rows_are_a_data_frame_with_numbers(table: sparring.Model, run: sparring.Run) -> None:
    frame = table.frame(50, where="age>=30", seed=1)
    assert list(frame.columns) == ["age", "score", "smoker"] and len(frame) == 50
    assert frame["age"].dtype.kind == "i" and frame["age"].min() >= 30 and frame["score"].dtype.kind == "f"
    assert set(frame["smoker"]) <= {"yes", "no"}
    text = table.modality.decode(table.sample(50, where="age>=30", seed=1), table.facts).as_columns()
    assert [float(cell) for cell in text["score"]] == frame["score"].tolist()
    with pytest.raises(SparringError, match=r"model\.images\(8\)"):
        run.load().frame(3)


def test_without_pandas_rows_are_a_dict_of_columns(table: sparring.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    assert importlib.util.find_spec("pandas")
    monkeypatch.setitem(sys.modules, "pandas", None)
    rows = table.frame(4)
    assert type(rows) is dict and {len(cells) for cells in rows.values()} == {4}


def test_points_are_a_data_frame_and_a_cloud(tmp_path: Path) -> None:
    points = sparring.train(
        "ring", samples=64, batch=64, width=8, judge="none", out=tmp_path / "ring", display=Silent()
    ).load()
    assert list(points.frame(5).columns) == ["x0", "x1"]
    assert "<img" in points._repr_html_() and Checked(points._repr_html_()).text


def test_an_inspection_is_shown_in_a_notebook_and_printed() -> None:
    found = sparring.inspect("digits", measure=False)
    assert repr(found) == "Inspection('digits': 1,797 samples of images; would train images/r3gan)"
    assert str(found).splitlines() == found.lines()
    page = Checked(found._repr_html_())
    assert "1,797 images" in page.text and "resolution = " in page.text


def test_options_have_the_words_of_the_command_line(run: sparring.Run, table: sparring.Model) -> None:
    model = run.load()
    path = model.interpolate(2, 3, label="1", seed=4)
    assert path.equal(model.interpolate(2, 3, condition=[1, 1], seed=4))
    assert not path.equal(model.interpolate(2, 3, label="0", seed=4))
    for call in (model.sample, model.images, lambda count, **given: model.interpolate(count, 3, **given)):
        with pytest.raises(SparringError, match="condition and label"):
            call(2, label="1", condition=[1, 1])
        with pytest.raises(SparringError, match="did you mean 'label'"):
            call(2, labels="1")
    filled = sparring.complete(model, torch.zeros(1, 1, 8, 8), torch.eye(8)[None, None], steps=1, label="1")
    assert filled.shape == (1, 1, 8, 8)
    assert set(table.frame(6, where={"age": torch.tensor([30, 31])})["age"]) <= {30, 31}
    for given in (torch.ones(2), ["age>=30"], 3):
        with pytest.raises(SparringError, match="a mapping from columns to values"):
            table.frame(2, where=given)
