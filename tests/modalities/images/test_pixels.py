"""Numbers, transparency and changes of pictures: what a whole source decides, and what the user is told."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from sparring.data.reading import Reading
from sparring.data.source import Numbered, Source
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.images import data
from sparring.modalities.images.data import survey


@pytest.fixture(autouse=True)
def empty_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path_factory.mktemp("cache")))


def gradient(top, dtype, count=6, side=8):
    """Return pictures from 0 to ``top``, the later ones darker."""
    ramp = np.linspace(0, 1, side * side).reshape(side, side)
    return [(ramp * top * (1 - number / (2 * count))).astype(dtype) for number in range(count)]


def prepared(found, channels=1):
    return np.asarray(found.whole(View((channels, *found.facts.shape[1:]))).samples)


def write(folder, pictures, suffix="png", **options):
    folder.mkdir(parents=True, exist_ok=True)
    for number, pixels in enumerate(pictures):
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        image.save(folder / f"{number}.{suffix}", **options)
    return str(folder)


def png(values):
    """Encode colours of 16 bits, which Pillow does not write."""

    def part(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n"
    return start + part(b"IHDR", header) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


def tiff(values, extra=None):
    """Encode channels of 8 or 16 bits as TIFF, with or without a word on what the fourth of them is."""
    height, width, channels = values.shape
    bits = values.dtype.itemsize * 8
    content = values.astype(values.dtype.newbyteorder("<")).tobytes()
    fields = [(256, 4, width), (257, 4, height), (258, 3, None), (259, 3, 1), (262, 3, 2), (273, 4, None)]
    fields += [(277, 3, channels), (278, 4, height), (279, 4, len(content))]
    fields += [] if extra is None else [(338, 3, extra)]
    after = 8 + 2 + 12 * len(fields) + 4
    directory = b""
    for tag, kind, value in fields:
        count = channels if tag == 258 else 1
        number = {258: after, 273: after + 2 * channels}.get(tag, value)
        directory += struct.pack("<HHII", tag, kind, count, number)
    start = b"II*\0" + struct.pack("<IH", 8, len(fields)) + directory + struct.pack("<I", 0)
    return start + struct.pack(f"<{channels}H", *[bits] * channels) + content


# Ranges


@pytest.mark.parametrize("dtype", ["int16", "uint16", "int32"])
@pytest.mark.parametrize("top", [255, 4095])
def test_arrays_of_wide_integers_reach_white_and_keep_brightness(tmp_path, dtype, top):
    np.save(tmp_path / "a.npy", np.stack(gradient(top, dtype)))
    found = survey(str(tmp_path / "a.npy"))
    samples = prepared(found)
    assert samples[0].max() == 255 and 130 < samples[-1].max() < 160
    bits = 8 if top == 255 else 12
    assert f"Reads values from 0 to {top} ({bits} bits) as black to white." in found.facts.remarks
    assert found.facts.coding == {"ranges": {"integers": [0, top]}}


@pytest.mark.parametrize(("suffix", "dtype"), [("png", "uint16"), ("tiff", "uint16"), ("tiff", "int32")])
def test_files_of_wide_integers_have_one_range(tmp_path, suffix, dtype):
    found = survey(write(tmp_path / "in", gradient(4095, dtype), suffix))
    samples = prepared(found)
    assert samples[0].max() == 255 and 130 < samples[-1].max() < 160


def test_float_files_share_one_range(tmp_path):
    samples = prepared(survey(write(tmp_path / "in", gradient(10, "float32"), "tiff")))
    assert samples[0].max() == 255 and 130 < samples[-1].max() < 160


def test_masks_of_zero_and_one_become_black_and_white(tmp_path):
    masks = [np.eye(8, dtype=np.uint8) * (number > 0) for number in range(6)]
    found = survey(write(tmp_path / "in", masks))
    assert set(np.unique(prepared(found))) == {0, 255}
    assert "Reads values from 0 to 1 (1 bit) as black to white." in found.facts.remarks


@pytest.mark.parametrize("suffix", ["png", "tiff"])
@pytest.mark.parametrize("top", [255, 4095, 65535])
def test_colours_of_sixteen_bits_keep_their_lower_bytes(tmp_path, suffix, top):
    random = np.random.default_rng(0)
    for number in range(4):
        values = random.integers(0, top + 1, (6, 7, 3)).astype(np.uint16)
        values[0, 0] = top
        (tmp_path / f"{number}.{suffix}").write_bytes(png(values) if suffix == "png" else tiff(values))
    found = survey(str(tmp_path))
    assert found.facts.coding == {"ranges": {"integers": [0, top]}} and found.facts.shape == (3, 6, 7)
    assert np.array_equal(prepared(found, 3)[3], np.round(values * (255 / top)).astype(np.uint8).transpose(2, 0, 1))


def test_a_chosen_range_changes_pixels_and_fingerprint(tmp_path):
    source = write(tmp_path / "in", gradient(17, "uint8"))
    silent, chosen = survey(source), survey(source, Reading(range=(0, 17)))
    assert "The images use 0 to 17 of 0 to 255" in silent.facts.remarks[0]
    assert prepared(silent).max() == 17 and prepared(chosen).max() == 255
    assert silent.facts.fingerprint != chosen.facts.fingerprint
    assert survey(source, Reading(range=(0, 17))).facts == chosen.facts


def test_other_files_are_read_by_the_range_of_the_training_data(tmp_path):
    facts = survey(write(tmp_path / "training", gradient(4095, "uint16"))).facts
    dark = write(tmp_path / "dark", gradient(255, "uint16"))
    assert np.asarray(data.read(dark, View((1, 8, 8)), facts).samples).max() == 16
    ordinary = write(tmp_path / "ordinary", gradient(255, "uint8"))
    assert np.asarray(data.read(ordinary, View((1, 8, 8)), facts).samples).max() == 255


# Transparency


def logos(colour=(255, 255, 255), count=4):
    """Return discs of a colour on transparency."""
    rows, columns = np.mgrid[:16, :16] - 7.5
    pictures = np.zeros((count, 16, 16, 4), np.uint8)
    pictures[..., :3] = colour
    pictures[..., 3] = (np.hypot(rows, columns) < 5) * 255
    return pictures


def test_white_logos_on_transparency_are_told_and_shown_on_black(tmp_path):
    source = write(tmp_path / "in", logos())
    found = survey(source)
    assert found.facts.remarks[-2:] == (
        "4 of 4 images are transparent, laid on white; --background (background= in Python) chooses another colour.",
        "In 4 of them, what is visible is nearly as light as white and hardly stands out; try the background black.",
    )
    on_black = survey(source, Reading(background="black"))
    assert prepared(on_black)[0, 0, 0, 0] == 0 and prepared(on_black).max() == 255
    assert on_black.facts.remarks[-1].startswith("4 of 4 images are transparent, laid on black;")


def test_a_background_of_any_colour_is_used(tmp_path):
    source = write(tmp_path / "in", logos((0, 0, 200)))
    pixels = prepared(survey(source, Reading(background="#102030")), 3)
    assert pixels[0, :, 0, 0].tolist() == [16, 32, 48] and pixels[0, :, 8, 8].tolist() == [0, 0, 200]
    with pytest.raises(SparringError, match=r"Found the background 'blurple', but expected a colour such as"):
        survey(source, Reading(background="blurple"))


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_arrays_with_transparency_are_told(tmp_path, first, dtype):
    array = logos((0, 0, 200)).astype(dtype)
    np.save(tmp_path / "a.npy", array.transpose(0, 3, 1, 2) if first else array)
    found = survey(str(tmp_path / "a.npy"))
    assert any("4 of 4 images are transparent, laid on white" in remark for remark in found.facts.remarks)
    pixels = prepared(found, 3)
    white, blue = pixels[0, :, 0, 0].tolist(), pixels[0, :, 8, 8].tolist()
    assert white == [255, 255, 255] and blue[:2] == [0, 0] and blue[2] >= 200


@pytest.mark.parametrize("kind", ["array", "tiff"])
def test_a_fourth_channel_that_is_no_transparency_is_asked_about(tmp_path, kind):
    bands = np.random.default_rng(0).integers(20, 230, (4, 8, 8, 4)).astype(np.uint8)
    if kind == "array":
        np.save(tmp_path / "a.npy", bands)
        source = str(tmp_path / "a.npy")
    else:
        source = str(tmp_path)
        for number, one in enumerate(bands):
            (tmp_path / f"{number}.tif").write_bytes(tiff(one))
    with pytest.raises(
        SparringError, match=r"a fourth channel in .* does not look like transparency .*Give background='i"
    ):
        survey(source)
    found = survey(source, Reading(background="ignore"))
    assert np.array_equal(prepared(found, 3), bands[..., :3].transpose(0, 3, 1, 2))
    assert survey(source, Reading(background="white")).facts.count == 4


def test_transparency_of_large_pictures_is_like_that_of_small_ones(tmp_path, monkeypatch):
    source = write(tmp_path / "in", logos((10, 90, 200)))
    whole = prepared(survey(source), 3)
    monkeypatch.setattr("sparring.data.decoding.PIXELS_AT_ONCE", 40)
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "another"))
    in_parts = survey(source)
    assert np.array_equal(prepared(in_parts, 3), whole) and len(in_parts.facts.remarks) > 0


# Axes and files of arrays


def test_a_single_colour_array_is_one_picture(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(SparringError, match="Found 1 readable image in"):
        survey(str(tmp_path / "a.npy"))
    np.savez(tmp_path / "a.npz", x=np.zeros((64, 64, 3), np.uint8), y=np.arange(64) % 2)
    assert survey(str(tmp_path / "a.npz")).facts.count == 64


def test_an_ambiguous_order_of_axes_is_stated(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((5, 3, 9, 4), np.uint8) + 255)
    remarks = survey(str(tmp_path / "a.npy")).facts.remarks
    assert any("the last axis of the shape (5, 3, 9, 4)" in remark for remark in remarks)


@pytest.mark.parametrize("shape", [(5, 8, 8, 2), (5, 5, 8, 8)])
def test_two_or_five_channels_are_refused_in_one_sentence(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.zeros(shape, np.uint8))
    with pytest.raises(SparringError, match=r"Found images of (2|5) channels in .* expected 1 channel \(grey\), 3"):
        survey(str(tmp_path / "a.npy"))


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 3), (3, 8, 8), (1, 8, 8), (5, 8, 8), (5, 8, 8, 3), (5, 3, 8, 8)])
def test_a_folder_of_array_files_is_read(tmp_path, shape):
    random = np.random.default_rng(0)
    for number in range(6):
        place = tmp_path / ("cat" if number < 3 else "dog")
        place.mkdir(exist_ok=True)
        np.save(place / f"{number}.npy", random.integers(0, 256, shape).astype(np.uint8))
    found = survey(str(tmp_path))
    channels = 3 if 3 in shape[:1] + shape[1:2] + shape[-1:] else 1
    assert found.facts.count == 6 * (5 if shape[0] == 5 else 1) and found.facts.classes == ("cat", "dog")
    assert found.facts.shape == (channels, 8, 8)
    assert data.claims(str(tmp_path)) == 2


def test_array_files_of_several_shapes_are_refused(tmp_path):
    for number in range(3):
        np.save(tmp_path / f"{number}.npy", np.zeros((8, 8 + number), np.uint8))
    with pytest.raises(SparringError, match=r"Found images of shape \(8, 9\) in .* expected arrays of one shape"):
        survey(str(tmp_path))


# Formats that are not read


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC picture, which is not read; convert it"),
        ("a.jpg", b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "a HEIC picture"),
        ("a.avif", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "an AVIF picture"),
        ("a.pgm", b"P5\n2 2\n255\n\0\0\0\0", "a PGM or PPM picture"),
        ("scan", bytes(128) + b"DICM" + bytes(40), "a DICOM picture"),
        ("a.jp2", b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
    ],
)
def test_pictures_of_other_formats_are_named_as_what_they_are(tmp_path, name, content, word):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SparringError, match=f"no readable images in .*{name}: {word}"):
        survey(str(tmp_path))
    write(tmp_path, gradient(255, "uint8"))
    (lost,) = survey(str(tmp_path)).facts.details["unreadable"]
    assert lost["name"] == name and lost["reason"].startswith(word)


# Changes between survey and preparation


def test_what_is_prepared_is_what_was_surveyed(tmp_path):
    source = write(tmp_path / "in", gradient(255, "uint8"))
    found = survey(source)
    file = tmp_path / "in" / "2.png"
    before = file.stat()
    Image.fromarray(255 - gradient(255, "uint8")[2]).save(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(SparringError, match=r"Found 2.png, which has changed since it was surveyed"):
        found.prepare(View((1, 4, 4)))
    again = survey(source)
    assert again.facts.fingerprint != found.facts.fingerprint
    assert again.prepare(View((1, 4, 4))).train.samples.shape == (5, 1, 4, 4)


def test_a_survey_from_the_cache_notices_changes_as_well(tmp_path):
    array = np.stack(gradient(255, "uint8"))
    np.save(tmp_path / "a.npy", array)
    survey(str(tmp_path / "a.npy"))
    found = survey(str(tmp_path / "a.npy"))
    assert found.values is None
    changed = Source(names=Numbered("image", 6), read=lambda position: array[position] ^ 1, stamp="")
    object.__setattr__(found, "source", changed)
    with pytest.raises(SparringError, match="image 0, which has changed"):
        found.prepare(View((1, 4, 4)))


# Memory


def test_photos_that_are_large_together_are_not_kept(tmp_path, monkeypatch):
    source = write(tmp_path / "in", gradient(255, "uint8"))
    monkeypatch.setattr(data, "MAX_BYTES_IN_MEMORY", 6 * 64 - 1)
    assert survey(source).values is None


def test_animations_show_the_first_frame_without_reading_the_others(tmp_path):
    frames = [Image.new("L", (6, 6), value) for value in (200, 10)]
    content = io.BytesIO()
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:] * 50)
    for number in range(3):
        (tmp_path / f"{number}.gif").write_bytes(content.getvalue())
    assert (prepared(survey(str(tmp_path))) > 180).all()
