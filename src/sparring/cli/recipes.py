"""`sparring recipes`."""

from typing import TYPE_CHECKING, Any, get_args

from sparring.cli.options import JsonOption
from sparring.text import printable, show

if TYPE_CHECKING:
    from sparring.recipe import Recipe


def recipes(name: str | None = None, /, *, json: JsonOption = None) -> None:
    """List the recipes, or the fields of one; each field is an option of `sparring train`.

    For example, `sparring recipes images/r3gan` lists the options for that recipe.

    Parameters
    ----------
    name
        A recipe, or your own as file.py:Name. Default: list all recipes.
    """
    from sparring.cli.json_output import json_output
    from sparring.recipes import RECIPES, find_recipe

    with json_output(json) as answer:
        if name is None:
            _show_all(RECIPES)
            answer({"recipes": [{"recipe": known, **_described(recipe)} for known, recipe in RECIPES.items()]})
        else:
            found = find_recipe(name)
            _show_fields(name, found)
            answer(_fields(name, found))


def _show_all(known: dict[str, "Recipe"]) -> None:
    """Print a row for each recipe."""
    from rich.console import Console
    from rich.table import Table

    console, table = Console(), Table("recipe", "description", "paper", box=None)
    for name, recipe in known.items():
        table.add_row(*_cells(name, _summary(type(recipe)), recipe.paper))
    console.print(table)


def _show_fields(name: str, recipe: "Recipe") -> None:
    """Print a row for each field of a recipe, with its choices where they are words."""
    from rich.console import Console
    from rich.table import Table

    show(f"{name}: {_summary(type(recipe))}\n{recipe.paper}\n")
    console, table = Console(), Table("option", "default", "description", box=None)
    for field, information in type(recipe).model_fields.items():
        choices = _choices(information.annotation)
        words = f" ({', '.join(choices)})" if choices else ""
        option, default = f"--{field.replace('_', '-')}", _typed(getattr(recipe, field))
        table.add_row(*_cells(option, default, f"{information.description or ''}{words}"))
    console.print(table)


def _described(recipe: "Recipe") -> dict[str, Any]:
    return {"modality": recipe.modality, "description": _summary(type(recipe)), "paper": recipe.paper}


def _fields(name: str, recipe: "Recipe") -> dict[str, Any]:
    """Return a recipe as JSON values: its fields, and the config that would fix all of them to their defaults."""
    values = recipe.model_dump(mode="json")
    fields = {
        field: {
            "default": values[field],
            "description": information.description or "",
            "choices": _choices(information.annotation),
        }
        for field, information in type(recipe).model_fields.items()
    }
    return {"recipe": name, **_described(recipe), "fields": fields, "config": {"recipe": name, **values}}


def _choices(annotation: Any) -> list[str]:
    """Return the words that a field takes; none where it takes other values."""
    choices = get_args(annotation)
    return list(choices) if choices and all(isinstance(choice, str) for choice in choices) else []


def _cells(*cells: str) -> list[Any]:
    """Return cells as literal text: those of the user's own recipe may hold anything."""
    from rich.text import Text

    return [Text(printable(cell)) for cell in cells]


def _typed(value: object) -> str:
    """Return a value as it is typed on the command line: 64x64, or geometry,colour."""
    if not isinstance(value, tuple):
        return str(value)
    separator = "x" if all(isinstance(one, int) for one in value) else ","
    return separator.join(map(str, value))


def _summary(described: type) -> str:
    return (described.__doc__ or "").strip().splitlines()[0]
