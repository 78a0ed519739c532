"""Reading images: folders, archives, arrays, tables, damage, classes, the cache, and fitting to a shape."""

import io
import json
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from sparring.data import pictures
from sparring.data.array_file import ArrayFile
from sparring.data.decoding import decoding_limits
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.images import data, sources
from sparring.modalities.images.data import claims, read, survey

REAL = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture(autouse=True)
def empty_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path_factory.mktemp("cache")))


def real(name):
    path = REAL / name
    if not path.exists():
        pytest.skip(f"the real data {name} is not here")
    return str(path)


def noise(width=12, height=8, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, channels) if channels > 1 else (height, width), dtype=np.uint8)


def fill(folder, count=6, suffix="png", **size):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(noise(seed=number, **size)).save(folder / f"{number}.{suffix}")
    return folder


def encoded(pixels, form="PNG", **options):
    content = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(content, form, **options)
    return content.getvalue()


def fit_image(raw, shape):
    with decoding_limits():
        return pictures.fit(raw, shape)


# Folders, archives and classes


def test_folder_of_images(tmp_path):
    found = survey(str(fill(tmp_path / "in")))
    assert found.facts.count == 6 and found.facts.shape == (3, 8, 12) and found.facts.classes == ()
    assert found.facts.details["sizes"] == {"12 × 8": 6}
    assert found.facts.details["formats"] == {"PNG": 6} and found.facts.details["modes"] == {"RGB": 6}
    assert found.facts.details["bit depths"] == {"8": 6} and found.facts.details["held out"] == 1
    split = found.prepare(View((3, 8, 12)))
    assert split.train.samples.shape == (5, 3, 8, 12) and split.train.labels is None
    assert split.held_out.samples.shape == (1, 3, 8, 12)
    together = np.concatenate([split.train.samples, split.held_out.samples])
    wanted = {noise(seed=number).transpose(2, 0, 1).tobytes() for number in range(6)}
    assert {one.tobytes() for one in together} == wanted


def test_sub_folders_are_classes(tmp_path):
    for name, count in (("cat", 4), ("dog", 8)):
        fill(tmp_path / name, count)
    found = survey(str(tmp_path))
    assert found.facts.classes == ("cat", "dog")
    assert found.facts.details["classes"] == {"cat": 4, "dog": 8} and found.facts.details["balance"] == 2.0
    split = found.prepare(View((3, 8, 12)), seed=3)
    labels = [*split.train.labels, *split.held_out.labels]
    assert sorted(labels) == [0] * 4 + [1] * 8
    assert split.train.conditions is None
    assert np.array_equal(found.prepare(View((3, 8, 12), "label")).train.conditions, split.train.labels)


def test_zip_of_nested_folders_is_read_in_place(tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for name in ("cat", "dog"):
            for number in range(3):
                archive.writestr(f"photos/{name}/{number}.png", encoded(noise(seed=number)))
    before = sorted(tmp_path.iterdir())
    found = survey(str(tmp_path / "photos.zip"))
    assert found.facts.count == 6 and found.facts.classes == ("cat", "dog")
    assert found.prepare(View((3, 8, 12))).train.samples.shape == (5, 3, 8, 12)
    assert sorted(tmp_path.iterdir()) == before


def test_content_decides_the_format_not_the_name(tmp_path):
    fill(tmp_path, 3)
    (tmp_path / "0.png").rename(tmp_path / "no ending")
    (tmp_path / "1.png").rename(tmp_path / "really.jpg")
    (tmp_path / "notes.txt").write_text("hello")
    found = survey(str(tmp_path))
    assert found.facts.count == 3 and found.facts.details["formats"] == {"PNG": 3}
    assert "Skipped 1 file that is not an image: .txt (1)." in found.facts.remarks


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.png", b"", "an empty file"),
        ("page.jpg", b"<html>not found</html>", "not a readable PNG, JPEG, WebP, TIFF, GIF or BMP"),
        ("drawing.png", b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a readable PNG, JPEG, WebP, TIFF, GIF or BMP"),
        ("cut.png", encoded(noise(64, 64))[:-2000], "truncated|broken|Truncated"),
        ("cut.jpg", encoded(noise(64, 64), "JPEG")[:-500], "truncated"),
        ("head.gif", b"GIF89a", "not a readable PNG|truncated|unpack|requires"),
    ],
)
def test_corrupt_file_is_skipped_and_named(tmp_path, name, content, reason):
    fill(tmp_path, 4)
    (tmp_path / name).write_bytes(content)
    found = survey(str(tmp_path))
    assert found.facts.count == 4
    (lost,) = found.facts.details["unreadable"]
    assert lost["name"] == name and any(part in lost["reason"] for part in reason.split("|"))
    assert "Skipped 1 unreadable file." in found.facts.remarks
    assert len(found.prepare(View((3, 8, 12))).train.samples) == 3


