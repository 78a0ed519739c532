"""Pairs of files: in two folders by equal names, or in the two columns of a table."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Sequence, Set
from pathlib import Path
from typing import NamedTuple, TypeAlias

from sparring.arguments import option
from sparring.data.labels import class_name
from sparring.data.parts import MASK_WORDS, Files
from sparring.data.readers.label_files import SPELLINGS, csv_rows, examples, file_key
from sparring.errors import SparringError

MIN_MATCHED = 0.9
"""Share of the files in the larger folder whose names have to match, for pairs to be found."""
MIN_PATTERNS, MIN_VARIETY = 4, 0.1
"""Names without their digits, in number and as a share of the files, from which equal names are no chance."""
MASK_ENDING = re.compile(rf"[-_ .]({'|'.join(sorted(MASK_WORDS))})$", re.IGNORECASE)
"""End of the name of a mask, beside a picture whose name lacks it: cat_mask.png."""
MAX_TABLE_BYTES = 256 * 1024 * 1024

Named: TypeAlias = tuple[Sequence[int], Sequence[str]]
"""Positions of the files of one side in the tree, and their names within the folder of the side."""


class Pairing(NamedTuple):
    """Files that belong together.

    Args:
        left: positions of the files of one side.
        right: positions of their partners.
        sides: names of both sides.
        reason: what they were matched by, as the end of a sentence.
        matched: share of the files of the larger side that have a partner.
        numbered: whether the names are mere numbers, so that files may share them by chance.
        masks: whether the partners are masks, beside which the pictures may have classes.
        remarks: full sentences about files without a partner.
    """

    left: list[int]
    right: list[int]
    sides: tuple[str, str]
    reason: str
    matched: float = 1.0
    numbered: bool = False
    masks: bool = False
    remarks: tuple[str, ...] = ()


def by_folders(files: Files) -> Pairing | None:
    """Match the files of two folders by name, without their endings; None unless there are exactly two.

    Args:
        files: in two top folders, or of two domains.
    """
    if files.domains:
        # Files of both parts of a split may have equal names.
        tops, rest = (
            list(files.domains),
            [
                f"{'test' if position in files.held_out else 'train'}/{name}" if files.held_out else name
                for position, name in zip(files.positions, files.names, strict=True)
            ],
        )
    else:
        tops = [name.partition("/")[0] if "/" in name else "" for name in files.names]
        rest = [name.partition("/")[2] for name in files.names]
    present = sorted(set(tops))
    if len(present) != 2 or "" in present:
        return None

    def side(folder: str) -> Named:
        rows = [row for row, top in enumerate(tops) if top == folder]
        return [files.positions[row] for row in rows], [rest[row] for row in rows]

    return _matched(side(present[0]), side(present[1]), (class_name(present[0]), class_name(present[1])))


def by_masks(files: Files, names: Sequence[str]) -> Pairing | None:
    """Match pictures with the masks that were left out beside them; None if there are none.

    Args:
        files: the pictures.
        names: paths of all files of the tree.
    """
    best: Pairing | None = None
    for last in dict.fromkeys(folder.rstrip("/").rpartition("/")[2] for folder in files.masks):
        # Pictures lie in the folder around the masks, or in one next to them.
        folders = {folder for folder in files.masks if folder.rstrip("/").rpartition("/")[2] == last}
        around = {folder.removesuffix(f"{last}/") for folder in folders}
        pictures = _inside([(position, names[position]) for position in files.positions], around)
        beside = {folder for folder, _, _ in pictures}
        masks = [one for one in _inside(list(enumerate(names)), folders) if one[0].removesuffix(f"{last}/") in beside]
        found = _matched(
            ([position for _, position, _ in pictures], [f"{top}{_below(rest)}" for top, _, rest in pictures]),
            (
                [position for _, position, _ in masks],
                [f"{folder.removesuffix(f'{last}/')}{rest}" for folder, _, rest in masks],
            ),
            ("images", class_name(last)),
        )
        best = found if best is None or found.matched > best.matched else best
    return None if best is None else best._replace(masks=True)


def _inside(files: Sequence[tuple[int, str]], folders: Set[str]) -> list[tuple[str, int, str]]:
    """Return (folder, position, rest of the path) of the files that are somewhere in one of some folders."""
    found = []
    for position, name in files:
        parts = name.split("/")
        prefixes = ("".join(f"{part}/" for part in parts[:depth]) for depth in range(len(parts)))
        folder = next((prefix for prefix in prefixes if prefix in folders), None)
        if folder is not None:
            found.append((folder, position, name.removeprefix(folder)))
    return found


def _below(path: str) -> str:
    """Return a path without its first folder, if it has one."""
    return path.partition("/")[2] or path


def by_table(path: Path, names: Sequence[str]) -> Pairing:
    """Read pairs from the first two columns of a CSV file, with or without a heading.

    Args:
        path: of the file.
        names: paths of all images of the data. Files are found by their whole name, or by their name without folders or
            ending where that tells them apart.

    Raises:
        SparringError: it cannot be read, has no two columns, or lists no pair of the data.
    """
    rows = _rows(path)
    found = [_positions([row[side] for row in rows], names) for side in (0, 1)]
    pairs = [(left, right) for left, right in zip(*found, strict=True) if left is not None and right is not None]
    if not pairs:
        example = " and ".join(rows[-1])
        raise SparringError(
            found=f"no pair of files in {path} (such as {example}) of which both are in the data",
            expected=f"names of its files, such as {names[0]}" if names else "names of its files",
            remedy=f"correct the names, or give another table with {option('pairs')}",
        )

    # A heading is a first line of which neither cell is a file.
    heading = found[0][0] is None and found[1][0] is None
    missing = [
        name
        for row, *positions in list(zip(rows, *found, strict=True))[int(heading) :]
        for name, position in zip(row, positions, strict=True)
        if position is None
    ]
    remarks = (
        (f"{path.name} lists {examples(missing)} not found in the data; its pair is left out.",) if missing else ()
    )
    sides = (class_name(rows[0][0]), class_name(rows[0][1])) if heading else ("A", "B")
    sides = sides if all(sides) and sides[0] != sides[1] else ("A", "B")
    left, right = ([pair[side] for pair in pairs] for side in (0, 1))
    return Pairing(left, right, sides, f"as listed in {path.name}", remarks=remarks)


def _matched(left: Named, right: Named, sides: tuple[str, str]) -> Pairing:
    """Match two lists of files by name, without endings, and where that matches more without words such as "_mask"."""
    spellings: tuple[Callable[[str], str], ...] = (_plain, lambda name: MASK_ENDING.sub("", _plain(name)))
    pairs: list[tuple[int, int]] = []
    for spelling in spellings:
        # Names that occur twice on a side, such as 1.jpg and 1.png, tell nothing apart.
        keys = [[spelling(name) for name in names] for _, names in (left, right)]
        counts = [Counter(one) for one in keys]
        partner = {key: position for key, position in zip(keys[1], right[0], strict=True) if counts[1][key] == 1}
        found = [
            (position, partner[key])
            for key, position in zip(keys[0], left[0], strict=True)
            if counts[0][key] == 1 and key in partner
        ]
        pairs = found if len(found) > len(pairs) else pairs

    used = {position for pair in pairs for position in pair}
    remarks = [
        f"Left out {examples(lone)} of {side} without a partner of the same name."
        for (positions, names), side in ((left, sides[0]), (right, sides[1]))
        if (lone := [name for position, name in zip(positions, names, strict=True) if position not in used])
    ]
    larger = max(len(left[0]), len(right[0]))
    return Pairing(
        [one for one, _ in pairs],
        [other for _, other in pairs],
        sides,
        "by equal names",
        len(pairs) / larger if larger else 0.0,
        len({re.sub("[0-9]+", "0", _plain(name)) for name in left[1]}) < max(MIN_PATTERNS, len(left[1]) * MIN_VARIETY),
        remarks=tuple(remarks),
    )


def _plain(name: str) -> str:
    """Return a name without its ending, in one spelling."""
    key = file_key(name)
    stem, dot, ending = key.rpartition(".")
    return stem if stem and dot and "/" not in ending else key


def _positions(cells: Sequence[str], names: Sequence[str]) -> list[int | None]:
    """Return the position of each file, None for one that is not in the data, by the spelling that finds the most."""
    best: list[int | None] = [None] * len(cells)
    keys = [file_key(name) for name in names]
    for spelling in SPELLINGS:
        counts = Counter(map(spelling, keys))
        known = {spelling(key): position for position, key in enumerate(keys) if counts[spelling(key)] == 1}
        found = [known.get(spelling(file_key(cell))) for cell in cells]
        if sum(one is not None for one in found) > sum(one is not None for one in best):
            best = found
    return best


def _rows(path: Path) -> list[list[str]]:
    """Return the first two cells of each line of a CSV file.

    Raises:
        SparringError: it cannot be read, or has a line with fewer cells.
    """

    def refused(found: str) -> SparringError:
        return SparringError(
            found=f"{found} in {path}",
            expected="CSV with the names of two files in each line",
            remedy=f"correct the file, or give another one with {option('pairs')}",
        )

    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise refused("more than 256 MiB")
        text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
        rows = csv_rows(text)
    except OSError as error:
        raise refused(f"no readable file ({error.strerror})") from None
    except csv.Error as error:
        raise refused(f"a malformed table ({error})") from None
    if not rows:
        raise refused("no line")
    short = next((row for row in rows if len(row) < 2 or not all(row[:2])), None)
    if short is not None:
        raise refused(f"a line without a second file ({', '.join(short)})")
    return [row[:2] for row in rows]
