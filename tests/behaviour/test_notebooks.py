"""The notebooks under examples/: stored without outputs, and run from the first cell to the last by a real kernel."""

import ast
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "examples"
NAMES = ("judge_samples", "own_loss", "own_photos")


def read(name: str) -> Any:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def executed(name: str, place: Path, **parameters: Any) -> Any:
    """Run a notebook in a folder, with other numbers than those of its cell of parameters; return it with outputs."""
    notebook = read(name)
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]
    names = {target.id for line in ast.parse(cell.source).body for target in line.targets}
    assert parameters.keys() <= names
    cell.source += "".join(f"\n{name} = {value!r}" for name, value in parameters.items())
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(place)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert not [output.text for output in outputs if output.get("name") == "stderr"]
    return outputs


def test_every_notebook_is_tested() -> None:
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_are_valid_and_hold_no_outputs(name: str) -> None:
    notebook = read(name)
    nbformat.validate(notebook)
    assert notebook.cells[0].cell_type == "markdown" and notebook.cells[0].source.startswith("# ")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None and ast.parse(cell.source).body
    assert set(json.loads((FOLDER / f"{name}.ipynb").read_text())["metadata"]) == {"kernelspec", "language_info"}


def test_own_loss_runs(tmp_path: Path) -> None:
    outputs = executed("own_loss", tmp_path, SAMPLES=1024)
    assert any("of 8, quality" in output.get("text", "") for output in outputs)
    assert any("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.slow
def test_own_photos_runs(tmp_path: Path) -> None:
    outputs = executed("own_photos", tmp_path, SAMPLES=640)
    shown = [output.data.get("text/html", "") for output in outputs if "data" in output]
    # The inspection, the bar of the training, the run and the model.
    assert sum(bool(html) for html in shown) == 4 and "evaluating: done" in shown[1] and "<img" in shown[2]
    assert (tmp_path / "published" / "config.json").is_file() and (tmp_path / "runs" / "shapes-001").is_dir()


@pytest.mark.slow
def test_judge_samples_runs(tmp_path: Path) -> None:
    outputs = executed("judge_samples", tmp_path, COUNT=100)
    assert any("A: blurred, B: few" in output.data.get("text/html", "") for output in outputs if "data" in output)
    assert any("precision" in output.get("text", "") for output in outputs)
