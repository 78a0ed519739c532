"""Conditions, built from the options that a user gives: ``--label cats``, ``model.sample(input="sketches/")``."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.arguments import option
from sparring.data.facts import Facts
from sparring.data.in_memory import dense
from sparring.data.labels import class_name
from sparring.data.view import View
from sparring.errors import SparringError, nearest, shown
from sparring.samples import Sample, batch_size, take, tensors

BuildConditions: TypeAlias = Callable[[Mapping[str, Any], View, Facts, int | None], Sample]
"""(option → its value, the model's view, facts of its training data, count) → conditions, as the players take them.

Without a count it returns as many as the options imply: one for each input.
"""

WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
"""Digits that are read as a number."""
CALL = ("count", "seed", "truncation", "out", "device", "recipe", "json")
"""Options of the calls themselves, for which a misspelt option may have been meant."""
INPUT = "input"
"""Option by which `sparring apply` passes files."""


@final
@dataclass(frozen=True)
class ConditionSpec:
    """One kind of condition, and the options by which users give it.

    Args:
        options: name → one-line description: ``--label`` of `sparring sample`, ``model.sample(label=…)``. The value of
            the option ``input`` is always a tuple, of paths or of whatever else was given.
        build: builds conditions from the values of the options, or raises a SparringError.
        determines: whether each condition has one true sample, as in pairs, so that distances to it are meaningful;
            False if many samples share a condition, as they share a class.
        required: options without which no condition can be built.
        direction: (view, facts) → names of what is given and of what is generated; empty where they have none.
        example: (view, facts) → values of further options that a model with this view cannot do without.
        training: returns, as an imperative, how to train a model that takes these options in place of one without
            conditions; empty where only another recipe does.
    """

    options: Mapping[str, str]
    build: BuildConditions
    determines: bool = False
    required: tuple[str, ...] = ()
    direction: Callable[[View, Facts], tuple[str, ...]] = lambda view, facts: ()
    example: Callable[[View, Facts], Mapping[str, str]] = lambda view, facts: {}
    training: Callable[[], str] = lambda: ""


def require_inputs(spec: ConditionSpec | None, name: str) -> None:
    """Refuse to apply a model that takes no inputs.

    Args:
        spec: kind of its conditions; None for a model without conditions.
        name: of its recipe.

    Raises:
        SparringError: it takes none.
    """
    if spec is None or INPUT not in spec.options:
        raise SparringError(
            found=f"a model of {name}, which takes no inputs",
            expected="one whose condition is a sample",
            remedy="sample without inputs, by `sparring sample` or model.sample",
        )


def as_inputs(given: Any) -> tuple[Any, ...]:
    """Return what was given for the option ``input`` as a tuple: a list of inputs, or one input."""
    return tuple(given) if isinstance(given, list | tuple) else (given,)


def repeated(condition: Sample | None, count: int) -> Sample | None:
    """Return each condition ``count`` times in a row, for several answers to it."""
    if condition is None or count == 1:
        return condition
    return take(condition, torch.arange(batch_size(condition)).repeat_interleave(count))


def needs_inputs(specs: Mapping[str, ConditionSpec], view: View) -> bool:
    """Return whether a model with this view generates from inputs alone, so that it is applied and not sampled."""
    return view.condition in specs and INPUT in specs[view.condition].required


def build_conditions(
    specs: Mapping[str, ConditionSpec], view: View, facts: Facts, options: Mapping[str, Any], count: int | None
) -> Sample | None:
    """Build the conditions of ``count`` samples; None for a model without conditions.

    Args:
        specs: those of the modality; under the empty name, options of models without conditions, if there are any.
        view: view of the model.
        facts: facts of its training data.
        options: option → its value; None if it was not given.
        count: number of samples; None for one per input. Fewer conditions than samples are repeated in turn.

    Raises:
        SparringError: the model does not have an option, or a value is not valid.
    """
    check_options(specs, view, options)
    if not view.condition:
        return None
    given = {name: value for name, value in options.items() if value is not None}
    if INPUT in given:
        given[INPUT] = as_inputs(given[INPUT])
    conditions = specs[view.condition].build(given, view, facts, count)
    built = batch_size(conditions)
    if built == 0:
        raise SparringError(
            found="options that give no condition", expected="at least one condition", remedy="give other options"
        )
    return conditions if count is None or count == built else take(conditions, torch.arange(count) % built)


def checked_conditions(condition: Any, spec: ConditionSpec | None, classes: tuple[str, ...]) -> Sample:
    """Return conditions that a caller gives as the players take them.

    Args:
        condition: class numbers, from 0 in the order of ``classes``, in a tensor, an array or a list; for other kinds
            of conditions a tensor or a NamedTuple of tensors with one row per sample.
        spec: kind of the model's conditions; None for a model without conditions.
        classes: names of the classes that can be sampled.

    Raises:
        SparringError: the model has no conditions, or these are of another form, or there is no such class.
    """
    if spec is LABEL:
        return torch.from_numpy(_as_class_numbers(condition, len(classes)))
    parts = tensors(condition)
    if spec is None:
        expected, remedy = "none: this model was trained without conditions", "leave it out"
    elif parts and all(isinstance(part, Tensor) and part.dim() for part in parts):
        return condition
    else:
        expected, remedy = "tensors with one row per sample", "give what model.conditions returns"
    raise SparringError(found=f"a condition of type {type(condition).__name__}", expected=expected, remedy=remedy)


def refuse_options(options: Mapping[str, Any]) -> None:
    """Refuse options beside conditions that are given as the players take them.

    Raises:
        SparringError: an option was given.
    """
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise SparringError(
            found=f"condition and {' and '.join(given)}",
            expected="one of them: an option, or conditions as the players take them",
            remedy="leave condition out",
        )


def counted(count: int | None, condition: Sample | None) -> int:
    """Return the number of samples: the count, or that of the conditions.

    Raises:
        SparringError: there is neither, or another number of conditions.
    """
    given = None if condition is None else batch_size(condition)
    if count is None and given is not None:
        return given
    if count is None or given not in (None, count):
        raise SparringError(
            found=f"count {count} and conditions for {given or 0} samples",
            expected="the number of samples, and one condition for each",
            remedy="give a count, or other conditions",
        )
    return count


def _as_class_numbers(condition: Any, count: int) -> NDArray[np.int64]:
    """Return class numbers, (samples,), all below ``count``.

    Raises:
        SparringError: they are something else.
    """
    try:
        numbers = np.asarray(dense(condition))
        valid = numbers.ndim == 1 and numbers.dtype.kind in "iu" and bool(((numbers >= 0) & (numbers < count)).all())
    except (TypeError, ValueError, OverflowError):
        valid = False
    if not valid:
        raise SparringError(
            found=f"the condition {shown(condition)}",
            expected=f"a class number from 0 to {count - 1} for each sample, in a tensor or a list",
            remedy="give such numbers, or classes by name with label=",
        )
    return numbers.astype(np.int64)


def check_options(specs: Mapping[str, ConditionSpec], view: View, options: Mapping[str, Any]) -> None:
    """Check that a model with this view has the options that are given, and that required ones are given.

    Raises:
        SparringError: an option is unknown, or a required one is missing.
    """
    if view.condition and view.condition not in specs:
        raise SparringError(
            found=f"the condition {view.condition!r}",
            expected=f"one that this kind of samples has: {', '.join(filter(None, specs)) or 'none'}",
            remedy="load the model with the recipe and the version of sparring that wrote it",
        )

    # An option of another kind of condition needs another model; any other is probably misspelt.
    known = specs[view.condition].options if view.condition in specs else {}
    for name, value in options.items():
        if value is not None and name not in known:
            kinds = [kind for kind, spec in specs.items() if name in spec.options]
            others = [one for one in known if one != INPUT]
            wanted = next((specs[kind].training() for kind in kinds if not view.condition), "")
            other = wanted or f"train another recipe, whose models take {option(name)}"
            advice = f", or {other}" if kinds else nearest(name, others) or nearest(name, list(CALL), likeness=0.75)
            found, remedy = option(name, value if isinstance(value, int | float) else _in_words(value)), "leave it out"
            if name == "label" and "where" in known:
                remedy, advice = f"name the column, as in {option('where', f'COLUMN={_in_words(value)}')}", ""
            if name == INPUT:
                found, remedy = "inputs for a model that takes none", "sample without them, as `sparring sample` does"
                advice = ""
            raise SparringError(
                found=found,
                expected=" or ".join(option(one) for one in others)
                or f"no such option: this model {'takes inputs alone' if known else 'was trained without conditions'}",
                remedy=remedy + advice,
            )

    # An empty value counts as missing.
    for name in specs[view.condition].required if view.condition in specs else ():
        given = options.get(name)
        if given is None or (isinstance(given, str | list | tuple) and not given):
            raise SparringError(
                found=f"no {option(name)}",
                expected=f"{known[name]}: the condition of this model",
                remedy=f"give {option(name)}",
            )


def _in_words(value: Any) -> str:
    """Return the value of an option as it was typed, or the type of data in memory."""
    if isinstance(value, list | tuple):
        return " ".join(map(_in_words, value))
    return str(value) if isinstance(value, str | Path | int | float) else f"of type {type(value).__name__}"


def class_conditions(options: Mapping[str, Any], view: View, facts: Facts, count: int | None) -> Tensor:
    """Return class numbers, (count,) int64, by the option ``label``; without it, all classes in turn.

    The option is a name or a number for all samples, or a list or a tensor with one for each. A number that is also
    a name means the name; where names are numbers, a number that is none of them is refused.

    Raises:
        SparringError: there is no such class, or neither one class nor one for each sample is given.
    """
    label = options.get("label")
    if label is None:
        return torch.arange(count if count is not None else len(facts.classes)) % len(facts.classes)
    label = _plain(label)
    labels = [_plain(one) for one in label] if isinstance(label, list | tuple) else [label]
    numbers = torch.tensor(_class_numbers(labels, facts.classes), dtype=torch.int64)
    if len(numbers) == 1 and count is not None:
        return numbers.expand(count)
    if count is not None and len(numbers) != count:
        raise SparringError(
            found=f"{len(numbers)} classes for {count} samples",
            expected="one class for all, or one for each sample",
            remedy="change the number of either",
        )
    return numbers


LABEL = ConditionSpec(
    {"label": "a class, by name or number; by default all classes in turn"},
    class_conditions,
    training=lambda: f"train with {option('labels', 'FILE:COLUMN')}, or with a sub-folder for each class",
)
"""The class of a sample."""


def _plain(value: Any) -> Any:
    """Return a tensor or an array as numbers or lists; anything else as it is."""
    value = dense(value)
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _class_numbers(labels: Sequence[Any], classes: tuple[str, ...]) -> list[int]:
    """Find classes by their names, or by their numbers where no name is a number.

    Raises:
        SparringError: there is no such class.
    """
    by_name = {name: position for position, name in enumerate(classes)}
    # 7 means the class 007, unless another one is called 7.
    values = Counter(int(name) for name in classes if WHOLE_NUMBER.fullmatch(name))
    by_value = {int(name): by_name[name] for name in classes if WHOLE_NUMBER.fullmatch(name) and values[int(name)] == 1}
    numbers = by_value if values else dict(enumerate(range(len(classes))))

    found = []
    for label in labels:
        name = class_name(str(label))
        number = by_name.get(name, numbers.get(_whole_number(label)))
        if number is None:
            also = "" if values else f", or a number from 0 to {len(classes) - 1}"
            raise SparringError(
                found=f"the class {name!r}",
                expected=f"one of {', '.join(classes[:20])}{also}",
                remedy=f"check the spelling{nearest(name, list(classes))}",
            )
        found.append(number)
    return found


def _whole_number(label: Any) -> int:
    """Return the number that a label is or spells: 3, "3" and 3.0; −1 for anything else, such as True and 1.7."""
    if isinstance(label, float) and label.is_integer():
        return int(label)
    text = str(label)
    return int(text) if WHOLE_NUMBER.fullmatch(text) else -1
