"""Files of labels, in every form that people keep them in."""

import json

import pytest

from sparring.data.readers.label_files import LabelTable, labels_by_name, labels_in_order, read_label_file
from sparring.errors import SparringError

EXPECTED = {"a.png": "cat", "b.png": "dog"}
ROWS = [{"file_name": name, "label": label} for name, label in EXPECTED.items()]


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("l.csv", "file_name,label\na.png,cat\nb.png,dog\n"),
        ("l.csv", "\ufefffilename;breed\r\na.png;cat\r\nb.png;dog\r\n"),
        ("l.csv", "picture,breed\na.png,cat\nb.png,dog\n"),
        ("l.csv", 'file_name,caption,label\na.png,"two\nlines",cat\nb.png,one\u2028line,dog\n'),
        ("l.tsv", "a.png\tcat\nb.png\tdog\n"),
        ("l.txt", "a.png cat\nb.png dog\n"),
        ("l.json", json.dumps({"labels": [["a.png", "cat"], ["b.png", "dog"]]})),
        ("l.json", json.dumps(EXPECTED)),
        ("l.json", json.dumps(ROWS)),
        ("l.jsonl", "\n".join(map(json.dumps, ROWS))),
    ],
)
def test_csv_json_and_json_lines_hold_names_and_labels(tmp_path, name, content):
    assert read_label_file(written(tmp_path, name, content)).by_name == EXPECTED


@pytest.mark.parametrize(
    ("value", "label"), [(3, "3"), (3.0, "3"), (True, "True"), ("3.0", "3"), ([4], "4"), ([0, 0, 1], "2"), (None, None)]
)
def test_labels_of_any_type_name_classes(tmp_path, value, label):
    path = written(tmp_path, "l.json", json.dumps({"labels": [["a.png", value]]}))
    assert read_label_file(path).by_name == {"a.png": label}


def test_of_several_columns_the_usual_one_is_taken_and_told_or_one_is_chosen(tmp_path):
    path = written(tmp_path, "l.csv", "file_name,fine_label,coarse_label,age\na.png,cat,animal,3\n")
    found = read_label_file(path)
    assert found.by_name == {"a.png": "cat"} and "coarse_label" in found.remarks[0]
    assert read_label_file(f"{path}:age").by_name == {"a.png": "3"}
    with pytest.raises(SparringError, match=r"no column 'aeg'.*fine_label, coarse_label, age.*did you mean 'age'"):
        read_label_file(f"{path}:aeg")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("l.json", '{"labels": [["a.png", [0.1, 0.7]]]}', "several labels for each sample"),
        ("l.json", '{"labels": [["a.png", 1.5]]}', "numbers with a fraction, such as 1.5 in"),
        ("l.csv", "file_name,age\na.png,3.25\n", "numbers with a fraction, such as 3.25 in"),
        ("l.csv", "file_name,label\na.png,cat\na.png,dog\n", "several labels of a.png"),
        ("l.json", "{", "a malformed file"),
        ("l.json", "[" * 100_000, "a malformed file"),
        ("l.jsonl", "[1]\n[2]\n", "lines that are no objects"),
        ("l.csv", "", "no labels in"),
        ("l.json", '{"labels": null}', "no labels in"),
    ],
)
def test_files_that_give_no_classes_are_refused_in_one_sentence(tmp_path, name, content, message):
    with pytest.raises(SparringError, match=message):
        read_label_file(written(tmp_path, name, content))


def test_a_missing_file_of_labels_is_told(tmp_path):
    with pytest.raises(SparringError, match=r"no file of labels at nowhere.csv"):
        read_label_file("nowhere.csv")


def test_names_match_without_folders_endings_or_spelling():
    def found(table: dict[str, str], *names: str) -> list[str | None]:
        return labels_by_name(LabelTable(table), names)[0]

    assert found({"x/a.png": "1"}, "x/a.png", "y/a.png") == ["1", None]
    assert found({"a.png": "1", "b.png": "2"}, "x/a.png", "y/b.png") == ["1", "2"]
    assert found({"a": "1", "b": "2"}, "x/a.png", "b.jpg") == ["1", "2"]
    assert found({"./x\\a.png": "1"}, "x/a.png") == [None] and found({"a.png": "1"}, "x/a.png", "y/a.png") == [None] * 2


def test_labels_without_names_belong_to_arrays(tmp_path):
    path = written(tmp_path, "l.csv", "10\n2\n2\n")
    numbers, classes = labels_in_order(path, 3, "x.npy")
    assert numbers.tolist() == [1, 0, 0] and classes == ("2", "10")
    with pytest.raises(SparringError, match=r"3 labels .* for 4 samples without names in x.npy"):
        labels_in_order(path, 4, "x.npy")


def test_control_characters_of_names_and_labels_are_escaped(tmp_path):
    found = read_label_file(written(tmp_path, "l.csv", b"file_name,label\na\x07.png,\x1b[31m\n"))
    assert found.by_name == {"a\\x07.png": "\\x1b[31m"}
    assert labels_by_name(found, ["a\x07.png"])[0] == ["\\x1b[31m"]


@pytest.mark.parametrize(
    ("encoding", "told"), [("utf-16", False), ("utf-32", False), ("utf-8-sig", False), ("cp1252", True)]
)
def test_labels_in_other_encodings_are_read_as_tables_are(tmp_path, encoding, told):
    for name, text in (("l.csv", "file_name,label\na.png,Fuß\n"), ("l.json", '{"a.png": "Fuß"}')):
        path = written(tmp_path, name, text.encode(encoding))
        found = read_label_file(path)
        assert found.by_name == {"a.png": "Fuß"}
        assert found.remarks == ((f"{path} is not UTF-8: it is read as Latin-1.",) if told else ())
