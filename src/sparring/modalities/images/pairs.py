"""Pairs of images and domains of images, as sources: halves of one file, two folders, a table, or a second folder."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sparring.arguments import option
from sparring.data import alignment, cache, decoding, pictures
from sparring.data.alignment import aligned, detail_ratio, different_kinds
from sparring.data.labels import class_name
from sparring.data.layouts import Layout, pairings
from sparring.data.pairing import MIN_MATCHED, Pairing, by_table
from sparring.data.reading import FOLDERS, HALVES
from sparring.data.source import Half, RawSample, Source, stamp
from sparring.errors import SparringError

MAX_COMPARED = 24
"""Pairs, spread over a source, that are compared by content."""
NO_PAIRS = "--pairs false (pairs=False in Python)"
LEAST_RATIO = 1.05
"""Ratio of detail from which one side is said to have more of it."""
SIDES = ("A", "B")
"""Names of the left and the right half."""


class Comparison(NamedTuple):
    """Result of comparing some pairs of two sources by content.

    Args:
        compared: number of pairs that were compared.
        aligned: whether partners share their shapes.
        differ: what the sides differ in, or "".
        ratio: how many times as much detail the first side has.
    """

    compared: int
    aligned: bool
    differ: str
    ratio: float


def compare(left: Source, right: Source) -> Comparison:
    """Compare some pairs of two sources of one length; the result is kept in the cache."""
    key = cache.cache_key([pictures.VERSION, "pairs", left.stamp, right.stamp, len(left), *_digests(left, right)])
    found = cache.read_cached("pairs", key)
    if found is None:
        with decoding.decoding_limits():
            sides = alignment.impressions(left.read, right.read, _spread(len(left)))
        found = [len(sides[0]), aligned(*sides), different_kinds(*sides), detail_ratio(*sides)]
        cache.write_cached("pairs", key, found)
    return Comparison(*found)


def joined(left: Source, right: Source, pairing: Pairing) -> Source:
    """Join two sources of one length as pairs; images of the side with more detail are generated from the other's.

    Args:
        left: images of one side.
        right: their partners.
        pairing: names of both sides, and the reason why they are pairs.
    """
    ratio, sides = compare(left, right).ratio, pairing.sides
    own, partner, target, origin = (left, right, *sides) if ratio >= 1 else (right, left, *sides[::-1])
    times = max(ratio, 1 / ratio)
    detail = f"has {times:.1f} times the detail" if times > LEAST_RATIO else "has as much detail as the other"
    remarks = (
        f"Read as {len(left):,} pairs of {sides[0]} and {sides[1]}, {pairing.reason}.",
        f"By default {target}, which {detail}, is generated from {origin}.",
    )
    return replace(own, partner=partner, sides=(origin, target), remarks=(*own.remarks, *pairing.remarks, *remarks))


def swapped(source: Source) -> Source:
    """Return the same pairs, of which the partners are what is generated."""
    assert source.partner is not None
    own = replace(source, partner=None, sides=(), labels=None, classes=(), remarks=())
    return replace(
        source.partner,
        labels=source.labels,
        classes=source.classes,
        skipped=source.skipped,
        remarks=source.remarks,
        partner=own,
        sides=source.sides[::-1],
    )


def chosen(source: Source, positions: Sequence[int]) -> Source:
    """Return the samples at some positions, without labels."""
    return replace(
        source,
        names=[source.names[position] for position in positions],
        read=lambda row: source.read(positions[row]),
        size=lambda row: source.size(positions[row]),
        labels=None,
        classes=(),
        held_out=None if source.held_out is None else source.held_out[list(positions)],
    )


def pairing_in_tree(
    every: Source, names: Sequence[str], place: str, pairs: bool | str | None, *, classes_wanted: bool
) -> tuple[Pairing | None, tuple[str, ...]]:
    """Find pairs among the files of a tree: in a table, or in two folders with equal names.

    Without a choice of the user, folders hold pairs if at least nine tenths of the names match, and either one folder
    holds the masks of the other, or the names are more than numbers, or the images share their shapes.

    Args:
        every: all images of the tree.
        names: their paths.
        place: the tree in messages.
        pairs: choice of the user.
        classes_wanted: whether there is a choice about labels, which leaves no folders for pairs.

    Returns:
        The pairs, or None; and remarks on files that are nearly pairs.

    Raises:
        SparringError: there are none, though they were asked for.
    """
    if pairs is False or pairs == HALVES:
        return None, ()
    if isinstance(pairs, str) and pairs != FOLDERS:
        return by_table(Path(pairs), names), ()
    found = pairings(names)
    if pairs == FOLDERS:
        if not found:
            raise no_pairs(place)
        return max(found, key=lambda one: one.matched), ()
    remarks: tuple[str, ...] = ()
    for one in found:
        many = one.matched >= MIN_MATCHED
        certain = one.masks or not one.numbered
        if many and not classes_wanted and (certain or _aligned(every, one)):
            reason = f"{one.reason} ({NO_PAIRS} reads no pairs)"
            return one._replace(
                reason=reason if certain else f"{one.reason} and shapes ({NO_PAIRS} reads no pairs)"
            ), ()
        if many or one.masks:
            why = (
                "only numbers match, not the shapes in the images" if many else f"only {one.matched:.0%} of them match"
            )
            remarks = (
                f"{one.sides[0]} and {one.sides[1]} are not read as pairs by equal names"
                + (f", since {why}" if not classes_wanted else "")
                + '; --pairs folders (pairs="folders" in Python) reads those that match.',
            )
    return None, remarks


def with_classes(source: Source, pairing: Pairing, layout: Layout) -> Source:
    """Return pairs of pictures and masks with the classes that a layout gives the pictures, if it gives them all."""
    if not pairing.masks or layout.labels is None:
        return source
    label = dict(zip(layout.positions, layout.labels.tolist(), strict=True))
    if any(position not in label for position in pairing.left):
        return source
    labels = np.array([label[position] for position in pairing.left], dtype=np.int64)
    return replace(source, labels=labels, classes=layout.classes)


def table_stamp(pairs: bool | str | None) -> str:
    """Return the stamp of a table of pairs, or "" where there is none."""
    return stamp([Path(pairs)]) if isinstance(pairs, str) and pairs not in (HALVES, FOLDERS) else ""


def no_pairs(place: str) -> SparringError:
    """Return the error for data without two folders of equal names."""
    return SparringError(
        found=f"no two folders in {place} with files of equal names",
        expected="two folders, such as a/1.png and b/1.png, or pictures beside a folder of their masks",
        remedy=f"rename the files, give a table by {option('pairs', 'FILE.csv')}, or leave {option('pairs')} out",
    )


def _aligned(every: Source, pairing: Pairing) -> bool:
    return compare(chosen(every, pairing.left), chosen(every, pairing.right)).aligned


def halves(source: Source) -> tuple[Source, Source]:
    """Return the left and the right halves of images as two sources; each half is cut out when it is read."""

    def half(right: bool) -> Source:
        def read(position: int) -> RawSample:
            raw = source.read(position)
            if not isinstance(raw, np.ndarray):
                return Half(raw if isinstance(raw, bytes) else raw.content, right)
            if raw.shape[1] % 2:
                raise ValueError("an odd width, so that it has no halves")
            return np.ascontiguousarray(np.split(raw, 2, axis=1)[int(right)])

        return replace(source, read=read)

    return half(False), half(True)


def with_halves(source: Source, *, required: bool) -> Source:
    """Return a source of pairs if its images hold pairs side by side; else the source, with a remark where it is close.

    Images hold pairs if some of them, spread over the source, are exactly twice as wide as high and of one size, nearly
    all right halves differ from the left ones in one direction, and the halves share their shapes.

    Args:
        source: images as they are stored.
        required: whether pairs were asked for, so that images of any even width hold them.
    """
    if required:
        return joined(*halves(source), Pairing([], [], SIDES, "the left and the right half of each image"))
    if not _twice_as_wide(source):
        return source
    found = compare(*halves(source))
    if found.aligned and found.differ:
        reason = (
            f"the left and the right half of each image: of {found.compared} images all are twice as wide as high, and "
            f"their halves show the same shapes but differ in {found.differ} ({NO_PAIRS} reads whole images)"
        )
        return joined(*halves(source), Pairing([], [], SIDES, reason))
    if found.compared < alignment.MIN_COMPARED:
        return source
    why = "differ in neither detail nor brightness nor colour" if not found.differ else "do not show the same shapes"
    remark = (
        f"Images are twice as wide as high, but their halves {why}, so they are read as whole images; --pairs halves "
        '(pairs="halves" in Python) reads pairs.'
    )
    return replace(source, remarks=(*source.remarks, remark))


def two_domains(first: Source, second: Source, places: tuple[str, str]) -> Source:
    """Return the images of two sources as unpaired domains, named after their places."""
    sources = (first, second)
    ends = np.cumsum([len(one) for one in sources])

    def found(position: int) -> tuple[Source, int]:
        return (first, position) if position < len(first) else (second, position - len(first))

    def read(position: int) -> RawSample:
        source, place = found(position)
        return source.read(place)

    def size(position: int) -> int:
        source, place = found(position)
        return source.size(place)

    names = domain_names(*places)
    return Source(
        names=[f"{domain}/{name}" for domain, source in zip(names, sources, strict=True) for name in source.names],
        read=read,
        stamp=f"{first.stamp} to {second.stamp}",
        labels=np.repeat(np.arange(2), np.diff(ends, prepend=0)).astype(np.int64),
        classes=names,
        skipped=(*first.skipped, *second.skipped),
        remarks=(
            *dict.fromkeys((*first.remarks, *second.remarks)),
            f"Two unpaired domains: {len(first):,} images of {names[0]} and {len(second):,} of {names[1]}.",
        ),
        size=size,
        domains=True,
    )


def domain_names(first: str, second: str) -> tuple[str, str]:
    """Return the names of two domains: the last names of their places, or both with the folder around."""
    paths = [Path(one).absolute() for one in (first, second)]
    names = [class_name(path.stem if path.is_file() else path.name) for path in paths]
    if names[0] == names[1] or not all(names):
        names = [class_name(f"{path.parent.name}/{path.name}") for path in paths]
    return (names[0], names[1]) if names[0] != names[1] else SIDES


def _twice_as_wide(source: Source) -> bool:
    """Return whether some images, spread over the source, are all exactly twice as wide as high, and of one size."""
    sizes: set[tuple[int, int]] = set()
    for position in _spread(len(source)):
        try:
            size = _size(source.read(position))
        except Exception:
            # Damaged files fail in many ways; the survey tells which ones.
            continue
        sizes.add(size)
        if size[0] != 2 * size[1] or len(sizes) > 1:
            return False
    return bool(sizes)


def _size(raw: RawSample) -> tuple[int, int]:
    """Return (width, height) of an image, of which only the header is decoded."""
    if isinstance(raw, np.ndarray):
        return raw.shape[1], raw.shape[0]
    with decoding.opened(raw.content if isinstance(raw, Half) else raw) as image:
        return decoding.upright_size(image)


def _spread(count: int) -> list[int]:
    """Return at most ``MAX_COMPARED`` positions, spread evenly."""
    return sorted(set(np.linspace(0, count - 1, min(count, MAX_COMPARED)).round().astype(int).tolist()))


def _digests(left: Source, right: Source) -> tuple[str, str]:
    """Return digests of the names that are compared, since sources of one tree share their stamp."""
    one, other = (
        sha256("\0".join(side.names[place] for place in _spread(len(side))).encode()).hexdigest()
        for side in (left, right)
    )
    return one, other
