"""Sources of images with their labels: layouts, tables, Parquet, arrays, and what is left out, from end to end."""

import io
import json
import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from sparring.data.reading import reading
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities import modality, surveyed
from sparring.modalities.images.data import survey
from sparring.rendering.exhibits import picture_of


@pytest.fixture(autouse=True)
def empty_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path_factory.mktemp("cache")))


def noise(seed):
    return np.random.default_rng(seed).integers(0, 256, (6, 6), dtype=np.uint8)


def encoded(seed):
    content = io.BytesIO()
    Image.fromarray(noise(seed)).save(content, "PNG")
    return content.getvalue()


def touch(folder, *names):
    """Write a different picture under every name."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(encoded(abs(hash(name)) % 2**32))
    return folder


def numbered(*folders, count=3):
    return [f"{folder}/{number}.png" for folder in folders for number in range(count)]


def facts(path, **choices):
    return surveyed(modality("images"), str(path), reading(**choices)).facts


def balance(path, **choices):
    return facts(path, **choices).details["classes"]


def told(path, **choices):
    return " ".join(facts(path, **choices).remarks)


def test_stylegan_datasets_have_the_labels_of_their_table(tmp_path):
    names = ["00000/img0.png", "00000/img1.png", "00001/img2.png", "00001/img3.png"]
    touch(tmp_path, *names)
    assert balance(tmp_path) == {} and "look like shards" in told(tmp_path)
    (tmp_path / "dataset.json").write_text(
        json.dumps({"labels": [[name, 3 + position // 2] for position, name in enumerate(names)]})
    )
    assert balance(tmp_path) == {"3": 2, "4": 2}
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in [*names, "dataset.json"]:
            archive.write(tmp_path / name, name)
    assert balance(tmp_path / "all.zip") == {"3": 2, "4": 2}
    (tmp_path / "dataset.json").write_text('{"labels": null}')
    assert balance(tmp_path) == {} and "dataset.json holds no labels" in told(tmp_path)
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": [[names[0], [0.1, 0.7]]]}))
    assert balance(tmp_path) == {} and "several labels for each sample" in told(tmp_path)


def test_hugging_face_metadata_names_the_classes(tmp_path):
    touch(tmp_path, *numbered("train", "test"))
    rows = [{"file_name": f"{number}.png", "label": "cat" if number else "dog"} for number in range(3)]
    (tmp_path / "train" / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert balance(tmp_path) == {"cat": 2, "dog": 1}
    (tmp_path / "train" / "metadata.jsonl").unlink()
    (tmp_path / "train" / "metadata.csv").write_text("file_name,label\n0.png,owl\n1.png,owl\n2.png,cat\n")
    assert balance(tmp_path) == {"owl": 2, "cat": 1}
    (tmp_path / "train" / "metadata.csv").write_text("file_name,text\n0.png,a cat\n")
    assert balance(tmp_path) == {} and "No column of train/metadata.csv is called 'label'" in told(tmp_path)


def test_labels_false_true_or_a_file_decide(tmp_path):
    data = touch(tmp_path / "in", *numbered("cat", "dog"))
    (tmp_path / "l.csv").write_text(
        "file_name,label\n" + "".join(f"{name},{name[-5]}\n" for name in numbered("cat", "dog"))
    )
    assert balance(data) == {"cat": 3, "dog": 3}
    assert balance(data, labels=False) == {} == balance(data, labels="false")
    assert balance(data, labels=tmp_path / "l.csv") == {"0": 2, "1": 2, "2": 2}
    assert facts(data, labels=tmp_path / "l.csv").reading == {"labels": str(tmp_path / "l.csv")}
    # The file is read again once it has changed.
    (tmp_path / "l.csv").write_text("cat/0.png,x\ncat/1.png,x\ncat/2.png,y\n")
    assert balance(data, labels=tmp_path / "l.csv") == {"x": 2, "y": 1}


def test_a_table_that_is_not_used_is_named_with_its_columns(tmp_path):
    names = [f"{number}.png" for number in range(8)]
    data = touch(tmp_path / "in", *names)
    rows = [f"{name},{'ab'[at % 2]},{at},{at / 7:.2f},{'x' if at else 'y'}" for at, name in enumerate(names)]
    (data / "table.csv").write_text("\n".join(["picture,eyes,number,size,my hat", *rows]))
    (data / "readme.txt").write_text("of no use")
    said = told(data)
    assert "table.csv lists these files and is not used: --labels table.csv:eyes or --labels 'table.csv:my hat'" in said
    assert "table.csv:number" not in said and "table.csv:size" not in said
    assert "Skipped 1 file that is not an image: .txt (1)." in said

    # The file is found among the pictures, and is neither offered nor skipped where it is given.
    assert balance(data, labels="table.csv:eyes") == {"a": 4, "b": 4}
    assert "table.csv" not in "\n".join(facts(data, labels="table.csv:eyes").remarks)
    assert "lists these files" not in "\n".join(facts(data, labels=False).remarks)


@pytest.mark.parametrize("content", ["picture,eyes\nother.png,a\nothers.png,b\n", "no table", "\x00", "a,b\n", ""])
def test_other_tables_are_skipped(tmp_path, content):
    touch(tmp_path, "0.png", "1.png", "2.png")
    (tmp_path / "notes.csv").write_text(content)
    assert "Skipped 1 file that is not an image: .csv (1)." in told(tmp_path)


def test_required_labels_are_missed(tmp_path):
    touch(tmp_path, "0.png", "1.png", "2.png")
    for labels in (True, "true"):
        with pytest.raises(SparringError, match=r"no classes in .*, but expected at least two.*labels='FILE'"):
            facts(tmp_path, labels=labels)
    assert balance(touch(tmp_path / "in", "part1/0.png", "part2/1.png", "part2/2.png"), labels=True) == {
        "part1": 1,
        "part2": 2,
    }


def test_labels_false_settles_files_beside_folders(tmp_path):
    touch(tmp_path, "0.png", *numbered("cat"))
    with pytest.raises(SparringError, match="labels=False"):
        facts(tmp_path)
    assert facts(tmp_path, labels=False).count == 4


def test_labels_of_arrays_can_be_left_out_or_given_in_order(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.stack([noise(seed) for seed in range(4)]), labels=["10", "2", "10", "2"])
    (tmp_path / "l.json").write_text("[1, 1, 1, 0]")
    assert balance(tmp_path / "a.npz") == {"2": 2, "10": 2} and facts(tmp_path / "a.npz").classes == ("2", "10")
    assert balance(tmp_path / "a.npz", labels=False) == {}
    assert balance(tmp_path / "a.npz", labels=tmp_path / "l.json") == {"0": 1, "1": 3}
    assert facts("digits", labels=False).classes == ()


def test_folders_of_storage_devices_are_no_classes(tmp_path):
    touch(tmp_path, *numbered("cat", "dog", "@eaDir", "cat/@eaDir/1.png"))
    assert balance(tmp_path) == {"cat": 3, "dog": 3}


def test_hidden_folders_of_images_are_told(tmp_path):
    touch(tmp_path, *numbered("cat", "dog", ".bird"), ".git/config")
    assert balance(tmp_path) == {"cat": 3, "dog": 3}
    assert "Skipped hidden folders of images, whose names begin with a dot: .bird." in facts(tmp_path).remarks


def test_training_inside_the_data_does_not_change_the_data(tmp_path):
    touch(tmp_path, *numbered("cat", "dog"))
    before = facts(tmp_path)
    touch(tmp_path, *numbered("runs/in-001/samples"))
    (tmp_path / "runs" / "in-001" / "recipe.json").write_text('{\n  "format": 2,\n  "recipe": "images/r3gan"\n}')
    after = facts(tmp_path)
    assert after.fingerprint == before.fingerprint and after.classes == ("cat", "dog")
    assert "Left out what sparring wrote: runs/in-001." in after.remarks
    with pytest.raises(SparringError, match=r"only what sparring wrote \(in-001\)"):
        survey(str(tmp_path / "runs"))
    assert facts(tmp_path / "runs" / "in-001" / "samples").count == 3


def test_overviews_are_no_samples(tmp_path):
    touch(tmp_path, *numbered("cat", "dog"))
    (tmp_path / "cat" / "contact.png").write_bytes(picture_of(Image.fromarray(noise(0))).file)
    found = facts(tmp_path)
    assert found.count == 6 and found.details["unreadable"] == [
        {"name": "cat/contact.png", "reason": "an overview of samples, which sparring drew"}
    ]


def unreadable(monkeypatch, *folders):
    """Make folders unreadable, for the superuser too."""
    scandir = os.scandir

    def refuse(path):
        if os.path.basename(path) in folders:  # noqa: PTH119
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr("sparring.data.readers.files.os.scandir", refuse)


def test_an_unreadable_class_is_told(tmp_path, monkeypatch):
    touch(tmp_path, *numbered("cat", "dog", "owl"))
    unreadable(monkeypatch, "dog")
    assert balance(tmp_path) == {"cat": 3, "owl": 3}
    assert "The folder dog/ cannot be read (Permission denied): nothing in it is used." in facts(tmp_path).remarks


def test_mostly_unreadable_data_is_refused(tmp_path, monkeypatch):
    touch(tmp_path, *numbered("cat", "dog", "owl"))
    unreadable(monkeypatch, "dog", "owl")
    with pytest.raises(SparringError, match=r"2 folders in .* that cannot be read \(dog/: Permission denied\)"):
        facts(tmp_path)


def test_names_that_are_no_unicode_are_escaped_everywhere(tmp_path):
    for folder in (b"cat\xff", b"dog\x1b[31m"):
        touch(tmp_path, *numbered(os.fsdecode(folder)))
    found = facts(tmp_path)
    assert found.classes == ("cat\\udcff", "dog\\x1b[31m")
    json.dumps(found.as_json(), ensure_ascii=False).encode()


def test_tiny_classes_are_told_and_trained_on(tmp_path):
    touch(tmp_path, *numbered("cat", count=20), *numbered("dog", count=1))
    assert "Few images of a class: dog has 1." in facts(tmp_path).remarks
    for seed in range(5):
        split = survey(str(tmp_path)).prepare(View((1, 6, 6), "label"), seed=seed)
        assert set(split.train.labels.tolist()) == {0, 1} and len(split.held_out) == 2


# Parquet


def write_parquet(path, **columns):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = len(next(iter(columns.values())))
    parquet.write_table(arrow.table({"image": [encoded(seed) for seed in range(rows)]} | columns), path)
    return path


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["b", "a", "b", "a"], ("a", "b")),
        ([True, False, True, False], ("False", "True")),
        ([1.0, 2.0, 10.0, 2.0, 1.0], ("1", "2", "10")),
        ([10, 9, -2, 9, 10], ("-2", "9", "10")),
        (["10", "9", "10", "9", "caf\u00e9", "cafe\u0301"], ("9", "10", "caf\u00e9")),
    ],
)
def test_parquet_labels_of_any_type_are_used(tmp_path, values, classes):
    assert facts(write_parquet(tmp_path / "a.parquet", label=values)).classes == classes


def test_parquet_values_that_are_no_classes_are_told(tmp_path):
    for values, reason in (
        ([0.5, 1.5, 2.0], "numbers with a fraction, such as 0.5"),
        ([[1, 2], [1], [2]], "several labels"),
    ):
        found = facts(write_parquet(tmp_path / "a.parquet", label=values))
        assert found.classes == () and reason in " ".join(found.remarks)


def test_parquet_columns_of_labels_are_chosen_and_the_others_told(tmp_path):
    path = write_parquet(
        tmp_path / "a.parquet", coarse_label=["x", "x", "y"], fine_label=["a", "a", "b"], kind=[1, 1, 2]
    )
    assert facts(path).classes == ("a", "b") and "coarse_label" in told(path)
    assert facts(path, labels="coarse_label").classes == ("x", "y")
    assert facts(path, labels="kind").classes == ("1", "2") and facts(path, labels=False).classes == ()
    with pytest.raises(SparringError, match=r"no column 'knid' of labels in .*did you mean 'kind'"):
        facts(path, labels="knid")


def test_parquet_text_that_is_no_unicode_is_escaped_or_refused(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    labels = arrow.array([b"a\xff", b"b", b"b"]).view(arrow.string())
    assert facts(write_parquet(tmp_path / "a.parquet", label=labels)).classes == ("a\\xff", "b")
    path = write_parquet(tmp_path / "b.parquet", **{"k\u00e4se": [1, 2, 3]})
    path.write_bytes(path.read_bytes().replace("k\u00e4se".encode(), b"k\xff\xffse"))
    with pytest.raises(SparringError, match=r"a Parquet file in .*b.parquet that cannot be read"):
        facts(path)


def test_labels_that_hardly_recur_are_used_only_on_request(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", label=["a cat", "two dogs", "an owl", "a cat"])
    assert facts(path).classes == () and "2 of 3 classes have a single row" in told(path)
    assert len(facts(path, labels=True).classes) == 3 == len(facts(path, labels="label").classes)
    folder = touch(tmp_path / "in", "0.png", "1.png", "2.png", "3.png")
    (folder / "metadata.csv").write_text("file_name,label\n0.png,a cat\n1.png,dogs\n2.png,an owl\n3.png,a cat\n")
    assert facts(folder).classes == () and facts(folder).count == 4 and "2 of 3 have a single file" in told(folder)
    assert len(facts(folder, labels=True).classes) == 3


def test_missing_parquet_labels_are_told(tmp_path):
    assert "holds no labels" in told(write_parquet(tmp_path / "a.parquet", label=[-1, -1, -1]))
    with pytest.raises(SparringError, match=r"no label for 1 of 3 samples.*labels=False"):
        facts(write_parquet(tmp_path / "b.parquet", label=["a", None, "b"]))
