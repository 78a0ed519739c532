"""Reading images: survey a source once, then prepare it for training in any size."""

import math
from binascii import crc32
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, TypeAlias, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.arguments import option
from sparring.data import cache, catalogue, memory, pictures, transparency
from sparring.data.array_file import ArrayFile
from sparring.data.dataset import Dataset, Split, hold_out
from sparring.data.decoding import decoding_limits
from sparring.data.facts import Facts
from sparring.data.formats import reason
from sparring.data.labels import listed
from sparring.data.parallel import in_order
from sparring.data.pictures import Coding, ImageInfo, Pixels
from sparring.data.ranges import Ranges, ranges_from_json
from sparring.data.reading import DEFAULT_READING, Reading, reading
from sparring.data.source import Half, RawSample, Skipped, Source
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.images.conditions import DOMAIN, PAIR, partnered, reader
from sparring.modalities.images.pairs import swapped
from sparring.modalities.images.sources import is_parquet_folder, looks_like_images, open_source
from sparring.modalities.images.summary import (
    MIN_IMAGES,
    held_out_of,
    labels_of,
    of_pairs,
    require_images,
    summarise,
)
from sparring.modality import BY_NAME, Listing

IMAGES_PER_TASK = 32
"""Images that a thread decodes at a time."""
BYTES_PER_TASK = 8 * 1024 * 1024
"""Bytes of prepared images that a thread returns at a time, so that large images are passed on in smaller numbers."""
MAX_BYTES_IN_MEMORY = 128 * 1024 * 1024
"""Bytes of decoded images up to which they are kept in memory."""

