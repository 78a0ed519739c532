"""The kinds of samples there are, written out. Each is imported when it is asked for: they need torch."""

from importlib import import_module

from sparring.errors import SparringError
from sparring.modality import Modality

MODALITIES: dict[str, str] = {
    "images": "sparring.modalities.images.rooms:IMAGES",
    "points": "sparring.modalities.points.rooms:POINTS",
}
"""Name → the module and the name in it."""


def modality(name: str) -> Modality:
    """The modality of that name.

    Raises:
        SparringError: there is none.
    """
    if name not in MODALITIES:
        expected = " or ".join(MODALITIES)
        raise SparringError(found=f"the modality {name!r}", expected=expected, remedy="look at the recipe's name")
    module, _, attribute = MODALITIES[name].partition(":")
    found: Modality = getattr(import_module(module), attribute)
    return found


def modality_of(source: str) -> Modality:
    """The modality that claims ``source`` most firmly, among equals the first; without any claim the first of all."""
    return max((modality(name) for name in MODALITIES), key=lambda one: one.claims(source))
