"""Reading images: survey a source once, then prepare it for training in any size."""

from binascii import crc32
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sparring.data import cache, catalogue, memory, pictures, transparency
from sparring.data.array_file import ArrayFile
from sparring.data.dataset import Dataset, Split, hold_out
from sparring.data.decoding import decoding_limits
from sparring.data.facts import Facts
from sparring.data.formats import reason
from sparring.data.parallel import in_order
from sparring.data.pictures import Coding, ImageInfo, Pixels
from sparring.data.ranges import ranges_from_json
from sparring.data.reading import DEFAULT_READING, Reading
from sparring.data.source import RawSample, Skipped, Source
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.images.sources import looks_like_images, open_source
from sparring.modalities.images.summary import MIN_IMAGES, labels_of, require_images, summarise
from sparring.modality import BY_NAME

IMAGES_PER_TASK = 32
"""Images that a thread decodes at a time."""
BYTES_PER_TASK = 8 * 1024 * 1024
"""Bytes of prepared images that a thread returns at a time, so that large images are passed on in smaller numbers."""
MAX_BYTES_IN_MEMORY = 128 * 1024 * 1024
"""Bytes of decoded images up to which they are kept in memory."""

Surveyed: TypeAlias = ImageInfo | Skipped
"""An image that was decoded, or an unreadable one with the reason."""


