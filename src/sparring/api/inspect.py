"""`sparring inspect` in Python: describe data, and estimate a training run on it."""

import math
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from sparring.api.outputs import output_path, require_writable, write_result
from sparring.arguments import option
from sparring.data.facts import Facts
from sparring.data.reading import Columns, Keep, Labels, Pairs, ValueRange, reading
from sparring.recipe import BY_DEFAULT, Choice, Recipe, resolve
from sparring.rendering.fragments import fragment
from sparring.runs.display import Display, checked_display, clock
from sparring.text import joined, number_of

if TYPE_CHECKING:
    import torch

    from sparring.data.dataset import Split

SHEET_SAMPLES = 64
"""Samples on a contact sheet."""
COLUMNS = 8
"""Samples in a row of a contact sheet."""
MAX_STEPS, MEASURING_SECONDS = 10, 2.0
"""Training steps that are timed, and seconds after which no other one is."""
MAX_LISTED = 10
"""Names, classes or counts of one kind in the printed text; JSON has all of them."""
MAX_COLUMNS = 40
"""Columns of a table in the printed text."""
MAX_DUPLICATES_LISTED = 3
"""Pairs of duplicates in the printed text."""

TITLES = {"balance": "largest class over smallest"}
"""Detail → what it is called for a person, where its name does not tell."""
EVEN_AT_ONE = ("different sizes", "balance")
"""Beginnings of the names of details that are not worth a line where they are 1."""


@final
@dataclass(frozen=True)
class PlannedTraining:
    """The training run that `sparring train` would start.

    Args:
        recipe: name of the recipe.
        shape: shape of one sample as the networks take it.
        batch: samples per batch.
        samples: budget in real samples.
        device: type of the device.
        choices: field → {"value": …, "reason": …}.
        seconds: estimated duration of the whole run, from a timed step; None if none was timed.
        memory: peak memory in bytes after two steps; None if it was not measured.
        obstacle: a sentence on why training is not possible; None if it is.
        reason: a sentence on why this recipe was chosen; empty if it was given.
    """

    recipe: str
    shape: tuple[int, ...]
    batch: int
    samples: int
    device: str
    choices: dict[str, Choice]
    seconds: float | None = None
    memory: int | None = None
    obstacle: str | None = None
    reason: str = ""


@final
@dataclass(frozen=True)
class Inspection:
    """Description of the data, and the training run that would follow."""

    facts: Facts
    training: PlannedTraining

    def __repr__(self) -> str:
        known = f"{number_of(self.facts.count, 'sample')} of {self.facts.modality}"
        from sparring.data.in_memory import source_words

        return f"Inspection({source_words(self.facts.source)!r}: {known}; would train {self.training.recipe})"

    def __str__(self) -> str:
        return joined(self.lines())

    def _repr_html_(self) -> str:
        first, *others = _data_lines(self.facts)
        plan = self.training
        facts = [
            ("classes", ", ".join(self.facts.classes[:MAX_LISTED]) + ", …" * (len(self.facts.classes) > MAX_LISTED)),
            ("recipe", plan.recipe),
            ("trained as", f"{_sides(plan.shape)}, in batches of {plan.batch}, on {plan.device}"),
            ("expected time", "" if plan.seconds is None else f"{clock(plan.seconds)} for {plan.samples:,} samples"),
        ]
        obstacle = "" if plan.obstacle is None else f"Cannot be trained: {plan.obstacle}"
        return fragment(
            first,
            [obstacle, *self.facts.remarks],
            facts=[(name, value) for name, value in facts if value],
            folded=[*others, "", *_training_lines(plan)],
            heading="All details, and the reason for each choice",
        )

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {"facts": self.facts.as_json(), "training": asdict(self.training)}

    def lines(self) -> list[str]:
        """Return lines of text for the terminal; long lists are shortened."""
        from sparring.api.surveying import about_count

        few = about_count(self.facts)
        return [*_data_lines(self.facts), *([f"  {few}"] if few else []), "", *_training_lines(self.training)]


