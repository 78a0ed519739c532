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

    It names what is the user's own, recipe and functions of a recipe: a run folder does not hold their code.
    """
    own = ["--recipe", record.recipe] if is_own(record.recipe) else []
    if words[0] == "resume":
        functions = {name: value for name, value in record.fields.items() if isinstance(value, str) and is_own(value)}
        own += [word for name, value in functions.items() for word in (f"--{name}", value)]
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


def reading_options(record: Record, *, rules: bool = False) -> list[object]:
    """Return the options by which the data of a run is read alike: ``["--range", 0, 4095]``.

    Args:
        record: of the run.
        rules: whether those that generated samples keep belong to them: they do for `train`, others find them in the
            model.
    """
    words: list[object] = []
    for name, value in record.facts.reading.items():
        if name == "keep":
            words += [word for rule in value if rules for word in ("--keep", rule)]
        elif isinstance(value, dict):
            pairs = [f"{column}={kind}" for column, kind in value.items()]
            words += [f"--{name}", ",".join(f'"{pair}"' if "," in pair else pair for pair in pairs)]
        elif value is not None:
            values = value if isinstance(value, list | tuple) else [value]
            words += [f"--{name}", *("false" if one is False else one for one in values)]
    return words
