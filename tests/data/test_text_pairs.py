"""Pairs of texts: found where both columns hold sentences, read as they are, refused by the line that is wrong."""

import json
from pathlib import Path

import pytest

from sparring.data.text_pairs import are_pairs, column_of, read_pairs
from sparring.errors import SparringError

SENTENCES = [('"Hi," he said.', "他说：你好。"), ("I don't know.", "我不知道。"), ("Where's Tom?", "汤姆在哪里？")]


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_a_file_without_a_heading_loses_no_row_and_no_quotation_mark(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tsv", ["\t".join(pair) for pair in SENTENCES])
    found = read_pairs(path)
    assert are_pairs(path) and list(zip(found.sources, found.texts, strict=True)) == SENTENCES
    assert found.columns == ("column 1", "column 2") and found.names[2] == "row 3"
    swapped = read_pairs(path, source="column 2")
    assert swapped.texts == [source for source, _ in SENTENCES] and swapped.sources == found.texts
    assert read_pairs(path, text="column 2").sources is None


@pytest.mark.parametrize("heading", ["en\tzh-Hans", "source\ttarget"])
def test_names_of_languages_and_of_sides_are_a_heading(heading: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.tsv", [heading, *("\t".join(pair) for pair in SENTENCES)])
    assert read_pairs(path).columns == tuple(heading.split("\t")) and len(read_pairs(path).texts) == 3


def test_tables_and_json_lines_have_named_columns(tmp_path: Path) -> None:
    rows = [{"id": str(at), "en": en, "zh": zh} for at, (en, zh) in enumerate(SENTENCES)]
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    path = written(tmp_path / "b.csv", ["id,en,zh", *(f'{one["id"]},"{one["en"]}",{one["zh"]}' for one in rows[1:])])
    for file, count in ((tmp_path / "a.jsonl", 3), (path, 2)):
        found = read_pairs(file, "en", "zh")
        assert not are_pairs(file) and found.texts == [zh for _, zh in SENTENCES[-count:]]
        assert found.sources == [en for en, _ in SENTENCES[-count:]]
    assert column_of(path, "zh") == [zh for _, zh in SENTENCES[1:]]
    with pytest.raises(SparringError, match="2 columns beside 'en'"):
        read_pairs(path, "en")
    with pytest.raises(SparringError, match="no column 'cn'"):
        read_pairs(path, "en", "cn")


def test_other_tables_are_no_pairs(tmp_path: Path) -> None:
    assert not are_pairs(written(tmp_path / "a.csv", ["name,age", "Ann Lee,3", "Bob Ray,4"]))
    assert not are_pairs(written(tmp_path / "b.tsv", [f"ham\tsee you at {one}" for one in range(9)]))
    assert not are_pairs(written(tmp_path / "c.tsv", ["a sentence."]))


def test_lines_that_are_no_pairs_are_named_or_left_out(tmp_path: Path) -> None:
    with pytest.raises(SparringError, match=r"3 cells in line 2 of .*a.tsv, and 2 in the first"):
        read_pairs(written(tmp_path / "a.tsv", ["one.\ttwo.", "three.\tfour.\tfive."]))
    found = read_pairs(written(tmp_path / "b.tsv", ["one.\ttwo.", " \tfour.", "five.\tsix."]))
    assert found.texts == ["two.", "six."] and found.remarks == ("Left out 1 row of which a text is empty.",)
    with pytest.raises(SparringError, match="no pair of texts"):
        read_pairs(written(tmp_path / "c.tsv", ["one.\t", "\ttwo."]))
