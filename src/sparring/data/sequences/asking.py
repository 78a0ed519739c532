"""Options by which users ask for sequences: --label, --prefix, --temperature, and --input for those with a source."""

import warnings
from collections.abc import Mapping
from typing import Any

import torch

from sparring.arguments import option, real_number
from sparring.data.conditions import INPUT, ConditionSpec, class_conditions
from sparring.data.facts import Facts
from sparring.data.labels import listed
from sparring.data.sequences import PROMPT, SOURCE
from sparring.data.sequences.coding import TokenCoding, coding_of, source_of
from sparring.data.sequences.inputs import given_texts
from sparring.data.sequences.rows import encoded_sources
from sparring.data.view import View
from sparring.errors import SparringError, SparringWarning, shown
from sparring.tokens import Prompt, no_prompt

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
        prompt = prompt._replace(temperature=torch.full_like(prompt.temperature, _temperature(options)))
    return prompt


def sources(options: Mapping[str, Any], view: View, facts: Facts, count: int | None) -> Prompt:
    """Return the prompts of the texts of inputs, the empty ones left out; by default for the most likely sequences.

    Raises:
        SparringError: an option is not valid.

    Warns:
        SparringWarning: texts are cut, or have units that are not in the vocabulary.
    """
    coding = source_of(facts)
    given = given_texts(options[INPUT], coding.columns[0])
    rows, remarks = encoded_sources([line for one in given for line in one.lines if line.strip()], coding)
    for remark in remarks:
        warnings.warn(remark, SparringWarning, stacklevel=2)
    prompt = no_prompt(len(rows), view.shape[0])
    temperature = _temperature(options) if options.get(TEMPERATURE) is not None else 0.0
    return prompt._replace(
        source=torch.from_numpy(rows).long(), temperature=torch.full_like(prompt.temperature, temperature)
    )


def _direction(view: View, facts: Facts) -> tuple[str, ...]:
    return source_of(facts).columns


def _temperature(options: Mapping[str, Any]) -> float:
    return real_number(TEMPERATURE, _number(options[TEMPERATURE]), most=MAX_TEMPERATURE)


def _prefix(text: Any, coding: TokenCoding) -> list[int]:
    """Return the tokens of a beginning.

    Raises:
        SparringError: it is no text, has unknown tokens, or leaves nothing to generate.
    """
    if not isinstance(text, str):
        raise SparringError(found=f"the prefix {shown(text)}", expected="text", remedy="give the first words")
    tokens = coding.tokeniser.encode(text)
    if unknown := coding.tokeniser.unknown(text):
        raise SparringError(
            found=f"the prefix {shown(text)}, with {listed(map(shown, unknown))}, which the model does not know",
            expected=f"{coding.tokeniser.kind} of its training data",
            remedy="write the prefix otherwise, with capitals and signs as they are there",
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
    ),
    SOURCE: ConditionSpec(
        {
            INPUT: "files with a text on each line, or the texts themselves",
            TEMPERATURE: "divisor of the logits: 0, the default, for the most likely texts, 1 for random ones",
        },
        sources,
        determines=True,
        required=(INPUT,),
        direction=_direction,
    ),
}
"""Conditions of sequences, by their name in ``View.condition``."""
