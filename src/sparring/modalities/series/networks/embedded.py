"""The five networks of TimeGAN (Yoon et al. 2019, sections 4 and 5): stacks of GRUs between series and their codes.

A code has a vector for each step, (batch, steps, size) in [0, 1], 0 after the end of a series.
"""

from typing import Any, final

import torch
from torch import Tensor, nn

from sparring.flow import Verdict
from sparring.modalities.series.networks.encoding import Encoding, inside
from sparring.modalities.series.networks.recurrent import (
    around,
    context_each,
    context_width,
    given_each,
    given_width,
)


class Stack(nn.Module):
    """GRUs in layers, and a linear layer at each step: (batch, steps, inputs) → (batch, steps, outputs)."""

    def __init__(self, inputs: int, width: int, layers: int, outputs: int) -> None:
        super().__init__()
        self.recur = nn.GRU(inputs, width, layers, batch_first=True)
        self.leave = nn.Linear(width, outputs)

    def forward(self, values: Tensor) -> Tensor:
        """Map (batch, steps, inputs) to (batch, steps, outputs)."""
        found: Tensor = self.leave(self.recur(values)[0])
        return found


@final
class Embedder(nn.Module):
    """Maps the numbers of series to codes: e of equation 2."""

    def __init__(self, *, encoding: Encoding, width: int, layers: int) -> None:
        super().__init__()
        self.encoding = encoding
        self.stack = Stack(encoding.width + context_width(encoding), width, layers, width)

    def forward(self, sample: Tensor, condition: Any) -> Tensor:
        """Map (batch, steps, width of the encoding) and contexts to codes."""
        seen = torch.cat([sample, context_each(self.encoding, condition)], 2)
        code: Tensor = self.stack(seen).sigmoid() * inside(condition)
        return code


@final
class Recovery(nn.Module):
    """Maps codes to the numbers of series: r of equation 3; presence is a number in [0, 1]."""

    def __init__(self, *, encoding: Encoding, width: int, layers: int) -> None:
        super().__init__()
        self.encoding = encoding
        self.stack = Stack(width + context_width(encoding), width, layers, encoding.width)

    def forward(self, code: Tensor, condition: Any) -> Tensor:
        """Map codes and contexts to (batch, steps, width of the encoding)."""
        numbers = self.stack(torch.cat([code, context_each(self.encoding, condition)], 2))
        values, logits = numbers.split([numbers.shape[2] - self.encoding.gaps, self.encoding.gaps], 2)
        return torch.cat([values, logits.sigmoid()], 2) * inside(condition)


@final
class Generator(nn.Module):
    """Maps a latent for each step, and what is known there, to codes: g of equation 4.

    Args:
        encoding: of the series.
        latent_size: numbers of the latent for each step.
        width: hidden units, and the length of codes.
        layers: GRUs in the stack.
    """

    def __init__(self, *, encoding: Encoding, latent_size: int, width: int, layers: int) -> None:
        super().__init__()
        self.encoding, self.noise = encoding, latent_size
        self.stack = Stack(latent_size + given_width(encoding), width, layers, width)

    def forward(self, latent: Tensor, condition: Any) -> Tensor:
        """Map latents (batch, steps · latent_size) and contexts to codes."""
        seen = torch.cat([latent.unflatten(1, (-1, self.noise)), given_each(self.encoding, condition)], 2)
        code: Tensor = self.stack(seen).sigmoid() * inside(condition)
        return code


@final
class Supervisor(nn.Module):
    """Maps codes to the codes of the next step each."""

    def __init__(self, *, width: int, layers: int) -> None:
        super().__init__()
        self.stack = Stack(width, width, layers, width)

    def forward(self, code: Tensor, condition: Any) -> Tensor:
        """Map codes to codes."""
        following: Tensor = self.stack(code).sigmoid() * inside(condition)
        return following


@final
class Discriminator(nn.Module):
    """Maps codes and contexts to a logit for each step: d of equation 5, of which the GRUs look back alone."""

    def __init__(self, *, encoding: Encoding, width: int, layers: int) -> None:
        super().__init__()
        self.encoding = encoding
        self.stack = Stack(width + context_width(encoding), width, layers, 1)

    def forward(self, sample: Tensor, condition: Any) -> Verdict:
        """Map codes and contexts to logits (batch, steps)."""
        logits = self.stack(torch.cat([sample, context_each(self.encoding, condition)], 2))[..., 0]
        return Verdict([around(logits, condition)], [])
