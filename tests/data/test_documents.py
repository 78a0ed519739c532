"""Reading of texts: lines, files, cells; what cannot be read is named with its line."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sparring.data.documents import Column, is_text, read_documents
from sparring.errors import SparringError


def test_every_line_of_a_file_is_a_text(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_bytes("one\r\n\n  \nzwei ä\n".encode("utf-8-sig"))
    found = read_documents(path)
    assert found.texts == ["one", "zwei ä"] and list(found.names) == ["line 1", "line 4"] and not found.whole
    assert found.remarks == ("Left out 3 empty texts.",)


def test_a_line_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_bytes(b"good\nbad \xff\n")
    with pytest.raises(SparringError, match=r"line 2 of .*bad.txt, which is not UTF-8"):
        read_documents(tmp_path / "bad.txt")


@pytest.mark.parametrize("archive", [False, True])
def test_files_are_texts_and_sub_folders_are_classes(archive: bool, tmp_path: Path) -> None:
    for kind in ("ham", "spam"):
        for number in range(2):
            path = tmp_path / "mail" / kind / f"{number}.eml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{kind}\n  {number}\n")
    (tmp_path / "mail" / "ham" / "photo.jpg").write_bytes(b"\xff\xd8")
    place = tmp_path / "mail"
    if archive:
        place = tmp_path / "mail.zip"
        with zipfile.ZipFile(place, "w") as file:
            for path in sorted((tmp_path / "mail").rglob("*.*")):
                file.write(path, path.relative_to(tmp_path / "mail"))
    found = read_documents(place)
    assert found.texts[0] == "ham\n  0\n" and found.classes == ("ham", "spam") and found.whole
    assert found.labels is not None and found.labels.tolist() == [0, 0, 1, 1] and found.suffix == ".eml"
    assert found.remarks == ("Left out 1 file that are no texts of this kind.",)
    assert read_documents(place, with_labels=False).labels is None


def test_code_is_kept_apart_from_prose(tmp_path: Path) -> None:
    for name in ("a.py", "b.py", "notes.md"):
        (tmp_path / name).write_text(name)
    found = read_documents(tmp_path)
    assert found.texts == ["a.py", "b.py"] and found.suffix == ".py"


def test_tables_have_columns_of_texts_and_classes(tmp_path: Path) -> None:
    rows = [{"en": "hi", "text": "嗨", "kind": "a"}, {"en": "no", "text": "不", "kind": None}, {"en": "", "text": "x"}]
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    found = read_documents(tmp_path / "a.jsonl", Column(label="kind"))
    assert found.texts == ["嗨", "不", "x"] and found.labels is None
    (tmp_path / "a.csv").write_text("body,kind\nhello there,a\nyou,b\n")
    found = read_documents(tmp_path / "a.csv", Column(label="kind"))
    assert found.texts == ["hello there", "you"] and np.array_equal(found.labels, [0, 1])
    with pytest.raises(SparringError, match=r"no column 'txt'.*columns='body=text'"):
        read_documents(tmp_path / "a.csv", Column("txt"))


def test_classes_are_asked_for_in_columns_alone(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    with pytest.raises(SparringError, match=r"labels='kind' for .*a.txt, which has no columns"):
        read_documents(tmp_path / "a.txt", Column(label="kind"))


def test_rows_without_the_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n{"txt": "y"}\n{"text": "z"}\n')
    found = read_documents(tmp_path / "a.jsonl")
    assert found.texts == ["x", "z"] and found.remarks[0] == "1 row has no 'text', such as row 2."


def test_a_line_of_json_that_is_no_object_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n\n[1]\n')
    with pytest.raises(SparringError, match=r"line 3 of .*a.jsonl, which is no JSON object"):
        read_documents(tmp_path / "a.jsonl")


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_a_file_without_text_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text(content)
    with pytest.raises(SparringError, match="no text in"):
        read_documents(tmp_path / "empty.txt")


def test_tables_of_numbers_are_no_texts(tmp_path: Path) -> None:
    (tmp_path / "numbers.txt").write_text("a;b\n" + "1;2\n" * 5)
    (tmp_path / "poem.txt").write_text("one, two\nthree, four\n" * 5)
    assert is_text(tmp_path / "numbers.txt") == 0 and is_text(tmp_path / "poem.txt") == 2
    assert is_text(tmp_path / "a.csv") == 1 and is_text(tmp_path / "a.png") == 0 and is_text(tmp_path) == 2


@pytest.mark.parametrize("folder", [False, True])
def test_files_of_tunes_are_cut_at_their_numbers(folder: bool, tmp_path: Path) -> None:
    place = tmp_path / "tunes" if folder else tmp_path
    place.mkdir(exist_ok=True)
    (place / "jigs.abc").write_bytes(b"% a file\r\nX: 1\r\nT:One\r\nK:A\r\nABc|\r\n\r\n\r\nX:2\r\nK:G\r\nGX:|\r\n")
    if folder:
        (place / "reels.abc").write_text("X:1\nK:D\nd2|\n")
        (place / "readme.txt").write_text("about")
    found = read_documents(place if folder else place / "jigs.abc")
    assert found.texts[:2] == ["X: 1\nT:One\nK:A\nABc|\n", "X:2\nK:G\nGX:|\n"] and len(found.texts) == 2 + folder
    assert list(found.names)[1] == ("jigs.abc, tune 2" if folder else "tune 2")
    assert found.multiline and not found.whole and found.suffix == ".abc"
