"""Points as files."""

import io
from pathlib import Path

import numpy as np
from torch import Tensor

from sparring.storage import write_bytes


def save(samples: Tensor, folder: Path, *, first: int = 0) -> list[Path]:
    """Write all points as one table, ``points-NNNNNN.npy`` and ``.csv``, named by the number of the first point."""
    points = samples.detach().cpu().numpy()
    folder.mkdir(parents=True, exist_ok=True)
    array, table = io.BytesIO(), io.StringIO()
    np.save(array, points, allow_pickle=False)
    np.savetxt(table, points, fmt="%.9g", delimiter=",")
    paths = [folder / f"points-{first:06d}.npy", folder / f"points-{first:06d}.csv"]
    write_bytes(paths[0], array.getvalue())
    write_bytes(paths[1], table.getvalue().encode())
    return paths
