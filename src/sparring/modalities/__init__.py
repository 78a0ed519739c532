"""The kinds of samples there are, written out. Each is imported when it is asked for: they need torch."""

from sparring.errors import SparringError
from sparring.modality import Modality

NAMES = ("images", "points")


def modality(name: str) -> Modality:
    """The modality of that name."""
    if name == "points":
        from sparring.modalities.points.rooms import POINTS

        return POINTS
    if name == "images":
        from sparring.modalities.images.rooms import IMAGES

        return IMAGES
    raise SparringError(found=f"the modality {name!r}", expected=" or ".join(NAMES), remedy="look at the recipe's name")


def modality_of(source: str) -> Modality:
    """The first modality that claims ``source``; images, whose reader knows best what to say, if none does."""
    for name in NAMES:
        if modality(name).claims(source):
            return modality(name)
    return modality("images")
