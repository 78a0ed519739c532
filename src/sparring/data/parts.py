"""Parts of a data set that names of folders tell: the split, masks, unlabelled pictures, unpaired domains."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from enum import Enum
from typing import NamedTuple, TypeAlias

from sparring.data.labels import NO_LABELS, SOME_LABELS, listed
from sparring.text import printable

TRAIN_WORDS = frozenset({"train", "training", "trainset"})
SPLIT_WORDS = TRAIN_WORDS | {"test", "testing", "testset", "val", "valid", "validation", "valset", "dev", "eval"}
UNLABELED_WORDS = frozenset({"unlabeled", "unlabelled", "unsup", "unsupervised"})
MASK_WORDS = frozenset(
    {"mask", "masks", "annotation", "annotations", "label", "labels", "seg", "segmentation", "segmentations", "gt"}
    | {"groundtruth", "ground", "truth", "trimap", "trimaps", "segmentationclass", "segmentationobject"}
)
IMAGE_WORDS = frozenset({"image", "images", "img", "imgs", "jpegimages", "picture", "pictures", "photo", "photos"})
FILLER_WORDS = IMAGE_WORDS | {"set", "data", "split"}
"""Words beside another that do not change the role of a folder: "train_images", "test set"."""
DOMAIN = re.compile(r"(train|test|val)[-_ ]?([a-d])", re.IGNORECASE)
"""Folder of an unpaired domain: trainA, testB."""
DOMAIN_LETTERS = ("A", "B", "C", "D")
"""Folders of unpaired domains without a split, the first two of them at least."""


class Role(Enum):
    """The part of a data set that a folder holds, as far as its name tells."""

    TRAIN = "train"
    OTHER_SPLIT = "another part of a split"
    UNLABELED = "unlabeled"
    MASKS = "masks"
    IMAGES = "images"
    UNKNOWN = "unknown"


class Files(NamedTuple):
    """Files that are still in question, without the folders that were entered.

    Args:
        positions: positions in the tree.
        names: the rest of their paths.
        remarks: on what was left out so far.
        domains: class of each file where the folders are unpaired domains.
        masks: folders of masks that were left out; their names end with "/".
        readings: remark on folders that look like domains but could be classes.
        held_out: positions of the files of the test folders of domains.
    """

    positions: list[int]
    names: list[str]
    remarks: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    readings: str = ""
    held_out: frozenset[int] = frozenset()

    def where(self, used: Callable[[str], bool], *remarks: str) -> "Files":
        """Keep the files whose rest of the path is used."""
        kept = [index for index, name in enumerate(self.names) if used(name)]
        return Files(
            [self.positions[index] for index in kept],
            [self.names[index] for index in kept],
            (*self.remarks, *remarks),
            tuple(self.domains[index] for index in kept) if self.domains else (),
            self.masks,
            self.readings,
            self.held_out,
        )

    def entered(self) -> "Files":
        """Enter the folder of each file."""
        return self._replace(names=[name.partition("/")[2] for name in self.names])


Step: TypeAlias = Callable[[Files, Counter[str]], "Files | None"]
"""(files, files per folder) → the files of the part to train on; None if it does not apply."""


def role(folder: str) -> Role:
    """Return the part of a data set that a folder's name stands for: "train2017", "val_images", "Masks"."""
    words = re.findall(r"[a-z]+", folder.lower())
    rest = set(words) - FILLER_WORDS
    if not words:
        return Role.UNKNOWN
    if not rest:
        return Role.IMAGES if set(words) & IMAGE_WORDS else Role.UNKNOWN
    if rest & MASK_WORDS and rest <= MASK_WORDS | SPLIT_WORDS:
        return Role.MASKS
    if rest <= TRAIN_WORDS:
        return Role.TRAIN
    if rest <= SPLIT_WORDS:
        return Role.OTHER_SPLIT
    return Role.UNLABELED if rest <= UNLABELED_WORDS else Role.UNKNOWN


def training_part(files: Files) -> Files:
    """Leave out whatever the names of folders tell not to train on, level by level."""
    files = _without_masks(files)
    while True:
        tops = Counter(name.partition("/")[0] for name in files.names if "/" in name)
        if not tops:
            return files
        steps: tuple[Step, ...] = (_domains, _training_split, _without_unlabeled, _split_in_classes, _lettered_domains)
        following = next((found for step in steps if (found := step(files, tops)) is not None), None)
        if following is None and len(tops) == 1 and tops.total() == len(files.names):
            following = files.entered()
        if following is None or following.domains:
            return following or files
        files = following


def _without_masks(files: Files) -> Files:
    """Leave out folders of masks, wherever the pictures lie beside them or in a folder next to them."""
    # Every folder: its sub-folders, and "" where it holds files.
    children: dict[str, set[str]] = defaultdict(set)
    for folder in {name.rpartition("/")[0] for name in files.names}:
        children[folder].add("")
        while folder:
            parent, _, last = folder.rpartition("/")
            children[parent].add(last)
            folder = parent

    masks: list[str] = []
    for folder, found in children.items():
        roles = {child: role(child) if child else Role.IMAGES for child in found}
        named = [child for child in found if roles[child] is Role.MASKS]
        if named and len(named) < len(found) and Role.UNKNOWN not in roles.values():
            masks += [f"{folder}/{child}/" if folder else f"{child}/" for child in named]
    if not masks:
        return files
    kept = files.where(lambda name: not name.startswith(tuple(masks)), masks_left_out(masks))
    return kept._replace(masks=tuple(masks))


