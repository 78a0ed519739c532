"""Pairs and domains of images: found in the data with a reason, asked for, and refused."""

import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from sparring.api.inspect import inspect
from sparring.data.pictures import Coding, fit, inspect_image
from sparring.data.reading import reading
from sparring.data.source import Half
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities import modality, surveyed
from sparring.modalities.images.data import read
from sparring.recipes import RECIPES, default_recipe

SIDE = 16


@pytest.fixture(autouse=True)
def empty_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path_factory.mktemp("cache")))


def label_map(seed):
    """A coloured box on a coloured ground: few colours."""
    rng = np.random.default_rng(seed)
    pixels = np.full((SIDE, SIDE, 3), (0, 0, 200), dtype=np.uint8)
    top, left = rng.integers(1, SIDE // 2, 2)
    pixels[top : top + 7, left : left + 7] = (200, 0, 0)
    return pixels


def photo(seed):
    """The same shapes in grey, with texture: much detail."""
    texture = np.random.default_rng(seed + 1000).integers(0, 40, (SIDE, SIDE, 3), dtype=np.uint8)
    return np.where(label_map(seed)[..., :1] > 0, 180, 20).astype(np.uint8) + texture


def noise(seed, shape=(SIDE, SIDE, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def write(folder, images, name="{}.png", **options):
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / name.format(number), **options)
    return folder


def side_by_side(folder, count=8):
    return write(folder, [np.concatenate([photo(seed), label_map(seed)], axis=1) for seed in range(count)])


def two_folders(folder, count=8, names=("photos", "maps")):
    write(folder / names[0], map(photo, range(count)))
    write(folder / names[1], map(label_map, range(count)))
    return folder


def survey(path, **choices):
    return surveyed(modality("images"), str(path), reading(**choices))


def told(path, **choices):
    return " ".join(survey(path, **choices).facts.remarks)


def rows(split):
    """Return all samples and their conditions as bytes."""
    data = split.train
    return np.asarray(data.samples[:]), np.asarray(data.conditions[:])


def test_images_twice_as_wide_as_high_are_pairs_where_their_halves_differ_and_match(tmp_path):
    facts = survey(side_by_side(tmp_path / "in")).facts
    assert facts.offers[0] == "pair" and facts.count == 8 and facts.shape == (3, SIDE, SIDE)
    assert facts.coding["pair"] == {"sides": ["B", "A"], "channels": [3, 3]}
    text = " ".join(facts.remarks)
    assert "all are twice as wide as high" in text and "differ in detail" in text and "--pairs false" in text
    assert "By default A, which has" in text and "is generated from B" in text


def test_halves_are_those_of_the_file(tmp_path):
    found = survey(side_by_side(tmp_path / "in"))
    samples, conditions = rows(found.prepare(View((3, SIDE, SIDE), "pair")))
    assert len(samples) == 7
    for sample, condition in zip(samples, conditions, strict=True):
        (seed,) = [one for one in range(8) if np.array_equal(sample, photo(one).transpose(2, 0, 1))]
        assert np.array_equal(condition, label_map(seed).transpose(2, 0, 1))
    swapped = rows(found.prepare(View((3, SIDE, SIDE), "pair", {"target": "B"})))
    assert np.array_equal(swapped[0], conditions) and np.array_equal(swapped[1], samples)


@pytest.mark.parametrize(
    ("images", "why"),
    [
        ([noise(seed, (SIDE, 2 * SIDE, 3)) for seed in range(8)], "differ in neither detail"),
        (
            [np.concatenate([photo(seed), label_map(seed + 50)], axis=1) for seed in range(12)],
            "do not show the same shapes",
        ),
    ],
)
def test_other_images_twice_as_wide_as_high_are_whole_and_the_option_is_told(tmp_path, images, why):
    facts = survey(write(tmp_path / "in", images)).facts
    assert facts.shape == (3, SIDE, 2 * SIDE) and "pair" not in facts.offers
    text = " ".join(facts.remarks)
    assert why in text and "--pairs halves" in text
    assert survey(tmp_path / "in", pairs="halves").facts.offers[0] == "pair"


def test_pairs_can_be_forbidden(tmp_path):
    assert survey(side_by_side(tmp_path / "in"), pairs=False).facts.shape == (3, SIDE, 2 * SIDE)
    facts = survey(two_folders(tmp_path / "two"), pairs=False).facts
    assert facts.classes == ("maps", "photos") and facts.offers[:2] == ("label", "domain")


def test_arrays_hold_pairs_side_by_side(tmp_path):
    stack = np.stack([np.concatenate([photo(seed), label_map(seed)], axis=1) for seed in range(8)])
    np.save(tmp_path / "pairs.npy", stack)
    found = survey(tmp_path / "pairs.npy")
    assert found.facts.offers[0] == "pair" and found.facts.shape == (3, SIDE, SIDE)
    samples, _ = rows(found.prepare(View((3, SIDE, SIDE), "pair")))
    assert any(np.array_equal(samples[0], photo(seed).transpose(2, 0, 1)) for seed in range(8))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "I;16"])
