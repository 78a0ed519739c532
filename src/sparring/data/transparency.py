"""Transparent pictures: laid on a background, and measured, since what is visible may vanish on it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from sparring.arguments import option
from sparring.errors import SparringError

IGNORE = "ignore"
"""In place of a colour: the fourth channel is dropped, and colours stay as they are stored."""
WHITE = "white"
NEAR = 32
"""Difference of luminance up to which pixels hardly stand out from the background."""
MOSTLY = 0.9
"""Share of the visible pixels that hardly stand out, from which pictures are remarked on."""
VISIBLE = 128
"""Least alpha of a visible pixel."""
LEAST_ALPHA = 0.5
"""Share of a fourth channel that is clear or opaque, from which it looks like transparency."""

Colour: TypeAlias = tuple[int, int, int] | None
"""Background: red, green and blue, or None to ignore transparency."""


class Transparency(NamedTuple):
    """Transparency of one picture that is not opaque everywhere.

    Args:
        clear: share of pixels that are wholly transparent.
        opaque: share of pixels that are wholly opaque.
        hidden: share of the visible pixels that hardly stand out from the background.
        declared: whether the format of the file says that the channel is transparency.
    """

    clear: float
    opaque: float
    hidden: float
    declared: bool


def colour(background: str | None) -> Colour:
    """Return the colour of a background: a name, "#rrggbb", or None for white; None for "ignore".

    Raises:
        SparringError: there is no such colour.
    """
    if background == IGNORE:
        return None
    try:
        red, green, blue = ImageColor.getrgb(background or WHITE)[:3]
    except ValueError:
        raise SparringError(
            found=f"the background {background!r}",
            expected="a colour such as white, black or #808080, or ignore",
            remedy="give one of these; ignore leaves transparency out",
        ) from None
    return red, green, blue


def flattened(image: Image.Image, target: str, background: Colour) -> Image.Image:
    """Lay an image on a background, or leave its transparency out, and convert it to the mode ``target``."""
    solid = image.convert("RGBA")
    if background is None:
        return solid.convert("RGB").convert(target)
    below = Image.new("RGBA", solid.size, background)
    return Image.alpha_composite(below, solid).convert(target)


def measured(parts: Iterable[Image.Image], background: Colour, declared: bool) -> Transparency | None:
    """Measure the transparency of an image, given in parts; None if it is opaque everywhere."""
    alpha, visible = np.zeros(256, np.int64), np.zeros(256, np.int64)
    for part in parts:
        solid = part.convert("RGBA")
        channel = solid.getchannel("A")
        alpha += channel.histogram()
        mask = channel.point([0] * VISIBLE + [255] * (256 - VISIBLE))
        visible += solid.convert("RGB").convert("L").histogram(mask)
    if alpha[255] == alpha.sum():
        return None
    return Transparency(alpha[0] / alpha.sum(), alpha[255] / alpha.sum(), _hidden(visible, background), declared)


def _hidden(visible: NDArray[np.int64], background: Colour) -> float:
    """Return the share of visible pixels, counted by luminance, that are close to the background."""
    if background is None or visible.sum() == 0:
        return 0.0
    level = round(float(np.dot(background, (0.299, 0.587, 0.114))))
    return float(visible[max(0, level - NEAR) : level + NEAR + 1].sum() / visible.sum())


def require_alpha(found: Sequence[Transparency], source: str) -> None:
    """Refuse a fourth channel that does not look like transparency, where no format says what it is.

    Args:
        found: of all pictures that are not opaque.
        source: name of the data, for the message.

    Raises:
        SparringError: most of it is neither clear nor opaque, or nothing is opaque.
    """
    unsure = [one for one in found if not one.declared]
    if not unsure:
        return
    clear, opaque = (float(np.mean([one[place] for one in unsure])) for place in (0, 1))
    if clear + opaque < LEAST_ALPHA or opaque == 0:
        content = "nothing is opaque" if opaque == 0 else f"{1 - clear - opaque:.0%} is neither clear nor opaque"
        raise SparringError(
            found=f"a fourth channel in {source} that does not look like transparency ({content})",
            expected="red, green, blue and transparency",
            remedy=f"give {option('background', 'ignore')} to leave the fourth channel out, or a colour such as "
            f"{option('background', 'white')} "
            "if it is transparency",
        )


def remarks(found: Sequence[Transparency], count: int, background: str | None) -> list[str]:
    """Return sentences about the transparent ones of ``count`` images: their number, and if they hardly stand out."""
    if not found:
        return []
    images = f"{len(found):,} of {count:,} images {'is' if len(found) == 1 else 'are'} transparent"
    if background == IGNORE:
        return [f"{images}; this is left out, and their colours are read as they are stored."]
    sentences = [
        f"{images}, laid on {background or WHITE}; --background (background= in Python) chooses another colour."
    ]
    clear = sum(one.clear == 1 for one in found)
    hidden = sum(one.hidden >= MOSTLY for one in found)
    if clear:
        sentences.append(f"{clear:,} of them {'is' if clear == 1 else 'are'} wholly transparent.")
    if hidden:
        other = "black" if sum(colour(background) or ()) > 3 * VISIBLE else WHITE
        sentences.append(
            f"In {hidden:,} of them, what is visible is nearly as light as {background or WHITE} and hardly stands "
            f"out; try the background {other}."
        )
    return sentences
