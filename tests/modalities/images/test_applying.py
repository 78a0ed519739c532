"""Images of any size go through a model, and what must not change does not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from sparring.errors import SparringError, SparringWarning
from sparring.modalities.images import tiling
from sparring.modalities.images.conditions import Holed, Translation
from sparring.model import Model
from toys.painters import SIDE, model

TENSORS = ("tensor of ones", "tensor in the range of images")
"""Masks in floating-point tensors."""


def photo(height: int, width: int, channels: int = 3, seed: int = 0) -> NDArray[np.uint8]:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(256, size=shape, dtype=np.uint8)


def as_tensor(pixels: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 127.5 - 1


def bytes_of(images: Any) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = ((images[0] + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    return found


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling.tiled, "__kwdefaults__", {**tiling.tiled.__kwdefaults__, "side": 32, "overlap": 16})


def test_an_image_in_the_size_of_the_model_gives_the_sample_of_its_condition() -> None:
    pixels = photo(SIDE, SIDE)
    painter = model("pair")
    expected = painter.sample(1, condition=as_tensor(pixels), seed=3)
    torch.testing.assert_close(painter.apply(pixels, seed=3), expected, rtol=0, atol=0.51 / 127.5)


def test_tiles_share_one_latent_and_equal_the_whole_image(small_tiles: None) -> None:
    pixels, painter = photo(80, 52), model("pair")
    expected = painter.sample(1, condition=as_tensor(pixels), seed=1)
    torch.testing.assert_close(painter.apply(pixels, seed=1), expected, rtol=0, atol=0.51 / 127.5)
    assert not torch.equal(painter.apply(pixels, seed=2), painter.apply(pixels, seed=1))


def test_input_i_has_the_latent_of_sample_i() -> None:
    pixels, painter = photo(SIDE, SIDE), model("pair")
    expected = painter.sample(3, condition=as_tensor(pixels).expand(3, -1, -1, -1), seed=5)
    torch.testing.assert_close(painter.apply([pixels] * 3, seed=5), expected, rtol=0, atol=0.51 / 127.5)


def test_several_answers_to_each_input_follow_one_another(tmp_path: Path) -> None:
    pixels, painter = photo(SIDE, SIDE), model("pair")
    found = painter.apply([pixels, pixels + 1], count=2, seed=5)
    conditions = torch.cat([as_tensor(one) for one in (pixels, pixels, pixels + 1, pixels + 1)])
    expected = painter.sample(4, condition=conditions, seed=5)
    torch.testing.assert_close(found, expected, rtol=0, atol=0.51 / 127.5)
    with pytest.raises(SparringError, match="count=0"):
        painter.apply(pixels, count=0)


def test_every_kind_of_input_in_memory_is_read(tmp_path: Path) -> None:
    pixels, painter = photo(9, 13), model("pair")
    Image.fromarray(pixels).save(tmp_path / "a.png")
    expected = painter.apply(tmp_path / "a.png")
    tensor = torch.from_numpy(pixels).permute(2, 0, 1)
    for one in (
        str(tmp_path / "a.png"),
        str(tmp_path / "*.png"),
        tmp_path,
        pixels,
        pixels[None],
        Image.fromarray(pixels),
        tensor,
        tensor[None],
        tensor.float() / 127.5 - 1,
        [pixels],
    ):
        assert torch.equal(painter.apply(one), expected), type(one)
    several = painter.apply([pixels, tmp_path / "a.png"])
    assert several.shape == (2, 3, 9, 13)
    of_sizes = painter.apply([pixels, photo(4, 4)])
    assert [tuple(one.shape) for one in of_sizes] == [(1, 3, 9, 13), (1, 3, 4, 4)]


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (30, 20_000), (3, 2)])
@pytest.mark.parametrize("condition", ["pair", "domain", "grey", "small", "hole"])
def test_extreme_sizes_keep_their_size(size: tuple[int, int], condition: str) -> None:
    options = {"mask": np.eye(*size) == 0} if condition == "hole" and size != (1, 1) else {}
    if condition == "hole" and size == (1, 1):
        options = {"mask": np.zeros(size, bool)}
    found = model(condition).apply(photo(*size), **options)
    scale = 2 if condition == "small" else 1
    assert found.shape == (1, 3, scale * size[0], scale * size[1])


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_are_those_of_the_model(channels: int) -> None:
    assert model("pair").apply(photo(10, 10, channels)).shape == (1, 3, 10, 10)


def test_a_domain_is_translated_into_the_target(small_tiles: None) -> None:
    pixels, painter = photo(40, 40), model("domain")
    for name, number in (("a", 0), ("b", 1)):
        condition = Translation(as_tensor(pixels), torch.tensor([number]))
        expected = painter.sample(1, condition=condition)
        torch.testing.assert_close(painter.apply(pixels, to=name), expected, rtol=0, atol=0.51 / 127.5)
    assert torch.equal(painter.apply(pixels), painter.apply(pixels, to="b"))
    with pytest.raises(SparringError, match="the domain 'c'"):
        painter.apply(pixels, to="c")


@pytest.mark.parametrize("condition", ["pair", "domain", "grey"])
def test_strength_lies_between_input_and_sample(condition: str) -> None:
    pixels, painter = photo(20, 12), model(condition)
    full = bytes_of(painter.apply(pixels)).astype(float)
    np.testing.assert_array_equal(bytes_of(painter.apply(pixels, strength=0)), pixels)
    half = bytes_of(painter.apply(pixels, strength=0.5))
    assert np.abs(half - (pixels + 0.5 * (full - pixels))).max() <= 0.51


@pytest.mark.parametrize("condition", ["small", "hole"])
def test_a_strength_of_models_that_do_not_change_the_whole_image_is_refused(condition: str) -> None:
    with pytest.raises(SparringError, match=r"strength=0\.5 for a model that"):
        model(condition).apply(photo(8, 8), strength=0.5)


class TestHoles:
    """Filling holes."""

    @pytest.fixture
    def painter(self) -> Model:
        return model("hole")

    def test_not_one_bit_outside_the_hole_changes(self, painter: Model, small_tiles: None) -> None:
        pixels, mask = photo(72, 44), np.random.default_rng(1).random((72, 44)) < 0.3
        found = bytes_of(painter.apply(pixels, mask=mask))
        np.testing.assert_array_equal(found[~mask], pixels[~mask])
        assert (found[mask] != pixels[mask]).any(1).mean() > 0.9
        hole = torch.from_numpy(mask)[None, None].float()
        expected = painter.sample(1, condition=Holed(as_tensor(pixels) * (1 - hole), hole))
        assert np.abs(found[mask].astype(int) - bytes_of(expected)[mask]).max() <= 1

    @pytest.mark.parametrize("kind", ["bool", "bytes", "ones", "png", "tensor", "ones in a png", *TENSORS])
    def test_white_is_the_hole_in_every_kind_of_mask(self, kind: str, painter: Model, tmp_path: Path) -> None:
        pixels, mask = photo(12, 10), np.zeros((12, 10), bool)
        mask[3:6, 2:9] = True
        kinds = {
            "bool": mask,
            "bytes": mask * np.uint8(255),
            "ones": mask.astype(np.float32),
            "tensor": torch.from_numpy(mask),
            TENSORS[0]: torch.from_numpy(mask).float(),
            TENSORS[1]: 2 * torch.from_numpy(mask).float() - 1,
            "png": tmp_path / "mask.png",
            "ones in a png": tmp_path / "mask.png",
        }
        Image.fromarray(mask * np.uint8(1 if kind == "ones in a png" else 255)).save(tmp_path / "mask.png")
        changed = (bytes_of(painter.apply(pixels, mask=kinds[kind])) != pixels).any(2)
        assert not changed[~mask].any() and changed[mask].mean() > 0.9

    def test_masks_of_a_folder_belong_to_the_images_of_their_names(self, painter: Model, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        (tmp_path / "masks").mkdir()
        for number, name in enumerate("ab"):
            Image.fromarray(photo(8, 8 + number)).save(tmp_path / "in" / f"{name}.png")
            # In the opposite order of their names, they would have the wrong sizes.
            mask = np.zeros((8, 8 + number), np.uint8)
            mask[number] = 255
            Image.fromarray(mask).save(tmp_path / "masks" / f"{name}.png")
        found = painter.apply([tmp_path / "in" / "b.png", tmp_path / "in" / "a.png"], mask=tmp_path / "masks")
        for one, (number, width) in zip(found, ((1, 9), (0, 8)), strict=True):
            changed = (bytes_of(one) != photo(8, width)).any(2)
            assert changed[number].any() and not np.delete(changed, number, 0).any()

    def test_one_mask_serves_all_images(self, painter: Model) -> None:
        mask = np.zeros((8, 8), bool)
        mask[2] = True
        for one in painter.apply([photo(8, 8), photo(8, 8, seed=1)], mask=mask):
            assert one.shape == (3, 8, 8)

    @pytest.mark.parametrize(
        ("mask", "words"),
        [
            (np.ones((8, 8), bool), "a mask that is white everywhere"),
            (np.ones((8, 9), bool), "a mask of 9 × 8 pixels for 000000, which has 8 × 8 pixels"),
            ([np.ones((8, 8), bool)] * 2, "2 masks for 1 images"),
            ("nowhere.png", "nowhere.png"),
        ],
    )
    def test_masks_that_do_not_fit_are_refused(self, mask: Any, words: str, painter: Model) -> None:
        with pytest.raises(SparringError, match=words):
            painter.apply(photo(8, 8), mask=mask)

    def test_an_empty_mask_changes_nothing(self, painter: Model) -> None:
        pixels = photo(8, 8)
        np.testing.assert_array_equal(bytes_of(painter.apply(pixels, mask=np.zeros((8, 8), bool))), pixels)

    def test_holes_without_a_mask_are_those_of_the_training(self, painter: Model) -> None:
        pixels = photo(16, 16)
        changed = (bytes_of(painter.apply(pixels)) != pixels).any(2)
        assert changed[4:12, 4:12].mean() > 0.9 and changed.sum() == changed[4:12, 4:12].sum()


def test_unreadable_files_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    with pytest.raises(SparringError, match=r"a\.png, which cannot be read"):
        model("pair").apply(tmp_path / "a.png")
    with pytest.raises(SparringError, match="nothing that matches"):
        model("pair").apply(str(tmp_path / "*.jpg"))


def test_entries_that_cannot_be_listed_are_named(tmp_path: Path) -> None:
    Image.fromarray(photo(8, 8)).save(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to(tmp_path / "nowhere")
    with pytest.warns(SparringWarning, match=r"Skipped b\.png \(a broken link"):
        assert model("pair").apply(tmp_path).shape == (1, 3, 8, 8)