@pytest.mark.parametrize("number", range(40))
def test_no_damage_stops_the_survey(tmp_path, number):
    fill(tmp_path, 3)
    rng = np.random.default_rng(number)
    form = ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP"][number % 6]
    content = np.frombuffer(encoded(noise(24, 24), form), np.uint8).copy()
    content[rng.integers(0, len(content), 8)] = rng.integers(0, 256, 8)
    (tmp_path / "x.png").write_bytes(content[: rng.integers(1, len(content) + 1)].tobytes())
    found = survey(str(tmp_path))
    assert found.facts.count + len(found.facts.details["unreadable"]) == 4


def bomb(side=30_000):
    def part(kind, body):
        import zlib

        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", b"\0") + part(b"IEND", b"")


@pytest.mark.parametrize("side", [8_001, 30_000])
def test_decompression_bomb_is_skipped(tmp_path, side):
    fill(tmp_path, 4)
    (tmp_path / "bomb.png").write_bytes(bomb(side))
    before = Image.MAX_IMAGE_PIXELS
    found = survey(str(tmp_path))
    assert found.facts.details["unreadable"] == [
        {"name": "bomb.png", "reason": "more than 64 megapixels (a decompression bomb?)"}
    ]
    assert before == Image.MAX_IMAGE_PIXELS


def test_loop_of_links_is_skipped(tmp_path):
    fill(tmp_path, 4)
    (tmp_path / "loop").symlink_to(tmp_path)
    found = survey(str(tmp_path))
    assert found.facts.count == 4 and "a loop" in found.facts.details["unreadable"][0]["reason"]


def empty(folder):
    folder.mkdir()


def other_files(folder):
    folder.mkdir()
    (folder / "table.csv").write_text("1,2")


def two(folder):
    fill(folder, 2)


def all_damaged(folder):
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n")


def test_one_image_is_enough_for_inputs_but_not_to_train_on(tmp_path):
    facts = survey("digits").facts
    (tmp_path / "one").mkdir()
    Image.fromarray(np.full((8, 8), 200, np.uint8)).save(tmp_path / "one" / "a.png")
    for source in (tmp_path / "one", tmp_path / "one" / "a.png"):
        for _ in range(2):  # The second time the survey comes from the cache.
            assert read(str(source), View((1, 8, 8)), facts).samples.shape == (1, 1, 8, 8)
            with pytest.raises(SparringError, match=r"Found 1 readable image in .*, but expected at least 3"):
                survey(str(source))


def only_a_bomb(folder):
    folder.mkdir()
    (folder / "bomb.png").write_bytes(bomb())


def only_a_loop(folder):
    folder.mkdir()
    (folder / "loop").symlink_to(folder)


