"""Augmentation: its effect on images, its frequency, and its second derivative, which penalties need."""

import math
from dataclasses import replace
from typing import get_args

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.functional import affine_grid, grid_sample, pad

from sparring.errors import SparringError
from sparring.layers.augment import (
    DEFAULT_KINDS,
    KINDS,
    TILT,
    Augment,
    Strengths,
    affine,
    chroma,
    colour,
    cut_out,
    cutout_masks,
    flips,
    geometry,
    hue,
    inversion,
    luma_flip,
    recolour,
    resample,
    rotation,
    scaling,
    turns,
)
from sparring.modalities.images.recipes.image_recipe import AugmentationKinds
from sparring.randomness import RandomStream
from sparring.recipes import RECIPES

SIZES = [(8, 8), (7, 7), (6, 9), (5, 1)]


def images(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def stream(total, seed=0):
    return RandomStream(seed, 3, total, slice(0, total))


def ones(count):
    return torch.ones(count)


def linear(matrix, count):
    """The same linear map for all images, without a shift."""
    return affine(matrix.expand(count, -1, -1), torch.zeros(count, 2))


def share(occurs):
    return occurs.double().mean().item()


def within_four_deviations(expected, count):
    """Tolerance that a correct share exceeds by strengths in one of 16,000 tests; seeds are fixed."""
    return pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / count))


