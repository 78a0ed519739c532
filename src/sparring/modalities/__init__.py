"""The kinds of samples there are, written out. Each is imported when it is asked for: they need torch."""

from importlib import import_module

from sparring.errors import SparringError
from sparring.modality import Modality

MODALITIES: dict[str, str | Modality] = {
    "images": "sparring.modalities.images.rooms:IMAGES",
    "points": "sparring.modalities.points.rooms:POINTS",
}
"""Name → the module and the name in it, or the modality itself."""


def modality(name: str) -> Modality:
    """The modality of that name.

    Raises:
        SparringError: there is none.
    """
    if name not in MODALITIES:
        raise SparringError(
            found=f"the modality {name!r}",
            expected=" or ".join(MODALITIES),
            remedy="give the --recipe that it came with, whose file adds it to sparring.modalities.MODALITIES",
        )
    place = MODALITIES[name]
    if not isinstance(place, str):
        return place
    module, _, attribute = place.partition(":")
    found: Modality = getattr(import_module(module), attribute)
    return found


def modality_of(source: str) -> Modality:
    """The modality that claims ``source`` most firmly, among equals the first; without any claim the first of all."""
    return max((modality(name) for name in MODALITIES), key=lambda one: one.claims(source))
