"""Conditions, as a person asks for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import torch
from torch import Tensor

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError, nearest
from sparring.samples import Sample, batch_size, take

Answer: TypeAlias = Callable[[Mapping[str, Any], View, Facts, int | None], Sample]
"""(option → what was asked, the model's view, facts of its training data, how many) → conditions, as players see them.

Without a number it gives as many as was asked for: one for each input.
"""


INPUT = "input"
"""The option by which `sparring apply` hands over files."""


@final
@dataclass(frozen=True)
class ConditionSpec:
    """One kind of condition, and how a person asks for it.

    Args:
        options: name → meaning in one line: ``--label`` of `sparring sample`, ``model.sample(label=…)``. The option
            ``input`` always comes as a tuple, of paths or whatever else was given.
        answer: turns what was asked into conditions; raises SparringError where it cannot.
        determines: whether a condition belongs to one true sample, so that distances to it mean something (pairs), or
            to many (classes).
        required: options without which there is no condition.
    """

    options: Mapping[str, str]
    answer: Answer
    determines: bool = False
    required: tuple[str, ...] = ()


def asked_conditions(
    conditions: Mapping[str, ConditionSpec], view: View, facts: Facts, asked: Mapping[str, Any], count: int | None
) -> Sample | None:
    """Conditions for ``count`` samples, or for as many as was asked for; None for a model without conditions.

    Args:
        conditions: those of the modality.
        view: of the model.
        facts: of its training data.
        asked: option → value; None stands for not asked.
        count: how many. Where inputs give fewer conditions, they are used again in turn.

    Raises:
        SparringError: an option that the model does not know, or a value that it does not have.
    """
    require_answerable(conditions, view, asked)
    if not view.condition:
        return None
    wanted = {name: value for name, value in asked.items() if value is not None}
    if INPUT in wanted:
        given = wanted[INPUT]
        wanted[INPUT] = tuple(given) if isinstance(given, list | tuple) else (given,)
    found = conditions[view.condition].answer(wanted, view, facts, count)
    there = batch_size(found)
    if there == 0:
        raise SparringError(found="no condition at all", expected="at least one", remedy="ask for something else")
    return found if count is None or count == there else take(found, torch.arange(count) % there)


def require_answerable(conditions: Mapping[str, ConditionSpec], view: View, asked: Mapping[str, Any]) -> None:
    """Refuse options that a model of this view does not know, and the lack of those that it needs.

    Raises:
        SparringError: there is such an option.
    """
    if view.condition and view.condition not in conditions:
        raise SparringError(
            found=f"the condition {view.condition!r}",
            expected=f"one that this kind of samples has: {', '.join(conditions) or 'none'}",
            remedy="load the model with the recipe and the version of sparring that wrote it",
        )
    known = conditions[view.condition].options if view.condition else {}
    for name, value in asked.items():
        if value is not None and name not in known:
            kinds = [kind for kind, condition_spec in conditions.items() if name in condition_spec.options]
            further = f", or train a model with the condition {kinds[0]!r}" if kinds else nearest(name, list(known))
            raise SparringError(
                found=f"--{name} {value}",
                expected=" or ".join(f"--{one}" for one in known)
                or "nothing: this model was trained without conditions",
                remedy=f"leave it out{further}",
            )
    for name in conditions[view.condition].required if view.condition else ():
        if asked.get(name) in (None, (), [], ""):
            raise SparringError(
                found=f"no --{name}",
                expected=f"{known[name]}: the condition of this model",
                remedy=f"give --{name}",
            )


def class_numbers_asked(asked: Mapping[str, Any], view: View, facts: Facts, count: int | None) -> Tensor:
    """Class numbers, (count,) int64: those asked for by name or number, one for all or one each, else all in turn.

    Raises:
        SparringError: there is no such class, or neither one class nor one for each sample.
    """
    label = asked.get("label")
    if label is None:
        return torch.arange(count if count is not None else len(facts.classes)) % len(facts.classes)
    several = label if isinstance(label, list | tuple) else label.tolist() if isinstance(label, Tensor) else [label]
    several = several if isinstance(several, list | tuple) else [several]
    numbers = torch.tensor([_class_number(str(one), facts.classes) for one in several], dtype=torch.int64)
    if len(numbers) == 1 and count is not None:
        return numbers.expand(count)
    if count is not None and len(numbers) != count:
        raise SparringError(
            found=f"{len(numbers)} classes for {count} samples",
            expected="one class for all, or one for each sample",
            remedy="give another number of either",
        )
    return numbers


LABEL = ConditionSpec({"label": "a class, by name or number; by default the classes in turn"}, class_numbers_asked)
"""The class of a sample."""


def _class_number(name: str, classes: tuple[str, ...]) -> int:
    if name in classes:
        return classes.index(name)
    if name.isdecimal() and len(name) < 10 and int(name) < len(classes):
        return int(name)
    raise SparringError(
        found=f"the class {name!r}",
        expected=f"one of {', '.join(classes[:20])}, or a number from 0 to {len(classes) - 1}",
        remedy=f"check the spelling{nearest(name, list(classes))}",
    )
