"""Sources of images: names, folders, archives, arrays and tables, each as a ``Source`` of raw items."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparring.arguments import option
from sparring.data import catalogue, downloads
from sparring.data.formats import SUFFIXES, is_image_header
from sparring.data.labels import listed
from sparring.data.layouts import Layout, read_layout
from sparring.data.pairing import by_folders
from sparring.data.parts import Files
from sparring.data.readers import arrays, numpy_files
from sparring.data.readers.arrays import Arrays
from sparring.data.readers.files import Tree, open_tree, suffix, suffixes
from sparring.data.readers.label_files import chosen_files, labels_in_order, read_label_file
from sparring.data.readers.parquet import parquet_source
from sparring.data.readers.tables_in_tree import tables_in, unused_tables
from sparring.data.reading import DEFAULT_READING, FOLDERS, HALVES, Reading
from sparring.data.source import Numbered, Source, stamp
from sparring.errors import SparringError
from sparring.modalities.images.layout import array_files, images_in
from sparring.modalities.images.pairs import (
    chosen,
    domain_names,
    joined,
    no_pairs,
    pairing_in_tree,
    table_stamp,
    two_domains,
    with_classes,
    with_halves,
)
from sparring.opening import require_data
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


def is_parquet_folder(source: str) -> bool:
    """Return whether ``source`` is a folder of Parquet files, which may hold tables of other values than images."""
    path = Path(source)
    return path.is_dir() and _kind_of_folder(path, open_tree(path)) == "parquet"


def open_source(source: str, reading: Reading = DEFAULT_READING) -> Source:
    """Open all images of ``source``, without decoding them.

    Args:
        source: a path, or one of ``catalogue.IMAGE_NAMES``.
        reading: choices of the user; of them ``labels``, ``pairs`` and ``to`` matter here.

    Raises:
        SparringError: there are none, or they have no such labels or pairs.
    """
    if reading.to is not None:
        return _with_second_domain(source, reading.to, reading)
    opened = _open(source, reading)
    if opened.partner is not None or opened.domains or reading.pairs not in (None, HALVES):
        return opened
    return with_halves(opened, required=reading.pairs == HALVES)


def _open(source: str, reading: Reading) -> Source:
    """Open the images of a source; those that are pairs in two folders or in a table, as pairs."""
    if source not in catalogue.IMAGE_NAMES:
        opened = _from_path(Path(source), reading.labels, reading.pairs)
    else:
        opened = _by_name(source)
        if isinstance(reading.labels, str):
            labels, classes = labels_in_order(reading.labels, len(opened), source)
            key = f"{opened.stamp} {stamp(chosen_files(reading.labels))}"
            opened = replace(opened, labels=labels, classes=classes, stamp=key)
    if opened.partner is None and isinstance(reading.pairs, str) and reading.pairs != HALVES:
        raise SparringError(
            found=f"{option('pairs', reading.pairs)} for {source}, whose images have no names",
            expected="a folder or a zip archive of image files",
            remedy=f"save the pairs side by side and give {option('pairs', 'halves')}, or save them as files",
        )
    return replace(opened, labels=None, classes=(), domains=False) if reading.labels is False else opened


def _with_second_domain(source: str, other: str, reading: Reading) -> Source:
    """Open two sources as unpaired domains, or as pairs by equal names where these are asked for.

    Raises:
        SparringError: there are no images at one of them, or other choices contradict it.
    """
    if other not in catalogue.IMAGE_NAMES and not Path(other).exists():
        raise SparringError(
            found=f"nothing at {other}",
            expected="a folder, a file or a name: the images of the domain to translate into",
            remedy=f"check the path after {option('to')}",
        )
    require_data(Path(other))
    if reading.labels not in (None, False) or reading.pairs not in (None, False, FOLDERS):
        raise SparringError(
            found=f"{option('to', other)} beside {option('labels')} or {option('pairs')}",
            expected="two domains, which are neither classes nor pairs; or pairs of two folders, by "
            f"{option('pairs', 'folders')}",
            remedy="leave out one of the options",
        )
    alone = Reading(labels=False, pairs=False)
    first, second = (open_source(place, alone) for place in (source, other))
    if reading.pairs != FOLDERS:
        return two_domains(first, second, (source, other))
    named = [*(f"0/{name}" for name in first.names), *(f"1/{name}" for name in second.names)]
    found = by_folders(Files(list(range(len(named))), named))
    if found is None or not found.left:
        raise no_pairs(f"{source} and {other}")
    found = found._replace(sides=domain_names(source, other), right=[one - len(first) for one in found.right])
    return joined(chosen(first, found.left), chosen(second, found.right), found)


def open_inputs(source: str) -> Source:
    """Open all images of ``source`` as inputs of a model: those of every sub-folder, whatever it is called.

    Raises:
        SparringError: there are none.
    """
    path = Path(source)
    if source not in catalogue.IMAGE_NAMES and (path.is_dir() or path.suffix.lower() == ".zip"):
        tree = open_tree(path)
        images = [position for position in range(len(tree.entries)) if _is_image(tree, position)]
        if images:
            return Source(
                names=[printable(tree.entries[position].name) for position in images],
                read=lambda position: _sample(tree.read(images[position])),
                stamp=tree.stamp(path),
                skipped=tree.skipped,
                size=lambda position: tree.entries[images[position]].size,
                stamps=[tree.stamp_of(path, position) for position in images],
            )
    return replace(open_source(source, Reading(labels=False)), partner=None)


def _by_name(name: str) -> Source:
    if name == catalogue.DIGITS:
        return _digits()
    return _known(name) if name in catalogue.DATASETS else _stacked(_known("mnist"))


def _from_path(path: Path, labels: bool | str | None = None, pairs: bool | str | None = False) -> Source:
    if not path.is_dir():
        return _from_file(path, labels, pairs)
    tree = open_tree(path)
    kind = _kind_of_folder(path, tree)
    if kind == "idx":
        return _from_arrays(arrays.read_idx_folder(path), path, labels)
    if kind == "parquet":
        return parquet_source(path, labels)
    if kind == "arrays":
        return array_files(tree, path, read_label_file(labels, path) if isinstance(labels, str) else labels)
    if isinstance(kind, Path):
        return _from_file(kind, labels, pairs)
    return _from_tree(tree, path, labels, pairs)


def _from_file(path: Path, labels: bool | str | None, pairs: bool | str | None) -> Source:
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
    return _from_tree(open_tree(path), path, labels, pairs)


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


def _from_tree(tree: Tree, path: Path, labels: bool | str | None, pairs: bool | str | None) -> Source:
    # Separate images from other files.
    are_images = [_is_image(tree, position) for position in range(len(tree.entries))]
    images = [position for position, is_image in enumerate(are_images) if is_image]
    others = [tree.entries[position].name for position, is_image in enumerate(are_images) if not is_image]
    own = listed((folder.rstrip("/") for folder in tree.own), 3)
    left_out = (*((f"Left out what sparring wrote: {own}.",) if own else ()), *_about_hidden(path))
    if not images and not tree.skipped:
        content = f"only other files ({suffixes(others)})" if others else "nothing"
        content = content if others or not tree.own else f"only what sparring wrote ({own})"
        raise SparringError(found=f"{content} in {path}", expected=EXPECTED, remedy="check the path")

    # Pairs first, by the names of files or a table.
    names = [tree.entries[position].name for position in images]
    every = Source(
        names=[printable(name) for name in names],
        read=lambda position: _sample(tree.read(images[position])),
        stamp=f"{tree.stamp(path)} {stamp(chosen_files(labels))}",
        skipped=tree.skipped,
        size=lambda position: tree.entries[images[position]].size,
    )
    pairing, about_pairs = pairing_in_tree(every, names, str(path), pairs, classes_wanted=labels is not None)

    # Choose the part to train on and find the classes: from a table of labels, or from folders.
    given = read_label_file(labels, path) if isinstance(labels, str) else labels
    beside = pairing is None or pairing.masks
    tables, about_tables = tables_in(tree) if labels in (None, True) and beside else ({}, ())
    layout = read_layout(names, str(path), given if beside else False, tables)
    if layout.held_out:
        every = replace(every, held_out=np.isin(np.arange(len(every)), list(layout.held_out)))
    used = layout.positions if pairing is None else [*pairing.left, *pairing.right]
    unread = _unreadable_folders(tree, [names[position] for position in used], path)

    # Name a table that could give classes, and count all other files that are of no use.
    used_tables = {table.source for table in tables.values() if table} | {_name_in(path, labels)}
    others = [name for name in others if name not in used_tables]
    wanted = labels is None and not layout.classes and beside
    offered = unused_tables(tree, others, names, in_archive=path.is_file()) if wanted else {}
    others = [name for name in others if name not in offered]
    what = "file that is not an image" if len(others) == 1 else "files that are not images"
    skipped = (*offered.values(), *([f"Skipped {len(others):,} {what}: {suffixes(others)}."] if others else []))
    if pairing is not None:
        every = replace(every, remarks=(*unread, *left_out, *skipped), stamp=f"{every.stamp} {table_stamp(pairs)}")
        return with_classes(joined(chosen(every, pairing.left), chosen(every, pairing.right), pairing), pairing, layout)
    return replace(
        chosen(every, layout.positions),
        labels=layout.labels,
        classes=layout.classes,
        domains=layout.domains,
        remarks=(
            *(*layout.remarks, *about_pairs, *_about_two_classes(layout, labels)),
            *(*about_tables, *unread, *left_out, *skipped),
        ),
    )


def _name_in(folder: Path, labels: bool | str | None) -> str:
    """Return the name in ``folder`` of a file of labels that was given; "" where it lies elsewhere."""
    found = [*chosen_files(labels), *(chosen_files(str(folder / labels)) if isinstance(labels, str) else [])]
    inside = [one.resolve() for one in found if one.resolve().is_relative_to(folder.resolve())]
    return inside[0].relative_to(folder.resolve()).as_posix() if inside else ""


def _about_hidden(path: Path) -> tuple[str, ...]:
    """Return a remark on sub-folders of images whose names begin with a dot, and which are no classes therefore."""
    found = list[str]()
    for folder in sorted(path.glob(".*/")) if path.is_dir() else ():
        with suppress(OSError):
            if any(suffix(one.name) in SUFFIXES for one in folder.iterdir()):
                found.append(folder.name)
    if not found:
        return ()
    return (f"Skipped hidden folders of images, whose names begin with a dot: {listed(found, 3)}.",)


def _about_two_classes(layout: Layout, labels: bool | str | None) -> tuple[str, ...]:
    """Return a remark where two classes could be unpaired domains."""
    if labels is not None or len(layout.classes) != 2 or layout.domains:
        return ()
    one, other = layout.classes
    return (
        f"{one} and {other} are read as classes; --recipe images/cyclegan reads them as unpaired domains, and "
        "translates one into the other.",
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
    # The file as ``sklearn.datasets.load_digits`` reads it; the import of scikit-learn alone would take seconds.
    package = find_spec("sklearn")
    assert package is not None and package.origin is not None
    rows = np.loadtxt(Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    images = np.round(rows[:, :-1].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    return Source(
        names=[f"image {position}" for position in range(len(images))],
        read=lambda position: images[position],
        stamp=f"scikit-learn {version('scikit-learn')} digits",
        labels=rows[:, -1].astype(np.int64),
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
