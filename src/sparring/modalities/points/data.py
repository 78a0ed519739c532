"""Points: mixtures of Gaussians with known modes, and the user's own tables of numbers."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sparring.data.dataset import Dataset, Split, split_rows
from sparring.data.facts import Facts
from sparring.data.labels import listed
from sparring.data.view import View
from sparring.errors import SparringError, nearest
from sparring.modalities.points.coding import PointCoding, coding_of
from sparring.modalities.points.tables import Table, read_table
from sparring.modality import BY_NAME
from sparring.randomness import derive

Points: TypeAlias = NDArray[np.float32]
"""(count, size)."""

MIXTURE_SAMPLES = 50_000
"""Points that are drawn of a mixture."""
SUFFIXES = (".npy", ".csv")
"""Suffixes of tables of numbers."""
EXACT, LARGEST_INTEGER = 2**53, 2**64
"""Number from which float64 rounds whole ones, and the end of the range of common types of integers."""
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
    """Return BY_NAME for a mixture, 1 for a .npy or .csv file, which may hold something else, 0 otherwise."""
    return BY_NAME if source in MIXTURES else int(Path(source).suffix.lower() in SUFFIXES)


def read(source: str, view: View, facts: Facts) -> Dataset:
    """Read all points of ``source`` in order.

    Raises:
        SparringError: no such source, or points of another size.
    """
    found = survey(source, facts)
    _require_shape(found.facts, view)
    return Dataset(found.points)


def survey(source: str, like: Facts | None = None) -> PointSurvey:
    """Read a mixture by its name (``ring``, ``grid``, ``lattice``), or a .npy or .csv file of shape (count, size).

    Of a folder, such as one of saved samples, all tables of one kind are read: its .csv files, or else its .npy files.

    ``facts.coding`` is a ``PointCoding``. A mixture has no ``center``, one ``scale`` for all coordinates, and its
    ``modes`` and ``sigma`` among the details. Rows with values that are not finite are skipped.

    Args:
        source: the name, the file or the folder.
        like: facts of other points, such as the training data, whose origin and order of columns these get, too.

    Raises:
        SparringError: no such source, or its content is not a table of numbers.
    """
    if source in MIXTURES:
        mixture = MIXTURES[source]
        points = mixture.sample(MIXTURE_SAMPLES, seed=0)
        details = {"modes": mixture.centres.tolist(), "sigma": mixture.sigma}
        return _surveyed(source, points, PointCoding(scale=float(_spread(points, axis=None))), details=details)

    # Keep the rows of finite numbers.
    table, columns, remarks = _joined(_files(Path(source)))
    known = PointCoding() if like is None else coding_of(like)
    table, columns, unordered = _in_order(table, columns, known.columns)
    usable = (np.abs(table) <= np.finfo(np.float32).max).all(axis=1)
    if not usable.any():
        raise SparringError(
            found=f"no row of finite numbers in {source}",
            expected="points, one per row",
            remedy="check the file",
        )
    if not usable.all():
        remarks += (f"Skipped {np.sum(~usable)} of {len(table)} rows, which hold values that are not finite.",)
        table = table[usable]
    remarks += _rounded(table, columns)

    # Store them as float32, around an origin where that is needed to tell them apart.
    origin = _origin(table) if like is None else np.array(known.origin or 0.0)
    if origin.size not in (1, table.shape[1]):
        raise _other_shape(table.shape[1:], like.shape if like else ())
    with np.errstate(over="ignore"):
        points = (table - origin).astype(np.float32)
    coding = PointCoding(
        center=tuple(points.mean(axis=0, dtype=np.float64).tolist()),
        scale=tuple(_spread(points, axis=0).tolist()),
        origin=tuple(origin.tolist()) if origin.any() else (),
        columns=columns,
    )
    details = {"columns": ", ".join(columns)} if columns else {}
    return _surveyed(source, points, coding, details=details, remarks=(*remarks, *unordered))


def _rounded(table: NDArray[np.float64], columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return a remark on columns of such large numbers that whole ones, such as identifiers, were rounded."""
    sizes = np.abs(table).max(axis=0)
    names = columns or tuple(f"column {at}" for at in range(1, table.shape[1] + 1))
    large = [name for name, size in zip(names, sizes, strict=True) if EXACT <= size < LARGEST_INTEGER]
    if not large:
        return ()
    return (f"Numbers over {EXACT:,} are rounded: leave out {listed(large)} if it holds identifiers.",)