def partly_labelled(folder):
    fill(folder, 3)
    fill(folder / "cat", 3)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (empty, "Found nothing in .*, but expected PNG, .*. Check the path"),
        (other_files, r"Found only other files \(.csv \(1\)\) in .*, but expected PNG, .*. Check the path"),
        (two, "Found 2 readable images in .*, but expected at least 3, .*. Add images"),
        (all_damaged, r"Found no readable images in .* and 5 unreadable \(0.png: .*, but expected .*. Replace"),
        (only_a_bomb, "Found no readable images .*bomb.png: more than 64 megapixels .*, but expected"),
        (only_a_loop, "Found no readable images .*loop: a link to a folder that was already read .*, but expected"),
        (
            partly_labelled,
            r"Found 3 images directly in .* and 3 in sub-folders \(cat\), .*, but expected all .*. Give labels=False",
        ),
        (
            lambda folder: None,
            r"Found nothing that can be opened at .*, but expected a folder, .*\. Check the path",
        ),
        (
            lambda path: path.write_bytes(b"text"),
            r"Found the file .*, which is of no known format, but expected PNG, .* .csv \(of numbers\). Name",
        ),
    ],
)
def test_unusable_source_is_refused_in_one_sentence(tmp_path, make, sentence):
    make(tmp_path / "in")
    with pytest.raises(SparringError, match=sentence) as caught:
        survey(str(tmp_path / "in"))
    assert "\n" not in str(caught.value)


def test_class_without_readable_images_is_left_out(tmp_path):
    for name in ("cat", "cow", "dog"):
        fill(tmp_path / name, 3)
    for file in (tmp_path / "cow").iterdir():
        file.write_bytes(b"")
    found = survey(str(tmp_path))
    assert found.facts.classes == ("cat", "dog")
    told = "None of the 3 images of the class cow is readable; 2 other classes are left."
    assert told in found.facts.remarks and not any("without labels" in remark for remark in found.facts.remarks)
    split = found.prepare(View((3, 8, 12)))
    assert {*split.train.labels, *split.held_out.labels} == {0, 1}


def test_a_single_class_is_named_as_what_it_is(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "in.npz", images=images, labels=["cat"] * 6)
    found = survey(str(tmp_path / "in.npz")).facts
    assert found.remarks == ("All readable images are of the class cat: they are used without labels.",)
    for name in ("cat", "cow"):
        fill(tmp_path / "in" / name, 3)
    for file in (tmp_path / "in" / "cow").iterdir():
        file.write_bytes(b"")
    told = [remark for remark in survey(str(tmp_path / "in")).facts.remarks if "of the class" in remark]
    assert told == [
        "None of the 3 images of the class cow is readable; one other class is left.",
        "All readable images are of the class cat: they are used without labels.",
    ]


def test_duplicates_are_counted_and_named(tmp_path):
    fill(tmp_path, 5)
    Image.open(tmp_path / "3.png").save(tmp_path / "same.bmp")
    found = survey(str(tmp_path))
    assert found.facts.details["duplicates"] == {"count": 1, "first": [["same.bmp", "3.png"]]}
    assert "1 of 6 images are exact duplicates of others." in found.facts.remarks


def test_most_frequent_size_is_the_shape(tmp_path):
    for number in range(14):
        Image.fromarray(noise(8 + number, 8, seed=number)).save(tmp_path / f"{number}.png")
    Image.fromarray(noise(9, 8, seed=99)).save(tmp_path / "again.png")
    facts = survey(str(tmp_path)).facts
    assert facts.shape == (3, 8, 9) and facts.details["different sizes"] == 14
    assert len(facts.details["sizes"]) == 10
    assert survey(str(tmp_path)).prepare(View((3, 16, 8))).train.samples.shape == (13, 3, 16, 8)


# Fingerprint, memory and cache


def test_fingerprint_depends_on_content_and_labels_only(tmp_path):
    first = survey(str(fill(tmp_path / "a"))).facts
    assert survey(str(fill(tmp_path / "b", suffix="bmp"))).facts.fingerprint == first.fingerprint
    fill(tmp_path / "c")
    Image.fromarray(noise(seed=77)).save(tmp_path / "c" / "3.png")
    assert survey(str(tmp_path / "c")).facts.fingerprint != first.fingerprint
    for name, places in (("x", (0, 1, 2)), ("y", (3, 4, 5))):
        for place in places:
            (tmp_path / "d" / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / "d" / name / f"{place}.png").write_bytes((tmp_path / "a" / f"{place}.png").read_bytes())
    assert survey(str(tmp_path / "d")).facts.fingerprint != first.fingerprint


