"""Unusual samples: areas under ROC curves of `sparring detect`, beside the two baselines that it prints.

    python benchmarks/anomalies.py --sets cancer --recipes tables/masked tables/ganomaly --seeds 3
    python benchmarks/anomalies.py --sets digits-0 digits-8 --recipes images/ganomaly:samples=6400
    SPARRING_DATA=FOLDER python benchmarks/anomalies.py --sets mnist-0 mnist-1 --recipes images/r3gan:width=16
    SPARRING_DATA=FOLDER python benchmarks/anomalies.py --sets facades --recipes images/vae --sheet maps.png

Everything goes the way of a user: `sparring.train` on normal samples alone, then `sparring.detect`. A recipe may be
followed by its fields, as in images/ganomaly:width=16,samples=32000. Sets:

cancer      breast cancer of scikit-learn: benign rows are normal; half of them for training, the rest to test
digits-N    digits of scikit-learn: one class is normal; half of it for training, the rest to test
mnist-N     one class of MNIST is normal: its first --train training images, and the first --test official test images
facades     photographs of the CMP facades: those of "train" for training; those of "val" and "test" to test, half of
            them with damage, each second one, whose place is known: then the heat maps are judged, too

MNIST and the facades (the pairs of Isola et al. 2017 in folders of JPEG) are looked for in $SPARRING_DATA and ./data.
Seconds are processor time of training and detection, so that other programs on the machine matter little.
"""

import argparse
import csv
import gzip
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from restoring import Pixels, halves
from rounds import setting
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn.functional import interpolate

import sparring
from sparring.api.heat_maps import coloured
from sparring.data.downloads import local_copy
from sparring.data.view import View
from sparring.model import Model
from sparring.recipes import RECIPES
from sparring.rendering.exhibits import picture_of
from sparring.rendering.grids import image_grid
from sparring.runs.display import Silent
from sparring.storage import write_bytes

SETS = ("cancer", *(f"digits-{digit}" for digit in range(10)), *(f"mnist-{digit}" for digit in range(10)), "facades")
DEFAULT_RECIPES = ("images/r3gan", "images/ganomaly", "images/vae", "tables/masked", "tables/ganomaly", "tables/tvae")
SECONDS = ", seconds"
"""End of the names of figures that are no areas."""
NORMAL = "normal"
"""Class of the samples that are not unusual."""
DAMAGES = ("colour", "noise", "texture")
"""Kinds of damage: one colour, noise, and a part of another photograph."""
SMALLEST, LARGEST = 0.12, 0.4
"""Sides of the damage, in sides of the photograph."""
COMPONENTS = 100
"""Principal components of photographs, as many as the numbers of a code of GANomaly."""
SMOOTHING = 1 / 32
"""Standard deviation of the smoothing of maps, in sides of the photograph."""
SHOWN = 6
"""Damaged photographs on the sheet."""

Areas: TypeAlias = dict[str, float]
"""Detector → area under the ROC curve."""


class Problem(NamedTuple):
    """Samples in files.

    Args:
        train: normal samples.
        test: normal and unusual samples.
        labels: column of the class, of a table.
        masks: where test photographs are damaged, (count, side, side) bool; None for other sets.
    """

    train: Path
    test: Path
    labels: str | None = None
    masks: NDArray[np.bool_] | None = None


def problem(name: str, folder: Path, seed: int, given: argparse.Namespace) -> Problem:
    """Write the samples of one of ``SETS`` to a folder."""
    kind, _, digit = name.partition("-")
    if kind == "cancer":
        return cancer(folder, seed)
    if kind == "facades":
        return facades(folder, seed, given.side)
    if kind == "mnist":
        return mnist(folder, int(digit), given.train, given.test)
    loaded: Any = load_digits()
    train, test = sides(loaded.target == int(digit), seed)
    images = (loaded.images * 255 / 16).astype(np.uint8)
    return stored(folder, images[train], images[test], names(loaded.target[test] == int(digit)))


