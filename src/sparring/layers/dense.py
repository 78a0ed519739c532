"""Stacks of linear layers."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import leaky_relu


class Dense(nn.Module):
    """Linear layers with leaky ReLU (slope 0.2) between them: (batch, widths[0]) → (batch, widths[-1])."""

    def __init__(self, *widths: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(widths))

    def forward(self, values: Tensor) -> Tensor:
        """Map (batch, widths[0]) to (batch, widths[-1])."""
        for layer in self.layers[:-1]:
            values = leaky_relu(layer(values), 0.2)
        output: Tensor = self.layers[-1](values)
        return output
