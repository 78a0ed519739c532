"""A recipe: one experiment as a value, every choice of which has a sentence of documentation.

This file and the recipe files import no torch: the command line reads them before it knows whether torch is needed.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias, final

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, ValidationError, with_config
from typing_extensions import TypedDict

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError, nearest, shown
from sparring.objectives.schedules import Schedule
from sparring.schema import STORED

if TYPE_CHECKING:
    from sparring.games.game import Game
    from sparring.objectives.losses import Loss


@final
@dataclass(frozen=True)
class Machine:
    """The device that a recipe may adapt to.

    Args:
        device: "cpu", "cuda" or "mps".
        memory: bytes of memory.
        cores: number of processor cores.
        bfloat16: whether convolutions run faster in bfloat16.
    """

    device: str
    memory: int
    cores: int
    bfloat16: bool


@final
@dataclass(frozen=True)
class Adam:
    """Settings of one player's Adam optimiser (Kingma & Ba 2015), with schedules for the learning rate and β2.

    Args:
        learning_rate: over the run.
        beta1: decay of the mean gradient.
        beta2: decay of the mean squared gradient, over the run.
        weight_decay: λ of a penalty λ‖θ‖² / 2 on the weights, whose gradient Adam scales like any other.
    """

    learning_rate: Schedule
    beta1: float
    beta2: Schedule
    weight_decay: float = 0.0


LossName: TypeAlias = Literal["minimax", "non_saturating", "least_squares", "hinge", "wasserstein", "relativistic"]
"""Keys of ``sparring.objectives.losses.LOSSES``, repeated here because that file imports torch."""

LIPSCHITZ_LOSSES: tuple[LossName, ...] = ("wasserstein",)
"""Losses that are unbounded unless the slope of the discriminator is bounded (Arjovsky et al. 2017, section 3)."""

LOG_ODDS_LOSSES: tuple[LossName, ...] = ("minimax", "non_saturating", "relativistic")
"""Losses whose logits are log odds, the unit of the set point that an automatic γ holds; see ``objectives.gamma``."""

Gamma: TypeAlias = PositiveFloat | Literal["auto"]
"""Weight γ of the penalties: a number, or "auto" for the one that a run finds by itself."""

Samples: TypeAlias = Annotated[int, Field(gt=0, le=2**53)]
"""Number of real samples in a run."""
BatchSize: TypeAlias = Annotated[int, Field(gt=0, le=2**20)]
"""Samples in a batch."""
LayerSize: TypeAlias = Annotated[int, Field(gt=0, le=2**16)]
"""Channels or units of a layer, or numbers in a latent; bounded so that a hostile folder cannot fill memory."""
PackSize: TypeAlias = Annotated[int, Field(gt=0, le=256)]
"""Samples that a discriminator scores together."""

Chosen: TypeAlias = dict[str, tuple[Any, str]]
"""Field → (value, the reason for it in a few words)."""
BY_DEFAULT = "the recipe's default"
"""Reason for a value that was neither given nor chosen."""


@with_config(STORED)
class Choice(TypedDict):
    """Value of one field of a recipe, as JSON, and the reason for it."""

    value: Any
    reason: str


class Recipe(BaseModel, ABC):
    """One experiment: the game with its networks, and the numbers. Every recipe is final and is listed in RECIPES."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)

    modality: ClassVar[str]
    """Name of the modality whose samples it trains on."""
    paper: ClassVar[str]
    """Publication that it follows."""
    earlier: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Values of fields that folders of earlier versions lack, where they are not the defaults of today."""

    samples: Samples
    """Real samples to see when neither --samples nor --minutes is given."""
    batch: BatchSize
    """Samples per batch, over all processes."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Number format of the networks; losses and penalties are always float32."""

    @abstractmethod
    def game(self, facts: Facts) -> "Game":
        """Build the game for data of ``facts``; initial weights are drawn from torch's global generator."""

    @abstractmethod
    def optimisers(self) -> Mapping[str, Adam]:
        """Return the optimiser settings of each player."""

    def average_half_life(self, samples: int) -> float:
        """Return the half-life of the averaged weights, in samples, once ``samples`` have been seen: 5 % of them."""
        return 0.05 * samples

    @abstractmethod
    def view(self, facts: Facts) -> View:
        """Return the view of data of ``facts``: the shape of a sample, and the condition that players are given."""

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose fields by data and device; fields that were given are kept. The default chooses nothing."""
        return {}


class AdversarialRecipe(Recipe):
    """Base of recipes that play a duel: they share the choice of the loss, and the rules for what fits it."""

    loss: LossName
    """Adversarial loss of both players."""

    @property
    @abstractmethod
    def constrained(self) -> bool:
        """True if a penalty or weight clipping bounds the slope of the discriminator."""

    def loss_function(self) -> "Loss":
        """Return the loss to build the game with.

        Raises:
            SparringError: the loss needs a constraint on the discriminator, and there is none.
        """
        from sparring.objectives.losses import LOSSES

        if self.loss in LIPSCHITZ_LOSSES and not self.constrained:
            raise SparringError(
                found=f"the {self.loss} loss without a Lipschitz constraint",
                expected="a penalty or weight clipping, without which this loss has no lower bound",
                remedy="choose a penalty where the recipe has one, or another loss",
            )
        return LOSSES[self.loss]

    def constant_gamma(self, gamma: Gamma, otherwise: float, *, zero_centred: bool) -> float | None:
        """Return the constant weight γ of the penalties, or None where the run finds γ.

        A run finds γ where ``gamma`` is "auto", the loss is one of ``LOG_ODDS_LOSSES`` and the penalties are
        zero-centred: the logits of other losses have other units, and other penalties have no lead to hold.

        Args:
            gamma: the field of the recipe.
            otherwise: weight in place of "auto" where γ cannot be found.
            zero_centred: whether all penalties pull the slope of the discriminator to zero, as R1 and R2 do.
        """
        if gamma != "auto":
            return gamma
        return None if zero_centred and self.loss in LOG_ODDS_LOSSES else otherwise


def resolve(recipe: Recipe, facts: Facts, machine: Machine) -> tuple[Recipe, dict[str, Choice]]:
    """Return the recipe with every choice made, and each field with its reason: given, chosen, or by default."""
    chosen = {
        field: choice for field, choice in recipe.choose(facts, machine).items() if field not in recipe.model_fields_set
    }
    if not {"batch"} & {*chosen, *recipe.model_fields_set} and facts.count < recipe.batch:
        pack = dict(recipe).get("packing", 1)
        chosen["batch"] = (max(1, batch_for(facts.count) // pack) * pack, f"there are only {facts.count} samples")
    resolved = with_fields(recipe, {field: value for field, (value, _) in chosen.items()})
    reasons = dict.fromkeys(type(recipe).model_fields, BY_DEFAULT)
    reasons |= dict.fromkeys(recipe.model_fields_set, "given")
    reasons |= {field: reason for field, (_, reason) in chosen.items()}
    values = resolved.model_dump(mode="json")
    return resolved, {field: {"value": values[field], "reason": reason} for field, reason in reasons.items()}


def batch_for(count: int) -> int:
    """Return the batch for few samples: at most a quarter of them, a power of two, at least two."""
    return int(max(2, 2 ** ((count // 4).bit_length() - 1)))


def is_own(name: str) -> bool:
    """Return whether ``name`` stands for a recipe in a Python file, as file.py:Name."""
    return ".py:" in name


def _readable(expected: str) -> str:
    """Return what a field accepts, of which pydantic writes how it would convert text."""
    found = re.sub(r"^a valid (number|integer|boolean), unable to .*", r"a \1", expected)
    return found.replace("a integer", "an integer")


RENAMED = {"noise": "latent_size", "highest_wave": "max_frequency"}
"""Former name of a field in stored folders → its present name."""


def with_stored_fields(recipe: Recipe, fields: Mapping[str, Any]) -> Recipe:
    """Return the recipe with the values that a folder stores, those of renamed fields and of later ones included."""
    return with_fields(recipe, {**recipe.earlier, **present_names(recipe, fields)})


def _same(one: Any, other: Any) -> bool:
    """Return whether two values are equal; a NaN equals itself."""
    return one is other or bool(one == other)


def present_names(recipe: Recipe, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that a folder stores by the present names of the fields."""
    known = type(recipe).model_fields
    return {name if name in known else RENAMED.get(name, name): fields[name] for name in fields}


