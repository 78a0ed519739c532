"""Progress in a notebook: one output, replaced at most once a second, with the newest samples."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from PIL import Image

from rendering.test_fragments import Checked
from sparring.flow import Figures, Progress
from sparring.runs import notebook
from sparring.runs.display import Display, Plain, default_display
from sparring.runs.folder import Run
from sparring.runs.notebook import Notebook

FIGURES = Figures(terms={"generator": {"adversarial": 0.5}})


class Cell:
    """The output of a cell: every content that was sent to it, and the number of outputs."""

    def __init__(self) -> None:
        self.contents, self.outputs = list[dict[str, str]](), 0

    def display(self, content: dict[str, str], *, raw: bool, display_id: bool) -> "Cell":
        assert raw and display_id
        self.outputs += 1
        self.update(content, raw=True)
        return self

    def update(self, content: dict[str, str], *, raw: bool) -> None:
        assert raw and Checked(content["text/html"]).elements
        self.contents.append(content)

    @property
    def page(self) -> Checked:
        return Checked(self.contents[-1]["text/html"])


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Cell:
    """A notebook's kernel in place of IPython."""
    cell, module, shown = Cell(), ModuleType("IPython"), ModuleType("IPython.display")
    module.get_ipython = lambda: SimpleNamespace(kernel=object())
    module.version_info = (9, 0)
    shown.display = cell.display
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", shown)
    return cell


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(notebook.time, "monotonic", lambda: now[0])
    return now


def test_the_display_is_that_of_the_surroundings(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(default_display(), Notebook) and isinstance(Notebook(), Display)
    for shell in (SimpleNamespace(kernel=None), SimpleNamespace(), None):
        monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda shell=shell: shell)
        assert isinstance(default_display(), Plain)


def test_one_output_is_replaced_once_a_second(
    cell: Cell, clock: list[float], progress: Callable[..., Progress], tmp_path: Path
) -> None:
    shown = Notebook()
    shown.say("Training <b>a</b>.")
    for step in range(1, 101):
        clock[0] = 100 + step / 25
        shown.step(progress(1, step / 200), FIGURES, 10.0, 60.0, "healthy")
        shown.say(f"message {step}")
    assert cell.outputs == 1 and 4 <= len(cell.contents) <= 6
    page = cell.page
    bar = next(attributes for tag, attributes in page.elements if tag == "progress")
    assert 0.45 < float(bar["value"]) <= 0.5 and "10/s · 1:00 left · generator 0.500 · healthy" in page.text
    assert "Training <b>a</b>." in page.text and not any(tag == "b" for tag, _ in page.elements)


def test_at_the_end_the_last_state_stays_without_a_bar(
    cell: Cell, clock: list[float], progress: Callable[..., Progress]
) -> None:
    shown = Notebook()
    shown.step(progress(1, 1.0), FIGURES, 10.0, 0.0, "healthy")
    shown.close()
    for done in range(1, 28):
        shown.count("evaluating", done, 27)
    shown.close()
    assert not any(tag == "progress" for tag, _ in cell.page.elements)
    assert cell.contents[-1]["text/plain"] == "evaluating: done" and cell.outputs == 1


def test_work_that_shows_nothing_leaves_no_output(cell: Cell) -> None:
    Notebook().close()
    assert not cell.contents


def test_the_newest_picture_of_the_run_is_shown(cell: Cell, tmp_path: Path) -> None:
    shown, run = Notebook(), Run(tmp_path)
    shown.begin(run)
    shown.say("begins")
    assert not any(tag == "img" for tag, _ in cell.page.elements)
    run.samples.mkdir()
    sources = set()
    for number, side in enumerate((8, 9)):
        Image.new("L", (side, side)).save(run.samples / f"{number:09d}.png")
        shown.say("written")
        sources |= {attributes["src"] for tag, attributes in cell.page.elements if tag == "img"}
    assert len(sources) == 2


def test_a_run_shows_its_pictures_in_a_notebook(cell: Cell, tmp_path: Path) -> None:
    from sparring.api.train import train

    run = train("ring", samples=128, batch=64, width=8, out=tmp_path / "run")
    assert cell.outputs == 1 and any(tag == "img" for tag, _ in cell.page.elements)
    assert "evaluating: done" in cell.page.text and "Trained on 128 samples" in cell.page.text
    assert run.newest_picture == run.folder / "samples.png"
