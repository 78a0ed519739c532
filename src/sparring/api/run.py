"""Runs as callers in Python have them: a run folder with its model, evaluation, diagnosis and curves."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from numpy.typing import NDArray

from sparring.api.outputs import output_path, require_writable
from sparring.arguments import checked_path
from sparring.errors import SparringError
from sparring.evaluation.result import Evaluation
from sparring.model import Model, load
from sparring.recipe import Recipe
from sparring.rendering.exhibits import Exhibit, Picture
from sparring.rendering.figures import file_of
from sparring.rendering.fragments import fragment
from sparring.report.curves import curves_figure
from sparring.report.diagnosis import Diagnosis, RunHistory
from sparring.runs import folder
from sparring.runs.logbook import as_arrays, read_log
from sparring.runs.suggestions import suggestion
from sparring.storage import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")
"""Endings of the files that ``Run.plot`` writes."""


@final
@dataclass(frozen=True, repr=False)
class Run(folder.Run):
    """A run: its folder, and what can be read from it at any time, also while it is training.

    Args:
        folder: the run folder, or a file in it.

    Raises:
        SparringError: there is no run.
    """

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", folder.open_run(checked_path("the run", self.folder)).folder)

    def load(self, *, recipe: str | Recipe | None = None) -> Model:
        """Load the model from the newest intact checkpoint; see ``sparring.load``."""
        return load(self.folder, recipe=recipe)

    @property
    def evaluation(self) -> Evaluation:
        """Evaluation at the end of the run.

        Raises:
            SparringError: there is none yet.
        """
        if not self.scores.exists():
            raise SparringError(
                found=f"no evaluation in {self.folder}",
                expected="one, as at the end of `sparring train`",
                remedy=f"make it by `{suggestion(self.record, 'resume', self.folder, '--judge', 'quick')}` once it is "
                "trained",
            )
        return Evaluation.from_run(self)

    @property
    def diagnosis(self) -> Diagnosis:
        """Diagnosis of the run as it is now; see ``sparring.diagnose``."""
        return RunHistory(self).diagnosis()

    def figures(self) -> dict[str, NDArray[Any]]:
        """Return the figures of log.jsonl as arrays of one length: "samples", "generator/adversarial", …

        A figure that a line does not have is NaN. "samples" are the real samples seen.
        """
        return as_arrays(read_log(self.folder / "log.jsonl"))

    def plot(self, path: str | Path | None = None) -> "Figure":
        """Draw losses, penalties, gradients and speed as a figure of Matplotlib, which a notebook shows.

        Args:
            path: write it to this PNG, SVG or PDF file, too.

        Raises:
            SparringError: the file cannot be written, or has another ending.
        """
        target = None if path is None else _picture_path(path, self.record.facts.source)
        figure = curves_figure(read_log(self.folder / "log.jsonl"))
        if target is not None:
            write_bytes(output_path(target), file_of(figure, target.suffix[1:].lower()))
        return figure

    def __repr__(self) -> str:
        try:
            record = self.record
            state = f"{record.recipe_name} on {record.facts.source}; {self.diagnosis.state}"
        except SparringError as error:
            state = str(error)
        return f"Run({str(self.folder)!r}: {state})"

    def _repr_html_(self) -> str:
        try:
            record, diagnosis = self.record, self.diagnosis
        except SparringError as error:
            return fragment(str(self.folder), [str(error)])
        exhibits: list[Exhibit] = []
        if (picture := self.newest_picture) is not None:
            exhibits.append(Picture(picture.read_bytes(), words="The newest samples."))
        sentences = [diagnosis.state, diagnosis.verdict]
        if self.scores.exists():
            evaluation = self.evaluation
            sentences += [*evaluation.verdict, *evaluation.remarks]
            exhibits += evaluation.default_tables()
        links = [_as_link(place) for place in (self.report, self.samples) if place.exists()]
        title = f"{record.recipe_name} on {Path(record.facts.source).name or record.facts.source}"
        return fragment(title, sentences, exhibits=exhibits, links=links)


def _as_link(place: Path) -> str:
    """Return a path relative to the present folder, with forward slashes; as it is on another drive of Windows."""
    try:
        return Path(os.path.relpath(place)).as_posix()
    except ValueError:
        return place.as_posix()


def _picture_path(path: str | Path, source: str) -> Path:
    """Check the path of a figure; no file of the data ``source`` is replaced.

    Raises:
        SparringError: it has no known ending, or cannot be written.
    """
    require_writable({"path": path}, source)
    if Path(path).suffix.lower() not in FORMATS:
        raise SparringError(
            found=f"the file {path} for a figure",
            expected=f"a name that ends in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}",
            remedy="add such an ending",
        )
    return Path(path)
