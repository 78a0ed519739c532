"""Series are scaled to numbers near one and back; what is known stays exact."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sparring.modalities.series.coding import Channel, Series, SeriesCoding
from sparring.modalities.series.contexts import context_of
from sparring.modalities.series.scaling import Scaling, is_skewed, with_components, within
from toys.sines import coding_of_sines, sines


def of_tensors(series: Series) -> Series:
    return Series(*(torch.as_tensor(part) for part in series))


@pytest.fixture(scope="module")
def series() -> Series:
    return of_tensors(sines(200))


@pytest.fixture(scope="module")
def scaling() -> Scaling:
    return Scaling(coding_of_sines(sines(200)), changes=True)


@pytest.mark.parametrize("changes", [False, True])
def test_series_come_back_from_the_scale_of_networks(series: Series, changes: bool) -> None:
    scaling = Scaling(coding_of_sines(sines(200)), changes=changes)
    numbers = scaling.normalize(series)
    assert numbers.dtype == torch.float32 and numbers.shape == (200, 24, scaling.width)
    again = scaling.denormalize(numbers, context_of(series))
    torch.testing.assert_close(again.values, series.values, atol=2e-3, rtol=0)
    assert (again.missing == series.missing).all() and (again.length == series.length).all()
    assert (again.values[..., 1] == series.values[..., 1]).all(), "integers are exact"


def test_numbers_have_deviation_one_and_end_with_the_series(series: Series, scaling: Scaling) -> None:
    numbers, inside = scaling.normalize(series), within(series.length, 24)[..., 0]
    assert (numbers[~inside] == 0).all()
    components, changes = numbers[inside][:, :2], numbers[:, 1:][inside[:, 1:]][:, 2:4]
    torch.testing.assert_close(components.std(0), torch.ones(2), atol=0.02, rtol=0)
    torch.testing.assert_close(changes.square().mean(0), torch.ones(2), atol=0.02, rtol=0)
    assert abs(float((components[:, 0] * components[:, 1]).mean())) < 0.02, "components are uncorrelated"


def test_presence_is_told_of_channels_that_can_be_missing(series: Series, scaling: Scaling) -> None:
    presence = scaling.normalize(series)[..., 4:]
    assert scaling.gaps == 1 and presence.shape[2] == 1
    assert (presence[..., 0] == (~series.missing[..., 0]).float()).all()


def test_equal_channels_are_one_component_and_stay_equal() -> None:
    random = np.random.default_rng(0)
    walk = 100 + random.normal(size=(50, 12, 1)).cumsum(1)
    values = np.concatenate([walk, walk, walk + 0.01 * random.normal(size=walk.shape)], 2)
    arrays = Series(values, np.zeros(values.shape, bool), np.full(50, 12), np.zeros((50, 0)))
    quantiles = tuple(np.quantile(values, np.linspace(0, 1, 101)).tolist())
    channels = tuple(Channel(name, "continuous", 100.0, float(values.std()), quantiles) for name in "abc")
    scaling = Scaling(with_components(SeriesCoding(channels, (), ((12.0,),)), arrays))
    assert scaling.components == 2
    drawn = scaling.denormalize(torch.randn(50, 12, 2), context_of(of_tensors(arrays)))
    torch.testing.assert_close(drawn.values[..., 0], drawn.values[..., 1], atol=1e-4, rtol=0)


def test_generated_values_stay_in_the_range_of_the_data_and_in_the_series(series: Series, scaling: Scaling) -> None:
    wild = 1e6 * torch.randn(200, 24, scaling.width)
    found = scaling.denormalize(wild, context_of(series))
    assert found.values.isfinite().all() and (found.values[~found.missing] >= 0).all()
    assert float(found.values[..., 0].max()) <= 12.001 and float(found.values[..., 1].max()) <= 23
    assert (found.values[..., 1] == found.values[..., 1].round()).all()
    inside = within(series.length, 24)[..., 0]
    assert found.missing[~inside].all() and (found.values[found.missing] == 0).all()
    assert not found.missing[..., 1][inside].any(), "a channel that is never missing"


def test_known_steps_are_exact(series: Series, scaling: Scaling) -> None:
    context = context_of(series, torch.full((200,), 5))
    found = scaling.denormalize(torch.randn(200, 24, scaling.width), context)
    assert (found.values[:, :5] == series.values[:, :5]).all()
    assert (found.missing[:, :5] == series.missing[:, :5]).all()


@pytest.mark.parametrize(
    ("values", "skewed"),
    [
        (np.linspace(1, 2, 101), False),
        (np.exp(np.linspace(0, 6, 101)), True),
        (np.exp(np.linspace(0, 6, 101)) - 1, False),
        (np.full(101, 3.0), False),
    ],
)
def test_only_skewed_positive_channels_become_logarithms(values: np.ndarray, skewed: bool) -> None:
    assert is_skewed(values) == skewed


@pytest.mark.parametrize("value", [0.0, 3.0, 1e300, -1e300])
def test_constant_channels_and_huge_numbers_are_finite(value: float) -> None:
    arrays = Series(np.full((3, 2, 1), value), np.zeros((3, 2, 1), bool), np.full(3, 2), np.zeros((3, 0)))
    channel = Channel("x", "continuous", value, 1.0, (value, value))
    coding = with_components(SeriesCoding((channel,), (), ((2.0,),)), arrays)
    scaling = Scaling(coding, changes=True)
    numbers = scaling.normalize(of_tensors(arrays))
    assert numbers.isfinite().all()
    again = scaling.denormalize(numbers, context_of(of_tensors(arrays)))
    assert (again.values == value).all()


def test_attributes_are_one_hot_or_standardised_and_zero_where_missing(series: Series, scaling: Scaling) -> None:
    context = context_of(series)._replace(attributes=torch.tensor([[1.0, 0.5], [torch.nan, torch.nan]]))
    context = context._replace(length=series.length[:2])
    assert scaling.attributes(context).tolist() == [[0, 1, 0.5, 1], [0, 0, 0, 0]]


def test_components_are_stored_with_the_coding() -> None:
    coding = coding_of_sines(sines(50))
    assert len(coding.components) == 2 and all(component.change > 0 for component in coding.components)
    assert with_components(replace(coding, components=()), sines(50)) == coding
