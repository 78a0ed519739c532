"""Commands that messages suggest for a run."""

from pathlib import Path

from sparring.data.conditions import needs_inputs
from sparring.modalities import modality
from sparring.recipe import Recipe, is_own, with_stored_fields
from sparring.recipes import recipe_named
from sparring.runs.folder import Record
from sparring.text import command


def suggestion(record: Record, *words: object) -> str:
    """Return a command line to copy: ``suggestion(record, "resume", folder)``.

    It names the recipe only where it is the user's own: a run folder does not hold its code.
    """
    own = ("--recipe", record.recipe) if is_own(record.recipe) else ()
    return command("sparring", *words, *own)


def suggested_use(record: Record, folder: Path, own: str | Recipe | None) -> str:
    """Return the command that uses a trained model: `apply` if its condition is an input, or else `sample`.

    Args:
        record: of the run.
        folder: of the run.
        own: recipe that the user gave, which is needed where it is the user's own.
    """
    recipe = with_stored_fields(recipe_named(record.recipe, own), record.fields)
    view, specs = recipe.view(record.facts), modality(record.facts.modality).conditions
    if needs_inputs(specs, view):
        example = specs[view.condition].example(view, record.facts)
        options = [word for name in example for word in (f"--{name}", example[name])]
        return suggestion(record, "apply", folder, "INPUTS", *options, "--out", "applied/")
    return suggestion(record, "sample", folder, "--count", 64, "--out", "samples/")


def reading_options(record: Record) -> list[object]:
    """Return the options by which the data of a run is read alike: ``["--range", 0, 4095]``."""
    words: list[object] = []
    for name, value in record.facts.reading.items():
        if value is not None:
            values = value if isinstance(value, list | tuple) else [value]
            words += [f"--{name}", *("false" if one is False else one for one in values)]
    return words
