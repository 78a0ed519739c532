"""Convolutions without normalisation layers: grids, variance-preserving weights, and a leaky clamp for the output."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

NEGATIVE_SLOPE = 0.2
"""Slope of the leaky ReLU below zero."""


def grids(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the grids (height, width) from ``size`` down, halved until the smaller side is 4 to 7.

    Odd sides are rounded down, as by a convolution with kernel 4, stride 2 and padding 1:
    (28, 20) gives [(28, 20), (14, 10), (7, 5)].
    """
    result = [size]
    while min(result[-1]) >= 8:
        height, width = result[-1]
        result.append((height // 2, width // 2))
    return result


def initialise(layer: nn.Conv2d | nn.Linear, gain: float = 1.0) -> None:
    """Draw weights with which a leaky ReLU preserves the variance (He et al. 2015, section 2.2); biases are zero."""
    inputs = layer.weight[0].numel()
    nn.init.normal_(layer.weight, std=gain * math.sqrt(2 / (1 + NEGATIVE_SLOPE**2) / inputs))
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)


def convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, gain: float = 1.0) -> nn.Conv2d:
    """Return an initialised convolution; kernel 3 keeps the size, kernel 4 with stride 2 halves it."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding=1)
    initialise(layer, gain)
    return layer


def linear(inputs: int, outputs: int, gain: float = 1.0) -> nn.Linear:
    """Return an initialised linear layer."""
    layer = nn.Linear(inputs, outputs)
    initialise(layer, gain)
    return layer


def rectify(values: Tensor) -> Tensor:
    """Apply the leaky ReLU."""
    return functional.leaky_relu(values, NEGATIVE_SLOPE)


def leaky_clamp(values: Tensor, leak: float) -> Tensor:
    """Clamp to [-1, 1], with slope ``leak`` outside, so that the gradient of a pixel never vanishes.

    A linear output would have to learn exact black and white, and tanh stops learning once saturated.
    """
    return torch.lerp(values.clamp(-1, 1), values, leak)
