"""Reading pictures: look at all of a source once, then make it ready for training in any size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sparring.data import cache, pictures
from sparring.data.dataset import Dataset, Split, hold_out
from sparring.data.downloads import OnProgress
from sparring.data.facts import Facts
from sparring.data.parallel import in_order
from sparring.data.pictures import ImageInfo, Pixels
from sparring.data.source import Skipped, Source
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.images.sources import looks_like_pictures, open_source
from sparring.modalities.images.summary import labels_of, summarise

AT_ONCE = 32
"""Pictures that a thread takes at a time."""
IN_MEMORY = 128 * 1024 * 1024
"""Bytes of decoded pictures up to which a copy in memory is preferred."""

Seen: TypeAlias = ImageInfo | Skipped


@final
@dataclass(frozen=True)
class ImageSurvey:
    """A source of pictures that has been looked at.

    Args:
        facts: what was found.
        source: the pictures, still encoded.
        kept: positions in ``source`` of those that can be read.
        pixels: the readable pictures decoded, if they are all of one size and few enough to keep.
    """

    facts: Facts
    source: Source
    kept: NDArray[np.int64]
    pixels: Sequence[Pixels] | None = field(default=None, repr=False)

    def prepare(self, view: View, *, seed: int = 0) -> Split:
        """Every readable picture as uint8 in the view's shape (channels, height, width), split by ``seed``.

        Pictures are cut at the centre to its aspect ratio, then resized. They are decoded once and kept in
        the cache under their content and the shape.

        Raises:
            SparringError: it is no shape of pictures, a file changed meanwhile, or the cache cannot be written.
        """
        channels, height, width = _require_shape(view.shape)
        train, aside = hold_out(self.facts.count, seed)
        numbers, _ = labels_of(self.source, self.kept)
        small = self.facts.count * channels * height * width <= IN_MEMORY
        order = np.arange(self.facts.count) if small else np.concatenate([train, aside])
        whole = cache.cached_array(
            cache.cache_key([self.facts.fingerprint, pictures.VERSION, "all" if small else f"split {seed}"]),
            (self.facts.count, channels, height, width),
            lambda: self._chunks(order, (channels, height, width)),
        )
        # A large array is stored in the order of the split, so that both parts stay maps of the file.
        parts = (whole[train], whole[aside]) if small else (whole[: len(train)], whole[len(train) :])

        def side(samples: NDArray[np.uint8], rows: NDArray[np.int64]) -> Dataset:
            labels = None if numbers is None else numbers[rows]
            return Dataset(samples, labels=labels, conditions=labels if view.condition == "label" else None)

        return Split(side(parts[0], train), side(parts[1], aside), self.facts)

    def whole(self, view: View) -> Dataset:
        """Every readable picture in order, uint8 in the view's shape, with its label.

        Raises:
            SparringError: as ``prepare``.
        """
        channels, height, width = _require_shape(view.shape)
        samples = cache.cached_array(
            cache.cache_key([self.facts.fingerprint, pictures.VERSION, "all"]),
            (self.facts.count, channels, height, width),
            lambda: self._chunks(np.arange(self.facts.count), (channels, height, width)),
        )
        labels, _ = labels_of(self.source, self.kept)
        return Dataset(samples, labels=labels, conditions=labels if view.condition == "label" else None)

    def _chunks(self, order: NDArray[np.int64], shape: tuple[int, int, int]) -> Iterator[NDArray[np.uint8]]:
        # Pixels that were decoded to be looked at are used as they are; other sizes start from the file.
        held = self.pixels if self.pixels is not None and self.facts.shape[1:] == shape[1:] else None

        def part(places: range) -> NDArray[np.uint8]:
            rows = order[places.start : places.stop].tolist()
            return np.stack(
                [self._fitted(row, shape) if held is None else pictures.fit(held[row], shape) for row in rows]
            )

        with pictures.decoding_limits():
            yield from in_order(part, len(order), AT_ONCE)

    def _fitted(self, row: int, shape: tuple[int, int, int]) -> Pixels:
        position = int(self.kept[row])
        try:
            return pictures.fit(self.source.read(position), shape)
        except Exception as error:
            raise SparringError(
                found=f"{self.source.names[position]}, which could be read and now cannot ({pictures.reason(error)})",
                expected="files that stay as they are",
                remedy="start again when nothing writes to the folder",
            ) from None


def claims(source: str) -> int:
    """2 for a known name (digits, mnist, …) or a path at which there seem to be pictures; 1 for arrays of any kind."""
    if not looks_like_pictures(source):
        return 0
    return 1 if source.lower().endswith((".npy", ".npz")) else 2


def read(source: str, view: View, facts: Facts) -> Dataset:
    """All pictures of ``source`` in order, in the view's shape; with labels where the classes are those of ``facts``.

    Raises:
        SparringError: nothing in it can be used.
    """
    found = survey(source)
    data = found.whole(view)
    return data if found.facts.classes == facts.classes else replace(data, labels=None, conditions=None)


def survey(source: str, on_progress: OnProgress | None = None) -> ImageSurvey:
    """Decode every picture of ``source`` once and report; an unchanged source is remembered.

    Args:
        source: a folder, a zip, an IDX, NumPy or Parquet file, or one of the names in ``sources.NAMES``.
        tell: called with (done, total) on the way.

    Raises:
        SparringError: nothing in it can be used; one sentence says what was found, expected and can be done.
    """
    opened = open_source(source, on_progress)
    key = cache.cache_key([pictures.VERSION, opened.stamp, len(opened), opened.classes, opened.remarks])
    note = cache.read_cached("surveys", key)
    if note is not None:
        facts = replace(Facts.from_json(note["facts"]), source=source)
        return ImageSurvey(facts, opened, _all_but(note["set aside"], len(opened)))
    seen, pixels = _look_at_all(opened, on_progress)
    facts = summarise(source, opened, seen)
    set_aside = [place for place, one in enumerate(seen) if isinstance(one, Skipped)]
    cache.write_cached("surveys", key, {"facts": facts.as_json(), "set aside": set_aside})
    return ImageSurvey(facts, opened, _all_but(set_aside, len(opened)), pixels)


def _look_at_all(source: Source, on_progress: OnProgress | None) -> tuple[list[Seen], list[Pixels] | None]:
    seen: list[Seen] = []
    pixels: list[Pixels] | None = []
    room = IN_MEMORY

    def part(places: range) -> list[tuple[Seen, Pixels | None]]:
        return [_look_at(source, place) for place in places]

    with pictures.decoding_limits():
        for some in in_order(part, len(source), AT_ONCE):
            seen += [one for one, _ in some]
            if pixels is not None:
                pixels += [picture for _, picture in some if picture is not None]
                room -= sum(picture.nbytes for _, picture in some if picture is not None)
                if room < 0 or any(picture.shape[:2] != pixels[0].shape[:2] for picture in pixels[-AT_ONCE:]):
                    pixels = None
            if on_progress:
                on_progress(len(seen), len(source))
    return seen, pixels


def _look_at(source: Source, place: int) -> tuple[Seen, Pixels | None]:
    try:
        return pictures.inspect_image(source.read(place))
    except Exception as error:
        # Decoders fail in many ways on damaged files; whichever it is, this one is set aside and the rest go on.
        return Skipped(source.names[place], pictures.reason(error)), None


def _all_but(set_aside: Sequence[int], count: int) -> NDArray[np.int64]:
    return np.delete(np.arange(count, dtype=np.int64), np.array(set_aside, dtype=np.int64))


def _require_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    if len(shape) == 3 and shape[0] in (1, 3) and min(shape) > 0:
        return shape[0], shape[1], shape[2]
    raise SparringError(
        found=f"the shape {shape}",
        expected="(channels, height, width) with 1 or 3 channels",
        remedy="give another shape",
    )
