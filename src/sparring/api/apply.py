"""`sparring apply` in Python."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from sparring.api.sample import SavedSamples, overview_stem, write_samples
from sparring.arguments import checked_folder, whole_number
from sparring.data.conditions import INPUT
from sparring.data.journal import PART, UNFINISHED, Journal
from sparring.data.own_output import earlier_files, mark, replace_own
from sparring.errors import SparringError
from sparring.modality import Input
from sparring.model import MAX_ANSWERS, Model, load
from sparring.randomness import require_seed
from sparring.recipe import Recipe
from sparring.runs.display import Display, Plain


def apply(
    model: str | Path,
    inputs: Any,
    *,
    seed: int = 0,
    count: int = 1,
    strength: float = 1.0,
    out: str | Path = "applied",
    device: str = "cpu",
    recipe: str | Recipe | None = None,
    display: Display | None = None,
    **options: Any,
) -> SavedSamples:
    """Generate samples for each input and write them as files; the same as `sparring apply`.

    Convolutional generators of images take each input in its own size. Then a file keeps its name, and its sub-folder;
    the same call goes on after an interruption. Other models take all inputs in their own size, and number the files.

    Args:
        model: a run folder or a published folder.
        inputs: files, folders or patterns, as the modality reads them; or whatever ``Model.apply`` takes.
        seed: seed of the latents.
        count: results for each input, from different latents.
        strength: share of the change that is made, in [0, 1]: input + strength · (sample - input).
        out: folder of the files: empty, or with samples of an earlier call, which are replaced.
        device: device to compute on.
        recipe: needed for a model of your own recipe only: its value, or file.py:Name.
        display: shows the progress; None for plain lines.
        **options: further condition options of the model.

    Raises:
        SparringError: there is no model, it takes no inputs, none of them can be used, or ``out`` holds other files.
        KeyboardInterrupt: Ctrl-C; finished files stay, and the same call goes on.
    """
    # Check everything that can be checked before anything is computed.
    folder = checked_folder("the samples", out)
    earlier = earlier_files(folder, overview_stem(folder))
    seed, count = require_seed(seed), whole_number("count", count, most=MAX_ANSWERS)
    loaded = load(model, recipe=recipe, options={INPUT: inputs, **options})
    listed = loaded.inputs(inputs, count=count, strength=strength, **options)
    if listed is None:
        return write_samples(loaded, {INPUT: inputs, **options}, out, recipe, device, seed=seed)

    # Files of the same call are kept, and those of any other are replaced by the first result.
    found, remarks = listed
    display = display or Plain()
    for remark in remarks:
        display.say(remark)
    choices = {**options, "seed": seed, "count": count, "strength": strength}
    call = _digest(loaded, found, choices)
    part = folder / UNFINISHED / PART
    journal = Journal(folder, call, lambda: replace_own(folder, [path for path in earlier if path != part]))
    if journal.done:
        display.say(f"Going on after {len(journal.done)} files of an earlier call.")
    try:
        _write_all(loaded, found, _file_names(found, count), journal, display, seed, device)
    finally:
        display.close()
    mark(folder, journal.done, {})
    journal.remove()
    return SavedSamples(len(journal.done), folder, tuple(folder / name for name in journal.done), ())


def _write_all(
    model: Model,
    inputs: Sequence[Input],
    names: Sequence[Sequence[str]],
    journal: Journal,
    display: Display,
    seed: int,
    device: str,
) -> None:
    """Write the files of each input that are missing; inputs that cannot be used are skipped, and this is said.

    Raises:
        SparringError: none can be used.
        KeyboardInterrupt: Ctrl-C.
    """
    refusal: SparringError | None = None
    try:
        with model.on(device) as target:
            for number, (one, files) in enumerate(zip(inputs, names, strict=True)):
                try:
                    for answer, name in enumerate(files):
                        if name not in journal.done:
                            generator = model.any_size(number * len(files) + answer, seed, target)
                            for remark in one.write(generator, journal.part):
                                display.say(remark)
                            journal.add(name)
                except SparringError as error:
                    refusal = refusal or error
                    if len(inputs) > 1:
                        display.say(f"Skipped {one.name}. {error}")
                display.count("applying", number + 1, len(inputs))
    except KeyboardInterrupt:
        words = f"stopped after {len(journal.done)} files, which are kept; the same command goes on"
        raise KeyboardInterrupt(words) from None
    if refusal is not None and not journal.done:
        journal.remove()
        raise refusal


def _file_names(inputs: Sequence[Input], count: int) -> list[list[str]]:
    """Return the paths of the files of each input below the folder, all different on any file system.

    ``a/photo.jpg`` becomes ``a/photo.png``, the next of this name ``a/photo-2.png``; with several results for each
    input, ``a/photo-0.png`` and so on.
    """
    paths = [
        PurePosixPath(*(part for part in PurePosixPath(one.name).parts if part not in ("/", ".."))) for one in inputs
    ]
    taken = {str(folder).lower() for path in paths for folder in path.parents}
    names = []
    for one, path in zip(inputs, paths, strict=True):
        stem, again = path.with_suffix(""), 1
        while True:
            base = stem if again == 1 else stem.with_name(f"{stem.name}-{again}")
            own = [f"{base}{one.suffix}"] if count == 1 else [f"{base}-{answer}{one.suffix}" for answer in range(count)]
            if not taken & {name.lower() for name in own}:
                break
            again += 1
        taken |= {name.lower() for name in own}
        names.append(own)
    return names


def _digest(model: Model, inputs: Sequence[Input], choices: Mapping[str, Any]) -> str:
    """Return the SHA-256 of everything that the results depend on."""
    content = [model.name, model.history, [one.stamp for one in inputs], {name: str(choices[name]) for name in choices}]
    return sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
