"""Points as one scatter plot."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from sparring.rendering.scatter import scatter_plot


def test_points_are_drawn_at_their_coordinates():
    drawn = np.asarray(scatter_plot(torch.tensor([[1.0, 1.0], [-1.0, 0.0]]), columns=8)).astype(int)
    assert drawn.shape == (512, 512, 3)
    blue = np.argwhere(drawn[..., 2] - drawn[..., 0] > 30)
    room = (512 / 2 - 16) / 1.5
    for x, y in ((1, 1), (-1, 0)):
        assert np.abs(blue - (256 - y * room, 256 + x * room)).sum(1).min() <= 1


@pytest.mark.parametrize(
    "samples", [torch.zeros(0, 2), torch.full((3, 2), math.nan), torch.randn(20, 1), torch.zeros(9, 4)]
)
def test_empty_or_degenerate_sets_can_be_drawn(samples):
    assert isinstance(scatter_plot(samples, columns=1), Image.Image)


def test_outlier_does_not_change_the_scale():
    points = torch.randn(2000, 2, generator=torch.Generator().manual_seed(0))
    far = torch.cat([points, torch.full((1, 2), 1e6)])
    assert np.array_equal(np.asarray(scatter_plot(points)), np.asarray(scatter_plot(far)))


def test_each_axis_has_its_own_range_where_units_differ():
    points = torch.randn(500, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 1e6])
    offset = points + torch.tensor([2000.0, 0.0])
    for one in (points, offset):
        drawn = np.asarray(scatter_plot(one)).astype(int)
        rows, columns = np.nonzero(drawn[..., 2] - drawn[..., 0] > 30)
        assert np.ptp(rows) > 250 and np.ptp(columns) > 250


def test_real_and_generated_points_share_their_axes_unless_most_lie_beyond():
    usual = (np.array([-2.0, -2.0]), np.array([2.0, 2.0]))
    points = torch.randn(400, 2, generator=torch.Generator().manual_seed(0)) * 0.7
    wide = torch.cat([points, torch.tensor([[1.0, 1.0]])])
    for one in (points * 0.3 + 1, wide):
        drawn = np.asarray(scatter_plot(torch.cat([one[:-1], torch.tensor([[1.0, 1.0]])]), usual=usual)).astype(int)
        blue = np.argwhere(drawn[..., 2] - drawn[..., 0] > 30)
        place = 256 + (512 / 2 - 16) / 2
        assert np.abs(blue - (512 - place, place)).sum(1).min() <= 1
    far = points + 100
    assert np.array_equal(np.asarray(scatter_plot(far, usual=usual)), np.asarray(scatter_plot(far)))


def test_names_of_columns_stand_beside_the_axes():
    points = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    plain, named = (np.asarray(scatter_plot(points, names=names)) for names in ((), ("height", "weight " * 9)))
    rows, columns = np.nonzero((plain != named).any(-1))
    assert rows.min() < 40 and rows.max() > 480 and np.ptp(columns) < 300