class TestAugment:
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("channels", [1, 2, 3, 4])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
    def test_keeps_shape_and_type(self, size, channels, dtype):
        given = images(5, channels, *size, dtype=dtype)
        found = Augment(KINDS)(given, 0.8, stream(5))
        assert found.shape == given.shape and found.dtype == dtype
        assert found.isfinite().all() and not torch.equal(found, given)

    def test_results_agree_across_number_types(self):
        exact = images(16, 3, 8, 8, dtype=torch.float64)
        whole, half = (Augment(KINDS)(exact.to(dtype), 0.8, stream(16)) for dtype in (torch.float32, torch.bfloat16))
        expected = Augment(KINDS)(exact, 0.8, stream(16))
        torch.testing.assert_close(whole.double(), expected, atol=1e-5, rtol=0)
        # bfloat16 keeps 8 bits, and values are rounded four times.
        torch.testing.assert_close(half.double(), expected, atol=0.05, rtol=4 / 256)

    def test_autocast_does_not_affect_the_result(self):
        expected = Augment(KINDS)(images(16, 3, 8, 8), 0.8, stream(16))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert torch.equal(Augment(KINDS)(images(16, 3, 8, 8), 0.8, stream(16)), expected)

    def test_zero_probability_or_no_kinds_returns_the_input_tensor(self):
        given = images(4, 3, 8, 8)
        assert Augment(KINDS)(given, 0.0, stream(4)) is given
        assert Augment(())(given, 1.0, stream(4)) is given

    def test_random_stream_determines_the_result(self):
        given = images(16, 3, 8, 8)
        found = Augment(KINDS)(given, 0.5, stream(16))
        assert torch.equal(found, Augment(KINDS)(given, 0.5, stream(16)))
        for other in (stream(16, seed=1), replace(stream(16), step=4), stream(16).substream("fake")):
            assert not torch.equal(found, Augment(KINDS)(given, 0.5, other))

    @pytest.mark.parametrize("rows", [slice(0, 5), slice(5, 16), slice(1, 16, 3)])
    def test_rows_do_not_depend_on_the_split(self, rows):
        given = images(16, 3, 8, 8)
        whole, part = (
            Augment(KINDS)(given, 0.5, stream(16)),
            Augment(KINDS)(given[rows], 0.5, replace(stream(16), rows=rows)),
        )
        torch.testing.assert_close(part, whole[rows], atol=1e-6, rtol=0)

    def test_each_kind_uses_random_numbers_of_its_own(self):
        given = images(16, 3, 8, 8)
        steps = given
        for kind in ("flips", "inversion", "colour", "cutout"):
            steps = Augment((kind,))(steps, 0.5, stream(16))
        together = Augment(("cutout", "colour", "inversion", "flips"))
        torch.testing.assert_close(together(given, 0.5, stream(16)), steps)

    @pytest.mark.parametrize(
        ("kind", "channels", "unchanged"),
        [
            # Eight pixels are shifted by -1, 0 or 1: by 0 in half the cases, rounded. Scale, stretch, tilt, shift.
            ("geometry", 1, lambda q: (q + (1 - q) / 4) * q**4),
            # A flip is none in half the cases, a quarter turn in a quarter.
            ("flips", 1, lambda q: q + (1 - q) / 2),
            ("turns", 1, lambda q: q * (q + (1 - q) / 4)),
            ("colour", 3, lambda q: q**3),
            ("colour", 2, lambda q: q**2),
            ("inversion", 1, lambda q: q + (1 - q) / 2),
            ("inversion", 2, lambda q: 1.0),
            ("hue", 3, lambda q: q),
            ("hue", 1, lambda q: 1.0),
            ("cutout", 1, lambda q: q),
        ],
    )
    @pytest.mark.parametrize("probability", [0.2, 0.7])
    def test_share_of_unchanged_images_follows_from_the_probability(self, kind, channels, unchanged, probability):
        count = 4000
        given = images(1, channels, 8, 8).expand(count, -1, -1, -1)
        same = (Augment((kind,))(given, probability, stream(count)) == given).flatten(1).all(1)
        assert share(same) == within_four_deviations(unchanged(1 - probability), count)

    def test_can_be_differentiated_twice(self):
        given = images(3, 3, 4, 4, dtype=torch.float64).requires_grad_()

        def critic(sample):
            return Augment(KINDS)(sample, 0.9, stream(3)).sin().sum((1, 2, 3))

        assert gradcheck(critic, given) and gradgradcheck(critic, given)

    def test_bad_arguments_are_refused(self):
        with pytest.raises(SparringError, match=r"'color', but expected some of geometry.* did you mean 'colour'"):
            Augment(("flips", "color"))
        with pytest.raises(SparringError, match=r"shape \(4, 2\)"):
            Augment(KINDS)(images(4, 2), 0.5, stream(4))
        with pytest.raises(SparringError, match="4 images and random numbers for 1"):
            Augment(KINDS)(images(4, 3, 8, 8), 0.5, stream(1))

    @pytest.mark.parametrize("probability", [-0.1, 1.1, math.nan])
    def test_probability_outside_the_unit_interval_is_refused(self, probability):
        with pytest.raises(SparringError, match=f"probability {probability}, but expected a probability"):
            Augment(())(images(4, 3, 8, 8), probability, stream(4))

    def test_never_waits_for_values_on_the_device(self):
        # The meta device has no values: waiting for one would raise.
        strengths = Strengths(stream(4), 0.5)
        given = torch.empty(4, 3, 8, 8, device="meta")
        found = resample(given, turns(strengths, (8, 8)) @ flips(strengths, (8, 8)) @ geometry(strengths, (8, 8)))
        found = cut_out(
            recolour(found, hue(strengths, 3) @ inversion(strengths, 3) @ colour(strengths, 3)),
            *cutout_masks(strengths, (8, 8)),
        )
        assert found.is_meta and found.shape == given.shape

    def test_default_kinds_keep_orientation_and_colours(self):
        """No mirroring, no rotation beyond the tilt, no inversion, no change of hue."""
        assert Augment().kinds == DEFAULT_KINDS == ("geometry", "colour", "cutout")
        places = geometry(Strengths(stream(2000), 1.0), (16, 32))[:, :2, :2]
        assert places.det().min() > 0
        assert torch.atan2(places[:, 1, 0], places[:, 0, 0]).abs().max() == pytest.approx(TILT, rel=0.01)
        for channels in (1, 3):
            greys = colour(Strengths(stream(2000), 1.0), channels)[:, :-1, :-1] @ torch.ones(channels, 1)
            assert greys.min() > 0
            torch.testing.assert_close(greys, greys[:, :1].expand_as(greys))

    def test_recipes_offer_all_kinds(self):
        choices, _ = get_args(get_args(AugmentationKinds)[0])
        assert get_args(choices) == KINDS
        for name in ("images/r3gan", "images/dcgan", "images/gan"):
            assert RECIPES[name].augment == DEFAULT_KINDS


