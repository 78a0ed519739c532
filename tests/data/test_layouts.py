"""Layouts of published data sets: which files are trained on, and what their classes are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.data.layouts import Layout, pairings, read_layout
from sparring.data.parts import Role, role
from sparring.data.readers.label_files import LabelTable
from sparring.errors import SparringError


def read(names: list[str], choice: bool | LabelTable | None = None, **tables: LabelTable | None) -> Layout:
    folders: dict[str, LabelTable | None] = {name.replace("_", "/"): table for name, table in tables.items()}
    return read_layout(names, "here", choice, {folder if folder != "top" else "": t for folder, t in folders.items()})


def used(layout: Layout, names: list[str]) -> list[str]:
    return [names[position] for position in layout.positions]


def labels(layout: Layout) -> list[int] | None:
    return None if layout.labels is None else layout.labels.tolist()


@pytest.mark.parametrize(
    ("names", "positions", "numbers", "classes"),
    [
        (["1", "2"], [0, 1], None, ()),
        (["cat/1", "dog/1", "dog/2"], [0, 1, 2], [0, 1, 1], ("cat", "dog")),
        (["all/cat/1", "all/dog/1", "all/dog/2"], [0, 1, 2], [0, 1, 1], ("cat", "dog")),
        (["cat/a/1", "cat/b/1", "dog/2"], [0, 1, 2], [0, 0, 1], ("cat", "dog")),
        (["test/1", "train/1", "train/2", "val/1"], [1, 2], None, ()),
        (["test/cat/1", "train/cat/1", "train/dog/1"], [1, 2], [0, 1], ("cat", "dog")),
        (["test/1", "unlike/1"], [0, 1], [0, 1], ("test", "unlike")),
        (["only/1", "only/2"], [0, 1], None, ()),
        (["a/1", "b/1", "c/1", "c/2"], [0, 1, 2, 3], None, ()),
        # Split names by prefix, in any case, and on the second level.
        (["train2017/1", "train2017/2", "val2017/3"], [0, 1], None, ()),
        (["Training/a/1", "Training/b/2", "Testing/a/3"], [0, 1], [0, 1], ("a", "b")),
        (["train_images/1", "test_images/1"], [0], None, ()),
        (["train_1/1", "train_2/2", "test/1"], [0, 1], None, ()),
        (["cat/test/1", "cat/train/2", "dog/test/3", "dog/train/4"], [1, 3], [0, 1], ("cat", "dog")),
        (["images/train/1", "images/val/2"], [0], None, ()),
        (["test/1", "train/2", "unlabeled/3"], [1], None, ()),
        (["extra/3", "test/1", "train/2"], [2], None, ()),
        (["test/1", "val/2"], [0, 1], None, ()),
        (["sample", "test/1", "train/2"], [2], None, ()),
        # Masks of segmentation, beside the pictures or inside every part.
        (["images/1", "masks/1"], [0], None, ()),
        (["1", "2", "masks/1"], [0, 1], None, ()),
        (["JPEGImages/1", "SegmentationClass/1", "SegmentationObject/1"], [0], None, ()),
        (["test/images/1", "train/images/1", "train/masks/1"], [1], None, ()),
        (["test_images/1", "train_images/1", "train_masks/1"], [1], None, ()),
        (["cat/images/1", "cat/masks/1", "dog/images/1", "dog/masks/1"], [0, 2], [0, 1], ("cat", "dog")),
        (["mask/1", "no mask/2"], [0, 1], [0, 1], ("mask", "no mask")),
        # Unpaired domains.
        (["testA/1", "testB/1", "trainA/1", "trainA/2", "trainB/1"], [0, 1, 2, 3, 4], [0, 1, 0, 0, 1], ("A", "B")),
        (["testA/1", "trainA/1", "trainA/2", "trainB/1"], [1, 2, 3], [0, 0, 1], ("A", "B")),
        (["unlabeled/1", "cat/1", "dog/1"], [1, 2], [0, 1], ("cat", "dog")),
    ],
)
def test_names_of_folders_tell_parts_and_classes(names, positions, numbers, classes):
    found = read(names)
    assert (found.positions, labels(found), found.classes) == (positions, numbers, classes)
    # Whatever is left out is told.
    assert len(found.positions) == len(names) or found.remarks


def test_unused_parts_of_a_split_are_told():
    assert read(["test/1", "train/1", "train/2"]).remarks == (
        "Trains on 2 files of 'train'; kept for `sparring evaluate`: test.",
    )
    assert "left out: unlabeled." in read(["test/1", "train/2", "unlabeled/3"]).remarks[0]
    assert "masks" in read(["images/1", "masks/1"]).remarks[0]


@pytest.mark.parametrize(
    "names",
    [
        ["00000/img0.png", "00000/img1.png", "00001/img0.png"],
        ["00000/00000.png", "00001/01000.png", "00001/01001.png"],
        ["part-1/a.png", "part-1/b.png", "part-2/a.png"],
        ["images_001/a.png", "images_002/b.png", "images_002/c.png"],
    ],
)
def test_shards_are_no_classes_unless_they_are_asked_for(names):
    found = read(names)
    assert found.labels is None and used(found, names) == names
    assert "look like shards, so they are not used as classes (--labels true" in found.remarks[0]
    assert labels(read(names, True)) is not None


def test_numbered_classes_of_several_sizes_that_share_file_names_are_no_shards():
    names = [f"{sign:05}/00000_{frame:05}.png" for sign in range(3) for frame in range(sign + 2)]
    assert read(names).classes == ("00000", "00001", "00002")
    assert read([f"{digit}/{number}.png" for digit in range(3) for number in range(4)]).classes == ("0", "1", "2")


def test_unpaired_domains_are_told_with_the_other_reading():
    found = read(["trainA/1", "trainB/1", "testA/1"])
    kept, remark = found.remarks
    assert found.domains and "testA" in kept and "unpaired domains" in remark
    assert "--labels true (labels=True in Python) reads them as classes, --labels false" in remark
    as_classes = read(["trainA/1", "trainB/1", "testA/1"], True)
    assert not as_classes.domains and as_classes.classes == ("A", "B")


def test_test_folders_of_all_domains_are_held_out():
    names = ["testA/1", "testB/1", "trainA/1", "trainB/1", "valA/1", "valB/1"]
    found = read(names)
    assert [names[position] for position in sorted(found.held_out)] == ["testA/1", "testB/1"]
    assert found.remarks[:2] == ("Held out in place of a random part: testA, testB.", "Left out: valA, valB.")
    assert not read(["testA/1", "trainA/1", "trainB/1"]).held_out and not read(["testA/1", "testB/1"]).held_out


@pytest.mark.parametrize("parts", [(), ("train", "test")])
def test_folders_called_a_and_b_are_domains(parts):
    names = [
        f"{letter}/{part}{number}"
        for letter in "AB"
        for part in [f"{one}/" for one in parts] or [""]
        for number in range(3)
    ]
    found = read(names)
    assert found.domains and found.classes == ("A", "B") and labels(found) == [0] * 3 + [1] * 3
    assert all("test" not in name for name in used(found, names))
    assert not read([f"{letter}/{number}" for letter in "AC" for number in range(3)]).domains


def pairs(names):
    """Return the sides and the pairs of the first reading of a tree as pairs."""
    found = pairings(names)
    return (
        (found[0].sides, [(names[a], names[b]) for a, b in zip(found[0].left, found[0].right, strict=True)])
        if found
        else None
    )


@pytest.mark.parametrize(
    ("names", "sides", "matched"),
    [
        (["a/1.png", "a/2.png", "b/1.jpg", "b/2.jpg"], ("a", "b"), [("a/1.png", "b/1.jpg"), ("a/2.png", "b/2.jpg")]),
        (["testA/9", "trainA/1", "trainB/1"], ("A", "B"), [("trainA/1", "trainB/1")]),
        (["testA/1", "testB/1", "trainA/1", "trainB/1"], ("A", "B"),
         [("testA/1", "testB/1"), ("trainA/1", "trainB/1")]),
        (["A/test/9", "A/train/1", "B/test/9", "B/train/1"], ("A", "B"), [("A/train/1", "B/train/1")]),
        (["images/x.png", "masks/x_mask.gif"], ("images", "masks"), [("images/x.png", "masks/x_mask.gif")]),
        (["x.png", "y.png", "masks/x.png"], ("images", "masks"), [("x.png", "masks/x.png")]),
        (["test/images/1", "test/masks/1", "train/images/2", "train/masks/2"], None,
         [("train/images/2", "train/masks/2")]),
        (["cat/images/1", "cat/masks/1", "dog/images/1", "dog/masks/1"], None,
         [("cat/images/1", "cat/masks/1"), ("dog/images/1", "dog/masks/1")]),
        (["a/x/1", "a/y/1", "b/x/1", "b/z/1"], ("a", "b"), [("a/x/1", "b/x/1")]),
        (["a/1.png", "a/1.jpg", "b/1.png"], None, None),
        (["a/1", "b/2"], None, None),
        (["a/1", "b/1", "c/1"], None, None),
        (["a/1", "b/1", "2"], None, None),
    ],
)  # fmt: skip
def test_files_of_two_folders_are_matched_by_name(names, sides, matched):
    found = pairs(names)
    assert (found and found[1]) == matched
    assert sides is None or found[0] == sides


def test_files_without_a_partner_are_counted_with_an_example():
    (found,) = pairings(["a/1", "a/2", "a/3", "b/1", "b/4"])
    assert found.matched == 1 / 3
    assert found.remarks == (
        "Left out 2 files (such as 2) of a without a partner of the same name.",
        "Left out 1 file (4) of b without a partner of the same name.",
    )


def test_names_that_are_mere_numbers_prove_nothing():
    numbered = [f"{folder}/img_{number}" for folder in "ab" for number in range(20)]
    told = [f"{folder}/{word}" for folder in "ab" for word in ("oak", "elm", "ash", "fir", "yew")]
    assert pairings(numbered)[0].numbered and not pairings(told)[0].numbered


def test_classes_sort_as_people_count():
    names = [f"{name}/{number}" for name in ("20", "1", "10", "2") for number in range(2)]
    found = read(names)
    assert found.classes == ("1", "2", "10", "20") and labels(found) == [3, 3, 0, 0, 2, 2, 1, 1]
    assert read(["img2x/1", "img2x/2", "img10x/1", "img10x/2"]).classes == ("img2x", "img10x")


def test_two_spellings_of_one_character_are_one_class():
    found = read(["caf\u00e9/1", "cafe\u0301/2", "tea/3", "tea/4"])
    assert found.classes == ("caf\u00e9", "tea") and labels(found) == [0, 0, 1, 1]


def test_no_labels_settle_files_beside_sub_folders():
    names = ["1", "2", "cat/1"]
    with pytest.raises(
        SparringError, match=r"Found 2 images directly in here and 1 in sub-folders \(cat\).*no label.*labels=False"
    ):
        read(names)
    assert used(read(names, False), names) == names and read(names, False).labels is None
    assert read(["cat/1", "dog/1"], False).labels is None
    # A part of a split is not trained on even so.
    assert read(["test/1", "train/1"], False).positions == [1]


def test_a_table_in_the_tree_comes_before_the_folders():
    names = ["00000/img0.png", "00000/img1.png", "00001/img2.png"]
    table = LabelTable({"00000/img0.png": "3", "00000/img1.png": "7", "00001/img2.png": "3"}, source="dataset.json")
    found = read(names, top=table)
    assert found.classes == ("3", "7") and labels(found) == [0, 1, 0]
    assert found.remarks == ("Classes are read from dataset.json, not from the sub-folders.",)
    assert read(names, False, top=table).labels is None


def test_a_dataset_without_labels_has_no_classes():
    found = read(["a/img0.png", "b/img1.png"], top=None)
    assert found.labels is None and "dataset.json holds no labels" in found.remarks[0]
    assert labels(read(["a/img0.png", "b/img1.png"], True, top=None)) == [0, 1]


def test_tables_in_the_parts_of_a_split_are_read_with_their_folders():
    names = ["test/1.png", "train/1.png", "train/2.png"]
    tables = {"train/": LabelTable({"1.png": "cat", "2.png": "dog"}), "test/": LabelTable({"1.png": "dog"})}
    found = read_layout(names, "here", None, tables)
    assert used(found, names) == names[1:] and found.classes == ("cat", "dog") and labels(found) == [0, 1]


def test_a_table_that_was_given_decides():
    names = ["a/1.png", "a/2.png", "b/3.png"]
    found = read(names, LabelTable({"3": "owl", "1": "cat"}, source="mine.csv"))
    assert used(found, names) == ["a/1.png", "b/3.png"] and labels(found) == [0, 1]
    assert found.remarks == ("Left out 1 file (a/2.png) without a label in mine.csv.",)
    with pytest.raises(SparringError, match=r"no file of here in mine.csv, which lists x.png, .* such as a/1.png"):
        read(names, LabelTable({"x.png": "owl"}, source="mine.csv"))
    with pytest.raises(SparringError, match="labels without names"):
        read(names, LabelTable({}, ("a", "b", "c"), "mine.csv"))


def test_files_that_a_table_lists_and_that_are_missing_are_counted():
    names = ["train/1.png", "train/2.png", "test/3.png"]
    table = LabelTable({"1": "cat", "2": "dog", "3": "dog", "8": "cat", "9": "cat"}, source="mine.csv")
    assert "mine.csv lists 2 files (such as 8) not found in the data." in read(names, table).remarks
    found = read(["1.png", "2.png"], top=LabelTable({"1.png": "a", "2.png": "b", "3.png": "b"}, source="metadata.csv"))
    assert found.remarks == ("metadata.csv lists 1 file (3.png) not found in the data.",)


def test_a_table_of_other_files_is_told():
    found = read(["a/1.png", "b/2.png"], top=LabelTable({"x.png": "cat", "y.png": "dog"}, source="metadata.csv"))
    assert found.classes == ("a", "b")
    assert found.remarks == (
        "metadata.csv is not used: none of the 2 files that it lists is in the data (such as x.png).",
    )


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("train2017", Role.TRAIN),
        ("TRAIN_images", Role.TRAIN),
        ("Test Set", Role.OTHER_SPLIT),
        ("val_256", Role.OTHER_SPLIT),
        ("trainer", Role.UNKNOWN),
        ("invalid", Role.UNKNOWN),
        ("2017", Role.UNKNOWN),
        ("img", Role.IMAGES),
        ("ground_truth", Role.MASKS),
        ("data", Role.UNKNOWN),
    ],
)
def test_roles_of_folders(folder, expected):
    assert role(folder) is expected


WORDS = (
    "train",
    "test2017",
    "unlabeled",
    "masks",
    "images",
    "trainA",
    "testB",
    "trainB",
    "00000",
    "00001",
    "cat",
    "dog",
)
PATHS = st.lists(st.sampled_from(WORDS), max_size=4).map(lambda folders: "/".join([*folders, "file"]))


@given(names=st.lists(PATHS, max_size=12), choice=st.sampled_from([None, True, False]))
def test_any_layout_is_read_or_refused(names, choice):
    names = [f"{name}{number}.png" for number, name in enumerate(names)]
    try:
        found = read(names, choice)
    except SparringError as error:
        assert "so that some have no label" in str(error) and choice is not False
        return
    assert len(set(found.positions)) == len(found.positions) and set(found.positions) <= set(range(len(names)))
    assert bool(found.positions) == bool(names) and (found.labels is None) == (found.classes == ())
    assert found.labels is None or set(found.labels.tolist()) == set(range(len(found.classes)))
    assert len(found.positions) == len(names) or found.remarks
