"""Dense networks for rows in one-hot vectors; a row is a function of its latent and of the cells that are known."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, one_hot

from sparring.flow import Verdict
from sparring.layers.choices import normal_to_gumbel, normal_to_uniform
from sparring.modalities.tables.networks.encoding import Encoding, KnownCells

TEMPERATURE = 0.5
"""Temperature of the softmax whose gradient stands for that of a choice."""


class Generator(nn.Module):
    """Maps latents and known cells to the vectors of ``Levels``: one choice for each column.

    A choice is the largest of the logits with Gumbel noise, and its gradient that of their softmax (Jang et al. 2017,
    section 2.2, "straight-through"). The latent holds all randomness: the input of the network, the noise of the
    choices, and the positions inside the levels.

    Args:
        levels: of the columns.
        noise: numbers of the latent that the network sees, the first ones.
        width: units of each layer.
        blocks: residual blocks.
    """

    def __init__(self, *, levels: Encoding, noise: int, width: int, blocks: int) -> None:
        super().__init__()
        self.levels, self.seen_latents = levels, noise
        self.enter = nn.Linear(noise + levels.width + len(levels.sizes), width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.choose = nn.Linear(width, levels.width)

    @staticmethod
    def latent_size(levels: Encoding, noise: int) -> int:
        """Return the length of latents."""
        return noise + levels.width + len(levels.sizes)

    def forward(self, latent: Tensor, condition: KnownCells) -> Tensor:
        """Map latents (batch, latent_size), normally distributed, and known cells to (batch, width + columns)."""
        noise, choices, places = latent.split([self.seen_latents, self.levels.width, len(self.levels.sizes)], 1)
        given, known = self._given(condition)

        # Logits of all columns at once.
        hidden = self.enter(torch.cat([noise, given * known, condition.known.to(noise)], 1))
        for block in self.blocks:
            hidden = block(hidden)
        logits = self.choose(self.norm(hidden)).float()

        # One choice for each column; known cells stay as they are.
        parts = (logits + normal_to_gumbel(choices)).split(self.levels.sizes, 1)
        chosen = torch.cat([chosen_by(part) for part in parts], 1)
        return torch.cat([torch.where(known > 0, given, chosen), normal_to_uniform(places)], 1)

    def _given(self, condition: KnownCells) -> tuple[Tensor, Tensor]:
        """Return one-hot vectors of all cells, and 1 where they are known, (batch, width) each."""
        vectors = self.levels.normalize(condition)[:, : self.levels.width]
        return vectors, spread(condition.known, self.levels.sizes)


class Discriminator(nn.Module):
    """Maps the vectors of ``Levels`` and the cells that were known to a logit for each row.

    Args:
        levels: of the columns.
        width: units of each layer.
        layers: hidden layers.
    """

    def __init__(self, *, levels: Encoding, width: int, layers: int = 3) -> None:
        super().__init__()
        self.seen = levels.width
        sizes = [levels.width + len(levels.sizes), *[width] * layers]
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(sizes))
        self.score = nn.Linear(width, 1)

    def forward(self, sample: Tensor, condition: KnownCells) -> Verdict:
        """Map (batch, width + columns), whose positions are not seen, to logits (batch,) and the hidden layers."""
        hidden, features = torch.cat([INPUT_SCALE * sample[:, : self.seen], condition.known.to(sample)], 1), []
        for layer in self.layers:
            hidden = leaky_relu(layer(hidden), 0.2)
            features.append(hidden)
        return Verdict([self.score(hidden)[:, 0]], features)


INPUT_SCALE = 3.0
"""Factor of one-hot vectors, which are mostly zero, at the input of the discriminator."""


class Block(nn.Module):
    """Residual block of two layers behind a layer norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (batch, width) to the same shape."""
        changed: Tensor = hidden + self.layers(hidden)
        return changed


def chosen_by(logits: Tensor) -> Tensor:
    """Return the one-hot vector of the largest logit, with the gradient of the softmax."""
    soft = (logits / TEMPERATURE).softmax(1)
    hard = one_hot(soft.argmax(1), soft.shape[1]).to(soft)
    return hard + soft - soft.detach()


def spread(known: Tensor, sizes: Sequence[int]) -> Tensor:
    """Repeat what is known of each column for each of its levels, (batch, width) of 0 and 1."""
    return known.float().repeat_interleave(torch.tensor(sizes, device=known.device), 1)