class TestResample:
    @pytest.mark.parametrize("size", [*SIZES, (32, 32)])
    def test_flips_exactly(self, size):
        given = images(3, 2, *size)
        assert torch.equal(resample(given, linear(torch.eye(2), 3)), given)
        assert torch.equal(resample(given, linear(torch.diag(torch.tensor([-1.0, 1.0])), 3)), given.flip(3))
        assert torch.equal(resample(given, linear(torch.diag(torch.tensor([1.0, -1.0])), 3)), given.flip(2))

    @pytest.mark.parametrize("side", [7, 8, 64])
    @pytest.mark.parametrize("quarters", [0, 1, 2, 3])
    def test_rotates_by_quarters_exactly(self, side, quarters):
        given = images(3, 2, side, side)
        turn = rotation(torch.full((3,), quarters * math.pi / 2)).round()
        # A place is turned from across to down, so its colour comes back the other way.
        assert torch.equal(resample(given, affine(turn, torch.zeros(3, 2))), given.rot90(quarters, (2, 3)))

    @pytest.mark.parametrize("size", [(8, 8), (6, 9)])
    @pytest.mark.parametrize(("across", "down"), [(1, 0), (0, -2), (-3, 4)])
    def test_shifts_by_whole_pixels_exactly(self, size, across, down):
        given = images(3, 2, *size)
        shift = torch.tensor([float(across), float(down)]).expand(3, 2)
        wide = pad(given, (5, 5, 5, 5), mode="reflect")
        expected = wide[:, :, 5 + down : 5 + down + size[0], 5 + across : 5 + across + size[1]]
        assert torch.equal(resample(given, affine(torch.eye(2).expand(3, 2, 2), shift)), expected)

    def test_product_of_matrices_applies_both_transformations(self):
        given = images(2, 1, 8, 8)
        turn = affine(rotation(torch.full((2,), math.pi / 2)).round(), torch.tensor([[1.0, -2.0]]).expand(2, 2))
        flip = linear(torch.diag(torch.tensor([-1.0, 1.0])), 2)
        assert torch.equal(resample(given, flip @ turn)[:, :, 2:6, 2:6], resample(given.flip(3), turn)[:, :, 2:6, 2:6])

    @pytest.mark.parametrize("size", [(8, 8), (7, 12), (33, 20)])
    @pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
    def test_agrees_with_grid_sample(self, size, dtype, tolerance):
        height, width = size
        given = images(20, 3, *size, dtype=torch.float64)
        matrices = affine(images(20, 2, 2, seed=1, dtype=torch.float64), 9 * images(20, 2, seed=2, dtype=torch.float64))
        to_unit = torch.diag(torch.tensor([(width - 1) / 2, (height - 1) / 2, 1.0], dtype=torch.float64))
        grid = affine_grid((to_unit.inverse() @ matrices @ to_unit)[:, :2], given.shape, align_corners=True)
        expected = grid_sample(given, grid, padding_mode="reflection", align_corners=True)
        found = resample(given.to(dtype), matrices)
        torch.testing.assert_close(found.double(), expected, atol=tolerance, rtol=0)

    def test_float32_is_enough_for_large_images(self):
        given = images(4, 1, 256, 256).cumsum(3).cumsum(2) / 256
        matrices = geometry(Strengths(stream(4), 1.0), (256, 256))
        expected = resample(given.double(), matrices.double())
        steepest = given.diff(dim=3).abs().max().item() + given.diff(dim=2).abs().max().item()
        # Coordinates of up to some hundred pixels are rounded to 1e-5 pixels.
        assert (resample(given, matrices) - expected).abs().max().item() < 2e-4 * steepest

    @pytest.mark.parametrize("size", [(4, 4), (3, 5)])
    def test_can_be_differentiated_twice(self, size):
        given = images(2, 2, *size, dtype=torch.float64).requires_grad_()
        matrices = geometry(Strengths(stream(2), 1.0), size)
        assert gradcheck(lambda sample: resample(sample, matrices), given)
        assert gradgradcheck(lambda sample: resample(sample, matrices).sin(), given)


