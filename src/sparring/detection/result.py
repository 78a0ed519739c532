"""Results of a detection, as `sparring detect` prints and writes them."""

import csv
import io
from typing import Final, Literal, final

from pydantic import BaseModel, ConfigDict, Field

from sparring.detection.threshold import Threshold

FORMAT: Final = 1
MIN_LEAD = 0.005
"""Difference of two areas below which neither method counts as better."""

HEADING = ("sample", "score", "unusual")
"""First columns of scores.csv."""


@final
class MethodResult(BaseModel):
    """Result of one method."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    unusual: int
    """Samples above the threshold."""
    threshold: Threshold
    """The threshold, and its rate of false alarms."""
    auroc: float | None = None
    """Area under the ROC curve of unusual against normal samples; 0.5 is chance. Null without labels."""
    classes: dict[str, float] = {}
    """Class that is not normal → area under the ROC curve of its samples against all normal ones."""


@final
class Detection(BaseModel):
    """Result of a detection: how unusual each sample is, and the threshold for a rate of false alarms."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    format: Literal[1] = FORMAT
    model: str
    """The model."""
    data: str
    """Source of the samples."""
    method: str
    """Name of the method that decides."""
    seed: int
    """Seed of the detector, of the baselines and of the choice of samples."""
    count: int
    """Number of samples."""
    methods: dict[str, MethodResult]
    """Method → its result, the one that decides first, then the baselines."""
    normal: tuple[str, ...] = ()
    """Classes that count as normal; empty where nothing is compared with labels."""
    remarks: tuple[str, ...] = ()
    """Sentences to be read beside the result."""
    files: tuple[str, ...] = ()
    """Files that were written."""
    names: tuple[str, ...] = Field(default=(), exclude=True, repr=False)
    """Name of the file of each sample, or the number of its row, from 1. Not in the JSON file."""
    scores: tuple[float, ...] = Field(default=(), exclude=True, repr=False)
    """Score of each sample, higher for what is less like the training data. Not in the JSON file."""
    columns: tuple[tuple[str, ...], ...] = Field(default=(), exclude=True, repr=False)
    """Columns that contribute most to each score, the largest first; empty for other samples. Not in the JSON file."""

    @property
    def chosen(self) -> MethodResult:
        """Result of the method that decides."""
        return self.methods[self.method]

    @property
    def unusual(self) -> tuple[int, ...]:
        """Rows of the unusual samples, the most unusual first."""
        limit = self.chosen.threshold.value
        rows = (row for row, score in enumerate(self.scores) if score > limit)
        return tuple(sorted(rows, key=lambda row: -self.scores[row]))

    def table(self) -> bytes:
        """Return the content of scores.csv: name, score, yes or no, and of rows the columns that contribute most."""
        content, limit = io.StringIO(), self.chosen.threshold.value
        writer = csv.writer(content, lineterminator="\n")
        writer.writerow([*HEADING, *(["columns"] if self.columns else [])])
        for row, (name, score) in enumerate(zip(self.names, self.scores, strict=True)):
            told = ["; ".join(self.columns[row])] if self.columns else []
            writer.writerow([name, f"{score:.6g}", "yes" if score > limit else "no", *told])
        return content.getvalue().encode("utf-8", "backslashreplace")

    def lines(self) -> list[str]:
        """Return the result as plain text."""
        chosen, limit = self.chosen, self.chosen.threshold
        verb = "is" if chosen.unusual == 1 else "are"
        lines = [
            f"{chosen.unusual:,} of {self.count:,} samples in {self.data} {verb} unusual for {self.model}: their score "
            f"is above {limit.value:.4g} ({self.method})."
        ]
        names = [self.names[row] for row in self.unusual[:5]]
        if names:
            lines.append(f"The most unusual: {', '.join(names)}{', …' if chosen.unusual > len(names) else ''}")
        return [*lines, "", *self._methods(), "", *self.remarks, *(f"Wrote {file}" for file in self.files)]

    def _methods(self) -> list[str]:
        """Return a line for each method: its unusual samples, false alarms, and areas under ROC curves."""
        classes = list(self.chosen.classes) if len(self.chosen.classes) > 1 else []
        overall = ["AUROC"] if self.chosen.auroc is not None else []
        rows = [["", "unusual", "false alarms on held-out data", *overall, *classes]]
        for name, one in self.methods.items():
            areas = [f"{area:.3f}" for area in [one.auroc, *(one.classes[key] for key in classes)] if area is not None]
            rows.append([name, f"{one.unusual:,}", one.threshold.words(), *areas])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def better_baseline(methods: dict[str, MethodResult], chosen: str) -> str:
    """Return a sentence that names a baseline with a larger area than the chosen method; "" if there is none."""
    areas = {name: one.auroc for name, one in methods.items() if one.auroc is not None}
    best = max(areas, key=lambda name: areas[name] or 0.0, default=chosen)
    if best == chosen or (areas[best] or 0.0) - (areas[chosen] or 0.0) < MIN_LEAD:
        return ""
    return f"Of these samples, {best} tells more apart than {chosen}: choose --method {best}."