def inspect(
    data: Any,
    *,
    json: str | Path | None = None,
    sheet: str | Path | None = None,
    recipe: str | None = None,
    device: str | None = None,
    labels: Labels = None,
    range: ValueRange = None,
    background: str | None = None,
    pairs: Pairs = None,
    to: Any = None,
    columns: Columns = None,
    window: int | None = None,
    tokens: str | None = None,
    keep: Keep = None,
    measure: bool = True,
    display: Display | None = None,
) -> Inspection:
    """Describe ``data`` and the training run that would follow; the same as `sparring inspect`.

    Args:
        data: a folder, a file or the name of a data set; or as for ``train``.
        json: write the whole description to this file.
        sheet: write a contact sheet to this file: samples as they would be trained on, class by class.
        recipe: name of a recipe, or file.py:Name; None to choose one for the data.
        device: as for ``train``; None for the best available.
        labels: False to use none, True to require some, a file of them (FILE or FILE:COLUMN), or a column of Parquet
            files; None to take them from tables of labels, folders or columns.
        range: stored values that stand for black and for white; None to find them.
        background: colour under transparent pixels, a name or "#rrggbb"; None for white, "ignore" to drop that channel.
        pairs: "halves" of each image, "folders" with equal names, a CSV file with two columns of files, or False for
            none; None to find pairs.
        to: images of another domain, as ``data``, into which those of ``data`` are to be translated without pairs.
        columns: kinds of columns of a table, as {"age": "continuous", "note": "drop"} or text; None to find them.
        window: steps of the windows that time series are cut into; None for whole series, and 24 for a single one; or
            tokens of a text at most.
        tokens: units of texts: "characters", "words", "bytes" or "pairs"; None to choose them by the texts.
        keep: rules that all rows of a table keep, as "start<=end" or a list of rules; no generated row breaks one.
        measure: time training steps, to estimate the duration of the run.
        display: shows the progress of reading; None for plain lines.

    Raises:
        SparringError: nothing in ``data`` can be used, there is no such recipe, or an output cannot be written,
            which is checked first.
    """
    from sparring.api.surveying import survey_data
    from sparring.data.in_memory import place_of, source_of
    from sparring.data.parallel import shown_by
    from sparring.modalities import modality
    from sparring.recipes import reason_for
    from sparring.training.devices import pick

    require_writable({"json": json, "sheet": sheet}, data)
    display = checked_display(display)

    # Survey the data and resolve the recipe; samples are decoded only where they are needed.
    choices = reading(labels, range, background, pairs, place_of(to), columns, keep, window, tokens=tokens)
    with shown_by(display.count):
        name, chosen, survey = survey_data(source_of(data), recipe, choices)
    resolved, training = _plan(survey.facts, name, chosen, pick(device))
    training = replace(training, reason=reason_for(survey.facts) if recipe is None else "")
    measure = measure and training.obstacle is None
    if sheet is not None or measure:
        view = resolved.view(survey.facts)
        with shown_by(display.count):
            split = survey.prepare(view)
        if sheet is not None:
            # Pairs are shown as pairs, whatever the recipe makes of them, and domains one after the other.
            if not view.condition and "pair" in survey.facts.coding:
                shown = replace(view, condition="pair")
            else:
                spec = modality(survey.facts.modality).conditions.get(view.condition)
                belongs = spec is None or spec.determines or not spec.required
                shown = view if belongs else replace(view, condition="", options={})
            _write_sheet(output_path(sheet), split if shown == view else survey.prepare(shown), display)
        if measure:
            training = _measured(training, resolved, split, pick(device))

    inspection = Inspection(survey.facts, training)
    if json is not None:
        write_result(json, inspection.as_json())
    return inspection


def _plan(facts: Facts, name: str, recipe: Recipe, device: "torch.device") -> tuple[Recipe, PlannedTraining]:
    """Resolve the recipe for the data and the device."""
    from sparring.training.devices import describe

    recipe, choices = resolve(recipe, facts, describe(device))

    # Too few samples are an obstacle that the plan reports, not an error: everything else is still shown.
    too_few = f"Found {number_of(facts.count, 'readable sample')}, fewer than a batch of {recipe.batch}."
    return recipe, PlannedTraining(
        recipe=name,
        shape=recipe.view(facts).shape,
        batch=recipe.batch,
        samples=recipe.samples,
        device=device.type,
        choices=choices,
        obstacle=too_few if facts.count < recipe.batch else None,
    )


def _measured(training: PlannedTraining, recipe: Recipe, split: "Split", device: "torch.device") -> PlannedTraining:
    """Add the expected time and memory: make a few training steps, and take the time of the fastest."""
    from sparring.randomness import seeded
    from sparring.training.devices import computing_on, threads_for
    from sparring.training.plan import Plan
    from sparring.training.trainer import Trainer

    with seeded(0, "weights"):
        game = recipe.game(split.facts)
    plan = Plan(recipe.optimisers(), recipe.batch, recipe.samples, bfloat16=recipe.precision == "bfloat16")
    trainer = Trainer(game, split.train, plan, device=device)

    # The first step also allocates memory and chooses algorithms. Other programs only ever make a step slower; on one
    # thread, the time of the processor leaves them out.
    threads = threads_for(device, recipe.batch * sum(math.prod(shape) for shape in split.train.shapes))
    now = time.process_time if device.type == "cpu" and threads == 1 else time.perf_counter
    with computing_on(threads):
        trainer.advance()
        began, each = time.perf_counter(), list[float]()
        while not each or (len(each) < MAX_STEPS and time.perf_counter() - began < MEASURING_SECONDS):
            seen, before = trainer.samples, now()
            trainer.advance()
            each.append((now() - before) / (trainer.samples - seen))
    return replace(training, seconds=min(each) * recipe.samples, memory=_peak_memory(device))