class TestGeometric:
    def test_whole_shifts_map_pixels_to_pixels(self):
        matrices = geometry(Strengths(stream(4000), 0.3), (32, 16))
        whole = matrices[(matrices == matrices.round()).all(2).all(1)]
        assert set(whole[:, 0, 2].tolist()) == {-2, -1, 0, 1, 2}
        assert set(whole[:, 1, 2].tolist()) == set(range(-4, 5))

    def test_flips_mirror_left_and_right(self):
        matrices = flips(Strengths(stream(200), 1.0), (16, 16))
        assert {tuple(matrix) for matrix in matrices[:, :2, :2].flatten(1).tolist()} == {(1, 0, 0, 1), (-1, 0, 0, 1)}

    @pytest.mark.parametrize(("size", "quarters"), [((16, 16), 4), ((32, 16), 1)])
    def test_only_square_images_are_rotated_by_quarters(self, size, quarters):
        matrices = turns(Strengths(stream(2000), 0.3), size)[:, :2, :2]
        torch.testing.assert_close(matrices.det(), ones(2000))
        whole = {tuple(matrix) for matrix in matrices.flatten(1).tolist() if all(abs(x) in (0, 1) for x in matrix)}
        assert len(whole) == quarters

    def test_rotations_are_by_any_angle(self):
        matrices = turns(Strengths(stream(4000), 1.0), (16, 32))
        angles = torch.atan2(matrices[:, 1, 0], matrices[:, 0, 0])
        assert angles.std().item() == pytest.approx(math.pi / math.sqrt(3), rel=0.05)

    def test_geometry_matches_the_strengths_of_the_paper(self):
        count = 8000
        matrices = geometry(Strengths(stream(count), 1.0), (16, 32))
        area = matrices[:, :2, :2].det().log() / 2
        shifts = torch.linalg.solve(matrices[:, :2, :2], matrices[:, :2, 2])
        # Whole shifts are uniform from -4 to 4 across and from -2 to 2 down, half as often at the ends.
        across, down = (math.hypot(side / 8, math.sqrt(v)) for side, v in ((32, 5.5), (16, 1.5)))
        # The deviation of a deviation is its value over √(2 count).
        for found, expected in ((area, 0.2 * math.log(2)), (shifts[:, 0], across), (shifts[:, 1], down)):
            assert found.std().item() == pytest.approx(expected, rel=4 / math.sqrt(2 * count))
            assert abs(found.mean().item()) < 4 * expected / math.sqrt(count)

    def test_scaling_and_rotation_matrices(self):
        assert scaling(2 * ones(1), 3 * ones(1)).tolist() == [[[2, 0], [0, 3]]]
        torch.testing.assert_close(
            rotation(ones(1) * math.pi / 6) @ torch.tensor([2.0, 0]), torch.tensor([[3**0.5, 1]])
        )