def test_halves_equal_those_of_the_whole_image(mode, orientation):
    pixels = noise(3, (6, 10, 4)) if mode == "RGBA" else noise(3, (6, 10, 3))
    if mode == "I;16":
        image = Image.fromarray(np.arange(60, dtype=np.uint16).reshape(6, 10) * 1000)
    else:
        image = Image.fromarray(pixels).convert(mode)
    tags = Image.Exif()
    tags[0x0112] = orientation
    content = io.BytesIO()
    image.save(content, "PNG", exif=tags)
    _, whole = inspect_image(content.getvalue(), (10, 200, 30))
    middle = whole.shape[1] // 2
    for right, expected in ((False, whole[:, :middle]), (True, whole[:, middle:])):
        info, values = inspect_image(Half(content.getvalue(), right), (10, 200, 30))
        assert np.array_equal(values, expected) and (info.height, info.width) == expected.shape[:2]


def test_halves_of_jpeg_files_are_fitted_from_their_full_size():
    pixels = np.kron(noise(0, (8, 16, 3)), np.ones((64, 64, 1), dtype=np.uint8))
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=95)
    _, whole = inspect_image(content.getvalue())
    expected = fit(np.ascontiguousarray(whole[:, 512:]), (3, 8, 8), Coding())
    assert np.array_equal(fit(Half(content.getvalue(), True), (3, 8, 8)), expected)


def test_a_file_of_an_odd_width_is_set_aside_with_the_reason(tmp_path):
    side_by_side(tmp_path / "in")
    Image.fromarray(noise(0, (SIDE, 31, 3))).save(tmp_path / "in" / "odd.png")
    facts = survey(tmp_path / "in", pairs="halves").facts
    assert facts.count == 8
    assert facts.details["unreadable"] == [
        {"name": "odd.png", "reason": "an odd width, so that it has no halves"},
    ]


def test_two_folders_with_equal_names_and_shapes_are_pairs(tmp_path):
    facts = survey(two_folders(tmp_path / "in")).facts
    assert facts.offers[0] == "pair" and facts.classes == () and facts.coding["pair"]["sides"] == ["maps", "photos"]
    assert "8 pairs of maps and photos, by equal names and shapes (--pairs false" in " ".join(facts.remarks)


def test_classes_whose_files_are_numbered_alike_stay_classes(tmp_path):
    for name, first in (("cat", 0), ("dog", 100)):
        write(tmp_path / "in" / name, [noise(first + number) for number in range(8)])
    facts = survey(tmp_path / "in").facts
    assert facts.classes == ("cat", "dog") and facts.offers[:2] == ("label", "domain")
    text = " ".join(facts.remarks)
    assert "--pairs folders" in text and "--recipe images/cyclegan reads them as unpaired domains" in text
    assert survey(tmp_path / "in", pairs="folders").facts.offers[0] == "pair"


