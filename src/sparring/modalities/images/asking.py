"""Options by which users give conditions that are images: files to translate, to colour, to enlarge or to complete."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.arguments import option
from sparring.data.conditions import INPUT, LABEL, ConditionSpec
from sparring.data.facts import Facts
from sparring.data.in_memory import source_of
from sparring.data.labels import class_name
from sparring.data.reading import Reading
from sparring.data.view import View
from sparring.errors import SparringError, nearest
from sparring.modalities.images import conditions, data
from sparring.modalities.images.conditions import Holed, Translation
from sparring.modalities.images.in_memory import arrays_of, hole_of, in_range
from sparring.modalities.images.masks import draw_masks

MASK, TO = "mask", "to"
"""Options beside the inputs: what is to be filled, and the domain to translate into."""


def condition_shape(view: View, facts: Facts) -> tuple[int, int, int]:
    """Return (channels, height, width) of the images that a model with this view takes."""
    channels, height, width = view.shape
    if view.condition == conditions.GREY:
        return 1, height, width
    if view.condition == conditions.SMALL:
        factor = view.options["factor"]
        return channels, height // factor, width // factor
    if view.condition == conditions.PAIR:
        pair = facts.coding["pair"]
        return pair["channels"][view.options.get("target") == pair["sides"][0]], height, width
    return channels, height, width


def wanted_domain(options: Mapping[str, Any], view: View) -> Any:
    """Return the domain that was asked for, which may be called 0, or else the one that the model translates into."""
    return view.options["target"] if options.get(TO) is None else options[TO]


def domain_number(name: Any, facts: Facts) -> int:
    """Return the number of the domain called ``name``.

    Raises:
        SparringError: there is none, or no name was given.
    """
    if name == "":
        raise SparringError(
            found="no domain to translate into",
            expected=f"one of {', '.join(facts.classes)}",
            remedy=f"give one with {option('to')}",
        )
    known = class_name(str(name))
    if known not in facts.classes:
        raise SparringError(
            found=f"the domain {known!r}",
            expected=f"one of {', '.join(facts.classes)}",
            remedy=f"check the spelling{nearest(known, list(facts.classes))}",
        )
    return facts.classes.index(known)


def _images(options: Mapping[str, Any], view: View, facts: Facts) -> Tensor:
    """Return all images of the inputs in the size of the model, (count, channels, height, width)."""
    seen = View(condition_shape(view, facts))
    places = [str(one) if isinstance(one, str | Path) else source_of(list(arrays_of(one))) for one in options[INPUT]]
    return torch.cat([data.read(place, seen, facts).batch(slice(None)).real for place in places])


def _input(options: Mapping[str, Any], view: View, facts: Facts, count: int | None) -> Tensor:
    return _images(options, view, facts)


def _translation(options: Mapping[str, Any], view: View, facts: Facts, count: int | None) -> Translation:
    images = _images(options, view, facts)
    target = domain_number(wanted_domain(options, view), facts)
    return Translation(images, torch.full((len(images),), target, dtype=torch.int64))


def _first_domain(view: View, facts: Facts) -> Mapping[str, str]:
    """Return a domain to translate into, for a model of several ones."""
    return {} if view.options["target"] else {TO: facts.classes[0]}


def _direction_of_pairs(view: View, facts: Facts) -> tuple[str, ...]:
    given, generated = facts.coding["pair"]["sides"]
    return (generated, given) if view.options.get("target") == given else (given, generated)


def _direction_of_domains(view: View, facts: Facts) -> tuple[str, ...]:
    """Return the other domains and the target; nothing for a model that translates into every domain."""
    target = view.options["target"]
    return (" and ".join(name for name in facts.classes if name != target), target) if target else ()


def _holed(options: Mapping[str, Any], view: View, facts: Facts, count: int | None) -> Holed:
    images = _images(options, view, facts)
    given = options.get(MASK)
    if given is None:
        return conditions.holed(images, draw_masks(view.options["holes"], images, None))
    return conditions.holed(images, read_masks(given, images))


def read_masks(source: Any, images: Tensor) -> Tensor:
    """Read masks from a file or a folder, or from memory, white in the holes: one for all images, or one for each.

    Returns:
        (count, 1, height, width) in the size of the images, 0 or 1.

    Raises:
        SparringError: there is another number of masks, or one is white everywhere.
    """
    count, _, height, width = images.shape
    if not isinstance(source, str | Path):
        given = source if isinstance(source, list | tuple) else [source]
        source = source_of([hole_of(one) * np.uint8(255) for mask in given for one in arrays_of(in_range(mask))])
    found = data.survey(str(Path(source)), Reading(labels=False, pairs=False), least=1).whole(View((1, height, width)))
    masks = (found.batch(slice(None)).real > 0).to(images.dtype)
    if len(masks) not in (1, count):
        raise SparringError(
            found=f"{len(masks)} masks for {count} images",
            expected="one mask for all of them, or one for each",
            remedy=f"give another {option('mask')}",
        )
    full = int(masks.flatten(1).all(1).sum())
    if full:
        raise SparringError(
            found=f"{full} of {len(masks)} masks white everywhere"
            if len(masks) > 1
            else "a mask that is white everywhere",
            expected="something around the hole to fill it from",
            remedy="make what is kept black in the mask",
        )
    shown: Tensor = masks.expand(count, -1, -1, -1)
    return shown


FILES = "an image, or a folder of images"
CONDITIONS: Mapping[str, ConditionSpec] = {
    "label": LABEL,
    conditions.PAIR: ConditionSpec(
        {INPUT: FILES}, _input, determines=True, required=(INPUT,), direction=_direction_of_pairs
    ),
    conditions.GREY: ConditionSpec({INPUT: FILES}, _input, determines=True, required=(INPUT,)),
    conditions.SMALL: ConditionSpec({INPUT: FILES}, _input, determines=True, required=(INPUT,)),
    conditions.HOLE: ConditionSpec(
        {INPUT: FILES, MASK: "an image that is white in the hole, or a folder of as many; by default random holes"},
        _holed,
        determines=True,
        required=(INPUT,),
        example=lambda view, facts: {MASK: "MASKS"},
    ),
    conditions.DOMAIN: ConditionSpec(
        {INPUT: FILES, TO: "the domain to translate into"},
        _translation,
        required=(INPUT,),
        direction=_direction_of_domains,
        example=_first_domain,
    ),
}
"""Conditions of images, by their name in ``View.condition``."""
