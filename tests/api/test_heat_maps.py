"""Colours of heat maps."""

import torch

from sparring.api.heat_maps import coloured


def test_colours_go_from_black_to_white_and_get_brighter() -> None:
    heat = torch.linspace(0, 2, 41).view(1, 1, 41)
    colours = coloured(heat, 1.0)
    assert colours.shape == (1, 3, 1, 41)
    assert colours[0, :, 0, 0].tolist() == [-1, -1, -1] and colours[0, :, 0, 20:].unique().tolist() == [1]
    weights = torch.tensor([0.299, 0.587, 0.114])
    luminance = (colours[0, :, 0] * weights[:, None]).sum(0)
    assert bool((luminance[:21].diff() > 0).all())


def test_nothing_is_black_even_without_a_scale() -> None:
    assert bool((coloured(torch.zeros(2, 3, 3), 0.0) == -1).all())