def sides(is_normal: NDArray[np.bool_], seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of half of the normal samples, for training, and those of all others."""
    order = np.random.default_rng(seed).permutation(np.flatnonzero(is_normal))
    train = order[: len(order) // 2]
    return train, np.setdiff1d(np.arange(len(is_normal)), train)


def names(is_normal: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Return the class of each sample."""
    return np.where(is_normal, NORMAL, "unusual")


def stored(
    folder: Path, train: Pixels, test: Pixels, labels: NDArray[np.str_], masks: NDArray[np.bool_] | None = None
) -> Problem:
    """Write images to a folder."""
    np.save(folder / "train.npy", train)
    np.savez(folder / "test.npz", images=test, labels=labels)
    return Problem(folder / "train.npy", folder / "test.npz", masks=masks)


def cancer(folder: Path, seed: int) -> Problem:
    """Write the table of breast cancer; the diagnosis is in that of the test rows alone."""
    loaded: Any = load_breast_cancer()
    classes = names(loaded.target == 1)
    for part, rows in zip(("train", "test"), sides(loaded.target == 1, seed), strict=True):
        with (folder / f"{part}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*loaded.feature_names, *(["kind"] if part == "test" else [])])
            writer.writerows([*loaded.data[row], *([classes[row]] if part == "test" else [])] for row in rows)
    return Problem(folder / "train.csv", folder / "test.csv", "kind")


def mnist(folder: Path, digit: int, train: int, test: int) -> Problem:
    """Write the first training images of one class, and the first test images of all classes."""
    place = found("mnist")
    images, labels = (idx(place / f"train-{part}.gz") for part in ("images-idx3-ubyte", "labels-idx1-ubyte"))
    tested, kinds = (idx(place / f"t10k-{part}.gz")[:test] for part in ("images-idx3-ubyte", "labels-idx1-ubyte"))
    return stored(folder, images[labels == digit][:train], tested, names(kinds == digit))


def idx(path: Path) -> NDArray[np.uint8]:
    """Read an IDX file of bytes."""
    content = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(content, ">u4", count=content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape.astype(int).tolist())


def found(name: str) -> Path:
    """Return the folder of a data set."""
    place = local_copy(name)
    if place is None:
        raise SystemExit(f"Found no {name}, expected $SPARRING_DATA/{name} or ./data/{name}: put the files there.")
    return place


def facades(folder: Path, seed: int, side: int) -> Problem:
    """Write photographs, each second test photograph with damage, whose kinds take turns."""
    place, random = found("facades"), np.random.default_rng(seed)
    train, test = (halves(place, parts, side)[0] for parts in (["train"], ["val", "test"]))
    masks = np.zeros((len(test), side, side), dtype=bool)
    kinds = [DAMAGES[row // 2 % len(DAMAGES)] if row % 2 else NORMAL for row in range(len(test))]
    damaged = test.copy()
    for row, kind in enumerate(kinds):
        if kind != NORMAL:
            masks[row] = blob(side, random)
            filling = material(kind, test[random.integers(len(test))], random)
            damaged[row] = np.where(masks[row], filling, test[row])
    return stored(folder, train.transpose(0, 2, 3, 1), damaged.transpose(0, 2, 3, 1), np.array(kinds), masks)


def blob(side: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """Return an ellipse or a rectangle somewhere in a square, (side, side)."""
    radii = side * random.uniform(SMALLEST, LARGEST, 2) / 2
    centre = random.uniform(radii, side - radii)
    distance = np.abs(np.stack(np.mgrid[:side, :side]) + 0.5 - centre[:, None, None]) / radii[:, None, None]
    return (distance**2).sum(0) < 1 if random.random() < 0.5 else distance.max(0) < 1


def material(kind: str, other: Pixels, random: np.random.Generator) -> Pixels:
    """Return what a damaged place shows, (3, side, side) uint8; of another photograph a part that is upside down."""
    if kind == "colour":
        return np.broadcast_to(random.integers(0, 256, (3, 1, 1), dtype=np.uint8), other.shape)
    if kind == "noise":
        return random.integers(0, 256, other.shape, dtype=np.uint8)
    return other[:, ::-1]


def detected(recipe: str, found: Problem, folder: Path, seed: int, device: str) -> tuple[Areas, Areas, Model]:
    """Train on the normal samples, and detect the others.

    Returns:
        The area of the recipe and of the baselines; those of each class of unusual samples by the recipe; the model.
    """
    name, _, words = recipe.partition(":")
    fields = dict(word.split("=", 1) for word in words.split(",") if word)
    typed: dict[str, Any] = {key: int(value) if value.isdigit() else value for key, value in fields.items()}
    quiet = {"seed": seed, "device": device, "display": Silent()}
    run = sparring.train(found.train, recipe=name, out=folder / "run", **quiet, **typed)
    result = sparring.detect(run.folder, found.test, normal=NORMAL, labels=found.labels, **quiet)
    areas = {key: one.auroc or 0.0 for key, one in result.methods.items()}
    return {recipe: areas.pop(result.method), **areas}, result.chosen.classes, sparring.load(run.folder)


class Photographs(NamedTuple):
    """Photographs with maps of them, which are brighter where a photograph is unusual.

    Args:
        images: (count, 3, side, side), in [-1, 1].
        masks: where they are damaged, (count, side, side) bool; those of others are empty.
        maps: method → (count, side, side).
    """

    images: Tensor
    masks: NDArray[np.bool_]
    maps: dict[str, NDArray[np.float64]]

    @property
    def damaged(self) -> NDArray[np.bool_]:
        """Photographs with damage, (count,)."""
        return self.masks.any((1, 2))

    def areas(self) -> Areas:
        """Return areas of each method.

        Of pixels, by the map and by a smoothed one, the mean of those of each damaged photograph; and of photographs,
        by the mean of the map and by the largest place of the smoothed one.
        """
        areas: Areas = {}
        for name, maps in self.maps.items():
            sigma = SMOOTHING * maps.shape[1]
            smooth = np.stack([gaussian_filter(one, sigma) for one in maps])
            areas |= {f"{name}: places": self._of_pixels(maps), f"{name}: smoothed places": self._of_pixels(smooth)}
            areas[f"{name}: mean place"] = float(roc_auc_score(self.damaged, maps.mean((1, 2))))
            areas[f"{name}: largest smoothed place"] = float(roc_auc_score(self.damaged, smooth.max((1, 2))))
        return areas

    def _of_pixels(self, maps: NDArray[np.float64]) -> float:
        rows = np.flatnonzero(self.damaged)
        return float(np.mean([roc_auc_score(self.masks[row].ravel(), maps[row].ravel()) for row in rows]))


def photographs(recipe: str, model: Model, found: Problem) -> Photographs:
    """Return the test photographs with the heat maps of a model, beside some that need none.

    These are the squared differences from the mean of the training photographs, from the nearest one by pixels, and
    from what ``COMPONENTS`` principal components of them explain.
    """
    assert found.masks is not None
    train, test = (read(model, path) for path in (found.train, found.test))
    places = model.anomaly(test).places
    assert places is not None
    components = PCA(min(COMPONENTS, len(train)), random_state=0).fit(train.flatten(1).numpy())
    explained = components.inverse_transform(components.transform(test.flatten(1).numpy()))
    answers = {
        "mean photograph": train.mean(0),
        "nearest photograph": train[torch.cdist(test.flatten(1), train.flatten(1)).argmin(1)],
        "principal components": torch.from_numpy(explained).view_as(test),
    }
    maps = {recipe: places, **{name: (test - answer).square() for name, answer in answers.items()}}
    return Photographs(test, found.masks, {name: fitted(one, found.masks.shape[1]) for name, one in maps.items()})


def fitted(places: Tensor, side: int) -> NDArray[np.float64]:
    """Return the sum of places over the channels in the size of the masks, (count, side, side)."""
    summed = places.double().sum(1, keepdim=True)
    return np.asarray(interpolate(summed, (side, side), mode="bilinear")[:, 0].numpy())


def read(model: Model, path: Path) -> Tensor:
    """Return the samples in a file as a model takes them."""
    samples = model.modality.read(str(path), View(model.view.shape), model.facts).batch(slice(None)).real
    assert isinstance(samples, Tensor)
    return samples


def write_sheet(path: Path, found: Photographs) -> None:
    """Write a picture: in each row damaged photographs with the map of the model and the mask beside them."""
    rows = np.flatnonzero(found.damaged)[:SHOWN]
    masks = torch.from_numpy(found.masks[rows])[:, None].expand(-1, 3, -1, -1) * 2.0 - 1
    heat = torch.from_numpy(next(iter(found.maps.values()))[rows]).float()
    maps = torch.cat([coloured(one[None], float(one.quantile(0.99))) for one in heat])
    images = interpolate(found.images[rows], masks.shape[2:])
    shown = torch.stack([images, maps, masks], 1).flatten(0, 1)
    enlarged = interpolate(shown, scale_factor=2.0)
    write_bytes(path, picture_of(image_grid(enlarged, columns=6, group=3), sharp=True).file)


def measured(name: str, recipe: str, seed: int, given: argparse.Namespace) -> dict[str, float]:
    """Return all figures of one run: areas, and seconds of the processor."""
    with tempfile.TemporaryDirectory() as place:
        found, began = problem(name, Path(place), seed, given), time.process_time()
        figures, classes, model = detected(recipe, found, Path(place), seed, given.device)
        seconds = time.process_time() - began
        if found.masks is not None:
            shown = photographs(recipe, model, found)
            figures |= shown.areas()
            if given.sheet is not None:
                write_sheet(given.sheet, shown)
    of_classes = {f"{recipe}, {key}": area for key, area in classes.items()} if len(classes) > 1 else {}
    return {**figures, **of_classes, recipe + SECONDS: seconds}


def compared(name: str, recipes: Sequence[str], seed: int, given: argparse.Namespace) -> dict[str, float]:
    """Return the figures of all recipes; those of the baselines are of the first one, in its resolution."""
    figures: dict[str, float] = {}
    for recipe in recipes:
        figures = figures | {key: one for key, one in measured(name, recipe, seed, given).items() if key not in figures}
        print(f"  {name}, seed {seed}: {figures}", flush=True)
    return figures


def table(sets: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Return a Markdown table: mean and standard deviation of each figure over the seeds, and over the sets."""
    keys = dict.fromkeys(key for runs in sets.values() for run in runs for key in run)
    rows = sorted(keys, key=lambda key: key.endswith(SECONDS))
    cells = {name: [cell(row, [run[row] for run in runs]) for row in rows] for name, runs in sets.items()}
    if len(sets) > 1:
        cells["mean"] = [cell(row, [np.mean([run[row] for runs in sets.values() for run in runs])]) for row in rows]
    lines = [f"| | {' | '.join(cells)} |", f"|---|{'---:|' * len(cells)}"]
    return "\n".join([*lines, *(f"| {' | '.join(line)} |" for line in zip(rows, *cells.values(), strict=True))])


def cell(row: str, values: Sequence[float]) -> str:
    """Return mean and standard deviation; seconds without decimals."""
    form = ".0f" if row.endswith(SECONDS) else ".3f"
    return f"{np.mean(values):{form}}" + (f" ± {np.std(values, ddof=1):{form}}" if len(values) > 1 else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=["cancer", "digits-0", "digits-8"], metavar="SET")
    parser.add_argument("--recipes", nargs="+", default=DEFAULT_RECIPES, help="those that fit a set")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--train", type=int, default=1000, help="training images of MNIST at most")
    parser.add_argument("--test", type=int, default=10_000, help="test images of MNIST at most")
    parser.add_argument("--side", type=int, default=64, help="side of the facades, in pixels")
    parser.add_argument("--sheet", type=Path, help="write a picture of heat maps of the facades to this file")
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    if unknown := [recipe for recipe in given.recipes if recipe.partition(":")[0] not in RECIPES]:
        parser.error(f"found the recipes {', '.join(unknown)}, expected names as `sparring recipes` lists them")
    print(setting(), flush=True)
    for kind in dict.fromkeys(name.partition("-")[0] for name in given.sets):
        recipes = [recipe for recipe in given.recipes if recipe.startswith("tables" if kind == "cancer" else "images")]
        sets = [name for name in given.sets if name.startswith(kind)] if recipes else []
        runs = {name: [compared(name, recipes, seed, given) for seed in range(given.seeds)] for name in sets}
        if runs:
            print(f"\n{table(runs)}\n", flush=True)


if __name__ == "__main__":
    main()
