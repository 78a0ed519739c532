"""A recipe: one experiment as a value, all its choices with a sentence under each.

This file and the recipes themselves import no torch: the command line reads them before it knows that it needs it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, final

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt, ValidationError

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError, nearest
from sparring.objectives.schedules import Schedule

if TYPE_CHECKING:
    from sparring.games.game import Game


@final
@dataclass(frozen=True)
class Machine:
    """What a recipe may fit itself to.

    Args:
        device: "cpu", "cuda" or "mps".
        memory: in bytes.
        cores: of the processor.
        bfloat16: whether convolutions run faster in bfloat16.
    """

    device: str
    memory: int
    cores: int
    bfloat16: bool


@final
@dataclass(frozen=True)
class Adam:
    """How one player moves: Adam (Kingma & Ba 2015) with scheduled rate and second decay."""

    learning_rate: Schedule
    beta1: float
    beta2: Schedule


Gamma: TypeAlias = PositiveFloat | Literal["auto"]
"""A weight of R1 and R2, or the one that a run finds by itself."""

Chosen = dict[str, tuple[Any, str]]
"""field → (value, the reason in a few words)"""


class Recipe(BaseModel, ABC):
    """One experiment: the game with its networks, and the numbers. Every recipe is final and is listed in RECIPES."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)

    modality: ClassVar[str]
    """Which kind of samples it is for."""
    paper: ClassVar[str]
    """Where it comes from."""

    samples: PositiveInt
    """Real samples to see when neither --samples nor --minutes is given."""
    batch: PositiveInt
    """Samples per batch, over all processes."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """What the networks compute in; losses and penalties are always float32."""

    @abstractmethod
    def game(self, facts: Facts) -> "Game":
        """The game for data of ``facts``, its networks freshly initialised from torch's global generator."""

    @abstractmethod
    def optimisers(self) -> Mapping[str, Adam]:
        """How each player moves."""

    def average_half_life(self, samples: int) -> float:
        """Samples after which a weight counts half in the averaged players, when ``samples`` have been seen: 5 %."""
        return 0.05 * samples

    @abstractmethod
    def view(self, facts: Facts) -> View:
        """How it looks at data of ``facts``: the shape of a sample, and what players are told."""

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """What follows from data and device, for a person who has no opinion: nothing."""
        return {}


def resolve(recipe: Recipe, facts: Facts, machine: Machine) -> tuple[Recipe, dict[str, str]]:
    """The recipe with every choice made, and the reason for each: given, chosen, or the recipe's own default."""
    chosen = {
        field: choice for field, choice in recipe.choose(facts, machine).items() if field not in recipe.model_fields_set
    }
    resolved = with_fields(recipe, {field: value for field, (value, _) in chosen.items()})
    reasons = dict.fromkeys(type(recipe).model_fields, "the recipe's default")
    reasons |= dict.fromkeys(recipe.model_fields_set, "given")
    reasons |= {field: reason for field, (_, reason) in chosen.items()}
    return resolved, reasons


RENAMED = {"noise": "latent_size", "highest_wave": "max_frequency"}
"""Fields that older folders know by another name."""


def with_stored_fields(recipe: Recipe, fields: Mapping[str, Any]) -> Recipe:
    """Return the recipe with the values that a folder stores, those of renamed fields included."""
    known = type(recipe).model_fields
    return with_fields(recipe, {name if name in known else RENAMED.get(name, name): fields[name] for name in fields})


def with_fields(recipe: Recipe, fields: Mapping[str, Any], options: Sequence[str] = ()) -> Recipe:
    """The recipe with other values for some fields; ``options`` are other words that a person may have meant.

    Raises:
        SparringError: a field does not exist or its value does not fit; the message names the nearest field.
    """
    known = list(type(recipe).model_fields)
    for field in fields:
        if field not in known:
            raise SparringError(
                found=f"the option {field!r}",
                expected=f"a field of this recipe ({', '.join(known)})",
                remedy=f"check the spelling{nearest(field, [*known, *options])}",
            )
    asked = {field: getattr(recipe, field) for field in recipe.model_fields_set}
    try:
        return type(recipe).model_validate({**asked, **fields})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or type(recipe).__name__
        raise SparringError(
            found=f"{first.get('input')!r} for {name}",
            expected=first["msg"].removeprefix("Input should be ").removeprefix("Value error, "),
            remedy="give another value or leave the option out",
        ) from None