def test_only_changed_folders_are_surveyed_again(tmp_path, monkeypatch):
    first = survey(str(fill(tmp_path / "in")))
    first.prepare(View((3, 8, 12)))
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "inspect_image", None)
        patch.setattr(pictures, "fit", None)
        again = survey(str(tmp_path / "in"))
        assert again.facts == first.facts
        assert again.prepare(View((3, 8, 12))).train.samples.shape == (5, 3, 8, 12)
    Image.fromarray(noise(seed=77)).save(tmp_path / "in" / "7.png")
    assert survey(str(tmp_path / "in")).facts.count == 7


def test_cached_facts_equal_fresh_ones(tmp_path):
    fill(tmp_path / "in" / "a", 4)
    fill(tmp_path / "in" / "b", 4)
    (tmp_path / "in" / "b" / "bad.png").write_bytes(b"")
    fresh, again = survey(str(tmp_path / "in")), survey(str(tmp_path / "in"))
    assert fresh.facts == again.facts and np.array_equal(fresh.kept, again.kept)
    assert fresh.facts == Facts.from_json(json.loads(json.dumps(fresh.facts.as_json())))


def test_kept_pixels_equal_freshly_decoded_ones(tmp_path, monkeypatch):
    fill(tmp_path / "in", 6, "jpg", width=40, height=40)
    kept = survey(str(tmp_path / "in"))
    again = survey(str(tmp_path / "in"))
    assert kept.values is not None and again.values is None
    prepared = []
    for one in (kept, again):
        monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / f"cache {len(prepared)}"))
        prepared.append(np.array(one.prepare(View((3, 40, 40))).train.samples))
    assert np.array_equal(*prepared)


def test_large_data_stays_in_its_file_and_is_split_alike(tmp_path, monkeypatch):
    found = survey(str(fill(tmp_path / "in", 20)))
    small = found.prepare(View((3, 8, 12)), seed=5)
    monkeypatch.setattr(data, "MAX_BYTES_IN_MEMORY", 0)
    large = found.prepare(View((3, 8, 12)), seed=5)
    assert isinstance(large.train.samples, ArrayFile) and isinstance(small.train.samples, np.ndarray)
    assert np.array_equal(large.train.samples, small.train.samples)
    assert np.array_equal(large.held_out.samples, small.held_out.samples)
    assert survey(str(tmp_path / "in")).prepare(View((3, 8, 12))).train.samples.shape == (18, 3, 8, 12)


def test_file_that_changes_after_the_survey_is_refused(tmp_path):
    found = survey(str(fill(tmp_path / "in", 5)))
    (tmp_path / "in" / "2.png").unlink()
    with pytest.raises(SparringError, match=r"Found 2.png, which was readable and no longer is"):
        found.prepare(View((3, 4, 4)))


@pytest.mark.parametrize("shape", [(2, 8, 8), (3, 8), (3, 0, 8), (8, 8, 3)])
def test_other_shapes_are_refused(tmp_path, shape):
    with pytest.raises(SparringError, match=r"Found the shape .* expected .channels, height, width."):
        survey(str(fill(tmp_path / "in"))).prepare(View(shape))


# One picture at a time


MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"]
FORMATS = {
    "PNG": ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"],
    "JPEG": ["L", "RGB", "CMYK"],
    "WEBP": ["RGB", "RGBA"],
    "TIFF": ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"],
    "GIF": ["1", "L", "P", "RGB"],
    "BMP": ["1", "L", "P", "RGB"],
}


