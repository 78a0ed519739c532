"""Convolutions without normalisation: grids, weights that keep the variance, and an output that never sticks."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2
"""Slope of the leaky rectifier below zero."""


def grids(size: tuple[int, int]) -> list[tuple[int, int]]:
    """The grids (height, width) from ``size`` down, halved until the smaller side is 4 to 7.

    Odd sides are rounded down, as a convolution with kernel 4, stride 2 and padding 1 does:
    (28, 20) gives [(28, 20), (14, 10), (7, 5)].
    """
    result = [size]
    while min(result[-1]) >= 8:
        height, width = result[-1]
        result.append((height // 2, width // 2))
    return result


def prepare(layer: nn.Conv2d | nn.Linear, gain: float = 1.0) -> None:
    """Draw the weights so that a leaky rectifier keeps the variance (He et al. 2015), biases zero."""
    inputs = layer.weight[0].numel()
    nn.init.normal_(layer.weight, std=gain * math.sqrt(2 / (1 + SLOPE**2) / inputs))
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)


def convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, gain: float = 1.0) -> nn.Conv2d:
    """A prepared convolution; ``kernel`` 3 keeps the size, ``kernel`` 4 with stride 2 halves it."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding=1)
    prepare(layer, gain)
    return layer


def linear(inputs: int, outputs: int, gain: float = 1.0) -> nn.Linear:
    """A prepared linear layer."""
    layer = nn.Linear(inputs, outputs)
    prepare(layer, gain)
    return layer


def rectify(values: Tensor) -> Tensor:
    """Apply the leaky rectifier."""
    return functional.leaky_relu(values, SLOPE)


def limit(values: Tensor, leak: float) -> Tensor:
    """Clamp to [-1, 1], but keep the slope ``leak`` outside, so that no pixel is ever stuck.

    A linear output must learn to draw flat black exactly; tanh stops learning once saturated.
    """
    return torch.lerp(values.clamp(-1, 1), values, leak)
