"""Free options: fields of a recipe, and what a model can be asked for."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from sparring.errors import SparringError


def free(options: Mapping[str, str], function: Callable[..., Any]) -> dict[str, str]:
    """Options by the names that Python has for them.

    Args:
        options: as typed, without their dashes in front.
        function: takes them beside parameters of its own.

    Raises:
        SparringError: one is called as a parameter of ``function`` that has no such option.
    """
    found = {name.replace("-", "_"): value for name, value in options.items()}
    for name in inspect.signature(function).parameters.keys() & found.keys():
        raise SparringError(
            found=f"--{name} {found[name]}",
            expected="an option of this verb",
            remedy="look at --help, and at `sparring recipes NAME` for the fields of a recipe",
        )
    return found