@st.composite
def picture_files(draw):
    form = draw(st.sampled_from(sorted(FORMATS)))
    mode = draw(st.sampled_from(FORMATS[form]))
    width, height = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    pixels = noise(width, height, 3, seed=draw(st.integers(0, 1000)))
    if mode == "I;16":
        image = Image.fromarray(pixels[..., 0].astype(np.uint16) * 200)
    else:
        image = Image.fromarray(pixels).convert(mode)
    return encoded(image, form), mode, width, height


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(picture_files(), st.sampled_from([1, 3]), st.integers(1, 24), st.integers(1, 24))
def test_every_mode_and_format_fits_any_shape(file, channels, height, width):
    raw, mode, wide, high = file
    with decoding_limits():
        seen, pixels = pictures.inspect_image(raw)
        fitted = pictures.fit(raw, (channels, height, width))
    assert (seen.width, seen.height) == (wide, high) and pixels.shape[:2] == (high, wide)
    assert fitted.shape == (channels, height, width) and fitted.dtype == np.uint8
    assert seen.grey or mode not in ("1", "L", "LA", "I;16", "F")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, 65535), min_size=2, max_size=64).map(sorted),
    st.sampled_from(["PNG", "TIFF"]),
)
def test_sixteen_bits_stay_in_order_and_reach_white(values, form):
    raw = encoded(np.array([values], dtype=np.uint16), form)
    coding = pictures.Coding({"integers": (0, 65535)})
    with decoding_limits():
        fitted = pictures.fit(raw, (1, 1, len(values)), coding)[0, 0]
    assert (np.diff(fitted.astype(int)) >= 0).all()
    assert np.array_equal(fitted, np.round(np.array(values) / 257).astype(np.uint8))
    assert fitted.max() < 255 or max(values) > 65000


def test_bit_depths_are_counted(tmp_path):
    grey = Image.fromarray(noise(channels=1))
    for number, image in enumerate([grey, grey.convert("1"), Image.fromarray(noise(channels=1).astype(np.uint16))]):
        image.save(tmp_path / f"{number}.png")
    found = survey(str(tmp_path)).facts
    assert found.details["bit depths"] == {"8": 1, "1": 1, "16": 1} and found.shape == (1, 8, 12)


