"""Options of `sparring train` from a file: JSON with the names of the options, or the record of an earlier run."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sparring.api.fields import ALIASES
from sparring.arguments import checked_path, option
from sparring.errors import SparringError, nearest, shown
from sparring.manifest import digest
from sparring.recipe import Recipe, is_own, present_names
from sparring.recipes import RECIPES, find_recipe, recipe_key, recipe_named
from sparring.runs.display import Display
from sparring.runs.folder import Record
from sparring.storage import read_json

RECORD_OPTIONS = ("seed", "minutes", "until", "micro_batch", "watchdog")
"""Options whose value a record holds under their own name; not the device, which belongs to a machine."""
BUDGET = ("samples", "minutes")
"""Options that are one choice: one of them given replaces both."""
LABELS = "labels"
"""Both an option about the data and a field of recipes: the option decides."""
TYPED_ONLY = ("config", "continue", "continued", "json")
"""Options that are about one call, and do not belong into a file."""
MAX_SHOWN = 12
"""Options that a message lists."""


def with_config(place: str | Path, given: Mapping[str, Any], known: Sequence[str], display: Display) -> dict[str, Any]:
    """Return options of a file together with those given beside it, which win, and say what was used.

    Args:
        place: JSON whose keys are options of `sparring train` and fields of its recipe, or the description of a recipe
            by `sparring recipes NAME --json`; the recipe.json of a run, or its folder.
        given: options that were given beside the file.
        known: names of all options that a file can have.
        display: shows what was used.

    Raises:
        SparringError: it cannot be read, has an unknown key, or names a recipe of the user's own, whose code is run
            only where the user gives its name.
    """
    path = checked_path("the config", place)
    if path.is_dir() and not (path / "recipe.json").is_file():
        raise _refused(f"no run in the folder {path}", "a file of options, or a run")
    path = path / "recipe.json" if path.is_dir() else path
    try:
        content = read_json(path)
    except SparringError as error:
        raise SparringError(
            found=error.found, expected="options as strict JSON", remedy="correct the file, or give another one"
        ) from None
    if not isinstance(content, dict):
        raise _refused(f"{shown(content)} in {path}", "an object with the names of options as keys")
    is_record = isinstance(content.get("choices"), dict) and isinstance(content.get("facts"), dict)
    options = _of_record(content, path, given) if is_record else _of_file(content, path, given, known)

    for name, value in options.items():
        if name not in given and name != "recipe" and isinstance(value, str) and is_own(value):
            raise SparringError(
                found=f"your own function {value!r} as {name} in {path}",
                expected="that function to be given beside the file: code is never run because a file names it",
                remedy=f"add {option(name, value)}",
            )

    # A budget is one choice, of real samples or of minutes or of both.
    if any(name in given for name in BUDGET):
        options = {name: value for name, value in options.items() if name not in BUDGET}
    used = {name: value for name, value in options.items() if name not in given}
    listed = [f"{name} = {shown(value)}" for name, value in list(used.items())[:MAX_SHOWN]]
    more = [f"and {len(used) - MAX_SHOWN} more"] * (len(used) > MAX_SHOWN)
    replaced = [name for name in given if name in options and options[name] != given[name]]
    instead = f" Given beside it instead: {', '.join(replaced)}." if replaced else ""
    if os.environ.get("RANK", "0") == "0":
        display.say(f"From {path}: {', '.join([*listed, *more]) or 'nothing'}.{instead}")
    return options | dict(given)


def _of_record(content: dict[str, Any], path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with which a run began, or was continued, and every field that was chosen for it."""
    # A copy may have been edited: what it says counts, and its digest does not.
    values = {name: value for name, value in content.items() if name != "digest"}
    record = Record.from_json({**values, "digest": digest(values)}, path.parent)
    own = given.get("recipe")
    if is_own(record.recipe) and own is None:
        raise _own_recipe(record.recipe, path)
    options = {name: vars(record)[name] for name in RECORD_OPTIONS} | {"samples": record.samples}
    options |= {name: value for name, value in record.facts.reading.items() if name != "target"}
    options |= {"data": record.facts.source, "recipe": record.recipe}

    # Fields belong to their recipe; another one that is given has its own.
    if own is None or is_same_recipe(own, record.recipe):
        fields = present_names(recipe_named(record.recipe, own), record.fields)
        options |= {field: value for field, value in fields.items() if field not in (*BUDGET, LABELS)}
    return {name: value for name, value in options.items() if value is not None}


def _of_file(content: dict[str, Any], path: Path, given: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    """Return the options of a file that a person wrote; null stands for an option that is not given."""
    described = content.get("config")
    values = described if isinstance(described, dict) and isinstance(content.get("fields"), dict) else content
    options = {name.replace("-", "_"): value for name, value in values.items() if value is not None}
    if "recipe" in options and not isinstance(options["recipe"], str):
        raise _refused(f"{shown(options['recipe'])} for recipe in {path}", "the name of a recipe")
    recipe = given.get("recipe", options.get("recipe"))
    if "recipe" not in given and recipe is not None and is_own(recipe):
        raise _own_recipe(recipe, path)

    # Without a recipe, which is then chosen for the data, the key may be a field of any.
    recipes = (
        list(RECIPES.values()) if recipe is None else [recipe if isinstance(recipe, Recipe) else find_recipe(recipe)]
    )
    fields = dict.fromkeys(field for one in recipes for field in type(one).model_fields)
    for name in options:
        if name not in known and ALIASES.get(name, name) not in fields:
            if name in TYPED_ONLY:
                raise _refused(f"the key {name!r} in {path}", f"{option(name)} to be given beside the file")
            raise SparringError(
                found=f"the key {name!r} in {path}",
                expected="an option of `sparring train` or a field of the recipe",
                remedy=f"correct it or leave it out{nearest(name, [*known, *fields])}",
            )
    return options


def is_same_recipe(given: str | Recipe, recorded: str) -> bool:
    """Return whether a recipe that is given is the one that a run records; a file of the user's own may have moved."""
    if isinstance(given, Recipe):
        return recorded in (type(given).__name__, *(name for name, recipe in RECIPES.items() if recipe == given))
    if is_own(given) and is_own(recorded):
        return Path(given).name == Path(recorded).name
    return recipe_key(given) == recorded


def _own_recipe(name: str, path: Path) -> SparringError:
    return SparringError(
        found=f"the recipe {name!r} of your own in {path}",
        expected="that recipe to be given beside the file: code is never run because a file names it",
        remedy=f"add {option('recipe', name)}",
    )


def _refused(found: str, expected: str) -> SparringError:
    return SparringError(found=found, expected=expected, remedy="see `sparring train --help` for the options")
