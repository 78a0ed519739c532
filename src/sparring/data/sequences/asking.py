"""Options by which users ask for sequences: --label, --prefix, --temperature."""

from collections.abc import Mapping
from typing import Any

import torch

from sparring.arguments import option, real_number
from sparring.data.conditions import ConditionSpec, class_conditions
from sparring.data.facts import Facts
from sparring.data.sequences import PROMPT
from sparring.data.sequences.coding import TokenCoding, coding_of
from sparring.data.view import View
from sparring.errors import SparringError, shown
from sparring.tokens import UNKNOWN, Prompt, no_prompt

LABEL, PREFIX, TEMPERATURE = "label", "prefix", "temperature"
MAX_TEMPERATURE = 100.0


def prompts(options: Mapping[str, Any], view: View, facts: Facts, count: int | None) -> Prompt:
    """Return the prompts of ``count`` sequences.

    Raises:
        SparringError: an option is not valid, or the data has no classes.
    """
    coding, classes = coding_of(facts), len(facts.classes)
    if options.get(LABEL) is not None and not classes:
        raise SparringError(
            found=option(LABEL, options[LABEL]),
            expected="a model of texts with classes",
            remedy=f"leave it out, or train with {option('labels', 'COLUMN')}, or with a sub-folder for each class",
        )
    labels = class_conditions(options, view, facts, count) if classes else None
    rows = count or (1 if labels is None else len(labels))
    prompt = no_prompt(rows, view.shape[0])
    if labels is not None:
        prompt = prompt._replace(label=labels)
    if options.get(PREFIX) is not None:
        known = _prefix(options[PREFIX], coding)
        prompt.tokens[:, : len(known)] = torch.tensor(known)
        prompt = prompt._replace(known=torch.full_like(prompt.known, len(known)))
    if options.get(TEMPERATURE) is not None:
        value = options[TEMPERATURE]
        number = real_number(TEMPERATURE, _number(value), most=MAX_TEMPERATURE)
        prompt = prompt._replace(temperature=torch.full_like(prompt.temperature, number))
    return prompt


def _prefix(text: Any, coding: TokenCoding) -> list[int]:
    """Return the tokens of a beginning.

    Raises:
        SparringError: it is no text, has unknown tokens, or leaves nothing to generate.
    """
    if not isinstance(text, str):
        raise SparringError(found=f"the prefix {shown(text)}", expected="text", remedy="give the first words")
    tokens = coding.tokeniser.encode(text)
    if UNKNOWN in tokens:
        unknown = [one for one in tokens if one == UNKNOWN]
        raise SparringError(
            found=f"the prefix {shown(text)}, with {len(unknown)} {coding.tokeniser.kind} that the model does not know",
            expected=f"{coding.tokeniser.kind} of its training data",
            remedy="write the prefix otherwise",
        )
    if len(tokens) >= coding.length:
        raise SparringError(
            found=f"a prefix of {len(tokens)} tokens",
            expected=f"fewer than the {coding.length} of the model",
            remedy="give its beginning",
        )
    return tokens


def _number(value: Any) -> Any:
    """Return a number that is written as text as a number."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


CONDITIONS: Mapping[str, ConditionSpec] = {
    PROMPT: ConditionSpec(
        {
            LABEL: "a class, by name or number; by default all classes in turn",
            PREFIX: "the beginning of every text",
            TEMPERATURE: "divisor of the logits: below 1 for likelier texts, above 1 for more varied ones",
        },
        prompts,
    )
}
"""Conditions of sequences, by their name in ``View.condition``."""
