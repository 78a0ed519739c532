"""Points: mixtures of Gaussians with known modes, and the user's own tables of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sparring.data.dataset import Dataset, Split, split_rows
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError, nearest
from sparring.modalities.points.tables import read_table
from sparring.randomness import derive

Points: TypeAlias = NDArray[np.float32]
"""(count, size)."""

MIXTURE_SAMPLES = 50_000
"""Points that are drawn of a mixture."""
SUFFIXES = (".npy", ".csv")
"""Suffixes of tables of numbers."""
FLOAT32_STEP = 2.0**-24
"""Relative rounding error of float32."""
MAX_LOSS = 1e-4
"""Rounding error that a column may have, in its standard deviations."""


@final
@dataclass(frozen=True)
class GaussianMixture:
    """Equally likely isotropic Gaussians in the plane.

    Args:
        centres: (modes, 2).
        sigma: standard deviation of each.
    """

    centres: NDArray[np.float64]
    sigma: float

    def sample(self, count: int, seed: int) -> Points:
        """Draw points, (count, 2)."""
        random = np.random.default_rng(derive(seed, "mixture"))
        centres = self.centres[random.integers(len(self.centres), size=count)]
        return (centres + self.sigma * random.standard_normal((count, 2))).astype(np.float32)


def _circle(modes: int) -> NDArray[np.float64]:
    angles = 2 * np.pi * np.arange(modes) / modes
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _lattice(positions: list[float]) -> NDArray[np.float64]:
    return np.array([(x, y) for x in positions for y in positions])


MIXTURES: dict[str, GaussianMixture] = {
    "ring": GaussianMixture(_circle(8), sigma=0.01),
    "grid": GaussianMixture(_lattice([-4.0, -2.0, 0.0, 2.0, 4.0]), sigma=0.05),
    "lattice": GaussianMixture(_lattice([step - 4.5 for step in range(10)]), sigma=0.03),
}
"""Name → mixture: the two mode coverage tests of PacGAN (Lin et al. 2018, section 4.1), and one of a hundred modes."""


@final
@dataclass(frozen=True)
class PointSurvey:
    """Points that were read once.

    Args:
        facts: facts about them.
        points: (count, size).
    """

    facts: Facts
    points: Points

    def prepare(self, view: View, *, seed: int = 0) -> Split:
        """Split the points as they are, without labels.

        Raises:
            SparringError: the shape is not the points' own, or there are fewer than two.
        """
        _require_shape(self.facts, view)
        if len(self.points) < 2:
            raise SparringError(found="one point", expected="at least two", remedy="give more points")
        return split_rows(Dataset(self.points), self.facts, seed)


def claims(source: str) -> int:
    """Return 2 for the name of a mixture, 1 for a .npy or .csv file, which may hold something else, 0 otherwise."""
    return 2 if source in MIXTURES else int(Path(source).suffix.lower() in SUFFIXES)


def read(source: str, view: View, facts: Facts) -> Dataset:
    """Read all points of ``source`` in order.

    Raises:
        SparringError: no such source, or points of another size.
    """
    found = survey(source, facts.coding.get("origin", []))
    _require_shape(found.facts, view)
    return Dataset(found.points)


def survey(source: str, origin: Sequence[float] | None = None) -> PointSurvey:
    """Read a mixture by its name (``ring``, ``grid``, ``lattice``), or a .npy or .csv file of shape (count, size).

    ``facts.coding`` has ``center`` and ``scale``, the mean and the standard deviation of each coordinate (1 where it is
    constant), by which points are normalised for networks. A mixture has no ``center``, one ``scale`` for all
    coordinates, and its ``modes`` and ``sigma`` among the details. Rows with values that are not finite are skipped.
    Of a file with a heading, ``facts.coding`` has the ``columns``; it has the ``origin`` of columns that float32 would
    round.

    Args:
        source: the name or the file.
        origin: of the training data, around which these points are coded, too; empty for none, None to find it.

    Raises:
        SparringError: no such source, or its content is not a table of numbers.
    """
    if source in MIXTURES:
        mixture = MIXTURES[source]
        points = mixture.sample(MIXTURE_SAMPLES, seed=0)
        known = {"modes": mixture.centres.tolist(), "sigma": mixture.sigma}
        return _surveyed(source, points, coding={"scale": _spread(points, axis=None)}, details=known)

    # Keep the rows of finite numbers, as float32 around an origin where that is needed to tell them apart.
    _require_suffix(source)
    table, columns, remarks = read_table(Path(source))
    finite = table[(np.abs(table) <= np.finfo(np.float32).max).all(axis=1)]
    if len(finite) == 0:
        raise SparringError(
            found=f"no row of finite numbers in {source}",
            expected="points, one per row",
            remedy="check the file",
        )
    skipped = len(table) - len(finite)
    if skipped:
        remarks += (f"Skipped {skipped} of {len(table)} rows, which hold values that are not finite.",)
    subtracted = _origin(finite) if origin is None else np.array(origin or 0.0)
    with np.errstate(over="ignore"):
        points = (finite - subtracted).astype(np.float32)
    coding = {"center": points.mean(axis=0, dtype=np.float64).tolist(), "scale": _spread(points, axis=0)}
    coding |= {"origin": subtracted.tolist()} if subtracted.any() else {}
    coding |= {"columns": list(columns)} if columns else {}
    return _surveyed(source, points, coding=coding, remarks=remarks)


def _origin(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what to subtract from each column before it is stored as float32: zero where that loses nothing.

    Time stamps and coordinates of maps vary by a small part of their size, which float32 would round away.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        lost = np.abs(values).max(axis=0) * FLOAT32_STEP
        needed = (lost > MAX_LOSS * values.std(axis=0)) & (values.min(axis=0) < values.max(axis=0))
    return np.where(needed, np.round(values.mean(axis=0)), 0.0)


def _require_suffix(source: str) -> None:
    if Path(source).suffix.lower() not in SUFFIXES:
        known = [*MIXTURES, *(f"*{suffix}" for suffix in SUFFIXES)]
        raise SparringError(
            found=f"the source {source!r}",
            expected=f"points: {', '.join(known)}",
            remedy=f"check the name{nearest(source, list(MIXTURES))}",
        )


def _require_shape(facts: Facts, view: View) -> None:
    if view.shape != facts.shape:
        raise SparringError(
            found=f"points of shape {facts.shape}",
            expected=f"points of shape {view.shape}",
            remedy="give points with as many coordinates",
        )


def _surveyed(source: str, points: Points, *, coding: dict[str, Any], **further: Any) -> PointSurvey:
    fingerprint = sha256(str(points.shape).encode() + points.tobytes()).hexdigest()
    facts = Facts(
        source=source,
        modality="points",
        count=len(points),
        shape=(points.shape[1],),
        fingerprint=fingerprint,
        coding=coding,
        **further,
    )
    return PointSurvey(facts, points)


def _spread(points: Points, axis: int | None) -> Any:
    """Return standard deviations around the mean of each coordinate, of each or of all together; 1 in place of 0."""
    deviations = points - points.mean(axis=0, dtype=np.float64)
    spread = np.sqrt(np.square(deviations).mean(axis=axis))
    return np.where(spread > 0, spread, 1.0).tolist()
