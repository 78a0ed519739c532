"""Facts about a source of images, from the descriptions of all its images."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.data import transparency
from sparring.data.dataset import hold_out
from sparring.data.facts import Facts
from sparring.data.in_memory import source_words
from sparring.data.labels import listed
from sparring.data.pictures import ImageInfo
from sparring.data.ranges import KINDS, Ranges, find_range, ranges_as_json
from sparring.data.reading import Reading
from sparring.data.source import Skipped, Source
from sparring.errors import SparringError
from sparring.modalities.images.conditions import DOMAIN, GREY, HOLE, PAIR, SMALL
from sparring.text import number_of

MIN_IMAGES = 3
"""Readable images with which a source can be trained on or compared."""
MAX_LISTED_SIZES = 10
"""Most frequent sizes that are listed."""
MAX_LISTED_DUPLICATES = 10
"""Duplicates that are listed."""
MAX_LISTED_CLASSES = 5
"""Classes that a remark names."""
MIN_CLASS_IMAGES = 5
"""Images of a class below which a remark says how few there are."""
OF_EACH_SIDE = ("sizes", "different sizes", "formats", "modes", "bit depths", "duplicates")
"""Details that pairs have for each of their sides."""
NOTE_SENTENCES = {
    "animated": "are animated or have several pages; the first frame is used",
    "rotated": "are rotated upright by their EXIF orientation",
}
"""Note of an ``ImageInfo`` → end of a sentence about the images that have it."""


def labels_of(source: Source, kept: NDArray[np.int64]) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Return the labels of the kept samples, numbered over the classes that occur, and these classes.

    With fewer than two classes there are no labels: (None, ()).
    """
    if source.labels is None:
        return None, ()
    present, numbers = np.unique(source.labels[kept], return_inverse=True)
    if len(present) < 2:
        return None, ()
    return numbers.astype(np.int64), tuple(source.classes[number] for number in present)


