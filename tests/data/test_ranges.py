"""Value ranges over a whole source: depths of integers, floats with tolerance, outliers, and what the user is told."""

import numpy as np
import pytest

from sparring.data.ranges import Extent, extent, find_range, to_bytes


def found(*values, kind=None, **choices):
    extents = [extent(np.asarray(one)) for one in values]
    return find_range(kind or extents[0].kind, extents, **choices)


def pictures(low, high, dtype, count=6):
    return [np.array([[low, high], [high, low]], dtype) for _ in range(count)]


@pytest.mark.parametrize("dtype", ["int16", "uint16", "int32", "int64", "uint32"])
@pytest.mark.parametrize(
    ("high", "white", "bits"),
    [
        (1, 1, "1 bit"),
        (255, 255, "8 bits"),
        (1000, 1023, "10 bits"),
        (4095, 4095, "12 bits"),
        (30000, 65535, "16 bits"),
    ],
)
def test_integers_have_the_range_of_the_fewest_bits_that_hold_them(dtype, high, white, bits):
    one = found(*pictures(0, high, dtype))
    assert (one.low, one.high) == (0, white)
    assert one.remarks[0] == f"Reads values from 0 to {white} ({bits}) as black to white."


def test_integers_below_zero_have_their_own_range():
    assert found(*pictures(-1000, 3000, "int16"))[:2] == (-1000, 3000)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, (0, 1)),
        (0, 1.0001, (0, 1)),
        (-0.02, 1.03, (0, 1)),
        (0, 0.4, (0, 1)),
        (-1, 1, (-1, 1)),
        (-0.98, 1.02, (-1, 1)),
        (0, 255, (0, 255)),
        (-3, 258, (0, 255)),
        (0, 10, (0, 10)),
        (0, 1 / 255, (0, 1 / 255)),
        (-0.5, 5, (-0.5, 5)),
        (-0.2, 0.9, (-0.2, 0.9)),
    ],
)
def test_floats_have_a_usual_range_with_tolerance_or_their_own(low, high, expected):
    one = found(*pictures(low, high, "float64"))
    assert one[:2] == expected
    assert one.remarks[0].startswith("Reads values from")


def test_bytes_of_zero_and_one_are_black_and_white():
    one = found(*pictures(0, 1, "uint8"))
    assert one[:2] == (0, 1) and "1 bit" in one.remarks[0]
    assert found(*pictures(0, 255, "uint8")) == (0, 255, ())


@pytest.mark.parametrize("high", [2, 17, 63])
def test_a_source_that_uses_little_of_its_range_says_so(high):
    assert found(*pictures(0, high, "uint8")).remarks == (
        f"The images use 0 to {high} of 0 to 255, less than a quarter; "
        f"give --range 0 {high} (range=(0, {high}) in Python) if that is black to white.",
    )
    assert found(*pictures(0, 64, "uint8")).remarks == ()


@pytest.mark.parametrize(("dtype", "outlier"), [("float32", 1e6), ("int32", 10**6), ("int32", -(10**6))])
def test_one_outlier_of_nine_does_not_darken_the_others(dtype, outlier):
    usual = pictures(0, 1, dtype, 8) if dtype == "float32" else pictures(0, 255, dtype, 8)
    strange = usual[0].copy()
    strange[0, 0] = outlier
    one = found(*usual, strange)
    assert one[:2] == ((0, 1) if dtype == "float32" else (0, 255))
    assert "1 of 9 images (11 %) hold outliers" in one.remarks[1] and "which are clipped" in one.remarks[1]


def test_hot_values_in_every_float_picture_are_clipped():
    random = np.random.default_rng(0)
    noisy = [random.random((64, 64)) for _ in range(5)]
    for picture in noisy:
        picture[3, 4] = 1e5
    one = found(*noisy)
    assert one[:2] == (0, 1) and "5 of 5 images" in one.remarks[1]


def test_differences_of_brightness_are_no_outliers():
    dark, bright = pictures(0, 20.0, "float32", 90), pictures(0, 100.0, "float32", 10)
    assert found(*dark, *bright)[:2] == (0, 100)


def test_a_chosen_range_overrules_and_says_what_it_clips():
    one = found(*pictures(0, 17, "uint8", 3), given=(0, 10))
    assert one[:2] == (0, 10)
    assert one.remarks == (
        "Reads values from 0 to 10 as black to white, as chosen. 3 of 3 images hold others, which are clipped.",
    )


def test_a_known_range_holds_unless_values_exceed_it_by_far():
    assert found(*pictures(0, 200, "uint16"), known=(0, 4095))[:2] == (0, 4095)
    assert found(*pictures(0, 255, "uint8"), known=(0, 1))[:2] == (0, 255)
    assert found(*pictures(0, 60000, "uint16"), known=(0, 4095))[:2] == (0, 65535)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "float64"])
def test_values_map_linearly_and_are_clipped(dtype):
    values = np.array([[0, 5], [10, 20]], dtype)
    kind = extent(values).kind
    assert to_bytes(values, {kind: (0, 10)}).tolist() == [[0, 128], [255, 255]]


def test_large_pictures_map_like_small_ones():
    values = np.random.default_rng(0).integers(0, 4096, (1500, 1000), dtype=np.uint16)
    whole = to_bytes(values, {"integers": (0, 4095)})
    assert np.array_equal(whole, np.round(values * (255 / 4095)).astype(np.uint8))


def test_values_that_are_not_finite_are_refused():
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match="not finite"):
            extent(np.array([[0.0, value]]))


def test_an_extent_leaves_the_outermost_values_aside():
    values = np.linspace(0, 1, 5000).reshape(50, 100)
    values[0, 0] = -50
    one = extent(values)
    assert one.low == -50 and one.inner_low > 0 and isinstance(one, Extent)