@final
@dataclass(frozen=True)
class ImageSurvey:
    """A source of images, each of which was decoded once.

    Args:
        facts: facts about the images.
        source: the images, still encoded.
        kept: positions in ``source`` of those that are readable.
        checks: checksum of each image of ``source`` as it was surveyed: what is prepared must be the same.
        key: of the survey in the cache.
        values: the readable images decoded, if they have one size and are few enough to keep.
    """

    facts: Facts
    source: Source
    kept: NDArray[np.int64]
    checks: Sequence[int] = field(repr=False)
    key: str = field(repr=False)
    values: Sequence[NDArray[Any]] | None = field(default=None, repr=False)

    def prepare(self, view: View, *, seed: int = 0) -> Split:
        """Decode all readable images as uint8 in the view's shape, (channels, height, width), and split them.

        Images are cropped at the centre to its aspect ratio, then resized. They are decoded once and kept in the cache
        under their content and the shape.

        Raises:
            SparringError: not a shape of images, a file changed since the survey, or the cache cannot be written.
        """
        channels, height, width = shape = _require_shape(view.shape)
        labels, _ = labels_of(self.source, self.kept)
        train_rows, held_out_rows = hold_out(self.facts.count, seed, labels)

        # A large array is stored in the order of the split, so that both parts stay in the file.
        if self.facts.count * channels * height * width <= MAX_BYTES_IN_MEMORY:
            whole = self._all(shape)
            train, held_out = whole[train_rows], whole[held_out_rows]
        else:
            order = f"split {seed} {sha256(held_out_rows.tobytes()).hexdigest()}"
            whole = self._decoded(shape, order, np.concatenate([train_rows, held_out_rows]))
            train, held_out = whole[: len(train_rows)], whole[len(train_rows) :]

        def dataset(samples: NDArray[np.uint8] | ArrayFile, rows: NDArray[np.int64]) -> Dataset:
            return _dataset(samples, None if labels is None else labels[rows], view)

        return Split(dataset(train, train_rows), dataset(held_out, held_out_rows), self.facts)

    def whole(self, view: View) -> Dataset:
        """Decode all readable images in order, uint8 in the view's shape, with their labels.

        Raises:
            SparringError: as for ``prepare``.
        """
        labels, _ = labels_of(self.source, self.kept)
        return _dataset(self._all(_require_shape(view.shape)), labels, view)

    def _all(self, shape: tuple[int, int, int]) -> ArrayFile:
        """Return all images in ``shape``, in order."""
        return self._decoded(shape, "all", np.arange(self.facts.count))

    def _decoded(self, shape: tuple[int, int, int], name: str, order: NDArray[np.int64]) -> ArrayFile:
        """Return all images in ``shape`` and in the order called ``name``, from the cache if they are there."""
        key = cache.cache_key([self.facts.fingerprint, pictures.VERSION, name])
        return cache.cached_array(key, (self.facts.count, *shape), lambda: self._chunks(order, shape))

    def _chunks(self, order: NDArray[np.int64], shape: tuple[int, int, int]) -> Iterator[NDArray[np.uint8]]:
        """Yield the images of ``order`` in ``shape``, some at a time: (images, channels, height, width)."""
        # Values kept by the survey are used only in their own size; other sizes start from the file.
        kept = self.values if self.values is not None and self.facts.shape[1:] == shape[1:] else None
        coding = _coding(self.facts)

        def fitted(row: int) -> Pixels:
            return self._fitted(row, shape, coding) if kept is None else pictures.fit(kept[row], shape, coding)

        def chunk(positions: range) -> NDArray[np.uint8]:
            return np.stack([fitted(row) for row in order[positions.start : positions.stop].tolist()])

        with decoding_limits():
            size = max(1, min(IMAGES_PER_TASK, BYTES_PER_TASK // (shape[0] * shape[1] * shape[2])))
            yield from in_order(chunk, len(order), size)

    def _fitted(self, row: int, shape: tuple[int, int, int], coding: Coding) -> Pixels:
        position = int(self.kept[row])
        try:
            with memory.reading(self.source.size(position)):
                raw = self.source.read(position)
                if _check(raw) == self.checks[position]:
                    return pictures.fit(raw, shape, coding)
            cause = "which has changed since it was surveyed"
        except Exception as error:
            cause = f"which was readable and no longer is ({reason(error)})"
        # The cached survey no longer describes the files, so it must not be used again.
        cache.write_cached("surveys", self.key, None)
        raise SparringError(
            found=f"{self.source.names[position]}, {cause}",
            expected="files that do not change",
            remedy="start again when nothing writes to the folder",
        )


def claims(source: str) -> int:
    """Return BY_NAME for digits, mnist, …, 2 for a path with images, 1 for arrays of any kind, 0 otherwise."""
    if source in catalogue.IMAGE_NAMES:
        return BY_NAME
    if not looks_like_images(source):
        return 0
    return 1 if source.lower().endswith((".npy", ".npz")) else 2


def read(source: str, view: View, facts: Facts) -> Dataset:
    """Read all images of ``source`` in order, in the view's shape; with labels if the classes are those of ``facts``.

    Their values have the range of the data of ``facts`` unless they exceed it by far, and transparency is laid on the
    same background.

    Raises:
        SparringError: nothing in it can be used.
    """
    found = survey(source, Reading(background=_background(facts)), like=facts, least=1)
    data = found.whole(view)
    return data if found.facts.classes == facts.classes else replace(data, labels=None, conditions=None)


def survey(
    source: str,
    reading: Reading = DEFAULT_READING,
    like: Facts | None = None,
    least: int = MIN_IMAGES,
) -> ImageSurvey:
    """Decode every image of ``source`` once; the facts of an unchanged source come from the cache.

    Args:
        source: a folder, a zip, an IDX, NumPy or Parquet file, one image, or a name of ``catalogue.IMAGE_NAMES``.
        reading: choices of the user.
        like: facts of the data that these images belong to, whose ranges of values they share unless they exceed them.
        least: readable images that are needed: one where they are inputs of a model.

    Raises:
        SparringError: nothing in it can be used.
    """
    background = transparency.colour(reading.background)
    known = like.coding.get("ranges", {}) if like else {}
    opened = open_source(source, reading)
    form = (opened.classes, opened.remarks, reading.as_json(), known)
    key = cache.cache_key([pictures.VERSION, opened.stamp, len(opened), *form])
    note = cache.read_cached("surveys", key)
    if note is not None:
        facts = replace(Facts.from_json(note["facts"]), source=source)
        require_images(facts, least)
        return ImageSurvey(facts, opened, _all_but(note["set aside"], len(opened)), _unpacked(note["checks"]), key)
    surveyed, checks, values = _survey_all(opened, background)
    facts = summarise(source, opened, surveyed, reading, ranges_from_json(known))
    unreadable = [position for position, one in enumerate(surveyed) if isinstance(one, Skipped)]
    note = {"facts": facts.as_json(), "set aside": unreadable, "checks": checks.astype(">u4").tobytes().hex()}
    cache.write_cached("surveys", key, note)
    require_images(facts, least)
    return ImageSurvey(facts, opened, _all_but(unreadable, len(opened)), checks.tolist(), key, values)


def _survey_all(
    source: Source, background: transparency.Colour
) -> tuple[list[Surveyed], NDArray[np.uint32], list[NDArray[Any]] | None]:
    """Decode all images; return their descriptions and checksums, and their values if they share one size.

    Values are kept only while all images of this size would fit into memory.
    """
    surveyed: list[Surveyed] = []
    checks = np.zeros(len(source), np.uint32)
    values: list[NDArray[Any]] | None = []
    room = MAX_BYTES_IN_MEMORY // max(1, len(source))

    def task(positions: range) -> list[tuple[Surveyed, int, NDArray[Any] | None]]:
        return [_survey_one(source, position, background, room) for position in positions]

    # Drop the values for good once they are too many, or of several sizes.
    with decoding_limits():
        for some in in_order(task, len(source), IMAGES_PER_TASK):
            checks[len(surveyed) : len(surveyed) + len(some)] = [check for _, check, _ in some]
            surveyed += [one for one, _, _ in some]
            if values is not None:
                readable = [picture for one, _, picture in some if isinstance(one, ImageInfo)]
                shapes = {None if picture is None else picture.shape[:2] for picture in (*values[:1], *readable)}
                values = values + readable if len(shapes) < 2 and None not in shapes else None  # type: ignore[operator]
    return surveyed, checks, values


def _survey_one(
    source: Source, position: int, background: transparency.Colour, room: int
) -> tuple[Surveyed, int, NDArray[Any] | None]:
    """Decode one image; return its description, its checksum, and its values if they take at most ``room`` bytes."""
    try:
        with memory.reading(source.size(position)):
            raw = source.read(position)
            info, values = pictures.inspect_image(raw, background)
            return info, _check(raw), values if values.nbytes <= room else None
    except Exception as error:
        # Decoders fail in many ways on damaged files; in all of them this image is skipped and the others are read.
        return Skipped(source.names[position], reason(error)), 0, None


def _check(raw: RawSample) -> int:
    return crc32(np.ascontiguousarray(raw).data if isinstance(raw, np.ndarray) else raw)


def _unpacked(checks: str) -> Sequence[int]:
    return np.frombuffer(bytes.fromhex(checks), ">u4").tolist()  # type: ignore[no-any-return]


def _coding(facts: Facts) -> Coding:
    ranges = ranges_from_json(facts.coding.get("ranges", {}))
    return Coding(ranges, transparency.colour(_background(facts)))


def _background(facts: Facts) -> str | None:
    return Reading.recorded(facts.reading).background


def _dataset(samples: NDArray[np.uint8] | ArrayFile, labels: NDArray[np.int64] | None, view: View) -> Dataset:
    return Dataset(samples, labels=labels, conditions=labels if view.condition == "label" else None)


def _all_but(excluded: Sequence[int], count: int) -> NDArray[np.int64]:
    return np.delete(np.arange(count, dtype=np.int64), np.array(excluded, dtype=np.int64))


def _require_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    if len(shape) == 3 and shape[0] in (1, 3) and min(shape) > 0:
        return shape[0], shape[1], shape[2]
    raise SparringError(
        found=f"the shape {shape}",
        expected="(channels, height, width) with 1 or 3 channels",
        remedy="give another shape",
    )