def _peak_memory(device: "torch.device") -> int | None:
    """Return the peak memory in bytes: of the GPU if the device is one, else of this process."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if sys.platform == "win32":
        return None
    import resource

    # ru_maxrss is in bytes on macOS, in KiB elsewhere.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _write_sheet(path: Path, split: "Split", display: Display) -> None:
    """Write a contact sheet to ``path``: samples drawn at random, in lines of one class where there are classes.

    Further files, if the modality has several, go beside it.
    """
    from sparring.data.dataset import rows_to_show
    from sparring.modalities import modality
    from sparring.rendering.exhibits import Picture, exhibit_files, require_own
    from sparring.storage import write_bytes

    kind, count = modality(split.facts.modality), SHEET_SAMPLES
    rows = rows_to_show(split.train, max(count, kind.samples_per_picture), seed=0, columns=COLUMNS)
    exhibits = kind.show(split.train.batch(rows), split.facts, columns=COLUMNS)
    files = exhibit_files(exhibits, path.with_suffix(""))
    if isinstance(exhibits[0], Picture):
        first = next(iter(files))
        files = {path if one == first else one: content for one, content in files.items()}
    require_own({one: content for one, content in files.items() if one != path})
    for one, content in files.items():
        write_bytes(one, content)
    for exhibit in exhibits:
        if exhibit.caption:
            display.say(exhibit.caption)


def _data_lines(facts: Facts) -> Iterator[str]:
    from sparring.data.in_memory import source_words

    columns, source = facts.details.get("columns"), source_words(facts.source)
    if isinstance(columns, list):
        # A sample of one dimension is a row of a table.
        what = "rows" if len(facts.shape) == 1 else facts.modality
        yield f"{source}: {facts.count:,} {what} of {len(columns):,} columns"
        yield from _column_lines(columns)
    else:
        shape = _sides(facts.shape)
        paired = "pair" in facts.coding or facts.coding.get("source") is not None
        described = f"pairs of {facts.modality}" if paired else f"{facts.modality}, most of shape {shape}"
        yield f"{source}: {facts.details.get('samples') or f'{facts.count:,} {described}'}"
    for name, value in facts.details.items():
        if name == "unreadable":
            yield from _unreadable_lines(value)
        elif name.startswith("duplicates"):
            yield from _duplicate_lines(name, value)
        elif (
            name == "samples"
            or (value is columns and isinstance(value, list))
            or (value == 1 and name.startswith(EVEN_AT_ONE))
        ):
            continue
        elif text := _text(value):
            yield f"  {TITLES.get(name, name)}: {text}"
    for remark in facts.remarks:
        yield f"  {remark}"


def _column_lines(columns: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for each column of a table: kind, range or categories, missing cells, and the reason."""
    for column in columns[:MAX_COLUMNS]:
        missing = f", {_percent(column['missing'])} missing" if column["missing"] else ""
        yield f"  {column['name']}: {column['kind']}, {column['values']}{missing} ({column['reason']})"
    if len(columns) > MAX_COLUMNS:
        yield f"  and {len(columns) - MAX_COLUMNS:,} more columns (all of them: {option('json', 'FILE')})"


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "under 0.1%"


def _text(value: Any) -> str:
    """Return a detail as text: counts by name, the number of values in a list, or the value; empty for nothing."""
    if isinstance(value, dict):
        shown = [f"{key} ({number})" for key, number in list(value.items())[:MAX_LISTED]]
        more = [f"and {len(value) - MAX_LISTED} more"] if len(value) > MAX_LISTED else []
        return ", ".join(shown + more)
    if isinstance(value, list):
        return f"{len(value)} values" if value else ""
    return f"{value:,}" if isinstance(value, int) else str(value)


def _unreadable_lines(files: list[dict[str, str]]) -> Iterator[str]:
    if files:
        yield f"  unreadable: {len(files):,}"
    for file in files[:MAX_LISTED]:
        yield f"    {file['name']}: {file['reason']}"
    if len(files) > MAX_LISTED:
        yield f"    and {len(files) - MAX_LISTED:,} more (all of them: {option('json', 'FILE')})"


def _duplicate_lines(name: str, found: dict[str, Any]) -> Iterator[str]:
    yield f"  {name}: {found['count']:,}"
    for duplicate, original in found["first"][:MAX_DUPLICATES_LISTED]:
        yield f"    {duplicate} is the same as {original}"


def _sides(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


def _training_lines(training: PlannedTraining) -> Iterator[str]:
    shape = _sides(training.shape)
    form = f"samples of {shape} values" if len(training.shape) == 1 else f"samples of shape {shape}"
    yield f"would train {training.recipe} on {training.device}: {form}, in batches of {training.batch}"
    if training.reason:
        yield f"  {training.reason}"
    for field, choice in training.choices.items():
        if choice["reason"] != BY_DEFAULT:
            yield f"  {field} = {choice['value']}: {choice['reason']}"
    if training.seconds is not None:
        count, rate = f"{training.samples:,} samples", training.samples / training.seconds
        yield f"  expected time: {clock(training.seconds)} for {count} ({rate:,.0f} per second)"
    if training.memory is not None:
        yield f"  expected memory: {training.memory / 2**30:.1f} GiB"
    if training.obstacle is not None:
        yield f"  cannot be trained: {training.obstacle}"