def test_telling_names_make_pairs_without_a_look_at_the_images(tmp_path):
    for folder, first in (("before", 0), ("after", 50)):
        (tmp_path / folder).mkdir()
        for number, name in enumerate(("oak", "elm", "ash", "fir", "yew")):
            Image.fromarray(noise(first + number)).save(tmp_path / folder / f"{name}.png")
    assert survey(tmp_path).facts.offers[0] == "pair"


def test_training_folders_of_two_letters_are_pairs_or_domains(tmp_path):
    two_folders(tmp_path / "pairs", names=("trainA", "trainB"))
    assert survey(tmp_path / "pairs").facts.coding["pair"]["sides"] == ["B", "A"]
    assert survey(tmp_path / "pairs", pairs=False).facts.offers[0] == "domain"
    for name, first in (("trainA", 0), ("trainB", 100)):
        write(tmp_path / "domains" / name, [noise(first + number) for number in range(8)])
    found = survey(tmp_path / "domains")
    assert found.facts.offers[0] == "domain" and found.facts.details["classes"] == {"A": 8, "B": 8}
    assert "--labels true" in " ".join(found.facts.remarks)
    batch = found.prepare(View((3, SIDE, SIDE), "domain", {"target": "B"})).train.batch(slice(0, 2))
    assert batch.condition.target.tolist() == [1, 1] and batch.condition.image.shape == batch.real.shape
    assert survey(tmp_path / "domains", labels=True).facts.offers[0] == "label"


def test_pictures_with_masks_are_pairs_and_keep_their_classes(tmp_path):
    for kind, first in (("cat", 0), ("dog", 20)):
        write(tmp_path / kind / "images", [photo(first + number) for number in range(4)], "{}.jpg")
        write(tmp_path / kind / "masks", [label_map(first + number)[..., 0] for number in range(4)], "{}_mask.png")
    facts = survey(tmp_path).facts
    assert facts.offers[:2] == ("pair", "label") and facts.classes == ("cat", "dog")
    assert facts.coding["pair"] == {"sides": ["masks", "images"], "channels": [1, 3]}
    assert "masks is grey and images in colour" in " ".join(facts.remarks)
    assert "masks" in told(tmp_path, pairs=False)


def test_both_images_of_a_broken_pair_are_set_aside_and_lone_ones_counted(tmp_path):
    two_folders(tmp_path / "in", count=12)
    (tmp_path / "in" / "maps" / "3.png").write_bytes(b"")
    (tmp_path / "in" / "maps" / "5.png").unlink()
    found = survey(tmp_path / "in")
    assert found.facts.count == 10 and found.facts.details["unreadable"][0]["name"] == "maps/3.png"
    text = " ".join(found.facts.remarks)
    assert "Left out 1 file (5.png) of photos without a partner" in text
    assert "the other image is set aside, too" in text
    samples, conditions = rows(found.prepare(View((3, SIDE, SIDE), "pair")))
    for sample, condition in zip(samples, conditions, strict=True):
        (seed,) = [one for one in range(12) if np.array_equal(sample, photo(one).transpose(2, 0, 1))]
        assert np.array_equal(condition, label_map(seed).transpose(2, 0, 1))


def test_folders_of_unequal_counts_are_pairs_only_when_asked(tmp_path):
    two_folders(tmp_path / "in")
    write(tmp_path / "in" / "photos", map(photo, range(20)))
    assert survey(tmp_path / "in").facts.offers[0] == "label"
    facts = survey(tmp_path / "in", pairs="folders").facts
    assert facts.count == 8 and "Left out 12 files (such as 8.png)" in " ".join(facts.remarks).replace(
        "10.png", "8.png"
    )


