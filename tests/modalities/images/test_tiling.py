"""Tiles agree with the whole image, and their seams are blended."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sparring.modalities.images.conditions import Translation
from sparring.modalities.images.tiling import cropped, tiled
from sparring.randomness import generator, seeded


def whole(function: Callable[[Tensor], Tensor], image: Tensor, scale: int = 1, **numbers: int) -> Tensor:
    """Put the blocks together, each of which fills its place once."""
    size = image.shape[2], image.shape[3]
    result = torch.full((1, image.shape[1], scale * size[0], scale * size[1]), float("nan"))
    for (rows, columns), values in tiled(lambda region: function(cropped(image, region)), size, scale=scale, **numbers):
        assert result[..., rows, columns].isnan().all()
        result[..., rows, columns] = values
    assert not result.isnan().any()
    return result


def noise(height: int, width: int) -> Tensor:
    return torch.randn(1, 3, height, width, generator=generator(0, "image"))


SIZES = [(16, 16), (33, 100), (100, 33), (64, 64), (65, 129), (7, 200), (1, 1), (1, 90), (150, 150)]
GRIDS = [(32, 8, 1), (32, 8, 4), (32, 16, 8), (48, 16, 4), (40, 20, 1)]


@pytest.mark.parametrize(("side", "overlap", "multiple"), GRIDS)
@pytest.mark.parametrize("size", SIZES)
def test_the_identity_comes_back(size: tuple[int, int], side: int, overlap: int, multiple: int) -> None:
    def identity(tile: Tensor) -> Tensor:
        assert tile.shape[2] % multiple == 0 and tile.shape[3] % multiple == 0
        return tile

    image = noise(*size)
    found = whole(identity, image, side=side, overlap=overlap, multiple=multiple)
    torch.testing.assert_close(found, image, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [(64, 64), (100, 132), (200, 36)])
def test_a_convolutional_network_gives_the_result_of_the_whole_image(size: tuple[int, int]) -> None:
    """It has strides, and reaches 6 pixels, less than a quarter of the overlap."""
    with seeded(0, "network"), torch.no_grad():
        network = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1),
            nn.Tanh(),
            nn.Conv2d(6, 6, 4, stride=4),
            nn.Tanh(),
            nn.ConvTranspose2d(6, 3, 4, stride=4),
            nn.Conv2d(3, 3, 3, padding=1),
        )
        image = noise(*size)
        found = whole(network, image, side=64, overlap=24, multiple=4)
        torch.testing.assert_close(found, network(image), rtol=0, atol=1e-5)


def test_results_of_a_generator_that_enlarges_fit_together() -> None:
    image = noise(50, 90)
    found = whole(lambda tile: interpolate(tile, scale_factor=3), image, scale=3, side=32, overlap=8, multiple=2)
    torch.testing.assert_close(found, interpolate(image, scale_factor=3), rtol=0, atol=1e-6)


def test_seams_of_a_normalising_network_are_no_steeper_than_the_ramp() -> None:
    """Tiles of a slope have other means; without blending the result jumps by about half a unit at each seam."""
    image = torch.linspace(-1, 1, 256).expand(1, 3, 64, 256)
    norm = nn.InstanceNorm2d(3)
    across = whole(lambda tile: norm(tile) / 10, image, side=64, overlap=32)
    steps = across.diff(dim=-1).abs()
    hard = whole(lambda tile: norm(tile) / 10, image, side=64, overlap=0).diff(dim=-1).abs()
    assert hard.max() > 0.3
    assert steps.max() < 0.05


def test_small_images_are_continued_to_the_least_size_by_reflection() -> None:
    seen: list[Tensor] = []

    def recorded(tile: Tensor) -> Tensor:
        seen.append(tile)
        return tile

    image = noise(3, 5)
    torch.testing.assert_close(whole(recorded, image, multiple=4, least=(8, 8)), image)  # type: ignore[arg-type]
    assert seen[0].shape == (1, 3, 8, 8)
    assert torch.equal(seen[0][..., 3, :5], image[..., 1, :]) and torch.equal(seen[0][..., :3, 5], image[..., 3])


def test_only_images_are_cropped() -> None:
    pair = Translation(noise(9, 9), torch.tensor([2]))
    cut = cropped(pair, (slice(2, 5), slice(1, 9)))
    assert torch.equal(cut.image, pair.image[..., 2:5, 1:9]) and torch.equal(cut.target, pair.target)
