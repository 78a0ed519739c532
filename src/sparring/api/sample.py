"""`sparring sample` in Python: from a model to files."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor

from sparring.arguments import checked_folder, option, whole_number
from sparring.data.conditions import INPUT, as_inputs, repeated
from sparring.data.own_output import earlier_files, record_own, replace_own
from sparring.errors import SparringError
from sparring.flow import Batch
from sparring.modality import SavesInputs, ScoresSamples
from sparring.model import Model, load
from sparring.opening import size_words
from sparring.recipe import Recipe
from sparring.rendering.exhibits import Exhibit, write_exhibits
from sparring.runs.display import Display, checked_display
from sparring.samples import batch_size, take
from sparring.sampling import SAMPLES_PER_PASS, Accepted
from sparring.text import number_of

DEFAULT_COUNT = 64
"""Samples that are generated without a count and without inputs."""
COLUMNS = 8
"""Samples per row of the overview."""
MAX_SHOWN = 1024
"""Samples in the overview: at most so many, or those that fill a picture."""
MAX_COUNT = 100_000_000
"""Samples that one call writes at most."""
PART_BYTES = 2**28
"""Bytes of samples that are held in memory at once."""
ANSWERED_BYTES = 2**31
"""Bytes of samples that are written together with their inputs, all of which are held in memory."""
MAX_LISTED = 20
"""Inputs that are listed at most."""
BYTES_PER_NUMBER = 4
"""Bytes of a number in memory."""


@final
@dataclass(frozen=True)
class SavedSamples:
    """Samples in files.

    Args:
        count: number of samples.
        folder: folder of the files, which holds nothing else, so that it can be evaluated.
        files: files with one or several samples each.
        overview: files that show the samples together, at most the first thousand or so, beside the folder; none for
            results of inputs in their own size.
        remarks: full sentences about samples that were refused.
    """

    count: int
    folder: Path
    files: tuple[Path, ...]
    overview: tuple[Path, ...]
    remarks: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON values, with paths as text."""
        return {
            "count": self.count,
            "folder": str(self.folder),
            "files": [str(path) for path in self.files],
            "overview": [str(path) for path in self.overview],
            "remarks": list(self.remarks),
        }

    def line(self) -> str:
        """Return one line that names the folder and the overview."""
        overview = f"; overview: {', '.join(map(str, self.overview))}" if self.overview else ""
        parts = f"{number_of(self.count, 'sample')} to {self.folder} ({number_of(len(self.files), 'file')})"
        return f"Wrote {parts}{overview}"


def sample(
    model: str | Path,
    *,
    count: int | None = None,
    seed: int = 0,
    truncation: float = 1.0,
    out: str | Path = "samples",
    device: str = "cpu",
    recipe: str | Recipe | None = None,
    display: Display | None = None,
    **options: Any,
) -> SavedSamples:
    """Generate samples and write them as files; the same as `sparring sample`.

    Args:
        model: a run folder or a published folder.
        count: number of samples; None for one per input, or 64 without inputs.
        seed: as for ``Model.sample``.
        truncation: as for ``Model.sample``.
        out: folder of the files: empty, or with samples of an earlier call, which are replaced.
        device: device to compute on.
        recipe: needed for a model of your own recipe only: its value, or file.py:Name.
        display: shows the progress of a search for samples that meet the options; None for a bar in terminals and
            notebooks, else lines.
        **options: condition options of the model, such as ``label="cats"``.

    Raises:
        SparringError: there is no model, it does not have an option, or ``out`` holds other files.
        KeyboardInterrupt: Ctrl-C; nothing is kept.
    """
    numbers: dict[str, Any] = {"count": count, "seed": seed, "truncation": truncation}
    return write_samples(model, options, out, recipe, device, display=display, **numbers)


def overview_stem(folder: Path) -> Path:
    """Return the path of the overview beside a folder of samples, without extension."""
    return folder.resolve().parent / f"{folder.resolve().name}-grid"