def test_a_table_lists_pairs_by_two_columns_of_files(tmp_path):
    two_folders(tmp_path / "in", count=5)
    lines = [
        "sketch,picture",
        *(f"maps/{number}.png,photos/{number}.png" for number in range(4)),
        "maps/9.png,photos/4.png",
    ]
    table = tmp_path / "pairs.csv"
    table.write_text("\n".join(lines))
    found = survey(tmp_path / "in", pairs=table)
    assert found.facts.count == 4 and found.facts.coding["pair"]["sides"] == ["sketch", "picture"]
    assert "pairs.csv lists 1 file (maps/9.png) not found in the data" in " ".join(found.facts.remarks)
    table.write_text("\n".join(lines[1:4]))
    again = survey(tmp_path / "in", pairs=table).facts
    assert again.count == 3 and again.coding["pair"]["sides"] == ["A", "B"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.png,b.png\n", "no pair of files in .*a.png and b.png"),
        ("maps/1.png\n", "a line without a second file .maps/1.png."),
        ("", "no line in"),
    ],
)
def test_tables_without_a_pair_are_refused(tmp_path, text, found):
    two_folders(tmp_path / "in", count=3)
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(SparringError, match=found):
        survey(tmp_path / "in", pairs=tmp_path / "pairs.csv")


def test_pairs_that_are_not_there_are_refused(tmp_path):
    write(tmp_path / "in", [noise(seed) for seed in range(4)])
    with pytest.raises(SparringError, match=r"no two folders in .* with files of equal names"):
        survey(tmp_path / "in", pairs="folders")
    np.save(tmp_path / "a.npy", np.stack([noise(seed) for seed in range(4)]))
    with pytest.raises(SparringError, match="whose images have no names"):
        survey(tmp_path / "a.npy", pairs="folders")
    with pytest.raises(SparringError, match="pairs= for points"):
        surveyed(modality("points"), "ring", reading(pairs=False))


def test_a_second_folder_is_a_domain(tmp_path):
    write(tmp_path / "photos", [noise(seed)[..., 0] for seed in range(6)])
    with zipfile.ZipFile(tmp_path / "paintings.zip", "w") as archive:
        for seed in range(4):
            content = io.BytesIO()
            Image.fromarray(noise(100 + seed)).save(content, "PNG")
            archive.writestr(f"{seed}.png", content.getvalue())
    found = survey(tmp_path / "photos", to=tmp_path / "paintings.zip")
    assert found.facts.classes == ("photos", "paintings") and found.facts.offers[0] == "domain"
    assert found.facts.details["classes"] == {"photos": 6, "paintings": 4}
    text = " ".join(found.facts.remarks)
    assert "Two unpaired domains: 6 images of photos and 4 of paintings." in text
    assert "All images of photos are grey and others are not: all are read in colour." in text
    batch = found.prepare(View((3, SIDE, SIDE), "domain", {"target": "paintings"})).train.batch(slice(0, 3))
    assert any(np.allclose((batch.real[0] + 1) * 127.5, noise(100 + seed).transpose(2, 0, 1)) for seed in range(4))


def test_a_second_folder_holds_partners_when_asked(tmp_path):
    two_folders(tmp_path)
    facts = survey(tmp_path / "maps", to=tmp_path / "photos", pairs="folders").facts
    assert facts.coding["pair"]["sides"] == ["maps", "photos"] and facts.count == 8


def test_domains_of_equal_names_are_named_with_the_folder_around(tmp_path):
    for top in ("day", "night"):
        write(tmp_path / top / "train", [noise(seed) for seed in range(3)])
    facts = survey(tmp_path / "day" / "train", to=tmp_path / "night" / "train").facts
    assert facts.classes == ("day/train", "night/train")


def test_a_second_domain_that_is_missing_or_has_one_image_is_refused(tmp_path):
    write(tmp_path / "a", [noise(seed) for seed in range(6)])
    with pytest.raises(SparringError, match=r"nothing at .*nowhere.*after to="):
        survey(tmp_path / "a", to=tmp_path / "nowhere")
    write(tmp_path / "b", [noise(9)])
    with pytest.raises(SparringError, match="too few images in one of them"):
        survey(tmp_path / "a", to=tmp_path / "b").prepare(View((3, SIDE, SIDE), "domain", {"target": "b"}))
    with pytest.raises(SparringError, match="neither classes nor pairs"):
        survey(tmp_path / "a", to=tmp_path / "b", labels=True)


