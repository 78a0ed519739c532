"""Options by which users ask for molecules: --where and --objective, beside those of all sequences."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from sparring.arguments import option
from sparring.data.columns.where import conditions_of
from sparring.data.conditions import ConditionSpec
from sparring.data.facts import Facts
from sparring.data.sequences import PROMPT, asking
from sparring.data.view import View
from sparring.errors import SparringError, nearest, shown
from sparring.flow import Sample
from sparring.metrics.own_score import permit_score
from sparring.modalities.molecules.chemistry import parsed, properties
from sparring.modalities.molecules.forms import smiles_of
from sparring.modalities.molecules.metrics import PROPERTIES
from sparring.modalities.molecules.objectives import NOVELTY, OBJECTIVE, UNIQUENESS, MoleculeObjective
from sparring.randomness import RandomStream
from sparring.recipe import is_own

WHERE = "where"
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
EXAMPLE = "qed>=0.6,weight<150"


@final
@dataclass(frozen=True)
class Bound:
    """A part of --where.

    Args:
        name: of the property.
        compare: (value, number) → whether the value is as wanted.
        number: what it is compared with.
    """

    name: str
    compare: Callable[[float, float], bool]
    number: float


@final
@dataclass(frozen=True)
class MoleculeSelection:
    """Acceptance of molecules by their properties. Implements ``Selection``.

    Args:
        bounds: all of which a molecule meets.
        facts: of the training data.
    """

    bounds: Sequence[Bound]
    facts: Facts

    def condition(self, condition: Sample, random: RandomStream) -> Sample:
        """Return the conditions; see ``Selection``."""
        return condition

    def select(self, samples: Sample, condition: Sample) -> tuple[Sample, Tensor]:
        """Return the samples, and which are molecules with the properties that are wanted; see ``Selection``."""
        accepted = [self._accepts(text) for text in smiles_of(samples, self.facts)]
        return samples, torch.tensor(accepted, dtype=torch.bool)

    def _accepts(self, text: str) -> bool:
        mol = parsed(text)
        if mol is None:
            return False
        values = properties(mol)
        return all(one.compare(values[one.name], one.number) for one in self.bounds)


def bounds_of(given: Any) -> list[Bound]:
    """Return the parts of --where.

    Raises:
        SparringError: a part has no property, no operator or no number.
    """
    found = list[Bound]()
    for one in conditions_of(given, PROPERTIES, example=EXAMPLE):
        if one.name not in PROPERTIES:
            raise SparringError(
                found=f"the property {one.name!r} in {option(WHERE)}",
                expected=f"one of {', '.join(PROPERTIES)}",
                remedy=f"check the spelling{nearest(one.name, list(PROPERTIES))}",
            )
        for text in one.values:
            found.append(Bound(one.name, COMPARISONS[one.operator], _number(one.name, text)))
    return found


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SparringError(
            found=f"{shown(text)} for {name!r} in {option(WHERE)}",
            expected="a number",
            remedy=f"write it as in {option(WHERE, EXAMPLE)}",
        ) from None


def selection(options: Mapping[str, Any], view: View, facts: Facts) -> MoleculeSelection | None:
    """Return the acceptance of molecules; None if every sample is accepted. See ``SelectsSamples``.

    An objective is checked here, too, before anything is generated.
    """
    wanted_objective(options)
    bounds = bounds_of(options.get(WHERE))
    return MoleculeSelection(bounds, facts) if bounds else None


def wanted_objective(options: Mapping[str, Any]) -> MoleculeObjective | None:
    """Return the objective by which samples are to be sorted; None without one. A user's own is loaded.

    Raises:
        SparringError: there is no such objective, or it needs the training data, which a model does not have.
    """
    name = options.get(OBJECTIVE)
    if name is None:
        return None
    name = str(name)
    own = permit_score(name) if is_own(name) else None
    objective = MoleculeObjective(name if own is None else own.place, own)
    if NOVELTY in objective.factors:
        raise SparringError(
            found=f"{option(OBJECTIVE, name)} for samples",
            expected="an objective of molecules alone: a model does not hold its training data",
            remedy="leave novelty out; `sparring evaluate` measures it",
        )
    return objective


def scores(samples: Sample, facts: Facts, options: Mapping[str, Any]) -> Tensor | None:
    """Return the scores of samples by the objective of the options, (count,) float64; None without one.

    What is no molecule has -∞, so that it comes last.
    """
    objective = wanted_objective(options)
    if objective is None:
        return None
    found = objective.scored(smiles_of(samples, facts), once=UNIQUENESS in objective.factors)
    return torch.tensor([score if molecule else -math.inf for molecule, score in found], dtype=torch.float64)


ASKED = {
    WHERE: f"properties of the molecules, such as {EXAMPLE}: {', '.join(PROPERTIES)}",
    OBJECTIVE: "score by which the molecules are sorted, by name or as file.py:function",
}
CONDITIONS: Mapping[str, ConditionSpec] = {
    PROMPT: ConditionSpec({**asking.CONDITIONS[PROMPT].options, **ASKED}, asking.prompts),
    "": ConditionSpec(ASKED, asking.prompts),
}
"""Conditions of molecules, by their name in ``View.condition``; under the empty one what needs no condition."""
