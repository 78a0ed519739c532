"""Tiles: a large image goes through a convolutional network part by part, in constant memory, with blended seams."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from sparring.samples import Sample, map_tensors

SIDE = 512
"""Sides of a tile in pixels: large enough that overlaps cost little, small enough for wide networks."""
OVERLAP = 64
"""Pixels that neighbouring tiles share: a quarter at either end is context alone, and the rest is blended."""

Region: TypeAlias = tuple[slice, slice]
"""(rows, columns) of an image."""


class Block(NamedTuple):
    """A finished part of the result.

    Args:
        region: its rows and columns in the result.
        values: (1, channels, height, width).
    """

    region: Region
    values: Tensor


def tiled(
    function: Callable[[Region], Tensor],
    size: tuple[int, int],
    *,
    side: int = SIDE,
    overlap: int = OVERLAP,
    multiple: int = 1,
    least: tuple[int, int] = (1, 1),
    scale: int = 1,
) -> Iterator[Block]:
    """Compute an image tile by tile; yield its finished parts row by row of tiles, from the left to the right.

    Tiles begin at multiples of ``multiple``, so a network with strides sees every tile in the phase of the whole image.
    The result of a convolutional network is that of the whole image if its receptive field reaches at most a quarter of
    the overlap to each side. Networks that normalise over the image differ from tile to tile; blending hides the seams.

    Args:
        function: computes one tile, (1, channels, scale · height, scale · width), from its rows and columns, which may
            lie beyond the image; see ``cropped``.
        size: (height, width) of the image.
        side: longest sides of a tile, rounded up to a multiple; shorter where as many tiles reach.
        overlap: pixels that neighbouring tiles share, rounded up to a multiple.
        multiple: number of which both sides of every tile are multiples.
        least: least height and width of a tile: smaller images are continued by reflection.
        scale: factor between the sides of result and image.
    """
    overlap = _rounded_up(overlap, multiple)
    tops, height = _starts(size[0], max(side, least[0]), overlap, multiple, least[0])
    lefts, width = _starts(size[1], max(side, least[1]), overlap, multiple, least[1])
    below: Tensor | None = None
    for row, top in enumerate(tops):
        # Rows before ``end`` belong to no later row of tiles.
        end = tops[row + 1] if row + 1 < len(tops) else size[0]
        shared = tops[row - 1] + height - top if row else 0
        beside, further = None, list[Tensor]()
        for column, left in enumerate(lefts):
            values = function((slice(top, top + height), slice(left, left + width)))

            # Blend with the tile to the left; the columns that the next tile shares are kept for it.
            if beside is not None:
                values = torch.cat([_blended(beside, values, -1), values[..., beside.shape[-1] :]], -1)
            stop = lefts[column + 1] if column + 1 < len(lefts) else size[1]
            beside, values = values[..., scale * (stop - left) :], values[..., : scale * (stop - left)]

            # Blend with the row of tiles above; the rows that the next one shares are kept for it.
            if below is not None:
                above = below[..., scale * left : scale * stop]
                values = torch.cat([_blended(above, values, -2), values[..., scale * shared :, :]], -2)
            further.append(values[..., scale * (end - top) :, :])
            region = slice(scale * top, scale * end), slice(scale * left, scale * stop)
            yield Block(region, values[..., : scale * (end - top), :])
        below = torch.cat(further, -1) if row + 1 < len(tops) else None


def cropped(image: Sample, region: Region) -> Sample:
    """Cut a region out of images, (1, channels, height, width), reflected beyond their edges; other tensors stay."""

    def cut(part: Tensor) -> Tensor:
        if part.dim() != 4:
            return part
        for axis, wanted in ((2, region[0]), (3, region[1])):
            length = part.shape[axis]
            if wanted.start == 0 and wanted.stop == length:
                continue
            if wanted.stop <= length:
                part = part.narrow(axis, wanted.start, wanted.stop - wanted.start)
            else:
                part = part.index_select(axis, _reflected(torch.arange(wanted.start, wanted.stop), length))
        return part

    return map_tensors(cut, image)


def _starts(length: int, side: int, overlap: int, multiple: int, least: int) -> tuple[list[int], int]:
    """Return where tiles begin along one axis, and their length."""
    padded, side = _rounded_up(max(length, least), multiple), _rounded_up(max(side, 2 * overlap), multiple)
    if padded <= side:
        return [0], padded
    # As few tiles as sides of this length need, made no longer than so many need; the last ends where the image does.
    count = -(-(padded - overlap) // (side - overlap))
    fitting = -(-(padded - overlap) // count) + overlap
    side = _rounded_up(max(fitting, least, 2 * overlap), multiple)
    return [*range(0, padded - side, side - overlap), padded - side], side


def _rounded_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def _reflected(positions: Tensor, length: int) -> Tensor:
    """Map positions beyond an axis to those of its mirror image; an axis of one pixel repeats it."""
    period = max(1, 2 * (length - 1))
    inside = positions % period
    return torch.where(inside < length, inside, period - inside)


def _blended(earlier: Tensor, later: Tensor, axis: int) -> Tensor:
    """Blend what two tiles say of the same pixels, linearly over the middle half of the axis.

    Args:
        earlier: of the tile to the left, or above.
        later: of the next tile, whose first rows or columns are these pixels.
        axis: -1 for neighbours in a row, -2 for rows of tiles.
    """
    shared = earlier.shape[axis]
    weight = ((torch.arange(shared, dtype=torch.float32) + 0.5) * 2 / shared - 0.5).clamp(0, 1)
    weight = weight if axis == -1 else weight[:, None]
    return torch.lerp(earlier, later.narrow(axis, 0, shared), weight)
