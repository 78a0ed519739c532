"""Layouts of folders that are easily misunderstood: the reading is right, or a remark names it."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import verbs
from attacks import Attack, Materials, attempt
from names import write_picture
from outcomes import Judgement

LAYOUTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "shards": (("00000", "00001", "00002"), ()),
    "trainA and testA": (("trainA", "trainB", "testA", "testB"), ("A", "B")),
    "splits by year": (("train2017", "val2017"), ()),
    "unlabeled split": (("train", "test", "unlabeled"), ()),
    "splits below classes": (("cat/train", "cat/test", "dog/train", "dog/test"), ("cat", "dog")),
    "images and masks": (("images", "masks"), ()),
    "thumbnails of a disk station": (("cat", "dog", "@eaDir/cat"), ("cat", "dog")),
    "numbers": (("1", "2", "10", "20"), ("1", "2", "10", "20")),
    "classes": (("cat", "dog"), ("cat", "dog")),
    "own runs": (("a", "runs/a-001/samples"), ()),
    "own samples": (("cat", "dog", "runs/a-001/samples"), ("cat", "dog")),
}
"""Name → folders with eight pictures each, and the classes that they are rightly read as."""


def attacks() -> Iterator[Attack]:
    """Yield every attack of this kind."""
    for name in LAYOUTS:
        yield Attack("layout", name, partial(_layout, name=name))


def _layout(folder: Path, materials: Materials, name: str) -> Iterator[Judgement]:
    folders, classes = LAYOUTS[name]
    for number, place in enumerate(folders):
        for picture in range(8):
            write_picture(folder / "data" / place / f"{picture}.png", 100 * number + picture)
    for place in (folder / "data").glob("runs/*"):
        (place / "recipe.json").write_text('{"format": 2, "recipe": "images/r3gan"}\n')

    def wrong(seen: verbs.Seen) -> bool:
        return tuple(seen.result["classes"]) != classes and not seen.remarked

    yield attempt(folder, verbs.inspect, folder / "data", wrong=wrong)