def masks_left_out(folders: Iterable[str]) -> str:
    """Return the remark on folders of masks, whose names end with "/"."""
    return f"Left out masks of the pictures: {listed(one.rstrip('/') for one in folders)}."


def _domains(files: Files, tops: Counter[str]) -> Files | None:
    found = {top: match for top in tops if (match := DOMAIN.fullmatch(top))}
    several = len({match[2].upper() for match in found.values()}) > 1
    if not several or len(found) < len(tops) or tops.total() < len(files.names):
        return None
    training = [top for top, match in found.items() if match[1].lower() == "train"] or list(found)

    # Test folders of all domains are what is held out; others are left out.
    letters_of = {top: match[2].upper() for top, match in found.items()}
    tests = [top for top, match in found.items() if match[1].lower() == "test" and top not in training]
    if {letters_of[top] for top in tests} != {letters_of[top] for top in training}:
        tests = []
    unused = [top for top in tops if top not in (*training, *tests)]
    remarks = [f"Held out in place of a random part: {listed(tests)}."] * bool(tests)
    remarks += [f"Left out: {listed(unused)}."] * bool(unused)
    kept = files.where(lambda name: name.partition("/")[0] in (*training, *tests), *remarks)
    used = [name.partition("/")[0] for name in kept.names]
    return kept.entered()._replace(
        domains=tuple(letters_of[top] for top in used),
        readings=_two_readings(training, [letters_of[top] for top in training]),
        held_out=frozenset(position for position, top in zip(kept.positions, used, strict=True) if top in tests),
    )


def _lettered_domains(files: Files, tops: Counter[str]) -> Files | None:
    letters = tuple(sorted(tops))
    if len(letters) < 2 or letters != DOMAIN_LETTERS[: len(letters)] or tops.total() < len(files.names):
        return None
    domains = tuple(name.partition("/")[0] for name in files.names)
    return files.entered()._replace(domains=domains, readings=_two_readings(letters, letters))


def _two_readings(folders: Iterable[str], domains: Iterable[str]) -> str:
    """Return the remark on folders that look like domains but could be classes."""
    return (
        f"{listed(folders)} look like unpaired domains, {listed(set(domains))}, to be translated into one another; "
        f"{SOME_LABELS} reads them as classes, {NO_LABELS} mixes them, and either folder can be given alone."
    )


def _training_split(files: Files, tops: Counter[str]) -> Files | None:
    roles = {top: role(top) for top in tops}
    training = [top for top in tops if roles[top] is Role.TRAIN]
    others = [top for top in tops if roles[top] in (Role.OTHER_SPLIT, Role.UNLABELED)]
    direct = len(files.names) - tops.total()
    if training and (others or not direct) and (others or len(training) == len(tops)):
        unused = [top for top in tops if top not in training]
        remarks = []
        if unused:
            count = sum(tops[top] for top in training)
            tests = [top for top in unused if roles[top] is Role.OTHER_SPLIT]
            rest = [top for top in unused if top not in tests]
            kept_for = f"; kept for `sparring evaluate`: {listed(tests)}" if tests else ""
            left_out = f"; left out: {listed(rest)}" if rest else ""
            names = " and ".join(f"'{printable(top)}'" for top in sorted(training))
            remarks.append(f"Trains on {count:,} files of {names}{kept_for}{left_out}.")
        if direct:
            remarks.append(f"Left out {direct:,} files outside the parts of the split.")
        return files.where(lambda name: "/" in name and name.partition("/")[0] in training, *remarks).entered()

    # Parts of a split without the one for training are no classes.
    if not training and not direct and len(tops) > 1 and all(one is Role.OTHER_SPLIT for one in roles.values()):
        remark = f"Uses all files of {listed(tops)}, which are parts of a split, none of them for training."
        return files._replace(remarks=(*files.remarks, remark)).entered()
    return None


def _without_unlabeled(files: Files, tops: Counter[str]) -> Files | None:
    unlabeled = [top for top in tops if role(top) is Role.UNLABELED]
    if not unlabeled or (tops.total() == len(files.names) and len(unlabeled) == len(tops)):
        return None
    remark = f"Left out {listed(unlabeled)}: give that folder alone to train on it."
    return files.where(lambda name: "/" not in name or name.partition("/")[0] not in unlabeled, remark)


def _split_in_classes(files: Files, tops: Counter[str]) -> Files | None:
    """Use the training part inside every folder, where all of them are split alike: cat/train, cat/test, dog/train."""
    pairs = {(one, two) for one, two, *rest in (name.split("/", 2) for name in files.names if "/" in name) if rest}
    deeper = sum(name.count("/") > 1 for name in files.names)
    roles = [role(two) for _, two in pairs]
    trained = {one for one, two in pairs if role(two) is Role.TRAIN}
    split = all(one in (Role.TRAIN, Role.OTHER_SPLIT) for one in roles)
    if len(tops) < 2 or deeper < len(files.names) or not split or trained != set(tops):
        return None
    kept = files.where(lambda name: role(name.split("/")[1]) is Role.TRAIN)
    unused = {two for _, two in pairs if role(two) is not Role.TRAIN}
    remark = f"Trains on {len(kept.names):,} files of the training part of each folder"
    remark += f"; kept for `sparring evaluate`: {listed(unused)}." if unused else "."
    shortened = [f"{one}/{rest}" for one, _, rest in (name.split("/", 2) for name in kept.names)]
    return kept._replace(names=shortened, remarks=(*files.remarks, remark))
