"""Dense networks of GANomaly for rows in one-hot vectors."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from sparring.flow import Verdict
from sparring.modalities.tables.networks.dense import INPUT_SCALE
from sparring.modalities.tables.networks.encoding import Encoding, waves


class Encoder(nn.Module):
    """Maps the vectors of ``Levels``, whose positions are not seen, to codes: (batch, width + columns) → (batch, size).

    Args:
        levels: of the columns.
        width: units of each hidden layer.
        layers: hidden layers.
        latent_size: length of a code.
    """

    waves: Tensor

    def __init__(self, *, levels: Encoding, width: int, layers: int, latent_size: int) -> None:
        super().__init__()
        self.seen = levels.width
        self.register_buffer("waves", waves(levels), persistent=False)
        self.hidden = dense(levels.width + self.waves.shape[1], width, layers)
        self.code = nn.Linear(width, latent_size)

    def forward(self, sample: Tensor, condition: Any = None) -> Tensor:
        """Map vectors to codes."""
        code: Tensor = self.code(self.features(sample)[-1])
        return code

    def features(self, sample: Tensor) -> list[Tensor]:
        """Return the hidden layers, (batch, width) each."""
        vectors = sample[:, : self.seen]
        hidden, features = torch.cat([INPUT_SCALE * vectors, vectors @ self.waves], 1), []
        for layer in self.hidden:
            hidden = leaky_relu(layer(hidden), 0.2)
            features.append(hidden)
        return features


class Autoencoder(nn.Module):
    """Maps vectors to codes, and codes to the probabilities of the levels of each column.

    Args:
        levels: of the columns.
        width: units of each hidden layer.
        layers: hidden layers of encoder and decoder each.
        latent_size: length of a code.
    """

    waves: Tensor

    def __init__(self, *, levels: Encoding, width: int, layers: int, latent_size: int) -> None:
        super().__init__()
        self.sizes, self.columns = list(levels.sizes), len(levels.sizes)
        self.register_buffer("waves", waves(levels), persistent=False)
        self.encode = Encoder(levels=levels, width=width, layers=layers, latent_size=latent_size)
        self.hidden = dense(latent_size, width, layers)
        self.predict = nn.Linear(width, levels.width)
        self.predict_waves = nn.Linear(width, self.waves.shape[1], bias=False)

    def decode(self, code: Tensor, condition: Any = None) -> Tensor:
        """Map codes (batch, latent_size) to (batch, width + columns), with every cell in the middle of its level."""
        hidden = code
        for layer in self.hidden:
            hidden = leaky_relu(layer(hidden), 0.2)
        logits = (self.predict(hidden) + self.predict_waves(hidden) @ self.waves.T).float()
        chances = [part.softmax(1) for part in logits.split(self.sizes, 1)]
        return torch.cat([*chances, logits.new_full((logits.shape[0], self.columns), 0.5)], 1)


class Discriminator(nn.Module):
    """Maps the vectors of ``Levels`` to a logit for each row.

    Args:
        levels: of the columns.
        width: units of each hidden layer.
        layers: hidden layers.
    """

    def __init__(self, *, levels: Encoding, width: int, layers: int) -> None:
        super().__init__()
        self.encoder = Encoder(levels=levels, width=width, layers=layers, latent_size=1)

    def forward(self, sample: Tensor, condition: Any = None) -> Verdict:
        """Map (batch, width + columns) to logits (batch,) and the hidden layers."""
        features = self.encoder.features(sample)
        return Verdict([self.encoder.code(features[-1])[:, 0]], features)


def dense(before: int, width: int, layers: int) -> nn.ModuleList:
    """Return linear layers of ``width`` units, the first of which takes ``before`` numbers."""
    sizes: Sequence[int] = [before, *[width] * layers]
    return nn.ModuleList(nn.Linear(*pair) for pair in pairwise(sizes))
