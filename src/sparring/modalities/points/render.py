"""Points as files."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.facts import Facts
from sparring.storage import write_bytes


def decoded(samples: Tensor, facts: Facts) -> NDArray[Any]:
    """Return points in the units of the data: float32, or float64 where they have an origin."""
    points = samples.detach().cpu().numpy()
    origin = facts.coding.get("origin")
    return points.astype(np.float64) + np.array(origin) if origin else points


def save(samples: Tensor, folder: Path, facts: Facts, *, first: int = 0) -> list[Path]:
    """Write all points as one table, ``points-NNNNNN.npy`` and ``.csv``, named by the number of the first point.

    The CSV has the heading of the data, if that had one.
    """
    points = decoded(samples, facts)
    folder.mkdir(parents=True, exist_ok=True)
    array, table = io.BytesIO(), io.StringIO()
    np.save(array, points, allow_pickle=False)
    if columns := facts.coding.get("columns"):
        csv.writer(table, lineterminator="\n").writerow(columns)
    np.savetxt(table, points, fmt="%.9g" if points.dtype == np.float32 else "%.17g", delimiter=",")
    paths = [folder / f"points-{first:06d}.npy", folder / f"points-{first:06d}.csv"]
    write_bytes(paths[0], array.getvalue())
    write_bytes(paths[1], table.getvalue().encode())
    return paths
