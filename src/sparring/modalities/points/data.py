"""Points: mixtures of Gaussians with known modes, and the user's own tables of numbers."""

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
from sparring.randomness import derive

Points: TypeAlias = NDArray[np.float32]
"""(count, size)."""

MIXTURE_SAMPLES = 50_000
"""Points that are drawn of a mixture."""
SUFFIXES = (".npy", ".csv")
"""Suffixes of tables of numbers."""


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
    found = survey(source)
    _require_shape(found.facts, view)
    return Dataset(found.points)


def survey(source: str) -> PointSurvey:
    """Read a mixture by its name (``ring``, ``grid``, ``lattice``), or a .npy or .csv file of shape (count, size).

    ``facts.coding`` has ``center`` and ``scale``, the mean and the standard deviation of each coordinate (1 where it is
    constant), by which points are normalised for networks. A mixture has no ``center``, one ``scale`` for all
    coordinates, and its ``modes`` and ``sigma`` among the details. Rows with values that are not finite are skipped.

    Raises:
        SparringError: no such source, or its content is not a table of numbers.
    """
    if source in MIXTURES:
        mixture = MIXTURES[source]
        points = mixture.sample(MIXTURE_SAMPLES, seed=0)
        known = {"modes": mixture.centres.tolist(), "sigma": mixture.sigma}
        return _surveyed(source, points, coding={"scale": _spread(points, axis=None)}, details=known)

    # Keep the rows of finite numbers.
    table = _read(Path(source))
    finite = table[np.isfinite(table).all(axis=1)]
    if len(finite) == 0:
        raise SparringError(
            found=f"no row of finite numbers in {source}",
            expected="points, one per row",
            remedy="check the file",
        )
    skipped = len(table) - len(finite)
    remarks = (f"Skipped {skipped} of {len(table)} rows, which hold values that are not finite.",) if skipped else ()
    coding = {"center": finite.mean(axis=0, dtype=np.float64).tolist(), "scale": _spread(finite, axis=0)}
    return _surveyed(source, finite, coding=coding, remarks=remarks)


def _require_shape(facts: Facts, view: View) -> None:
    if view.shape != facts.shape:
        raise SparringError(
            found=f"points of shape {facts.shape}",
            expected=f"the shape {view.shape} of the networks",
            remedy="choose networks for this size",
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


def _read(path: Path) -> Points:
    """Read a table of numbers, (points, coordinates), that may hold values which are not finite."""
    if path.suffix.lower() not in SUFFIXES:
        known = [*MIXTURES, *(f"*{suffix}" for suffix in SUFFIXES)]
        raise SparringError(
            found=f"the source {str(path)!r}",
            expected=f"points: {', '.join(known)}",
            remedy=f"check the name{nearest(str(path), list(MIXTURES))}",
        )

    # Every failure of a reader becomes one sentence about the file.
    expected = f"a table of numbers, (points, coordinates), in {path}"
    try:
        table = _numbers(path)
    except FileNotFoundError:
        raise SparringError(found=f"no file {path}", expected=expected, remedy="check the path") from None
    except (OSError, ValueError, TypeError, EOFError) as error:
        reason = str(error).split("\n")[0].rstrip(".")
        raise SparringError(
            found=f"an unreadable file ({reason})", expected=expected, remedy="check the file"
        ) from None
    if table.ndim != 2 or table.shape[1] == 0:
        raise SparringError(
            found=f"an array of shape {table.shape}",
            expected=expected,
            remedy="save it with one point per row",
        )
    return table


def _numbers(path: Path) -> Points:
    """Read a .npy file, or a .csv file with or without a header."""
    if path.suffix.lower() == ".npy":
        return np.asarray(np.load(path, allow_pickle=False), dtype=np.float32)
    rows = path.read_text(encoding="utf-8-sig").split("\n")
    header_rows = 0 if all(_is_number(word) for word in rows[0].split(",")) else 1
    if not any(row.strip() for row in rows[header_rows:]):
        raise ValueError("it has no rows")
    return np.loadtxt(rows[header_rows:], delimiter=",", ndmin=2, dtype=np.float32)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
