"""`sparring apply` in Python."""

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from sparring.api.sample import SavedSamples, overview_stem, write_samples
from sparring.arguments import checked_folder, option, whole_number
from sparring.data.conditions import INPUT
from sparring.data.journal import JOURNAL, PART, UNFINISHED, Journal
from sparring.data.own_output import earlier_files, files_made, mark, replace_own
from sparring.errors import SparringError
from sparring.modality import Input
from sparring.model import MAX_ANSWERS, Model, load
from sparring.randomness import require_seed
from sparring.recipe import Recipe
from sparring.runs.display import Display, checked_display
from sparring.text import number_of


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
    files that are up to date, of an interrupted or of a finished call, are not computed again. Other models take all
    inputs in their own size, and number the files.

    Args:
        model: a run folder or a published folder.
        inputs: files, folders or patterns, as the modality reads them; or whatever ``Model.apply`` takes.
        seed: seed of the latents.
        count: results for each input, from different latents.
        strength: share of the change that is made, in [0, 1]: input + strength · (sample - input).
        out: folder of the files: empty, or with samples of earlier calls. Those that are not up to date, or of other
            inputs, are replaced; their number is said.
        device: device to compute on.
        recipe: needed for a model of your own recipe only: its value, or file.py:Name.
        display: shows the progress; None for a bar in terminals and notebooks, else lines.
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
    listed, display = loaded.inputs(inputs, count=count, strength=strength, **options), checked_display(display)
    if listed is None:
        _say_replaced(display, folder, [path for path in earlier if path.parent == folder])
        numbers: dict[str, Any] = {"seed": seed, "answers": count, "display": display}
        return write_samples(loaded, {INPUT: inputs, **options}, out, recipe, device, **numbers)

    found, remarks = listed
    for remark in remarks:
        display.say(remark)

    # Files that are up to date are kept, and all others of earlier calls are replaced by the first result.
    names, choices = _file_names(found, count), {**options, "seed": seed, "strength": strength}
    made = dict(_digests(loaded, found, names, choices))
    journal = Journal(folder, made, files_made(folder), lambda: replace_own(folder, replaced))
    kept = {folder / name for name in (*journal.done, f"{UNFINISHED}/{JOURNAL}", f"{UNFINISHED}/{PART}")}
    replaced = [path for path in earlier if path not in kept]
    if journal.done:
        display.say(f"{len(journal.done)} of {len(made)} results are up to date.")
    _say_replaced(display, folder, replaced)
    try:
        _write_all(loaded, found, names, journal, display, seed, device)
    finally:
        display.close()
    journal.begin()
    mark(folder, journal.done, {}, made={name: made[name] for name in journal.done})
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


def _say_replaced(display: Display, folder: Path, replaced: Sequence[Path]) -> None:
    if replaced:
        display.say(
            f"Replaces {number_of(len(replaced), 'file')} of earlier calls in {folder}, with another model, option or "
            f"input; to keep both, give another {option('out')}."
        )


def _digests(
    model: Model, inputs: Sequence[Input], names: Sequence[Sequence[str]], choices: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield each file and the SHA-256 of everything that it depends on."""
    common = [model.name, model.history, {name: str(choices[name]) for name in choices}]
    has_latents = model.has_latents
    for number, (one, files) in enumerate(zip(inputs, names, strict=True)):
        for answer, name in enumerate(files):
            # Without latents a result is the same whatever its number.
            latent = number * len(files) + answer if has_latents else 0
            content = [*common, one.stamp, latent]
            yield name, sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
