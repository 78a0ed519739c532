"""Layouts of data sets: the files to train on, and their classes, from folders or from tables of labels."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from sparring.arguments import option
from sparring.data.labels import SOME_LABELS, class_name, listed, number_classes, singles
from sparring.data.pairing import Pairing, by_folders, by_masks
from sparring.data.parts import Files, masks_left_out, training_part
from sparring.data.readers.label_files import LabelTable, examples, labels_by_name, missing_files
from sparring.errors import SparringError

SHARD = re.compile(r"(shard|part|chunk|batch|images?|img|folder|volume)[-_ ]?[0-9]+", re.IGNORECASE)
MIN_SHARD_DIGITS = 4
"""Digits of folder names that count shards: 00000, 00001."""
OVERRULE = f"{SOME_LABELS} uses them, --labels FILE others"


@final
@dataclass(frozen=True)
class Layout:
    """The files of a tree that are used, with their classes.

    Args:
        positions: positions of the files that are used.
        labels: (count,) int64, or None without classes.
        classes: names of the classes, in natural order.
        remarks: full sentences about what was left out, and about choices between several readings.
        domains: whether the classes are unpaired domains.
        held_out: positions of files that are to be held out; none for a random part.
    """

    positions: list[int]
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    domains: bool = False
    held_out: frozenset[int] = frozenset()


def pairings(names: Sequence[str]) -> list[Pairing]:
    """Return the pairs that the files of a tree can be read as: pictures with masks, or two folders matched by name.

    Args:
        names: paths of the files, with "/" between parts.
    """
    files = training_part(Files(list(range(len(names))), list(names)))
    found = [by_masks(files, names), by_folders(files)]
    kept = tuple(one for one in files.remarks if not files.masks or one != masks_left_out(files.masks))
    return [one._replace(remarks=(*kept, *one.remarks)) for one in found if one is not None and one.left]


def read_layout(
    names: Sequence[str],
    source: str,
    choice: bool | LabelTable | None = None,
    tables: Mapping[str, LabelTable | None] | None = None,
) -> Layout:
    """Choose the files to train on, and find their classes.

    Of the parts of a split the training part is used; masks and unlabelled pictures are left out. A single folder
    around everything is entered. Then classes come from a table of labels in the tree, or else from the sub-folders,
    unless those look like shards.

    Args:
        names: paths of the files, with "/" between parts.
        source: name of the data in messages.
        choice: False for no classes, True for the sub-folders even where they look like shards, a table of labels, or
            None to find them.
        tables: folder, "" or ending with "/" → the table of labels in it; None in place of a table without labels.

    Raises:
        SparringError: some files are directly at the top and others in sub-folders, so that some have no label; or the
            table of labels lists none of the files.
    """
    files = training_part(Files(list(range(len(names))), list(names)))
    return replace(_layout_of(files, names, source, choice, tables), held_out=files.held_out)


def _layout_of(
    files: Files,
    names: Sequence[str],
    source: str,
    choice: bool | LabelTable | None,
    tables: Mapping[str, LabelTable | None] | None,
) -> Layout:
    """Return the layout of the files to train on; see ``read_layout``."""
    if choice is False:
        return Layout(files.positions, remarks=files.remarks)
    if isinstance(choice, LabelTable):
        chosen = _by_table(files, names, choice)
        if chosen is None:
            raise _nothing_listed(choice, names, source)
        return chosen
    found = _by_tables_in_tree(files, names, tables or {})
    if found is not None and found.labels is not None and choice is None:
        single = singles([found.classes[label] for label in found.labels])
        remark = f"Labels in the table are not used as classes: {single} have a single file ({SOME_LABELS} uses them)."
        return Layout(files.positions, remarks=(*files.remarks, remark)) if single else found
    if found is not None and (choice is None or found.labels is not None):
        return found
    layout = _by_folders(files, source, required=choice is True)
    unused = [
        f"{table.source} is not used: none of the {len(table.by_name):,} files that it lists is in the data "
        f"(such as {next(iter(table.by_name))})."
        for table in _tables_around(files, names, tables or {}).values()
        if table is not None and table.by_name
    ]
    return replace(layout, remarks=(*layout.remarks, *unused))


def _by_table(files: Files, names: Sequence[str], table: LabelTable) -> Layout | None:
    """Label the files that a table lists, and leave out the others; None if it lists none of them."""
    if not table.by_name:
        return None
    labels, spelling = labels_by_name(table, [names[position] for position in files.positions])
    labelled = [(position, label) for position, label in zip(files.positions, labels, strict=True) if label]
    if not labelled:
        return None
    numbers, classes = number_classes([label for _, label in labelled])
    remarks = [*files.remarks, *table.remarks]
    unlabelled = [names[one] for one, label in zip(files.positions, labels, strict=True) if not label]
    if unlabelled:
        remarks.append(f"Left out {examples(unlabelled)} without a label in {table.source}.")
    if missing := missing_files(table, names, spelling):
        remarks.append(f"{table.source} lists {examples(missing)} not found in the data.")
    return Layout([position for position, _ in labelled], numbers, classes, tuple(remarks))


def _by_tables_in_tree(files: Files, names: Sequence[str], tables: Mapping[str, LabelTable | None]) -> Layout | None:
    """Label files by the tables in folders around them; None if there are none, or none of them lists a file."""
    around = _tables_around(files, names, tables)
    merged: dict[str, str | None] = {}
    for folder, table in around.items():
        merged |= {f"{folder}{name}": label for name, label in (table.by_name if table else {}).items()}
    sources = sorted({table.source for table in around.values() if table})
    remarks = tuple(dict.fromkeys(remark for table in around.values() if table for remark in table.remarks))
    found = _by_table(files, names, LabelTable(merged, source=listed(sources), remarks=remarks))
    if found is not None:
        if any("/" in name for name in files.names):
            remark = f"Classes are read from {listed(sources)}, not from the sub-folders."
            found = replace(found, remarks=(*found.remarks, remark))
        return found
    if any(table is None for table in around.values()):
        remark = f"dataset.json holds no labels, so the sub-folders are not used as classes ({OVERRULE})."
        inside = any("/" in name for name in files.names)
        return Layout(files.positions, remarks=(*files.remarks, remark) if inside else files.remarks)
    return None


def _tables_around(
    files: Files, names: Sequence[str], tables: Mapping[str, LabelTable | None]
) -> dict[str, LabelTable | None]:
    """Return the tables in folders that hold files."""
    return {
        folder: table
        for folder, table in tables.items()
        if any(names[position].startswith(folder) for position in files.positions)
    }


def _by_folders(files: Files, source: str, *, required: bool) -> Layout:
    """Take the top folder of each file as its class, unless the folders look like shards or hold one file each."""
    if files.domains:
        readings = () if required else (files.readings,)
        return Layout(
            files.positions, *number_classes(files.domains), (*files.remarks, *readings), domains=not required
        )
    tops = Counter(name.partition("/")[0] for name in files.names if "/" in name)
    direct = len(files.names) - tops.total()
    if not tops:
        return Layout(files.positions, remarks=files.remarks)
    if direct:
        raise _partly_labelled(source, direct, tops)
    spelling = {top: class_name(top) for top in tops}
    named = [spelling[name.partition("/")[0]] for name in files.names]
    remark = ""
    if _are_shards(files.names, tops):
        remark = f"Sub-folders {listed(tops)} look like shards, so they are not used as classes ({OVERRULE})."
    elif single := singles(named):
        remark = f"Sub-folders are not used as classes: {single} hold only one file ({OVERRULE})."
    if remark and not required:
        return Layout(files.positions, remarks=(*files.remarks, remark))
    return Layout(files.positions, *number_classes(named), files.remarks)


def _are_shards(names: Sequence[str], tops: Counter[str]) -> bool:
    """Return whether folders only divide the files: "part-1", or 00000, 00001, … as many tools number them.

    Folders of numbers are shards if they count from zero, and either all but the last hold equally many files, or no
    file name occurs in two of them. Classes that are numbers, as those of traffic signs, differ in both.
    """
    ordered = sorted(tops)
    if all(SHARD.fullmatch(top) for top in ordered):
        return True
    if any(not re.fullmatch("[0-9]+", top) or len(top) < MIN_SHARD_DIGITS for top in ordered):
        return False
    if len({len(top) for top in ordered}) > 1 or [int(top) for top in ordered] != list(range(len(ordered))):
        return False
    sizes = [tops[top] for top in ordered]
    unique = len({name.rpartition("/")[2] for name in names}) == len(names)
    return unique or (len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0])


def _partly_labelled(source: str, direct: int, tops: Counter[str]) -> SparringError:
    return SparringError(
        found=f"{direct} images directly in {source} and {tops.total()} in sub-folders ({listed(tops)}), "
        "so that some have no label",
        expected="all of them in sub-folders, one for each class, or all of them in one folder",
        remedy=f"give {option('labels', False)} to use all of them without classes, or move the images that have "
        "no label into a "
        "sub-folder of their own",
    )


def _nothing_listed(table: LabelTable, names: Sequence[str], source: str) -> SparringError:
    first = next(iter(table.by_name), None)
    return SparringError(
        found=f"no file of {source} in {table.source}, which "
        + (f"lists {first}" if first else "holds labels without names of files"),
        expected=f"names of its files, such as {names[0]}" if names else "names of its files",
        remedy="correct the names, or give another file of labels",
    )