def _in_order(
    table: NDArray[np.float64], columns: tuple[str, ...], wanted: tuple[str, ...]
) -> tuple[NDArray[np.float64], tuple[str, ...], tuple[str, ...]]:
    """Return the table and its columns in the order of the ``wanted`` ones if their names are the same; and remarks."""
    if not columns or not wanted or columns == wanted or len(columns) != len(wanted):
        return table, columns, ()
    if len(set(wanted)) == len(wanted) and set(columns) == set(wanted):
        return np.ascontiguousarray(table[:, [columns.index(name) for name in wanted]]), wanted, ()
    mine, other = next((a, b) for a, b in zip(columns, wanted, strict=True) if a != b)
    remark = f"The columns have other names, so they are matched by position: {mine!r} is compared with {other!r}."
    return table, columns, (remark,)


def _origin(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what to subtract from each column before it is stored as float32: zero where that loses nothing.

    Time stamps and coordinates of maps vary by a small part of their size, which float32 would round away.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        lost = np.abs(values).max(axis=0) * FLOAT32_STEP
        needed = (lost > MAX_LOSS * values.std(axis=0)) & (values.min(axis=0) < values.max(axis=0))
    return np.where(needed, np.round(values.mean(axis=0)), 0.0)


def _files(path: Path) -> list[Path]:
    """Return the tables at a path: a file, or those of a folder, in the order of their names.

    Raises:
        SparringError: there are none.
    """
    if path.suffix.lower() in SUFFIXES and not path.is_dir():
        return [path]
    inside = sorted(path.iterdir()) if path.is_dir() else []
    # A heading makes sure that the columns are in the order of the real ones, and .npy files have none.
    for suffix in reversed(SUFFIXES):
        if found := [file for file in inside if file.suffix.lower() == suffix]:
            return found
    known = [*MIXTURES, *(f"*{suffix}" for suffix in SUFFIXES)]
    raise SparringError(
        found=f"no table in the folder {path}" if path.is_dir() else f"the source {str(path)!r}",
        expected=f"points: {', '.join(known)}",
        remedy=f"check the name{nearest(path, list(MIXTURES))}",
    )


def _joined(files: list[Path]) -> Table:
    """Read tables of the same columns, one after the other.

    Raises:
        SparringError: one cannot be read, or has other columns than the first.
    """
    tables = [read_table(file) for file in files]
    first = tables[0]
    for file, table in zip(files, tables, strict=True):
        if (table.values.shape[1], table.columns) != (first.values.shape[1], first.columns):
            raise SparringError(
                found=f"other columns in {file.name} than in {files[0].name}, in the folder {file.parent}",
                expected="tables of the same columns",
                remedy="give one of the files",
            )
    if len(tables) == 1:
        return first
    remarks = dict.fromkeys(remark for table in tables for remark in table.remarks)
    return Table(np.concatenate([table.values for table in tables]), first.columns, tuple(remarks))


def _require_shape(facts: Facts, view: View) -> None:
    if view.shape != facts.shape:
        raise _other_shape(facts.shape, view.shape)


def _other_shape(found: tuple[int, ...], expected: tuple[int, ...]) -> SparringError:
    return SparringError(
        found=f"points of shape {found}",
        expected=f"points of shape {expected}",
        remedy="give points with as many coordinates",
    )


def _surveyed(source: str, points: Points, coding: PointCoding, **further: Any) -> PointSurvey:
    fingerprint = sha256(str(points.shape).encode())
    fingerprint.update(points.data)
    facts = Facts(
        source=source,
        modality="points",
        count=len(points),
        shape=(points.shape[1],),
        fingerprint=fingerprint.hexdigest(),
        coding=coding.as_json(),
        **further,
    )
    return PointSurvey(facts, points)


def _spread(points: Points, axis: int | None) -> NDArray[np.float64]:
    """Return standard deviations around the mean of each coordinate, of each or of all together; 1 in place of 0."""
    deviations = points - points.mean(axis=0, dtype=np.float64)
    spread = np.sqrt(np.square(deviations, out=deviations).mean(axis=axis))
    return np.where(spread > 0, spread, 1.0)
