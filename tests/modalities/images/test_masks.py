"""Masks of holes: some hole, never all of the image, of the intended size, and a function of the seed and the row."""

from collections.abc import Callable

import pytest
import torch

from sparring.modalities.images.conditions import Holed, holed
from sparring.modalities.images.masks import ATTEMPTS, MASKS, MAX_SHARE, draw_masks
from sparring.randomness import RandomStream

Draw = Callable[..., RandomStream]
SHARES = {
    "mixed": (0.1, 0.45), "centre": (0.24, 0.26), "boxes": (0.1, 0.35),
    "strokes": (0.05, 0.35), "wide": (0.15, 0.55), "narrow": (0.02, 0.2),
}  # fmt: skip
"""Bounds of the mean share of the hole."""


def images(count: int = 64, height: int = 32, width: int = 32) -> torch.Tensor:
    pixels = torch.randint(0, 256, (count, 3, height, width), generator=torch.Generator().manual_seed(0))
    return pixels / 127.5 - 1


@pytest.mark.parametrize("size", [(4, 4), (8, 40), (32, 32), (64, 48)])
@pytest.mark.parametrize("kind", MASKS)
def test_every_image_has_a_hole_and_keeps_a_part(kind: str, size: tuple[int, int], random: Draw) -> None:
    for source in (random(64), None):
        masks = draw_masks(kind, images(64, *size), source)
        assert masks.shape == (64, 1, *size) and set(masks.unique().tolist()) <= {0.0, 1.0}
        shares = masks.mean((1, 2, 3))
        assert float(shares.min()) > 0 and float(shares.max()) <= MAX_SHARE


@pytest.mark.parametrize("kind", MASKS)
def test_share_of_the_hole_is_that_of_its_kind(kind: str, random: Draw) -> None:
    share = float(draw_masks(kind, images(400), random(400)).mean())
    assert SHARES[kind][0] < share < SHARES[kind][1]


def test_wide_holes_are_larger_than_narrow_ones(random: Draw) -> None:
    wide, strokes, narrow = (
        float(draw_masks(kind, images(), random(64)).mean()) for kind in ("wide", "strokes", "narrow")
    )
    assert wide > 1.3 * strokes > 1.3 * 1.3 * narrow


def test_central_hole_is_the_half_of_both_sides(random: Draw) -> None:
    mask = draw_masks("centre", images(1, 32, 64), random(1))[0, 0]
    assert mask[8:24, 16:48].all() and mask.sum() == 16 * 32


@pytest.mark.parametrize("kind", ["mixed", "boxes", "strokes", "wide", "narrow"])
def test_masks_follow_from_the_seed_and_differ_between_rows_and_steps(kind: str, random: Draw) -> None:
    first, again, other = (draw_masks(kind, images(), random(64, seed=seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert len(first.flatten(1).unique(dim=0)) > 32


@pytest.mark.parametrize("kind", MASKS)
def test_mask_of_a_row_does_not_depend_on_how_a_batch_is_split(kind: str) -> None:
    whole = draw_masks(kind, images(8), RandomStream(0, 3, 8, slice(0, 8)))
    part = draw_masks(kind, images(8)[5:7], RandomStream(0, 3, 8, slice(5, 7)))
    assert torch.equal(whole[5:7], part)


@pytest.mark.parametrize("kind", MASKS)
def test_held_out_image_has_the_same_hole_wherever_it_stands(kind: str) -> None:
    """Without random numbers the mask follows from the bytes of the image, whatever the rounding of its values."""
    shown = images(8)
    whole = draw_masks(kind, shown, None)
    assert torch.equal(draw_masks(kind, shown.flip(0) + 1e-7, None), whole.flip(0))
    assert torch.equal(draw_masks(kind, shown[3:4], None), whole[3:4])


def test_a_kind_that_takes_everything_is_replaced_by_the_centre(random: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    monkeypatch.setitem(MASKS, "all", lambda rng, height, width: drawn.append(1) or torch.ones(height, width).numpy())
    assert float(draw_masks("all", images(1), random(1)).mean()) == 0.25 and len(drawn) == ATTEMPTS


def test_holes_are_empty_and_the_rest_is_kept(random: Draw) -> None:
    shown = images(4)
    mask = draw_masks("boxes", shown, random(4))
    cut = holed(shown, mask)
    assert isinstance(cut, Holed)
    inside = (mask > 0).expand_as(shown)
    assert (cut.image[inside] == 0).all() and torch.equal(cut.image[~inside], shown[~inside])
