"""`sparring recipes`."""

from typing import get_args

from sparring.text import printable, show


def recipes(name: str | None = None, /) -> None:
    """List the recipes, or the fields of one; each field is an option of `sparring train`.

    For example, `sparring recipes images/r3gan` lists the options for that recipe.

    Parameters
    ----------
    name
        A recipe, or your own as file.py:Name. Default: list all recipes.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from sparring.recipes import RECIPES, find_recipe

    # Without a name: one row for each recipe.
    console = Console()

    def add(table: Table, *cells: str) -> None:
        # Cells are literal text: those of the user's own recipe may hold anything.
        table.add_row(*(Text(printable(cell)) for cell in cells))

    if name is None:
        table = Table("recipe", "description", "paper", box=None)
        for known, recipe in RECIPES.items():
            add(table, known, _summary(type(recipe)), recipe.paper)
        console.print(table)
        return

    # With a name: one row for each field, with its choices where they are words.
    found = find_recipe(name)
    show(f"{name}: {_summary(type(found))}\n{found.paper}\n")
    table = Table("option", "default", "description", box=None)
    for field, information in type(found).model_fields.items():
        choices = get_args(information.annotation)
        words = f" ({', '.join(map(str, choices))})" if choices and all(isinstance(c, str) for c in choices) else ""
        default = getattr(found, field)
        add(table, f"--{field.replace('_', '-')}", _typed(default), f"{information.description or ''}{words}")
    console.print(table)


def _typed(value: object) -> str:
    """Return a value as it is typed on the command line: 64x64, or geometry,colour."""
    if not isinstance(value, tuple):
        return str(value)
    separator = "x" if all(isinstance(one, int) for one in value) else ","
    return separator.join(map(str, value))


def _summary(described: type) -> str:
    return (described.__doc__ or "").strip().splitlines()[0]
