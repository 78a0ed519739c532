"""Where pictures come from: names, folders, archives, arrays and tables; each as a ``Source`` of raw items."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from sparring.data import catalogue, downloads
from sparring.data.pictures import SUFFIXES, is_image_header
from sparring.data.readers import arrays
from sparring.data.readers.arrays import Arrays
from sparring.data.readers.files import Tree, group, open_tree, suffix, suffixes
from sparring.data.readers.parquet import parquet_source
from sparring.data.source import Source, printable, stamp
from sparring.errors import SparringError
from sparring.modalities.images.layout import pictures

DIGITS = "digits"
STACKED = "stacked-mnist"
NAMES = (DIGITS, *catalogue.DATASETS, STACKED)
SNIFFED = 1000
"""Files without a telling name that are opened to see whether a folder holds images."""
CIFAR = "cifar-10-binary.tar.gz"
EXPECTED = "PNG, JPEG, WebP, TIFF, GIF or BMP images (a folder or a zip), IDX, Parquet, .npy or .npz"
NOT_PICTURES = frozenset({".txt", ".md", ".csv", ".json", ".xml", ".html", ".py", ".eps", ".svg", ".pdf", ".zip"})


def looks_like_pictures(source: str) -> bool:
    """Whether ``source`` is a known name, or a path at which there seem to be pictures; no file is read whole."""
    if source in NAMES:
        return True
    path = Path(source)
    if path.is_dir():
        return _kind_of_folder(path, open_tree(path)) is not None
    if path.suffix.lower() == ".npy":
        return arrays.dimensions(path) > 2
    return path.is_file() and _kind_of_file(path) is not None


def open_source(source: str, on_progress: downloads.OnProgress | None = None) -> Source:
    """All pictures of ``source``, not yet decoded.

    Raises:
        SparringError: there are none.
    """
    if source == DIGITS:
        return _digits()
    if source in catalogue.DATASETS:
        return _known(source, on_progress)
    if source == STACKED:
        return _stacked(_known("mnist", on_progress))
    return _from_path(Path(source))


def _from_path(path: Path) -> Source:
    if not path.is_dir():
        return _from_file(path)
    tree = open_tree(path)
    kind = _kind_of_folder(path, tree)
    if kind == "idx":
        return _from_arrays(arrays.read_idx_folder(path), path)
    if kind == "parquet":
        return parquet_source(path)
    return _from_file(kind) if isinstance(kind, Path) else _from_tree(tree, path)


def _from_file(path: Path) -> Source:
    match _kind_of_file(path) if path.is_file() else "none":
        case "idx":
            return _from_arrays(arrays.read_idx_pair(path), path)
        case "numpy":
            return _from_arrays(arrays.read_numpy(path), path)
        case "cifar":
            return _named(
                _from_arrays(arrays.read_records(path, catalogue.CIFAR_LAYOUT), path),
                catalogue.DATASETS["cifar10"].classes,
            )
        case "parquet":
            return parquet_source(path)
        case None:
            raise SparringError(
                found=f"the file {path}, which is none of the kinds that are read",
                expected=EXPECTED,
                remedy="name the folder of images, or convert the file",
            )
    return _from_tree(open_tree(path), path)


def _kind_of_file(path: Path) -> str | None:
    name = path.name.lower()
    if arrays.is_idx_images(name):
        return "idx"
    if name == CIFAR:
        return "cifar"
    kinds = {".npy": "numpy", ".npz": "numpy", ".parquet": "parquet", ".zip": "zip"}
    return kinds.get(path.suffix.lower())


def _kind_of_folder(folder: Path, tree: Tree) -> str | Path | None:
    """IDX files, then images, then Parquet, then the one array or archive that is there."""
    names = [entry.name for entry in tree.entries]
    if any(arrays.is_idx_images(name) and "/" not in name for name in names):
        return "idx"
    if any(suffix(name) in SUFFIXES for name in names):
        return "tree"
    if any(name.lower().endswith(".parquet") for name in names):
        return "parquet"
    alone = [folder / name for name in names if _kind_of_file(Path(name)) is not None]
    if len(alone) == 1:
        return alone[0]
    return "tree" if any(_is_picture(tree, place) for place in range(min(len(names), SNIFFED))) else None


def _from_tree(tree: Tree, path: Path) -> Source:
    pictured = [_is_picture(tree, place) for place in range(len(tree.entries))]
    wanted = [place for place, is_picture in enumerate(pictured) if is_picture]
    others = [tree.entries[place].name for place, is_picture in enumerate(pictured) if not is_picture]
    if not wanted and not tree.skipped:
        held = f"only other files ({suffixes(others)})" if others else "nothing"
        raise SparringError(found=f"{held} in {path}", expected=EXPECTED, remedy="check the path")
    grouped = group([tree.entries[place].name for place in wanted], str(path))
    kept = [wanted[place] for place in grouped.positions]
    left = (f"{len(others):,} files that are no images were left out: {suffixes(others)}.",) if others else ()
    return Source(
        names=[printable(tree.entries[place].name) for place in kept],
        read=lambda place: tree.read(kept[place]),
        stamp=tree.stamp(path),
        labels=grouped.labels,
        classes=grouped.classes,
        skipped=tree.skipped,
        remarks=(*grouped.remarks, *left),
    )


def _is_picture(tree: Tree, position: int) -> bool:
    """By its name, so that damaged images are reported; or by its first bytes, so that no name is needed."""
    ending = suffix(tree.entries[position].name)
    return ending in SUFFIXES or (ending not in NOT_PICTURES and is_image_header(tree.head(position)))


def _from_arrays(found: Arrays, path: Path) -> Source:
    read, remarks = pictures(found.samples, str(path))
    labels, classes = (None, ()) if found.labels is None else arrays.class_numbers(found.labels, str(path))
    return Source(
        names=[f"image {position}" for position in range(len(found.samples))],
        read=read,
        stamp=stamp(found.files),
        labels=labels,
        classes=classes,
        remarks=(*found.remarks, *remarks),
    )


def _digits() -> Source:
    import sklearn
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.round(bunch.images * (255 / 16)).astype(np.uint8)
    return Source(
        names=[f"image {position}" for position in range(len(images))],
        read=lambda position: images[position],
        stamp=f"scikit-learn {sklearn.__version__} digits",
        labels=bunch.target.astype(np.int64),
        classes=tuple("0123456789"),
    )


def _known(name: str, on_progress: downloads.OnProgress | None) -> Source:
    copy = downloads.local_copy(name)
    found = _named(
        _from_path(copy or downloads.download(name, catalogue.DATASETS[name], on_progress)),
        catalogue.DATASETS[name].classes,
    )
    return replace(found, remarks=(f"{name} is read from {copy}.", *found.remarks)) if copy else found


def _stacked(digits: Source) -> Source:
    """Three random digits as the channels of one picture, of 1,000 classes "000" to "999" (Metz et al. 2017, section
    3.3.1); as many as there are digits, always the same.
    """
    assert digits.labels is not None
    rows = np.random.default_rng(0).integers(len(digits), size=(len(digits), 3))
    return Source(
        names=[f"stack {position}" for position in range(len(digits))],
        read=lambda position: np.stack([np.asarray(digits.read(int(row))) for row in rows[position]], 2),
        stamp=f"stacked {digits.stamp}",
        labels=(digits.labels[rows] @ np.array([100, 10, 1])).astype(np.int64),
        classes=tuple(f"{number:03}" for number in range(1000)),
        remarks=digits.remarks,
    )


def _named(source: Source, classes: tuple[str, ...]) -> Source:
    """Names for labels that were numbers only."""
    if source.labels is None or source.classes != tuple(str(number) for number in range(len(classes))):
        return source
    return replace(source, classes=classes)
