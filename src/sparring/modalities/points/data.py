"""Points: two mixtures of Gaussians whose every mode is known, and the user's own tables of numbers."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sparring.data.dataset import Dataset, Split, split_rows
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError, nearest
from sparring.randomness import derive

Points = NDArray[np.float32]

DRAWN = 50_000
SUFFIXES = (".npy", ".csv")


@final
@dataclass(frozen=True)
class Mixture:
    """Equally likely round Gaussians in the plane: (modes, 2) centres and one standard deviation."""

    centres: NDArray[np.float64]
    sigma: float

    def random(self, count: int, seed: int) -> Points:
        """(count, 2) points."""
        random = np.random.default_rng(derive(seed, "mixture"))
        centres = self.centres[random.integers(len(self.centres), size=count)]
        return (centres + self.sigma * random.standard_normal((count, 2))).astype(np.float32)


def _circle(modes: int) -> NDArray[np.float64]:
    angles = 2 * np.pi * np.arange(modes) / modes
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _lattice(positions: list[float]) -> NDArray[np.float64]:
    return np.array([(x, y) for x in positions for y in positions])


MIXTURES: dict[str, Mixture] = {
    "ring": Mixture(_circle(8), sigma=0.01),
    "grid": Mixture(_lattice([-4.0, -2.0, 0.0, 2.0, 4.0]), sigma=0.05),
    "lattice": Mixture(_lattice([place - 4.5 for place in range(10)]), sigma=0.03),
}
"""The two tests of mode coverage of PacGAN (Lin et al. 2018, section 4.1), and a hundred modes: name → mixture."""


@final
@dataclass(frozen=True)
class PointSurvey:
    """Points that have been looked at: ``points`` is (count, size)."""

    facts: Facts
    points: Points

    def prepare(self, view: View, *, seed: int = 0) -> Split:
        """The points as they are; points have no labels.

        Raises:
            SparringError: the shape is not the points' own, or there are fewer than two.
        """
        _require_shape(self.facts, view)
        if len(self.points) < 2:
            raise SparringError(found="one point", expected="at least two", remedy="give more points")
        return split_rows(Dataset(self.points), self.facts, seed)


def claims(source: str) -> int:
    """2 for the name of a mixture, 1 for a .npy or .csv file, which may hold something else, 0 otherwise."""
    return 2 if source in MIXTURES else int(Path(source).suffix.lower() in SUFFIXES)


def read(source: str, view: View, facts: Facts) -> Dataset:
    """All points of ``source`` in order.

    Raises:
        SparringError: no such source, or points of another size.
    """
    found = survey(source)
    _require_shape(found.facts, view)
    return Dataset(found.points)


def survey(source: str) -> PointSurvey:
    """Look at a mixture by its name (``ring``, ``grid``, ``lattice``) or at a .npy or .csv file of shape (count, size).

    ``facts.coding`` has ``center`` and ``scale``, mean and standard deviation of each coordinate (1 where it never
    changes), by which networks see it. A mixture is seen around zero, by one scale for all, and gives its
    ``modes`` and ``sigma`` as details. Rows with values that are not finite are set aside.

    Raises:
        SparringError: no such source, or what is in it is no table of numbers.
    """
    if source in MIXTURES:
        mixture = MIXTURES[source]
        points = mixture.random(DRAWN, seed=0)
        known = {"modes": mixture.centres.tolist(), "sigma": mixture.sigma}
        return _surveyed(source, points, coding={"scale": _spread(points, axis=None)}, details=known)
    table = _read(Path(source))
    whole = table[np.isfinite(table).all(axis=1)]
    if len(whole) == 0:
        raise SparringError(
            found=f"no row of finite numbers in {source}",
            expected="points, one per row",
            remedy="check the file",
        )
    lost = len(table) - len(whole)
    remarks = (
        (f"{lost} of {len(table)} rows hold values that are no finite numbers and are set aside.",) if lost else ()
    )
    coding = {"center": whole.mean(axis=0, dtype=np.float64).tolist(), "scale": _spread(whole, axis=0)}
    return _surveyed(source, whole, coding=coding, remarks=remarks)


def _require_shape(facts: Facts, view: View) -> None:
    if view.shape != facts.shape:
        raise SparringError(
            found=f"points of shape {facts.shape}",
            expected=f"the shape {view.shape} of the networks",
            remedy="choose networks for this size",
        )


def _surveyed(source: str, points: Points, *, coding: dict[str, Any], **further: Any) -> PointSurvey:
    content = sha256(str(points.shape).encode() + points.tobytes()).hexdigest()
    facts = Facts(
        source=source,
        modality="points",
        count=len(points),
        shape=(points.shape[1],),
        fingerprint=content,
        coding=coding,
        **further,
    )
    return PointSurvey(facts, points)


def _spread(points: Points, axis: int | None) -> Any:
    """Standard deviations around the mean of each coordinate; 1 where nothing changes."""
    deviations = points - points.mean(axis=0, dtype=np.float64)
    spread = np.sqrt(np.square(deviations).mean(axis=axis))
    return np.where(spread > 0, spread, 1.0).tolist()


def _read(path: Path) -> Points:
    if path.suffix.lower() not in SUFFIXES:
        known = [*MIXTURES, *(f"*{suffix}" for suffix in SUFFIXES)]
        raise SparringError(
            found=f"the source {str(path)!r}",
            expected=f"points: {', '.join(known)}",
            remedy=f"check the name{nearest(str(path), list(MIXTURES))}",
        )
    expected = f"a table of numbers, (points, coordinates), in {path}"
    try:
        table = _numbers(path)
    except FileNotFoundError:
        raise SparringError(found=f"no file {path}", expected=expected, remedy="check the path") from None
    except (OSError, ValueError, TypeError, EOFError) as error:
        reason = str(error).split("\n")[0].rstrip(".")
        raise SparringError(
            found=f"a file that cannot be read ({reason})", expected=expected, remedy="check the file"
        ) from None
    if table.ndim != 2 or table.shape[1] == 0:
        raise SparringError(
            found=f"an array of shape {table.shape}",
            expected=expected,
            remedy="save it with one point per row",
        )
    return table


def _numbers(path: Path) -> Points:
    if path.suffix.lower() == ".npy":
        return np.asarray(np.load(path, allow_pickle=False), dtype=np.float32)
    rows = path.read_text(encoding="utf-8-sig").split("\n")
    heading = 0 if all(_is_number(word) for word in rows[0].split(",")) else 1
    if not any(row.strip() for row in rows[heading:]):
        raise ValueError("it has no rows")
    return np.loadtxt(rows[heading:], delimiter=",", ndmin=2, dtype=np.float32)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
