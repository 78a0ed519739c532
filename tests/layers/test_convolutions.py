"""Grids, initial weights, and the leaky clamp."""

import pytest
import torch

from sparring.layers.convolutions import convolution, grids, leaky_clamp, linear, rectify
from sparring.randomness import seeded


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((8, 8), [(8, 8), (4, 4)]),
        ((7, 90), [(7, 90)]),
        ((28, 20), [(28, 20), (14, 10), (7, 5)]),
        ((256, 8), [(256, 8), (128, 4)]),
    ],
)
def test_grids_halve_down_to_four_to_seven(size: tuple[int, int], expected: list[tuple[int, int]]) -> None:
    assert grids(size) == expected


@pytest.mark.parametrize("size", [(28, 20), (29, 33), (64, 64)])
def test_convolution_of_stride_two_reaches_the_next_grid(size: tuple[int, int]) -> None:
    halved = convolution(1, 1, kernel=4, stride=2)(torch.zeros(1, 1, *size))
    assert tuple(halved.shape[2:]) == grids(size)[1]


def test_initial_weights_preserve_the_second_moment() -> None:
    with seeded(0, "weights"), torch.no_grad():
        values = torch.randn(4096, 256)
        for _ in range(10):
            values = linear(256, 256)(rectify(values))
    assert 0.7 < float(values.square().mean()) < 1.4


def test_leaky_clamp_has_a_gradient_outside_its_bounds() -> None:
    values = torch.tensor([-3.0, -1.0, 0.5, 1.0, 2.0], requires_grad=True)
    limited = leaky_clamp(values, 0.1)
    torch.testing.assert_close(limited, torch.tensor([-1.2, -1.0, 0.5, 1.0, 1.1]))
    limited.sum().backward()
    assert values.grad is not None
    assert values.grad[[0, 4]].tolist() == pytest.approx([0.1, 0.1]) and values.grad[2] == 1
