"""Tables that lie beside images and are not used: which of them are read, and what is said of them."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparring.data.readers.files import Entry, Tree
from sparring.data.readers.tables_in_tree import MAX_CANDIDATES, unused_tables
from sparring.modalities.images.sources import open_source

IMAGES = [f"{number}.png" for number in range(8)]
TABLE = "file,kind\n" + "".join(f"{name},{'ab'[place % 2]}\n" for place, name in enumerate(IMAGES))


def offered(others: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return the tables that are offered, and the files that were read for it."""
    contents, read = {**dict.fromkeys(IMAGES, ""), **others}, list[str]()
    entries = tuple(Entry(name, len(contents[name]), 0) for name in sorted(contents))

    def content(position: int, limit: int) -> bytes:
        read.append(entries[position].name)
        return contents[entries[position].name].encode()

    return list(unused_tables(Tree(entries, content), list(others), IMAGES)), read


def test_files_that_each_describe_one_image_are_not_read() -> None:
    beside = {f"{number}.json": '[{"file": "0.png", "kind": "a"}]' for number in range(MAX_CANDIDATES + 1)}
    assert offered({**beside, "notes.txt": TABLE, "labels.csv": TABLE}) == (["labels.csv"], ["labels.csv"])


def test_a_few_tables_of_one_ending_are_all_read() -> None:
    few = {f"{number}.csv": "nothing" for number in range(MAX_CANDIDATES - 1)}
    assert offered({**few, "labels.csv": TABLE})[0] == ["labels.csv"]


@pytest.mark.parametrize(
    ("packed", "said"), [(True, ": once the archive is unpacked, --labels"), (False, ": --labels")]
)
def test_a_table_in_an_archive_is_named_with_what_it_needs(tmp_path: Path, packed: bool, said: str) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    for name in IMAGES:
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / name)
    (folder / "labels.csv").write_text(TABLE)
    if packed:
        with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
            for path in folder.iterdir():
                archive.write(path, path.name)
    remarks = open_source(str(tmp_path / "faces.zip" if packed else folder)).remarks
    assert len(remarks) == 1 and f"labels.csv lists these files and is not used{said} labels.csv:kind" in remarks[0]