def test_other_data_has_the_direction_of_the_training_data(tmp_path):
    kind = modality("images")
    facts = survey(side_by_side(tmp_path / "in")).facts
    mirrored = [np.concatenate([label_map(seed), photo(seed)], axis=1) for seed in range(8)]
    write(tmp_path / "mirrored", mirrored)
    assert survey(tmp_path / "mirrored").facts.coding["pair"]["sides"] == ["A", "B"]
    alike = surveyed(kind, str(tmp_path / "mirrored"), reading(), facts)
    assert alike.facts.coding["pair"]["sides"] == ["B", "A"]
    samples, _ = rows(alike.prepare(View((3, SIDE, SIDE), "pair")))
    assert any(np.array_equal(samples[0], label_map(seed).transpose(2, 0, 1)) for seed in range(8))


def test_other_data_has_the_channels_of_the_training_data(tmp_path):
    two_folders(tmp_path / "colour")
    write(tmp_path / "grey" / "photos", map(photo, range(8)))
    write(tmp_path / "grey" / "maps", (label_map(seed)[..., 0] for seed in range(8)))
    places = [str(tmp_path / name) for name in ("colour", "grey")]
    for own, other, channels in ((*places, 3), (*places[::-1], 1)):
        alike = surveyed(modality("images"), other, reading(), survey(own).facts)
        assert rows(alike.prepare(View((3, SIDE, SIDE), "pair")))[1].shape[1] == channels
        turned = alike.prepare(View((channels, SIDE, SIDE), "pair", {"target": "maps"}))
        assert turned.train.batch(slice(None)).condition.shape[1] == 3


def test_inputs_and_generated_samples_are_read_whole(tmp_path):
    facts = survey(side_by_side(tmp_path / "in")).facts
    assert read(str(tmp_path / "in"), View((3, SIDE, 2 * SIDE)), facts).samples.shape == (8, 3, SIDE, 2 * SIDE)


def test_the_default_recipe_follows_from_pairs_and_domains(tmp_path, monkeypatch):
    paired = survey(side_by_side(tmp_path / "in")).facts
    two_folders(tmp_path / "two", names=("trainA", "trainB"))
    domains = survey(tmp_path / "two", pairs=False).facts
    for name in ("images/pix2pix", "images/cyclegan"):
        monkeypatch.delitem(RECIPES, name, raising=False)
    assert default_recipe(paired) == default_recipe(domains) == "images/r3gan"
    for name in ("images/pix2pix", "images/cyclegan"):
        monkeypatch.setitem(RECIPES, name, RECIPES["images/r3gan"])
    assert default_recipe(paired) == "images/pix2pix" and default_recipe(domains) == "images/cyclegan"


def four_folders(folder, images):
    """Write trainA, trainB, testA and testB, with images of 0 and 1 for training, and of 8 and 9 for the test."""
    for side, paint in zip("AB", images, strict=True):
        write(folder / f"train{side}", map(paint, range(8)))
        write(folder / f"test{side}", map(paint, range(20, 23)))
    return folder


@pytest.mark.parametrize("target", ["B", ""])
def test_test_folders_of_domains_are_the_held_out_images(target, tmp_path):
    found = survey(four_folders(tmp_path / "in", (noise, lambda seed: noise(seed + 100))))
    assert found.facts.classes == ("A", "B") and found.facts.details["held out"] == 6
    split = found.prepare(View((3, SIDE, SIDE), "domain", {"target": target}), seed=5)
    held_out = {image.tobytes() for image in split.held_out.samples}
    tests = {noise(seed + 100).transpose(2, 0, 1).tobytes() for seed in range(20, 23)}
    assert tests <= held_out and len(held_out) == (3 if target else 6) and len(split.train) == (8 if target else 16)


