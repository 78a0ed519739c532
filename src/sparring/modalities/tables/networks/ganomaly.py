"""Dense networks of GANomaly for rows as vectors of numbers and one-hot vectors."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from sparring.flow import Verdict


class NumberEncoding(Protocol):
    """The form of vectors of rows; see ``modalities.tables.standard_vectors.StandardVectors``."""

    @property
    def scalars(self) -> int:
        """Number of columns of numbers, which come first."""
        ...

    @property
    def sizes(self) -> Sequence[int]:
        """Length of each one-hot vector."""
        ...


class Encoder(nn.Module):
    """Maps vectors to codes: (batch, length of a vector) → (batch, latent_size).

    Args:
        encoding: of the rows.
        width: units of each hidden layer.
        layers: hidden layers.
        latent_size: length of a code.
    """

    def __init__(self, *, encoding: NumberEncoding, width: int, layers: int, latent_size: int) -> None:
        super().__init__()
        self.hidden = dense(encoding.scalars + sum(encoding.sizes), width, layers)
        self.code = nn.Linear(width, latent_size)

    def forward(self, sample: Tensor, condition: Any = None) -> Tensor:
        """Map vectors to codes."""
        code: Tensor = self.code(activations(self.hidden, sample)[-1])
        return code


class Autoencoder(nn.Module):
    """Maps vectors to codes, and codes to numbers and to probabilities of the levels of each column.

    Args:
        encoding: of the rows.
        width: units of each hidden layer.
        layers: hidden layers of encoder and decoder each.
        latent_size: length of a code.
    """

    def __init__(self, *, encoding: NumberEncoding, width: int, layers: int, latent_size: int) -> None:
        super().__init__()
        self.encode = Encoder(encoding=encoding, width=width, layers=layers, latent_size=latent_size)
        self.parts = [encoding.scalars, *encoding.sizes]
        self.hidden = dense(latent_size, width, layers)
        self.last = nn.Linear(width, sum(self.parts))

    def decode(self, code: Tensor, condition: Any = None) -> Tensor:
        """Map codes (batch, latent_size) to vectors."""
        numbers, *logits = self.last(activations(self.hidden, code)[-1]).float().split(self.parts, 1)
        return torch.cat([numbers, *(part.softmax(1) for part in logits)], 1)


class Discriminator(nn.Module):
    """Maps vectors to a logit for each row.

    Args:
        encoding: of the rows.
        width: units of each hidden layer.
        layers: hidden layers.
    """

    def __init__(self, *, encoding: NumberEncoding, width: int, layers: int) -> None:
        super().__init__()
        self.hidden = dense(encoding.scalars + sum(encoding.sizes), width, layers)
        self.score = nn.Linear(width, 1)

    def forward(self, sample: Tensor, condition: Any = None) -> Verdict:
        """Map vectors to logits (batch,) and the hidden layers."""
        features = activations(self.hidden, sample)
        return Verdict([self.score(features[-1])[:, 0]], features)


def dense(before: int, width: int, layers: int) -> nn.ModuleList:
    """Return linear layers of ``width`` units, the first of which takes ``before`` numbers."""
    return nn.ModuleList(nn.Linear(*pair) for pair in pairwise([before, *[width] * layers]))


def activations(layers: nn.ModuleList, inputs: Tensor) -> list[Tensor]:
    """Return the outputs of all layers, one after the other, with leaky ReLU."""
    found = [inputs]
    for layer in layers:
        found.append(leaky_relu(layer(found[-1]), 0.2))
    return found[1:]
