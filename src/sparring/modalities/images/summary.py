"""What was seen, counted: the facts of a source of pictures."""

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.data.dataset import hold_out
from sparring.data.facts import Facts
from sparring.data.pictures import ImageInfo
from sparring.data.source import Skipped, Source
from sparring.errors import SparringError

FEWEST = 3
MOST_SIZES = 10
MOST_COPIES = 10
SAID = {
    "animated": "moving or of several pages; the first frame was taken",
    "rotated": "turned upright as their EXIF note says",
    "stretched": "of numbers without a fixed range; each was stretched from black to white",
}


def labels_of(source: Source, kept: NDArray[np.int64]) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Labels of the samples that are kept, numbered over the classes that occur; nothing if there is only one class."""
    if source.labels is None:
        return None, ()
    present, numbers = np.unique(source.labels[kept], return_inverse=True)
    if len(present) < 2:
        return None, ()
    return numbers.astype(np.int64), tuple(source.classes[place] for place in present)


def summarise(name: str, source: Source, seen: Sequence[ImageInfo | Skipped]) -> Facts:
    """The facts of a source after every picture was decoded once.

    Raises:
        SparringError: fewer than three pictures can be read.
    """
    kept = np.array([place for place, one in enumerate(seen) if isinstance(one, ImageInfo)], dtype=np.int64)
    infos = [one for one in seen if isinstance(one, ImageInfo)]
    unreadable = [*source.skipped, *(one for one in seen if isinstance(one, Skipped))]
    if len(infos) < FEWEST:
        raise _too_few(name, len(infos), unreadable)
    labels, classes = labels_of(source, kept)
    sizes = Counter((look.width, look.height) for look in infos)
    (width, height), _ = sizes.most_common(1)[0]
    grey = all(look.grey for look in infos)
    names = [source.names[place] for place in kept]
    copies = _copies(names, infos)
    details = {
        "sizes": {f"{across} × {down}": count for (across, down), count in sizes.most_common(MOST_SIZES)},
        "different sizes": len(sizes),
        "formats": _counted(look.format for look in infos),
        "modes": _counted(look.mode for look in infos),
        "bit depths": _counted(str(look.bits) for look in infos),
        **_balance(labels, classes),
        "duplicates": {"count": len(copies), "first": copies[:MOST_COPIES]},
        "unreadable": [one._asdict() for one in unreadable],
        "held out": len(hold_out(len(infos), 0)[1]),
    }
    return Facts(
        source=name,
        modality="images",
        count=len(infos),
        shape=(1 if grey else 3, height, width),
        fingerprint=_fingerprint(infos, labels, classes),
        classes=classes,
        offers=("label",) if classes else (),
        details=details,
        remarks=tuple(_remarks(source, infos, grey, classes, len(copies), len(unreadable))),
    )


def _counted(values: Any) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _balance(labels: NDArray[np.int64] | None, classes: tuple[str, ...]) -> dict[str, Any]:
    if labels is None:
        return {"classes": {}}
    counts = np.bincount(labels, minlength=len(classes)).tolist()
    return {
        "classes": dict(zip(classes, counts, strict=True)),
        "balance": round(max(counts) / min(counts), 2),
    }


def _copies(names: Sequence[str], infos: Sequence[ImageInfo]) -> list[list[str]]:
    """[name, name of the first with the same pixels] for every picture that has appeared before."""
    first: dict[bytes, int] = {}
    return [
        [names[place], names[first[look.digest]]]
        for place, look in enumerate(infos)
        if first.setdefault(look.digest, place) != place
    ]


def _fingerprint(infos: Sequence[ImageInfo], labels: NDArray[np.int64] | None, classes: tuple[str, ...]) -> str:
    digest = sha256()
    for place, look in enumerate(infos):
        digest.update(look.digest)
        if labels is not None:
            digest.update(classes[labels[place]].encode() + b"\0")
    return digest.hexdigest()


def _remarks(
    source: Source,
    infos: Sequence[ImageInfo],
    grey: bool,
    classes: tuple[str, ...],
    copies: int,
    unreadable: int,
) -> list[str]:
    said = list(source.remarks)
    if unreadable:
        said.append(f"{unreadable:,} files cannot be read and were set aside.")
    if source.labels is not None and len(classes) < len(source.classes):
        lost = [name for name in source.classes if name not in classes]
        said.append(f"No readable image of {', '.join(lost[:5])}; trains on the other {len(classes) or 1} classes.")
    notes = Counter(note for look in infos for note in look.notes)
    said += [f"{count:,} images are {SAID[note]}." for note, count in sorted(notes.items())]
    if grey and any(look.mode in ("RGB", "RGBA", "CMYK") for look in infos):
        said.append("All images are grey, though stored in colour; one channel is trained.")
    if copies:
        said.append(f"{copies:,} of {len(infos):,} images are exact copies of others.")
    return said


def _too_few(name: str, readable: int, unreadable: Sequence[Skipped]) -> SparringError:
    found = f"{readable or 'no'} readable image{'' if readable == 1 else 's'} in {name}"
    if unreadable:
        first = unreadable[0]
        found += f" and {len(unreadable)} that cannot be read ({first.name}: {first.reason})"
    return SparringError(
        found=found,
        expected=f"at least {FEWEST}, and some hundreds to learn from",
        remedy="add images, or check the path" if not unreadable else "replace the damaged files, or add images",
    )
