"""The networks of CTGAN (Xu et al. 2019, section 4.4)."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from sparring.flow import Verdict
from sparring.layers.choices import normal_to_gumbel, normal_to_uniform
from sparring.layers.packing import packed
from sparring.modalities.tables.networks.encoding import VectorEncoding

TEMPERATURE = 0.2
"""Temperature τ of the Gumbel softmax."""


class Generator(nn.Module):
    """Maps latents and a category to the vectors of ``ModeVectors``.

    The latent holds all randomness: the input of the network, the noise of the Gumbel softmax, the places inside
    levels, and the category of rows that are given none, which is drawn by its frequency.

    Args:
        encoding: of the rows.
        latent_size: numbers of the latent that the network sees.
        width: units of each layer.
        layers: hidden layers.
    """

    def __init__(self, *, encoding: VectorEncoding, latent_size: int, width: int, layers: int = 2) -> None:
        super().__init__()
        self.encoding, self.seen = encoding, latent_size
        first = latent_size + encoding.condition_width
        self.layers = nn.ModuleList(Residual(first + layer * width, width) for layer in range(layers))
        self.last = nn.Linear(first + layers * width, encoding.scalars + encoding.width)

    @staticmethod
    def latent_size(encoding: VectorEncoding, seen: int) -> int:
        """Return the length of latents, of which the network sees ``seen`` numbers."""
        return seen + encoding.width + encoding.places + 2 * bool(encoding.condition_width)

    def forward(self, latent: Tensor, condition: Any = None) -> Tensor:
        """Map normal latents (batch, latent_size) and known cells to (batch, scalars + width + places)."""
        seen, noise, uniform = latent.tensor_split([self.seen, self.seen + self.encoding.width], 1)
        uniform = normal_to_uniform(uniform)
        hidden = torch.cat([seen, self._asked(uniform[:, self.encoding.places :], condition)], 1)
        for layer in self.layers:
            hidden = layer(hidden)
        alpha, logits = self.last(hidden).float().split([self.encoding.scalars, self.encoding.width], 1)

        # Gumbel softmax of each column (Jang et al. 2017, eq. 2).
        parts = ((logits + normal_to_gumbel(noise)) / TEMPERATURE).split(list(self.encoding.sizes), 1)
        return torch.cat([alpha.tanh(), *(part.softmax(1) for part in parts), uniform[:, : self.encoding.places]], 1)

    def _asked(self, uniform: Tensor, condition: Any) -> Tensor:
        """Return the conditions, of rows without one a drawn one, (batch, condition_width)."""
        given = self.encoding.conditions(condition, uniform)
        if not self.encoding.condition_width:
            return given
        drawn = self.encoding.drawn_conditions(uniform)
        return torch.where(given.sum(1, keepdim=True) > 0, given, drawn)


class Residual(nn.Module):
    """Layer whose output is put beside its input: x → ReLU(BN(FC(x))) ⊕ x."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.linear, self.norm = nn.Linear(before, width), nn.BatchNorm1d(width)

    def forward(self, values: Tensor) -> Tensor:
        """Map (batch, before) to (batch, width + before)."""
        return torch.cat([relu(self.norm(self.linear(values))), values], 1)


class Discriminator(nn.Module):
    """Maps packs of vectors of ``ModeVectors`` and their categories to a score for each row, that of its pack.

    Args:
        encoding: of the rows.
        width: units of each layer.
        packing: rows in a pack.
        layers: hidden layers.
    """

    def __init__(self, *, encoding: VectorEncoding, width: int, packing: int, layers: int = 2) -> None:
        super().__init__()
        self.encoding = encoding
        size = encoding.scalars + encoding.width + encoding.condition_width
        self.packs = packed(Scores(packing * size, width, layers), packing)

    def forward(self, sample: Tensor, condition: Any = None) -> Verdict:
        """Map (batch, scalars + width + places), whose places are not seen, to scores (batch,) and hidden layers."""
        seen = sample[:, : self.encoding.scalars + self.encoding.width]
        verdict: Verdict = self.packs(torch.cat([seen, self.encoding.conditions(condition, seen)], 1))
        return verdict


class Scores(nn.Module):
    """Hidden layers x → drop(leaky ReLU(FC(x))) of slope .2, of which half of the units drop out, and a score."""

    def __init__(self, size: int, width: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width if layer else size, width) for layer in range(layers))
        self.drop, self.score = nn.Dropout(0.5), nn.Linear(width, 1)

    def forward(self, hidden: Tensor) -> Verdict:
        """Map (batch, size) to scores (batch,) and the hidden layers, (batch, width) each."""
        features = []
        for layer in self.layers:
            hidden = self.drop(leaky_relu(layer(hidden), 0.2))
            features.append(hidden)
        return Verdict([self.score(hidden)[:, 0]], features)
