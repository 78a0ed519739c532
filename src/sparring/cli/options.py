"""Options that depend on the recipe or the model: fields of a recipe, and conditions of a model."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from sparring.errors import SparringError


def extra_options(options: Mapping[str, str], function: Callable[..., Any]) -> dict[str, str]:
    """Return options by their Python names, with underscores in place of dashes.

    Args:
        options: as typed, without the leading dashes.
        function: takes them beside parameters of its own.

    Raises:
        SparringError: an option has the name of a parameter of ``function`` that is no option of the command.
    """
    found = {name.replace("-", "_"): value for name, value in options.items()}
    for name in inspect.signature(function).parameters.keys() & found.keys():
        raise SparringError(
            found=f"--{name} {found[name]}",
            expected="an option of this command",
            remedy="see --help, and `sparring recipes NAME` for the fields of a recipe",
        )
    return found