def write_samples(
    model: str | Path | Model,
    options: Mapping[str, Any],
    out: str | Path,
    recipe: str | Recipe | None,
    device: str,
    *,
    seed: int,
    count: int | None = None,
    truncation: float = 1.0,
    answers: int = 1,
    display: Display | None = None,
) -> SavedSamples:
    """Generate samples under the conditions of ``options`` and write them as files; see ``sample``.

    There are ``answers`` samples of each condition, in a row.
    """
    # Check the folder and the number of samples before any of them is generated.
    folder = checked_folder("the samples", out)
    stem = overview_stem(folder)
    earlier = earlier_files(folder, stem)
    loaded = model if isinstance(model, Model) else load(model, recipe=recipe, options=options)
    count = count if count is not None or options.get(INPUT) is not None else DEFAULT_COUNT
    if count is not None:
        count = whole_number("count", count, most=MAX_COUNT)
        _require_room(folder, count, loaded.bytes_per_sample // BYTES_PER_NUMBER)
    answered = count is None and isinstance(loaded.modality, SavesInputs)
    condition = loaded.conditions(count, **options)
    if answered:
        _require_memory(batch_size(condition) * answers, loaded.bytes_per_sample)
    condition = repeated(condition, answers)
    count = batch_size(condition) if count is None else count

    # Generate them in parts that fit into memory, and write each part; the overview shows the first one.
    numbers: dict[str, Any] = {"seed": seed, "truncation": truncation, "device": device}
    size = max(1, PART_BYTES // loaded.bytes_per_sample // SAMPLES_PER_PASS) * SAMPLES_PER_PASS
    size = count if answered else size
    files, parts, rows, generated = list[Path](), list[Batch](), torch.arange(0), 0
    about: Sequence[Exhibit] = ()
    shown_on = checked_display(display)

    def show_search(kept: int, made: int) -> None:
        share = 100 * (len(rows) + kept) / max(1, generated + made)
        shown_on.count(f"searching, {share:.2g} % kept", len(rows) + kept, count)

    try:
        for first in range(0, count, size):
            given = take(condition, slice(first, first + size))
            some = min(size, count - first)
            found = loaded.accepted(some, given, options, first=first, on_search=show_search, **numbers)
            if len(found.rows) and not files:
                replace_own(folder, earlier)
            if len(found.rows):
                if answered:
                    written, about = _saved_with_inputs(loaded, found, folder, options, answers)
                else:
                    found, written = _saved(loaded, found, folder, options, first=len(rows))
                files += written
                parts = parts or [Batch(found.samples, take(given, found.rows))]
            rows, generated = torch.cat([rows, found.rows + first]), generated + found.generated
    except KeyboardInterrupt:
        for path in files:
            path.unlink(missing_ok=True)
        raise KeyboardInterrupt("stopped: no sample is kept") from None
    finally:
        shown_on.close()
    remarks = _remarks(Accepted((), rows, generated), count, answers if options.get(INPUT) is not None else 0)
    replaced = [path for path in earlier if path.parent == folder]
    remarks += (f"Replaced {number_of(len(replaced), 'file')} of an earlier call.",) * bool(replaced)

    by_class = not any(value is not None for value in options.values())
    overview = (*_overview(loaded, parts[0], stem, by_class=by_class), *write_exhibits(about, stem))
    record_own(folder, files, overview)
    return SavedSamples(len(rows), folder, tuple(files), overview, remarks)


def _overview(model: Model, samples: Batch, stem: Path, *, by_class: bool) -> list[Path]:
    """Show the first samples; of classes that come in turn, each has its rows where ``by_class`` is set."""
    shown, columns = take(samples, slice(0, max(MAX_SHOWN, model.modality.samples_per_picture))), COLUMNS
    if by_class and 1 < len(model.classes) <= batch_size(shown):
        shown = take(shown, _order_by_class(batch_size(shown), len(model.classes)))
        columns = batch_size(shown) // len(model.classes)
    return model.show(shown.real, stem, columns=columns, condition=shown.condition)


def _require_memory(count: int, size: int) -> None:
    """Check that samples of ``size`` bytes, which are written together with their inputs, fit into memory at once.

    Raises:
        SparringError: they do not.
    """
    most = ANSWERED_BYTES // size
    if count > most:
        raise SparringError(
            found=f"{count:,} samples, which take {size_words(count * size)}",
            expected=f"at most {most:,}, which are written together with their inputs",
            remedy=f"give a smaller {option('count')}, or fewer inputs at a time",
        )


def _saved_with_inputs(
    model: Model, found: Accepted, folder: Path, options: Mapping[str, Any], answers: int
) -> tuple[list[Path], Sequence[Exhibit]]:
    """Write samples, ``answers`` of each input, together with the inputs of ``options``; return files and exhibits."""
    kind: Any = model.modality
    options = {**options, INPUT: as_inputs(options[INPUT])}
    saved: tuple[list[Path], Sequence[Exhibit]] = kind.save_with_inputs(
        found.samples, found.rows // answers, model.facts, folder, options=options, view=model.view
    )
    return saved


def _saved(
    model: Model, found: Accepted, folder: Path, options: Mapping[str, Any], *, first: int
) -> tuple[Accepted, list[Path]]:
    """Write samples, in descending order of a score if one is asked for; return them in this order, and the files."""
    kind: Any = model.modality
    scores = kind.scores(found.samples, model.facts, options) if isinstance(kind, ScoresSamples) else None
    if scores is None:
        return found, kind.save(found.samples, model.facts, folder, first=first)
    order = scores.argsort(descending=True, stable=True)
    found = Accepted(take(found.samples, order), found.rows[order], found.generated)
    return found, kind.save_scored(found.samples, scores[order], model.facts, folder, first=first)


def _remarks(found: Accepted, count: int, answers: int) -> tuple[str, ...]:
    """Return sentences about samples that were refused.

    Args:
        found: those that were accepted.
        count: number of those that were asked for.
        answers: samples of each input; 0 without inputs.

    Raises:
        SparringError: none was accepted.
    """
    told = [found.shortage(count)]
    if answers and told[0]:
        answered = {row // answers for row in found.rows.tolist()}
        absent = sorted(set(range(count // answers)) - answered)
        some = ", ".join(str(one + 1) for one in absent[:MAX_LISTED]) + (", …" if len(absent) > MAX_LISTED else "")
        told.append(f"Nothing was written for input {some}.")
    rate = found.acceptance()
    return tuple(one for one in (*told, f"{rate}." if rate else "") if one)


def _order_by_class(count: int, classes: int) -> Tensor:
    """Return the order that sorts samples generated with all classes in turn by class, with equally many of each."""
    return torch.arange(count // classes * classes).view(-1, classes).T.reshape(-1)


def _require_room(folder: Path, count: int, numbers: int) -> None:
    """Check that there is room for as many samples, which take a byte or more for each of their numbers.

    Raises:
        SparringError: there is not.
    """
    place = next(parent for parent in folder.absolute().parents if parent.exists())
    free, needed = shutil.disk_usage(place).free, count * numbers
    if needed > free:
        raise SparringError(
            found=f"{option('count', count)}, for which {size_words(needed)} of disk space are needed",
            expected=f"no more than is free: {size_words(free)}",
            remedy="give a smaller number, or a folder on a larger disk",
        )
