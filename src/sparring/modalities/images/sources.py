"""Sources of images: names, folders, archives, arrays and tables, each as a ``Source`` of raw items."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparring.data import catalogue, downloads
from sparring.data.formats import SUFFIXES, is_image_header
from sparring.data.labels import listed
from sparring.data.layouts import read_layout
from sparring.data.readers import arrays, numpy_files
from sparring.data.readers.arrays import Arrays
from sparring.data.readers.files import Tree, open_tree, suffix, suffixes
from sparring.data.readers.label_files import chosen_files, labels_in_order, read_label_file
from sparring.data.readers.parquet import parquet_source
from sparring.data.readers.tables_in_tree import tables_in
from sparring.data.reading import DEFAULT_READING, Reading
from sparring.data.source import Numbered, Source, stamp
from sparring.errors import SparringError
from sparring.modalities.images.layout import array_files, images_in
from sparring.rendering.exhibits import is_overview
from sparring.text import printable

MAX_OPENED_FILES = 1000
"""Files that are opened, where no name tells, to find out whether a folder holds images."""
EXPECTED = "PNG, JPEG, WebP, TIFF, GIF or BMP images (a folder or a zip), IDX, Parquet, .npy, .npz or .csv (of numbers)"
OTHER_SUFFIXES = frozenset({".txt", ".md", ".csv", ".json", ".xml", ".html", ".py", ".eps", ".svg", ".pdf", ".zip"})


def looks_like_images(source: str) -> bool:
    """Return whether ``source`` is a path that seems to hold images; no file is read whole."""
    path = Path(source)
    if path.is_dir():
        return _kind_of_folder(path, open_tree(path)) is not None
    if path.suffix.lower() == ".npy":
        return len(numpy_files.shape_of(path) or ()) > 2
    return path.is_file() and _kind_of_file(path) is not None


def open_source(source: str, reading: Reading = DEFAULT_READING) -> Source:
    """Open all images of ``source``, without decoding them.

    Args:
        source: a path, or one of ``catalogue.IMAGE_NAMES``.
        reading: choices of the user; of them only ``labels`` matters here.

    Raises:
        SparringError: there are none, or they have no such labels.
    """
    if source not in catalogue.IMAGE_NAMES:
        opened = _from_path(Path(source), reading.labels)
    else:
        opened = _by_name(source)
        if isinstance(reading.labels, str):
            labels, classes = labels_in_order(reading.labels, len(opened), source)
            key = f"{opened.stamp} {stamp(chosen_files(reading.labels))}"
            opened = replace(opened, labels=labels, classes=classes, stamp=key)
    return replace(opened, labels=None, classes=()) if reading.labels is False else opened


def _by_name(name: str) -> Source:
    if name == catalogue.DIGITS:
        return _digits()
    return _known(name) if name in catalogue.DATASETS else _stacked(_known("mnist"))


def _from_path(path: Path, labels: bool | str | None = None) -> Source:
    if not path.is_dir():
        return _from_file(path, labels)
    tree = open_tree(path)
    kind = _kind_of_folder(path, tree)
    if kind == "idx":
        return _from_arrays(arrays.read_idx_folder(path), path, labels)
    if kind == "parquet":
        return parquet_source(path, labels)
    if kind == "arrays":
        return array_files(tree, path, read_label_file(labels) if isinstance(labels, str) else labels)
    return _from_file(kind, labels) if isinstance(kind, Path) else _from_tree(tree, path, labels)


def _from_file(path: Path, labels: bool | str | None) -> Source:
    match _kind_of_file(path) if path.is_file() else "none":
        case "idx":
            return _from_arrays(arrays.read_idx_pair(path), path, labels)
        case "numpy":
            return _from_arrays(numpy_files.read_numpy(path), path, labels)
        case "cifar":
            # These files hold the numbers of the classes, not their names.
            return _named(
                _from_arrays(arrays.read_records(path, catalogue.CIFAR_LAYOUT), path, labels),
                catalogue.DATASETS["cifar10"].classes,
            )
        case "parquet":
            return parquet_source(path, labels)
        case "image":
            return Source(
                names=[printable(path.name)],
                read=lambda position: _sample(path.read_bytes()),
                stamp=stamp([path]),
                size=lambda position: path.stat().st_size,
            )
        case None:
            raise SparringError(
                found=f"the file {path}, which is of no known format",
                expected=EXPECTED,
                remedy="name the folder of images, or convert the file",
            )

    # What is left is a folder, a zip archive, or a path at which there is nothing.
    return _from_tree(open_tree(path), path, labels)


def _kind_of_file(path: Path) -> str | None:
    """Return the format that the file's name stands for, or None for an unknown one."""
    name = path.name.lower()
    if arrays.is_idx_images(name):
        return "idx"
    if name == catalogue.DATASETS["cifar10"].files[0].name:
        return "cifar"
    if suffix(name) in SUFFIXES:
        return "image"
    kinds = {".npy": "numpy", ".npz": "numpy", ".parquet": "parquet", ".zip": "zip"}
    return kinds.get(path.suffix.lower())