class TestChromatic:
    def test_hue_rotation_preserves_luma_and_saturation(self):
        given = images(10, 3, 4, 4)
        turned = recolour(given, affine(chroma(torch.linspace(-3, 3, 10), ones(10)), torch.zeros(10, 3)))
        torch.testing.assert_close(turned.mean(1), given.mean(1))
        torch.testing.assert_close(turned.norm(dim=1), given.norm(dim=1))
        assert not torch.allclose(turned, given, atol=0.1)

    def test_hue_rotation_by_a_third_permutes_the_channels(self):
        third = chroma(torch.tensor([2 * math.pi / 3]), ones(1))[0]
        torch.testing.assert_close(third, torch.tensor([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]))

    def test_saturation_zero_is_grey_and_one_changes_nothing(self):
        given = images(2, 3, 4, 4)
        found = recolour(given, affine(chroma(torch.zeros(2), torch.tensor([0.0, 1.0])), torch.zeros(2, 3)))
        torch.testing.assert_close(found[0], given[0].mean(0).expand(3, -1, -1))
        assert torch.equal(found[1], given[1])

    @pytest.mark.parametrize("channels", [1, 3])
    def test_luma_flip_is_an_involution_and_preserves_chroma(self, channels):
        flip, none = luma_flip(torch.tensor([1.0, 0.0]), channels)
        torch.testing.assert_close(flip @ flip, torch.eye(channels))
        assert torch.equal(none, torch.eye(channels))
        vivid = images(channels)
        torch.testing.assert_close(flip @ vivid, vivid - 2 * vivid.mean())

    def test_saturation_matches_the_strength_of_the_paper(self):
        # A volume of colours grows by the contrast in three directions and by the saturation in two.
        volume = colour(Strengths(stream(8000), 1.0), 3)[:, :3, :3].det().abs().log()
        expected = math.log(2) * math.hypot(3 * 0.5, 2 * 1.0)
        assert volume.std().item() == pytest.approx(expected, rel=4 / math.sqrt(2 * 8000))

    def test_grey_images_are_inverted_half_the_time(self):
        assert share(inversion(Strengths(stream(4000), 1.0), 1)[:, 0, 0] < 0) == within_four_deviations(0.5, 4000)

    @pytest.mark.parametrize("channels", [2, 4])
    def test_two_or_four_channels_get_brightness_and_contrast_only(self, channels):
        matrices = colour(Strengths(stream(4000), 1.0), channels)
        factors = matrices[:, 0, 0]
        assert torch.equal(matrices[:, :-1, :-1], factors[:, None, None] * torch.eye(channels))
        brightness = matrices[:, :-1, -1] / factors[:, None]
        torch.testing.assert_close(brightness, brightness[:, :1].expand(-1, channels))
        assert factors.log().std().item() == pytest.approx(0.5 * math.log(2), rel=0.05)
        assert brightness.std().item() == pytest.approx(0.2, rel=0.05)

    def test_recolour_does_not_clamp(self):
        bright = torch.tensor([[[3.0, 0.0, 1.0], [0.0, 3.0, 1.0], [0.0, 0.0, 1.0]]])
        assert torch.equal(recolour(torch.full((1, 2, 1, 1), 1.5), bright), torch.full((1, 2, 1, 1), 5.5))


class TestCutout:
    def test_sets_a_rectangle_to_zero(self):
        rows, columns = torch.tensor([[0, 1, 1, 0]]).bool(), torch.tensor([[1, 0, 0]]).bool()
        expected = torch.ones(1, 2, 4, 3)
        expected[:, :, 1:3, 0] = 0
        assert torch.equal(cut_out(torch.ones(1, 2, 4, 3), rows, columns), expected)

    def test_matches_the_area_of_the_paper(self):
        count, size = 4000, (16, 32)
        rows, columns = cutout_masks(Strengths(stream(count), 1.0), size)
        heights, widths = rows.sum(1), columns.sum(1)
        assert heights.max() == 8 and widths.max() == 16 and heights.min() == 4 and widths.min() == 8
        # Half a side, less what lies beyond the border: 2 ∫₀^¼ (¼ - x) dx = 1/16.
        areas = (heights * widths).double() / (16 * 32)
        assert areas.mean().item() == pytest.approx((7 / 16) ** 2, abs=4 * areas.std().item() / math.sqrt(count))

    def test_is_one_contiguous_rectangle(self):
        rows, _ = cutout_masks(Strengths(stream(500), 1.0), (16, 16))
        edges = rows.int().diff(dim=1, prepend=torch.zeros(500, 1).int(), append=torch.zeros(500, 1).int())
        assert (edges.abs().sum(1) == 2).all()
