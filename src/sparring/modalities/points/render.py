"""Points as files."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.facts import Facts
from sparring.modalities.points.coding import coding_of
from sparring.storage import write_bytes

DEVIATIONS = 3.0
"""Standard deviations of the data on either side of its mean that a plot shows."""
ROWS_AT_ONCE = 4096
"""Rows that are put into words at a time, which takes much more memory than the numbers."""


def decoded(samples: Tensor, facts: Facts) -> NDArray[Any]:
    """Return points in the units of the data: float32, or float64 where they have an origin."""
    points = samples.detach().cpu().numpy()
    origin = coding_of(facts).origin
    return points.astype(np.float64) + np.array(origin) if origin else points


def columns(samples: Tensor, facts: Facts) -> Mapping[str, Sequence[Any]]:
    """Return the columns by their names; columns without a heading are called x0, x1, …"""
    points = decoded(samples, facts)
    names = coding_of(facts).columns or [f"x{number}" for number in range(points.shape[1])]
    return {name: points[:, number].tolist() for number, name in enumerate(names)}


def usual_axes(facts: Facts) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the ends of both axes of a plot: three standard deviations of the data around its mean.

    None for points of one coordinate.
    """
    coding, size = coding_of(facts), facts.shape[0]
    if size < 2:
        return None
    center, scale = (np.broadcast_to(np.array(one, np.float64), (size,))[:2] for one in (coding.center, coding.scale))
    center = center + np.array(coding.origin or (0.0,) * size)[:2]
    return center - DEVIATIONS * scale, center + DEVIATIONS * scale


def save(samples: Tensor, folder: Path, facts: Facts, *, first: int = 0) -> list[Path]:
    """Write all points as one table, ``points-NNNNNN.npy`` and ``.csv``, named by the number of the first point.

    The CSV has the heading of the data, if that had one. All its numbers have a decimal point or an exponent, so that a
    heading of whole numbers is told from a point, and they read back as the same values.
    """
    points, columns = decoded(samples, facts), coding_of(facts).columns
    folder.mkdir(parents=True, exist_ok=True)
    array, table = io.BytesIO(), io.StringIO()
    np.save(array, points, allow_pickle=False)
    writer = csv.writer(table, lineterminator="\n")
    writer.writerows([columns] if columns else [])
    for start in range(0, len(points), ROWS_AT_ONCE):
        writer.writerows(points[start : start + ROWS_AT_ONCE].astype(str).tolist())
    paths = [folder / f"points-{first:06d}.npy", folder / f"points-{first:06d}.csv"]
    write_bytes(paths[0], array.getvalue())
    write_bytes(paths[1], table.getvalue().encode())
    return paths