def with_fields(recipe: Recipe, fields: Mapping[str, Any], options: Sequence[str] = ()) -> Recipe:
    """Return the recipe with other values for some fields.

    Args:
        recipe: the recipe to change.
        fields: field → value; strings are parsed, as from the command line.
        options: further option names to suggest where a field is misspelt.

    Raises:
        SparringError: a field does not exist or its value does not fit; the message names the nearest field.
    """
    # Unknown names first: pydantic refuses them too, but does not suggest the nearest.
    known = list(type(recipe).model_fields)
    for field in fields:
        if field not in known:
            raise SparringError(
                found=f"an unknown option {field!r}",
                expected=f"one of the recipe's fields: {', '.join(known)}",
                remedy=f"check the spelling{nearest(field, [*known, *options])}",
            )

    # Validate given and new values together; report the first one that does not fit.
    given = {field: getattr(recipe, field) for field in recipe.model_fields_set}
    try:
        return type(recipe).model_validate({**given, **fields})
    except ValidationError as error:
        every = error.errors(include_url=False)
        first = every[0]
        # The field, and the position in it; names of the alternatives of a type stay inside.
        parts = [str(part) for place, part in enumerate(first["loc"]) if place == 0 or isinstance(part, int)]
        name = ".".join(parts) or type(recipe).__name__
        # A field that takes one thing or another fails for each of them.
        same = [
            one["msg"] for one in every if one["loc"][:1] == first["loc"][:1] and _same(one["input"], first["input"])
        ]
        expected = dict.fromkeys(one.removeprefix("Input should be ").removeprefix("Value error, ") for one in same)
        raise SparringError(
            found=f"{shown(first.get('input'))} for {name}",
            expected=", or ".join(_readable(one) for one in expected),
            remedy="give another value or leave the option out",
        ) from None