def _kind_of_folder(folder: Path, tree: Tree) -> str | Path | None:
    """Return what to read: IDX files, else images, else Parquet, else the only array or archive of the folder, or
    its .npy files."""
    names = [entry.name for entry in tree.entries]
    if any(arrays.is_idx_images(name) and "/" not in name for name in names):
        return "idx"
    if any(suffix(name) in SUFFIXES for name in names):
        return "tree"
    if any(name.lower().endswith(".parquet") for name in names):
        return "parquet"
    readable = [folder / name for name in names if _kind_of_file(Path(name)) is not None]
    if len(readable) == 1:
        return readable[0]
    if readable and all(file.suffix.lower() == ".npy" for file in readable):
        return "arrays"
    return "tree" if any(_is_image(tree, position) for position in range(min(len(names), MAX_OPENED_FILES))) else None


def _from_tree(tree: Tree, path: Path, labels: bool | str | None) -> Source:
    # Separate images from other files.
    are_images = [_is_image(tree, position) for position in range(len(tree.entries))]
    images = [position for position, is_image in enumerate(are_images) if is_image]
    others = [tree.entries[position].name for position, is_image in enumerate(are_images) if not is_image]
    own = listed((folder.rstrip("/") for folder in tree.own), 3)
    left_out = (f"Left out what sparring wrote: {own}.",) if own else ()
    if not images and not tree.skipped:
        content = f"only other files ({suffixes(others)})" if others else "nothing"
        content = content if others or not tree.own else f"only what sparring wrote ({own})"
        raise SparringError(found=f"{content} in {path}", expected=EXPECTED, remedy="check the path")

    # Choose the part to train on and find the classes: from a table of labels, or from folders.
    names = [tree.entries[position].name for position in images]
    given = read_label_file(labels) if isinstance(labels, str) else labels
    tables, about_tables = tables_in(tree) if labels in (None, True) else ({}, ())
    layout = read_layout(names, str(path), given, tables)
    kept = [images[position] for position in layout.positions]
    unread = _unreadable_folders(tree, [names[position] for position in layout.positions], path)

    others = [name for name in others if name not in {table.source for table in tables.values() if table}]
    what = "file that is not an image" if len(others) == 1 else "files that are not images"
    skipped = (f"Skipped {len(others):,} {what}: {suffixes(others)}.",) if others else ()
    return Source(
        names=[printable(tree.entries[position].name) for position in kept],
        read=lambda position: _sample(tree.read(kept[position])),
        stamp=f"{tree.stamp(path)} {stamp(chosen_files(labels))}",
        labels=layout.labels,
        classes=layout.classes,
        skipped=tree.skipped,
        remarks=(*layout.remarks, *about_tables, *unread, *left_out, *skipped),
        size=lambda position: tree.entries[kept[position]].size,
    )


def _is_image(tree: Tree, position: int) -> bool:
    """Recognise an image by its suffix, so that damaged ones are reported, or by its first bytes, for any name."""
    ending = suffix(tree.entries[position].name)
    return ending in SUFFIXES or (ending not in OTHER_SUFFIXES and is_image_header(tree.head(position)))


def _sample(content: bytes) -> bytes:
    """Return the content of a file, unless it is an overview of many samples.

    Raises:
        ValueError: it is one.
    """
    if is_overview(content):
        raise ValueError("an overview of samples, which sparring drew")
    return content


def _unreadable_folders(tree: Tree, used: Sequence[str], path: Path) -> tuple[str, ...]:
    """Return remarks on folders that cannot be listed, whose images are missing.

    Raises:
        SparringError: they are most of the folders.
    """
    lost = [one for one in tree.skipped if one.name.endswith("/")]
    tops = {name.partition("/")[0] if "/" in name else "" for name in used}
    if len({one.name.partition("/")[0] for one in lost} - tops) > max(1, len(tops)):
        raise SparringError(
            found=f"{len(lost)} folders in {path} that cannot be read ({lost[0].name}: {lost[0].reason})",
            expected="permission to read most of the data",
            remedy="change the permissions, or give the readable folders alone",
        )
    return tuple(f"The folder {one.name} cannot be read ({one.reason}): nothing in it is used." for one in lost)


def _from_arrays(found: Arrays, path: Path, choice: bool | str | None = None) -> Source:
    count, read, remarks = images_in(found.samples, str(path), labelled=found.labels is not None)
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    if isinstance(choice, str):
        labels, classes = labels_in_order(choice, count, str(path))
    elif found.labels is not None and choice is not False:
        labels, classes = arrays.class_numbers(found.labels, str(path))
    return Source(
        names=Numbered("image", count),
        read=read,
        stamp=stamp([*found.files, *chosen_files(choice)]),
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


def _known(name: str) -> Source:
    """Read a data set by its name: a local copy where there is one, else a download."""
    copy = downloads.local_copy(name)
    path = copy or downloads.download(name, catalogue.DATASETS[name])
    source = _named(_from_path(path), catalogue.DATASETS[name].classes)
    return replace(source, remarks=(f"{name} is read from {copy}.", *source.remarks)) if copy else source


def _stacked(digits: Source) -> Source:
    """Stack three random digits as the channels of one image, of 1,000 classes "000" to "999".

    As many images as there are digits, always the same (Metz et al. 2017, section 3.3.1).
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
    """Name the classes of a source whose labels are mere numbers."""
    if source.labels is None or source.classes != tuple(str(number) for number in range(len(classes))):
        return source
    return replace(source, classes=classes)