def test_test_folders_of_pairs_are_the_held_out_pairs(tmp_path):
    found = survey(four_folders(tmp_path / "in", (photo, label_map)))
    assert found.facts.coding["pair"]["sides"] == ["B", "A"] and found.facts.count == 11
    for target, paint in (("", photo), ("B", label_map)):
        split = found.prepare(View((3, SIDE, SIDE), "pair", {"target": target} if target else {}), seed=5)
        expected = [paint(seed).transpose(2, 0, 1) for seed in range(20, 23)]
        np.testing.assert_array_equal(split.held_out.samples, expected)


def test_other_images_held_out_are_other_data(tmp_path):
    of_test = survey(four_folders(tmp_path / "in", (noise, lambda seed: noise(seed + 100)))).facts
    for side in "AB":
        for number, file in enumerate(sorted((tmp_path / "in" / f"test{side}").iterdir())):
            (tmp_path / "other" / f"train{side}").mkdir(parents=True, exist_ok=True)
            file.rename(tmp_path / "other" / f"train{side}" / f"0{number}.png")
        for number, file in enumerate(sorted((tmp_path / "in" / f"train{side}").iterdir())):
            file.rename(tmp_path / "other" / f"train{side}" / f"1{number}.png")
    whole = survey(tmp_path / "other").facts
    assert whole.count == of_test.count and whole.fingerprint != of_test.fingerprint


def test_pairs_and_domains_have_a_direction(tmp_path):
    facts = survey(side_by_side(tmp_path / "in")).facts
    pairs, domains = (modality("images").conditions[name] for name in ("pair", "domain"))
    assert pairs.direction(View((3, 8, 8), "pair"), facts) == ("B", "A")
    assert pairs.direction(View((3, 8, 8), "pair", {"target": "B"}), facts) == ("A", "B")
    of_three = replace(facts, classes=("x", "y", "z"))
    assert domains.direction(View((3, 8, 8), "domain", {"target": "y"}), of_three) == ("x and z", "y")
    assert domains.direction(View((3, 8, 8), "domain", {"target": ""}), of_three) == ()


def test_the_sheet_shows_domains_one_after_the_other(tmp_path):
    for name, level in (("trainA", 20), ("trainB", 230)):
        write(tmp_path / "in" / name, (np.full((40, 40), level, np.uint8) for _ in range(9)), f"{name}{{}}.png")
    inspect(str(tmp_path / "in"), sheet=tmp_path / "sheet.png", device="cpu", measure=False)
    with Image.open(tmp_path / "sheet.png") as sheet:
        cells = np.asarray(sheet.convert("L"))[42::82, -40::-82]
    assert (cells[:4] == 20).all() and (cells[4:] == 230).all()


def test_both_sides_of_pairs_are_described(tmp_path):
    for name, images, ending in (("maps", map(label_map, range(8)), ".bmp"), ("photos", map(photo, range(8)), ".png")):
        write(
            tmp_path / name,
            (np.repeat(one[..., :1], 3, 2) if name == "photos" else one for one in images),
            "{}" + ending,
        )
    found = inspect(str(tmp_path), device="cpu", measure=False)
    text = "\n".join(found.lines())
    assert "formats of maps: BMP (8)" in text and "formats of photos: PNG (8)" in text
    assert "All images of photos are grey, though stored in colour" in text and "All images are grey" not in text
    assert "photos is grey and maps in colour" in text
    assert "images/pix2pix is the default for images with the condition 'pair'" in text


def test_inspect_says_pairs_and_shows_them_side_by_side(tmp_path):
    side_by_side(tmp_path / "in")
    found = inspect(
        str(tmp_path / "in"), sheet=tmp_path / "sheet.png", recipe="images/r3gan", device="cpu", measure=False
    )
    text = "\n".join(found.lines())
    assert "8 pairs of images\n" in text and "pairs: B (3 × 16 × 16) → A (3 × 16 × 16)" in text
    assert "differ in detail" in text and "No --recipe" not in text
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > sheet.height
        left = np.asarray(sheet)[4:30, 4:30].astype(int)
    # On the left of each pair is what the other is made from: the coloured label map.
    assert (left.max(2) - left.min(2)).mean() > 150