Images: TypeAlias = Pixels | ArrayFile
"""Decoded images, (count, channels, height, width) uint8, in memory or in a file."""
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
        partner: survey of the other images of pairs, whose positions are the same; or None.
    """

    facts: Facts
    source: Source
    kept: NDArray[np.int64]
    checks: Sequence[int] = field(repr=False)
    key: str = field(repr=False)
    values: Sequence[NDArray[Any]] | None = field(default=None, repr=False)
    partner: "ImageSurvey | None" = field(default=None, repr=False)

    def prepare(self, view: View, *, seed: int = 0) -> Split:
        """Decode all readable images as uint8 in the view's shape, (channels, height, width), and split them.

        Images are cropped at the centre to its aspect ratio, then resized. They are decoded once and kept in the cache
        under their content and the shape.

        Raises:
            SparringError: not a shape of images, a file changed since the survey, or the cache cannot be written.
        """
        if view.condition == PAIR and view.options.get("target") == self.source.sides[0]:
            swapped = self._swapped()
            facts = replace(self.facts, shape=swapped.facts.shape)
            return replace(swapped.prepare(replace(view, options={}), seed=seed), facts=facts)
        labels, classes = labels_of(self.source, self.kept)
        train_rows, held_out_rows = self._rows(labels, seed)
        if view.condition == DOMAIN and not view.options["target"]:
            assert labels is not None
            return self._of_all_domains(view, [train_rows, held_out_rows], labels, seed)
        if view.condition == DOMAIN:
            assert labels is not None
            target = self._number(view.options["target"], classes)
            return self._of_domain(view, self._rows(labels, seed, of_each=True), labels, target)

        # Conditions are classes, or the partners in the size of the samples.
        shape, rows = _require_shape(view.shape), [train_rows, held_out_rows]
        parts = self._parts(shape, rows, seed)
        labelled = [None if labels is None else labels[part] for part in rows]
        conditions: Sequence[Any] = labelled if view.condition == "label" else [None, None]
        if view.condition == PAIR:
            assert self.partner is not None
            conditions = self.partner._parts((self.partner.facts.shape[0], *shape[1:]), rows, seed)
        train, held_out = (
            Dataset(samples, labels=label, conditions=condition, read=reader(view))
            for samples, label, condition in zip(parts, labelled, conditions, strict=True)
        )
        return Split(train, held_out, self.facts)

    def whole(self, view: View) -> Dataset:
        """Decode all readable images in order, uint8 in the view's shape, with their labels.

        Raises:
            SparringError: as for ``prepare``.
        """
        labels, _ = labels_of(self.source, self.kept)
        conditions = labels if view.condition == "label" else None
        return Dataset(self._all(_require_shape(view.shape)), labels=labels, conditions=conditions)

    def _rows(
        self, labels: NDArray[np.int64] | None, seed: int, *, of_each: bool = False
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows to train on, and those held out: of the source where it has such, else at random.

        Args:
            labels: of the rows.
            seed: of what is random.
            of_each: whether a share of each class is held out.
        """
        aside = held_out_of(self.source, self.kept)
        if aside is not None:
            return np.flatnonzero(~aside).astype(np.int64), np.flatnonzero(aside).astype(np.int64)
        if of_each and labels is not None:
            return _split_each(labels, seed)
        return hold_out(self.facts.count, seed, labels)

    def _swapped(self) -> "ImageSurvey":
        """Return the survey of the same pairs whose samples are the partners."""
        assert self.partner is not None
        mine, theirs = self.source, self.partner.source
        source = replace(theirs, labels=mine.labels, classes=mine.classes, sides=mine.sides[::-1])
        return replace(self.partner, source=source, partner=replace(self, partner=None))

    def _of_domain(
        self, view: View, split: tuple[NDArray[np.int64], NDArray[np.int64]], labels: NDArray[np.int64], target: int
    ) -> Split:
        """Return the images of one domain, each beside one of another domain as its condition."""
        rows = [part[inside] for part in split for inside in (labels[part] == target, labels[part] != target)]
        self._require_domains(min(map(len, rows)) > 0)
        train, train_others, held_out, held_out_others = self._parts(_require_shape(view.shape), rows, target)

        def dataset(samples: Images, others: Images) -> Dataset:
            # All have one label, so that there is none to group by.
            return _beside(samples, others, np.arange(len(others)), target)

        return Split(dataset(train, train_others), dataset(held_out, held_out_others), self.facts)

    def _of_all_domains(
        self, view: View, rows: Sequence[NDArray[np.int64]], labels: NDArray[np.int64], seed: int
    ) -> Split:
        """Return the images of all domains, each beside another one, of any domain, as its condition."""
        self._require_domains(np.bincount(labels, minlength=len(self.facts.classes)).min() > 1)
        train, held_out = (
            replace(_beside(images, images, np.random.default_rng(seed).permutation(len(part))), labels=labels[part])
            for images, part in zip(self._parts(_require_shape(view.shape), rows, seed), rows, strict=True)
        )
        return Split(train, held_out, self.facts)

    def _number(self, domain: str, classes: Sequence[str]) -> int:
        """Return the number of a domain; raise a SparringError where there is none of this name."""
        if domain not in classes:
            raise SparringError(
                found=f"the domains {listed(classes)} in {self.facts.source}",
                expected=f"{domain!r}, which the model translates into, and another one",
                remedy=f"give two folders, the second by {option('to')}, or name them as in the training data",
            )
        return classes.index(domain)

    def _require_domains(self, enough: bool) -> None:
        if not enough:
            raise SparringError(
                found=f"the domains {', '.join(self.facts.classes)} with too few images in one of them",
                expected="at least two images in each, one of which is held out",
                remedy="add images to the smaller domain",
            )

    def _parts(
        self, shape: tuple[int, int, int], parts: Sequence[NDArray[np.int64]], seed: int
    ) -> list[NDArray[np.uint8] | ArrayFile]:
        """Return the images of several parts, the last of which is held out, in ``shape``.

        A large array is stored in the order of its parts, so that they stay in the file.
        """
        if self.facts.count * math.prod(shape) <= MAX_BYTES_IN_MEMORY:
            whole = self._all(shape)
            return [whole[rows] for rows in parts]
        whole = self._decoded(shape, f"split {seed} {sha256(parts[-1].tobytes()).hexdigest()}", np.concatenate(parts))
        ends = np.cumsum([len(rows) for rows in parts])
        return [whole[end - len(rows) : end] for rows, end in zip(parts, ends.tolist(), strict=True)]

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
            yield from in_order(chunk, len(order), size, "preparing images")

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
    """Return BY_NAME for digits, mnist, …, 2 for a path with images, 1 for arrays and Parquet, 0 otherwise."""
    if source in catalogue.IMAGE_NAMES:
        return BY_NAME
    if not looks_like_images(source):
        return 0
    return 1 if source.lower().endswith((".npy", ".npz", ".parquet")) or is_parquet_folder(source) else 2


def read(source: str, view: View, facts: Facts) -> Dataset:
    """Read all images of ``source`` in order, in the view's shape; with labels if the classes are those of ``facts``.

    Their values have the range of the data of ``facts`` unless they exceed it by far, and transparency is laid on the
    same background.

    Raises:
        SparringError: nothing in it can be used.
    """
    found = survey(source, Reading(background=_background(facts), pairs=False), like=facts, least=1)
    data = found.whole(view)
    return data if found.facts.classes == facts.classes else replace(data, labels=None, conditions=None)


