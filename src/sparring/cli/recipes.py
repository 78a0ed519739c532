"""`sparring recipes`"""

from typing import get_args


def recipes(name: str | None = None, /) -> None:
    """List the recipes, or all fields of one: each field is an option of `sparring train`.

    Examples:
        sparring recipes images/r3gan

    Parameters
    ----------
    name
        A recipe.
    """
    from rich.console import Console
    from rich.table import Table

    from sparring.recipes import RECIPES, find_recipe

    console = Console()
    if name is None:
        table = Table("recipe", "what it is", "paper", box=None)
        for known, recipe in RECIPES.items():
            table.add_row(known, _first_line(type(recipe)), recipe.paper)
        console.print(table)
        return
    found = find_recipe(name)
    console.print(f"[bold]{name}[/]: {_first_line(type(found))}\n{found.paper}\n", highlight=False)
    table = Table("option", "default", "meaning", box=None)
    for field, information in type(found).model_fields.items():
        choices = get_args(information.annotation)
        words = f" ({', '.join(map(str, choices))})" if choices and all(isinstance(c, str) for c in choices) else ""
        default = getattr(found, field)
        table.add_row(f"--{field.replace('_', '-')}", _shown(default), f"{information.description or ''}{words}")
    console.print(table)


def _shown(value: object) -> str:
    """As it would be given."""
    if not isinstance(value, tuple):
        return str(value)
    separator = "x" if all(isinstance(one, int) for one in value) else ","
    return separator.join(map(str, value))


def _first_line(described: type) -> str:
    return (described.__doc__ or "").strip().splitlines()[0]