def test_transparency_becomes_white():
    clear = np.zeros((2, 2, 4), np.uint8)
    clear[0, 0] = (10, 20, 30, 255)
    for raw in (encoded(clear), encoded(Image.fromarray(clear).convert("PA").convert("RGBA"), "WEBP", lossless=True)):
        fitted = fit_image(raw, (3, 2, 2))
        assert fitted[:, 1, 1].tolist() == [255, 255, 255]
        assert np.abs(fitted[:, 0, 0].astype(int) - (10, 20, 30)).max() <= 3
    palette = Image.fromarray(np.array([[0, 1]], np.uint8))
    palette.putpalette([255, 0, 0, 0, 255, 0])
    fitted = fit_image(encoded(palette, transparency=0), (3, 1, 2))
    assert fitted[:, 0].T.tolist() == [[255, 255, 255], [0, 255, 0]]
    assert fit_image(encoded(noise(3, 3, 1), transparency=int(noise(3, 3, 1)[0, 0])), (1, 3, 3))[0, 0, 0] == 255


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(form, orientation):
    upright = np.zeros((16, 32), np.uint8)
    upright[:8, :16] = 255
    turns = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = Image.fromarray(upright)
    if turns[orientation] is not None:
        stored = stored.transpose(Image.Transpose(turns[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    fitted = fit_image(encoded(stored.convert("RGB"), form, exif=exif), (1, 16, 32))[0]
    assert fitted[:7, :15].min() > 200 and fitted[9:, :].max() < 60 and fitted[:, 17:].max() < 60


def test_first_frame_of_animations_is_used(tmp_path):
    frames = [Image.new("RGB", (6, 6), (value, 0, 0)) for value in (200, 0)]
    for number, form in enumerate(("gif", "png", "webp", "tiff")):
        frames[0].save(tmp_path / f"{number}.{form}", save_all=True, append_images=frames[1:])
    found = survey(str(tmp_path))
    assert "4 images are animated or have several pages; the first frame is used." in found.facts.remarks
    split = found.prepare(View((3, 6, 6)))
    assert (np.concatenate([split.train.samples, split.held_out.samples])[:, 0] > 180).all()


def test_numbers_without_a_range_are_stretched(tmp_path):
    for number in range(3):
        values = np.linspace(-5, 1000 + number, 96, dtype=np.float32).reshape(8, 12)
        Image.fromarray(values).save(tmp_path / f"{number}.tiff")
    found = survey(str(tmp_path))
    assert found.facts.remarks == ("Reads values from -5 to 1002 as black to white.",)
    samples = found.prepare(View((1, 8, 12))).train.samples
    assert samples.min() == 0 and samples.max() == 255


def test_grey_images_in_colour_files_are_remarked(tmp_path):
    for number in range(3):
        Image.fromarray(noise(channels=1, seed=number)).convert("RGB").save(tmp_path / f"{number}.png")
    facts = survey(str(tmp_path)).facts
    assert facts.shape[0] == 1
    assert "All images are grey, though stored in colour; the networks have one channel." in facts.remarks


def test_crop_keeps_the_centre():
    wide = np.zeros((10, 30), np.uint8)
    wide[:, 10:20] = 255
    for picture in (wide, wide.T.copy()):
        assert (fit_image(encoded(picture), (1, 10, 10)) == 255).all()
        assert (fit_image(encoded(picture), (1, 5, 5)) > 235).all()


def test_resizing_does_not_alias():
    checks = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    assert np.abs(fit_image(encoded(checks), (1, 16, 16)).astype(int) - 127).max() < 12


def test_reduced_jpeg_decoding_is_close_to_exact():
    smooth = np.indices((512, 768)).sum(0).astype(np.float64)
    image = Image.fromarray((smooth / smooth.max() * 255).astype(np.uint8))
    small = fit_image(encoded(image, "JPEG", quality=95), (1, 32, 48))
    exact = fit_image(encoded(image), (1, 32, 48))
    assert np.abs(small.astype(int) - exact).max() <= 3


# Arrays


@pytest.mark.parametrize(
    ("array", "shape"),
    [
        (np.zeros((4, 5, 6), np.uint8), (1, 5, 6)),
        (np.zeros((4, 5, 6, 1), np.uint8), (1, 5, 6)),
        (np.random.default_rng(0).integers(0, 256, (4, 5, 6, 3)).astype(np.uint8), (3, 5, 6)),
        (np.random.default_rng(0).integers(0, 256, (4, 3, 5, 6)).astype(np.uint8), (3, 5, 6)),
        (np.random.default_rng(0).integers(0, 2, (4, 5, 6, 4)).astype(np.uint8) * 255, (3, 5, 6)),
    ],
)
def test_arrays_in_every_axis_order(tmp_path, array, shape):
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", x=array, y=np.arange(4) % 2)
    assert survey(str(tmp_path / "a.npy")).facts.shape == shape
    found = survey(str(tmp_path / "a.npz"))
    assert found.facts.shape == shape and found.facts.classes == ("0", "1")
    assert found.prepare(View(shape)).train.samples.shape == (3, *shape)


@pytest.mark.parametrize(
    ("low", "high", "kind"),
    [
        (0, 255, "u1"),
        (0, 65535, "u2"),
        (0.0, 1.0, "f4"),
        (-1.0, 1.0, "f8"),
        (0, 255, "i8"),
        (-7.0, 3.5, "f4"),
        (0, 1, "?"),
    ],
)
def test_arrays_of_every_range_map_to_black_and_white(tmp_path, low, high, kind):
    array = np.zeros((4, 2, 2))
    array[:] = [[low, high], [low, high]]
    np.save(tmp_path / "a.npy", array.astype(kind))
    samples = survey(str(tmp_path / "a.npy")).prepare(View((1, 2, 2))).train.samples
    assert (samples == [[0, 255], [0, 255]]).all()


def test_elements_that_are_not_finite_are_skipped(tmp_path):
    array = np.random.default_rng(0).random((5, 4, 4))
    array[2, 0, 0] = np.nan
    np.save(tmp_path / "a.npy", array)
    facts = survey(str(tmp_path / "a.npy")).facts
    assert facts.count == 4
    assert facts.details["unreadable"] == [{"name": "image 2", "reason": "it holds numbers that are not finite"}]


@pytest.mark.parametrize("array", [np.zeros((5, 4)), np.zeros((5, 6, 6, 7)), np.zeros((5, 4, 0))])
def test_arrays_of_another_shape_are_refused(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(
        SparringError, match=r"Found an array of shape .*, but expected \(count, height, width\).*. Reshape"
    ):
        survey(str(tmp_path / "a.npy"))


# Parquet


def write_parquet(path, rows=6, *, column="image", struct_=True, labels=None, names=None):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    files = [encoded(noise(seed=number)) for number in range(rows)]
    content = [{"bytes": file, "path": None} for file in files] if struct_ else files
    table = arrow.table({column: content} | ({} if labels is None else {"label": labels}))
    if names:
        features = {"label": {"names": names, "_type": "ClassLabel"}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path, row_group_size=2)
    return str(path)


@pytest.mark.parametrize("column", ["image", "img", "anything"])
@pytest.mark.parametrize("struct_", [True, False])
def test_parquet_columns(tmp_path, column, struct_):
    path = write_parquet(tmp_path / "a.parquet", column=column, struct_=struct_, labels=[0, 1] * 3, names=["no", "yes"])
    found = survey(path)
    assert found.facts.count == 6 and found.facts.classes == ("no", "yes")
    split = found.prepare(View((3, 8, 12)))
    together = np.concatenate([split.train.samples, split.held_out.samples])
    assert {one.tobytes() for one in together} == {noise(seed=n).transpose(2, 0, 1).tobytes() for n in range(6)}


@pytest.mark.parametrize(
    "names",
    [
        ("train-0.parquet", "train-1.parquet", "test-0.parquet"),
        ("train/0.parquet", "train/1.parquet", "test/0.parquet"),
    ],
)
def test_train_files_of_a_parquet_folder_are_used(tmp_path, names):
    for name in names:
        write_parquet(tmp_path / name, rows=4)
    found = survey(str(tmp_path))
    assert found.facts.count == 8
    assert found.facts.remarks[0].startswith("Trains on 2 of 3 Parquet files;")
    assert found.facts.details["duplicates"]["count"] == 4


def test_missing_parquet_labels_are_refused(tmp_path):
    with pytest.raises(SparringError, match="Found no label for 2 of 6 samples"):
        survey(write_parquet(tmp_path / "a.parquet", labels=[0, None, 1, -1, 0, 0]))
    assert survey(write_parquet(tmp_path / "b.parquet", labels=[-1] * 6)).facts.classes == ()


def test_parquet_without_images_is_refused(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(arrow.table({"a": [1], "b": ["x"]}), tmp_path / "a.parquet")
    with pytest.raises(SparringError, match=r"Found the columns a, b in .* expected one of encoded images"):
        survey(str(tmp_path / "a.parquet"))
    (tmp_path / "b.parquet").write_bytes(b"PAR1 nonsense PAR1")
    with pytest.raises(SparringError, match=r"Found a Parquet file in .* that cannot be read"):
        survey(str(tmp_path / "b.parquet"))


def test_missing_pyarrow_names_the_install_command(tmp_path, monkeypatch):
    path = write_parquet(tmp_path / "a.parquet")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(SparringError, match=r'Run `pip install "sparring\[parquet\]"'):
        survey(path)


# Names, claims and real data


def test_digits_by_name():
    found = survey("digits")
    assert found.facts.count == 1797 and found.facts.shape == (1, 8, 8) and len(found.facts.classes) == 10
    split = found.prepare(View((1, 8, 8)))
    assert len(split.train) == 1617 and len(split.held_out) == 180
    assert split.train.samples.max() == 255 and split.train.samples.min() == 0


def test_claims_of_names_folders_and_arrays(tmp_path):
    fill(tmp_path / "photos", 1)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("")
    np.save(tmp_path / "points.npy", np.zeros((5, 2)))
    np.save(tmp_path / "images.npy", np.zeros((5, 2, 2)))
    for name in ("digits", "mnist", "fashion-mnist", "cifar10", str(tmp_path / "photos"), str(tmp_path / "images.npy")):
        assert claims(name), name
    for name in ("ring", str(tmp_path / "notes"), str(tmp_path / "points.npy"), str(tmp_path / "absent"), "absent.npy"):
        assert not claims(name), name


def test_known_data_set_gets_class_names(tmp_path, monkeypatch):
    write_parquet(tmp_path / "cifar10" / "train.parquet", rows=20, labels=list(range(10)) * 2)
    monkeypatch.setenv("SPARRING_DATA", str(tmp_path))
    facts = survey("cifar10").facts
    assert facts.classes[:2] == ("airplane", "automobile")
    assert facts.remarks[0] == f"cifar10 is read from {tmp_path / 'cifar10'}."


def test_unavailable_data_set_says_where_to_put_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SPARRING_DATA", raising=False)

    def unreachable(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    with pytest.raises(
        SparringError, match=r"no copy of mnist here.*no network.*its 4 files in .*or \$SPARRING_DATA/mnist"
    ):
        survey("mnist")


def test_real_mnist():
    found = survey(real("mnist"))
    assert found.facts.count == 60_000 and found.facts.shape == (1, 28, 28) and len(found.facts.classes) == 10
    assert found.facts.details["classes"]["1"] == 6742 and found.facts.details["held out"] == 3000
    assert any("t10k-images" in remark and "evaluate" in remark for remark in found.facts.remarks)
    split = found.prepare(View((1, 28, 28)))
    assert split.train.samples.shape == (57_000, 1, 28, 28) and split.train.labels is not None
    again = survey(str(Path(real("mnist")) / "train-images-idx3-ubyte.gz"))
    assert again.facts.fingerprint == found.facts.fingerprint


def test_real_cifar10():
    facts = survey(str(Path(real("cifar10")) / "test-first-1000.parquet")).facts
    assert facts.count == 1000 and facts.shape == (3, 32, 32) and facts.classes[0] == "airplane"


def test_real_photographs():
    found = survey(real("facades"))
    assert found.facts.count == 400 and found.facts.shape == (3, 256, 256) and found.facts.offers[0] == "pair"
    assert found.facts.coding["pair"] == {"sides": ["B", "A"], "channels": [3, 3]}
    assert found.prepare(View((3, 16, 16))).held_out.samples.shape == (40, 3, 16, 16)
    assert os.path.basename(found.facts.source) == "facades"  # noqa: PTH119


def test_stacked_digits_and_their_class_numbers():
    digits = sources._digits()
    stacked, again = sources._stacked(digits), sources._stacked(digits)
    assert len(stacked) == len(digits) and stacked.classes[7] == "007" and stacked.classes[999] == "999"
    by_content = {digits.read(place).tobytes(): int(digits.labels[place]) for place in range(len(digits))}
    for place in range(0, len(stacked), 97):
        picture = stacked.read(place)
        digits_shown = [by_content[np.ascontiguousarray(picture[..., channel]).tobytes()] for channel in range(3)]
        assert stacked.classes[stacked.labels[place]] == "".join(map(str, digits_shown))
        assert np.array_equal(picture, again.read(place))
    assert len(np.unique(stacked.labels)) > 800