def listing(source: str, facts: Facts, labels: str | None = None) -> Listing:
    """Return names and classes of the images that ``read`` returns; see ``ListsSamples``."""
    chosen = reading(labels).model_copy(update={"background": _background(facts), "pairs": False})
    found = survey(source, chosen, like=facts, least=1)
    numbers, classes = labels_of(found.source, found.kept)
    return Listing([found.source.names[row] for row in found.kept.tolist()], numbers, classes)


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
    # Two folders that are given one by one are the domains of the model in order, whatever their names.
    if like is not None and reading.to is not None and len(like.classes) == len(opened.classes) == 2:
        opened = replace(opened, classes=like.classes)
    # Pairs have the direction of the data that they belong to, whichever side has more detail here.
    if like is not None and opened.sides and opened.sides[::-1] == tuple(like.coding.get("pair", {}).get("sides", ())):
        opened = swapped(opened)
    sides = [opened] if opened.partner is None else [opened, opened.partner]
    form = (opened.classes, opened.remarks, opened.sides, opened.domains, reading.as_json(), known)
    key = cache.cache_key([pictures.VERSION, "named sides", opened.stamp, len(opened), *form])
    note, values = cache.read_cached("surveys", key), [None] * len(sides)
    if note is None:
        note, values = _noted(source, sides, reading, ranges_from_json(known), background)
        cache.write_cached("surveys", key, note)

    # The first side is what is generated; its partner, of a pair, is what it is generated from.
    first, *partner = (
        ImageSurvey(
            replace(Facts.from_json(facts), source=source),
            side,
            _all_but(note["set aside"], len(side)),
            np.frombuffer(bytes.fromhex(checks), ">u4").tolist(),
            key,
            kept,
        )
        for side, facts, checks, kept in zip(sides, note["facts"], note["checks"], values, strict=True)
    )
    require_images(first.facts, least)
    if not partner:
        return first
    if like is None or "pair" not in like.coding:
        return replace(first, partner=partner[0])

    # Both sides have the channels of the data that they belong to.
    own, other = (
        replace(side, facts=replace(side.facts, shape=(channels, *side.facts.shape[1:])))
        for side, channels in zip((first, partner[0]), like.coding["pair"]["channels"][::-1], strict=True)
    )
    return replace(own, partner=other)


def _noted(
    name: str, sides: Sequence[Source], reading: Reading, known: Ranges, background: transparency.Colour
) -> tuple[dict[str, Any], list[Any]]:
    """Survey the sides of a source; return what is kept in the cache, and the decoded values of each side."""
    looked = [_survey_all(side, background) for side in sides]

    # Of a pair one half of which is unreadable, neither is used.
    surveyed = [_with_partners(found, [others for others, _, _ in looked]) for found, _, _ in looked]
    called = sides[0].sides[::-1] or ("",)
    facts = [
        summarise(name, side, found, reading, known, own)
        for side, found, own in zip(sides, surveyed, called, strict=True)
    ]
    if len(sides) > 1:
        facts[0] = of_pairs(facts[0], facts[1], sides[0].sides)
    aside = [position for position, one in enumerate(surveyed[0]) if isinstance(one, Skipped)]
    checks = [found.astype(">u4").tobytes().hex() for _, found, _ in looked]
    # Values were kept of all readable images, so they are of no use where a partner is not.
    values = [kept if len(kept or ()) == len(sides[0]) - len(aside) else None for _, _, kept in looked]
    return {"facts": [one.as_json() for one in facts], "set aside": aside, "checks": checks}, values


def _with_partners(surveyed: Sequence[Surveyed], sides: Sequence[Sequence[Surveyed]]) -> list[Surveyed]:
    """Skip the images of a side whose partner, at the same position of another side, is unreadable."""
    broken = [next((one for one in pair if isinstance(one, Skipped)), None) for pair in zip(*sides, strict=True)]
    return [one if skipped is None else skipped for one, skipped in zip(surveyed, broken, strict=True)]


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


def _beside(images: Images, others: Images, order: NDArray[np.int64], target: int | None = None) -> Dataset:
    """Return images, each beside one of ``others``, whose numbers are those of ``order``, to translate into ``target``.

    Without a target it is the label.
    """

    def partners(numbers: Tensor) -> Tensor:
        return torch.from_numpy(np.array(others[order[numbers.numpy()]]))

    read = partnered(partners, len(order), target)
    return Dataset(images, conditions=np.arange(len(images)), read=read)


def _check(raw: RawSample) -> int:
    if isinstance(raw, np.ndarray):
        return crc32(np.ascontiguousarray(raw).data)
    return crc32(raw.content if isinstance(raw, Half) else raw)


def _coding(facts: Facts) -> Coding:
    ranges = ranges_from_json(facts.coding.get("ranges", {}))
    return Coding(ranges, transparency.colour(_background(facts)))


def _background(facts: Facts) -> str | None:
    return Reading.recorded(facts.reading).background


def _all_but(excluded: Sequence[int], count: int) -> NDArray[np.int64]:
    return np.delete(np.arange(count, dtype=np.int64), np.array(excluded, dtype=np.int64))


def _split_each(labels: NDArray[np.int64], seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows for training and those held out, of each class its share, so that even a small one has some."""
    rows = [np.flatnonzero(labels == number) for number in np.unique(labels)]
    parts = [(of_class, hold_out(len(of_class), seed)) for of_class in rows]
    train, held_out = (np.sort(np.concatenate([rows[part[side]] for rows, part in parts])) for side in (0, 1))
    return train, held_out


def _require_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    if len(shape) == 3 and shape[0] in (1, 3) and min(shape) > 0:
        return shape[0], shape[1], shape[2]
    raise SparringError(
        found=f"the shape {shape}",
        expected="(channels, height, width) with 1 or 3 channels",
        remedy="give another shape",
    )