def held_out_of(source: Source, kept: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    """Return whether each of the kept samples is held out; None where a random part of them is.

    So it is where all readable samples, or none, are meant to be held out.
    """
    if source.held_out is None:
        return None
    found: NDArray[np.bool_] = source.held_out[kept]
    return found if 0 < found.sum() < len(found) else None


def summarise(
    name: str,
    source: Source,
    surveyed: Sequence[ImageInfo | Skipped],
    reading: Reading,
    known: Ranges,
    side: str = "",
) -> Facts:
    """Return the facts of a source, every image of which was decoded once.

    Args:
        name: the source as the user gave it.
        source: the images, still encoded.
        surveyed: one description per image, or why it is unreadable.
        reading: choices of the user.
        known: ranges of values of the data that these images belong to, by kind of numbers.
        side: name of these images where they are one side of pairs.

    Raises:
        SparringError: no image is readable, or some have a fourth channel that is hardly transparency.
    """
    # Samples are the readable images, in the order of the source.
    kept = np.array([position for position, one in enumerate(surveyed) if isinstance(one, ImageInfo)], dtype=np.int64)
    infos = [one for one in surveyed if isinstance(one, ImageInfo)]
    unreadable = [*source.skipped, *(one for one in surveyed if isinstance(one, Skipped))]
    if not infos:
        raise _too_few(name, "no readable images", unreadable, 1)

    # Find the range of values of each kind, and look at transparency.
    ranges, range_remarks = _ranges(infos, reading, known)
    transparent = [info.transparency for info in infos if info.transparency is not None]
    if reading.background is None:
        transparency.require_alpha(transparent, name)

    # Count sizes, classes and duplicates.
    labels, classes = labels_of(source, kept)
    aside = held_out_of(source, kept)
    sizes = Counter((info.width, info.height) for info in infos)
    (width, height), _ = sizes.most_common(1)[0]
    grey = all(info.grey for info in infos)
    details = {
        "sizes": {f"{across} × {down}": count for (across, down), count in sizes.most_common(MAX_LISTED_SIZES)},
        "different sizes": len(sizes),
        **_described(infos, labels, classes, [source.names[position] for position in kept]),
        **({"domains": " and ".join(classes)} if source.domains and classes else {}),
        "unreadable": [one._asdict() for one in unreadable],
        "held out": len(hold_out(len(infos), 0, labels)[1]) if aside is None else int(aside.sum()),
    }
    return Facts(
        source=name,
        modality="images",
        count=len(infos),
        shape=(1 if grey else 3, height, width),
        fingerprint=_fingerprint(infos, labels, classes, ranges, aside),
        classes=classes,
        offers=_offers(source, classes, grey),
        coding={"ranges": ranges} if ranges else {},
        details=details,
        remarks=(
            *_remarks(source, infos, kept, details),
            *_about_colours(infos, side),
            *_about_duplicates(details, side),
            *_about_domains(source, infos, kept),
            *range_remarks,
            *transparency.remarks(transparent, len(infos), reading.background),
        ),
        reading=reading.as_json(),
    )


def of_pairs(facts: Facts, partner: Facts, sides: tuple[str, ...]) -> Facts:
    """Return the facts of pairs of images.

    ``coding["pair"]`` has the names of both ``sides`` and their numbers of channels, those of the partner first.

    Args:
        facts: of the images.
        partner: of their partners.
        sides: names of the partner's side and of the images' own.
    """
    coding = {"sides": list(sides), "channels": [partner.shape[0], facts.shape[0]]}
    described = {
        f"{name} of {side}": one.details[name]
        for name in OF_EACH_SIDE
        for side, one in zip(sides, (partner, facts), strict=True)
    }
    common = {name: value for name, value in facts.details.items() if name not in OF_EACH_SIDE}
    return replace(
        facts,
        fingerprint=sha256(f"{facts.fingerprint} {partner.fingerprint}".encode()).hexdigest(),
        offers=(PAIR, *facts.offers),
        coding={**facts.coding, "pair": coding},
        details={"pairs": _sides_text(sides, partner.shape, facts.shape), **described, **common},
        remarks=tuple(dict.fromkeys((*facts.remarks, *partner.remarks, *_about_pairs(facts, partner, sides)))),
    )


def _sides_text(sides: tuple[str, ...], *shapes: tuple[int, ...]) -> str:
    """Return the sides of pairs with their shapes: "B (3 × 256 × 256) → A (3 × 256 × 256)"."""
    return " → ".join(f"{side} ({' × '.join(map(str, shape))})" for side, shape in zip(sides, shapes, strict=True))


def _about_pairs(facts: Facts, partner: Facts, sides: tuple[str, ...]) -> list[str]:
    """Return full sentences about pairs that were set aside, or whose sides differ in form."""
    remarks = []
    if facts.details["unreadable"]:
        remarks.append("Of a pair with an unreadable image, the other image is set aside, too.")
    if facts.shape[0] != partner.shape[0]:
        grey, colour = sides if partner.shape[0] < facts.shape[0] else sides[::-1]
        remarks.append(f"{grey} is grey and {colour} in colour: the networks have one channel there and three here.")
    (height, width), (other_height, other_width) = facts.shape[1:], partner.shape[1:]
    if height * other_width != width * other_height:
        remarks.append(
            f"{sides[0]} ({other_width} × {other_height}) and {sides[1]} ({width} × {height}) have other proportions: "
            "each is cut at the centre, so that partners may no longer match."
        )
    return remarks


def _about_domains(source: Source, infos: Sequence[ImageInfo], kept: NDArray[np.int64]) -> list[str]:
    """Return a sentence about domains of which some are grey and others in colour."""
    labels, classes = labels_of(source, kept)
    if not source.domains or labels is None:
        return []
    grey = [
        name
        for number, name in enumerate(classes)
        if all(infos[row].grey for row in np.flatnonzero(labels == number).tolist())
    ]
    if not 0 < len(grey) < len(classes):
        return []
    return [f"All images of {', '.join(grey)} are grey and others are not: all are read in colour."]


def _offers(source: Source, classes: tuple[str, ...], grey: bool) -> tuple[str, ...]:
    """Return the conditions that images have, the one that they are meant for first."""
    by_class = () if not classes else (DOMAIN, "label") if source.domains else ("label", DOMAIN)
    return (*by_class, *(() if grey else (GREY,)), SMALL, HOLE)


def require_images(facts: Facts, least: int) -> None:
    """Refuse a source with fewer readable images than ``least``.

    Raises:
        SparringError: it has fewer.
    """
    if facts.count < least:
        unreadable = [Skipped(**one) for one in facts.details["unreadable"]]
        noun = "pair" if "pair" in facts.coding else "image"
        found = number_of(facts.count, f"readable {noun}")
        raise _too_few(source_words(facts.source), found, unreadable, least)


def _ranges(
    infos: Sequence[ImageInfo], reading: Reading, known: Ranges
) -> tuple[dict[str, list[float]], tuple[str, ...]]:
    """Return the range of each kind of numbers that occurs, without ordinary ones, and remarks."""
    ranges: dict[str, tuple[float, float]] = {}
    remarks: list[str] = []
    for kind in KINDS:
        extents = [info.extent for info in infos if info.extent.kind == kind]
        if extents:
            found = find_range(kind, extents, reading.range, known.get(kind))
            ranges[kind] = (found.low, found.high)
            remarks += [remark for remark in found.remarks if remark not in remarks]
    return ranges_as_json(ranges), tuple(remarks)


def _described(
    infos: Sequence[ImageInfo], labels: NDArray[np.int64] | None, classes: tuple[str, ...], names: Sequence[str]
) -> dict[str, Any]:
    """Return details of readable images: counts of their formats, classes and duplicates."""
    duplicates = _duplicates(names, infos)
    counts = [] if labels is None else np.bincount(labels, minlength=len(classes)).tolist()
    return {
        "formats": _counted(info.format for info in infos),
        "modes": _counted(info.mode for info in infos),
        "bit depths": _counted(str(info.bits) for info in infos),
        "classes": dict(zip(classes, counts, strict=True)),
        **({"balance": round(max(counts) / min(counts), 2)} if counts else {}),
        "duplicates": {"count": len(duplicates), "first": duplicates[:MAX_LISTED_DUPLICATES]},
    }


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _duplicates(names: Sequence[str], infos: Sequence[ImageInfo]) -> list[list[str]]:
    """Return [name, name of the first image with the same pixels] for every image that has occurred before."""
    first: dict[bytes, int] = {}
    return [
        [names[position], names[first[info.digest]]]
        for position, info in enumerate(infos)
        if first.setdefault(info.digest, position) != position
    ]


def _fingerprint(
    infos: Sequence[ImageInfo],
    labels: NDArray[np.int64] | None,
    classes: tuple[str, ...],
    ranges: dict[str, list[float]],
    aside: NDArray[np.bool_] | None,
) -> str:
    """SHA-256 of the values and the class names of all images, in order, of ranges that are not ordinary, and of which
    images are held out where the source says so."""
    digest = sha256()
    for position, info in enumerate(infos):
        digest.update(info.digest)
        if labels is not None:
            digest.update(classes[labels[position]].encode() + b"\0")
    if ranges:
        digest.update(json.dumps(ranges, sort_keys=True).encode())
    if aside is not None:
        digest.update(np.packbits(aside).tobytes())
    return digest.hexdigest()


def _remarks(
    source: Source, infos: Sequence[ImageInfo], kept: NDArray[np.int64], details: Mapping[str, Any]
) -> list[str]:
    """Return full sentences about images that were skipped, converted or are unusual."""
    classes, unreadable = details["classes"], len(details["unreadable"])
    remarks = list(source.remarks)
    if unreadable:
        remarks.append(f"Skipped {number_of(unreadable, 'unreadable file')}.")
    remarks += _about_classes(source, kept)
    # Classes of a few images are hardly learnt.
    tiny = [f"{name} has {count:,}" for name, count in classes.items() if count < MIN_CLASS_IMAGES]
    if tiny:
        more = f" and {len(tiny) - MAX_LISTED_CLASSES} more" if len(tiny) > MAX_LISTED_CLASSES else ""
        remarks.append(f"Few images of a class: {', '.join(tiny[:MAX_LISTED_CLASSES])}{more}.")
    # Images that had to be converted, counted by kind.
    notes = Counter(note for info in infos for note in info.notes)
    remarks += [f"{count:,} images {NOTE_SENTENCES[note]}." for note, count in sorted(notes.items())]
    return remarks


def _about_colours(infos: Sequence[ImageInfo], side: str) -> list[str]:
    """Return a sentence about images, or those of a side, that are stored in colours they do not need."""
    if not all(info.grey for info in infos) or all(info.mode not in ("RGB", "RGBA", "CMYK") for info in infos):
        return []
    named, there = (f" of {side}", " there") if side else ("", "")
    return [f"All images{named} are grey, though stored in colour; the networks have one channel{there}."]


def _about_duplicates(details: Mapping[str, Any], side: str) -> list[str]:
    duplicates, count = details["duplicates"]["count"], sum(details["formats"].values())
    named = f" of {side}" if side else ""
    return [f"{duplicates:,} of {count:,} images{named} are exact duplicates of others."] if duplicates else []


def _about_classes(source: Source, kept: NDArray[np.int64]) -> list[str]:
    """Return sentences about classes without a readable image, which are dropped, and about a class of all images."""
    if source.labels is None:
        return []
    size = len(source.classes)
    stored, readable = (np.bincount(labels, minlength=size) for labels in (source.labels, source.labels[kept]))
    lost = np.flatnonzero((stored > 0) & (readable == 0))
    left = np.flatnonzero(readable)
    remarks = []
    if len(lost):
        names = f"the class{'' if len(lost) == 1 else 'es'} {listed(source.classes[number] for number in lost)}"
        rest = "one other class is" if len(left) == 1 else f"{len(left):,} other classes are"
        remarks.append(f"None of the {stored[lost].sum():,} images of {names} is readable; {rest} left.")
    if len(left) == 1:
        remarks.append(f"All readable images are of the class {source.classes[left[0]]}: they are used without labels.")
    return remarks


def _too_few(name: str, readable: str, unreadable: Sequence[Skipped], least: int) -> SparringError:
    found = f"{readable} in {name}"
    if unreadable:
        first = unreadable[0]
        found += f" and {len(unreadable)} unreadable ({first.name}: {first.reason})"
    return SparringError(
        found=found,
        expected="at least one" if least == 1 else f"at least {least}, and hundreds to learn from",
        remedy="add images, or check the path" if not unreadable else "replace the damaged files, or add images",
    )
