"""Games built from what a folder says, which may be hostile: memory is taken only after shapes were compared."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.games.game import Game
from sparring.randomness import seeded
from sparring.recipe import Recipe


def blank_game(recipe: Recipe, facts: Facts) -> Game:
    """Build the game of a recipe whose weights have shapes and no values; torch's random state is preserved.

    Memory of weights is reserved, and taken only once values are written, as by ``load_state_dict``.

    Raises:
        SparringError: the recipe is for other data, or its networks cannot be built for such data.
    """
    if recipe.modality != facts.modality:
        raise SparringError(
            found=f"a recipe for {recipe.modality} with facts of {facts.modality}",
            expected="a recipe and facts that fit each other",
            remedy="give the recipe that it came with, or copy the folder again",
        )
    try:
        with seeded(0, "weights"), Uninitialised():
            recipe.view(facts)
            return recipe.game(facts)
    except SparringError:
        raise
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), "")[:200]
        raise SparringError(
            found=f"networks that cannot be built ({type(error).__name__}: {reason})",
            expected="fields of the recipe and facts of the data that fit each other",
            remedy="copy the folder again",
        ) from error


class Uninitialised(TorchFunctionMode):
    """Skips the initialisation of parameters: functions that change one in place."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        name, named = getattr(function, "__name__", ""), kwargs or {}
        in_place = name.endswith("_") and not name.endswith("__") and name != "requires_grad_"
        changed = args[0] if args else named.get("tensor")  # As functions of torch.nn.init name it.
        return changed if in_place and isinstance(changed, torch.nn.Parameter) else function(*args, **named)
