"""A network that is told some cells of a row, and predicts the levels of the others."""

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, linear, pad

from sparring.flow import Sample
from sparring.modalities.tables.networks.dense import Block
from sparring.modalities.tables.networks.encoding import Encoding, KnownCells, waves

OWN_SHARE = 0.3
"""Initial size of a level's own embedding beside those of waves."""


class RowCompleter(nn.Module):
    """Sums an embedding for each cell, of its level or of not being known, and maps it through residual blocks.

    Embeddings and logits of ordered levels are sums of weights of their own and of weights of waves.

    Args:
        levels: of the columns.
        width: units of each layer.
        blocks: residual blocks.
    """

    starts: Tensor
    waves: Tensor

    def __init__(self, *, levels: Encoding, width: int, blocks: int) -> None:
        super().__init__()
        self.levels, self.parts = levels, len(levels.sizes)
        starts = torch.tensor([0, *levels.sizes]).cumsum(0)[:-1]
        self.register_buffer("starts", starts, persistent=False)
        self.register_buffer("waves", waves(levels), persistent=False)
        has_waves = self.waves.any(1)

        # Embeddings of all levels, and of not being known; where there are waves, they begin with most of the weight.
        scale = 1 / self.parts**0.5
        own = scale * torch.where(pad(has_waves, (0, self.parts)), OWN_SHARE, 1.0)
        self.cells = nn.Parameter(own[:, None] * torch.randn(len(own), width))
        self.cell_waves = nn.Parameter(scale * torch.randn(self.waves.shape[1], width))
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.predict = nn.Linear(width, levels.width)
        self.predict_waves = nn.Parameter(torch.zeros(self.waves.shape[1], width))

    def forward(self, codes: Tensor, known: Tensor) -> list[Tensor]:
        """Map levels (batch, columns) and which of them are known to the logits of each column's levels."""
        unknown = self.levels.width + torch.arange(self.parts, device=codes.device)
        cells = self.cells + pad(self.waves @ self.cell_waves, (0, 0, 0, self.parts))
        hidden = embedding(torch.where(known, codes + self.starts, unknown), cells).sum(1)  # (batch, width)
        for block in self.blocks:
            hidden = block(hidden)
        weight = self.predict.weight + self.waves @ self.predict_waves
        return list(linear(self.norm(hidden), weight, self.predict.bias).split(self.levels.sizes, 1))

    def encode(self, sample: Sample) -> Tensor:
        """Return the levels of rows, (batch, columns) int64."""
        return self.levels.codes(sample)

    def has_choice(self, sample: Sample) -> Tensor:
        """Return which cells have a level, (batch, columns) bool."""
        return self.levels.has_level(sample)

    def sparsity(self, sample: Sample) -> Tensor:
        """Return the surprise of numbers among those of their level, and of cells without one, (batch, columns)."""
        return self.levels.sparsity(sample)

    def decode(self, codes: Tensor, positions: Tensor, condition: KnownCells | None) -> Sample:
        """Return the rows of levels and positions inside them, with known cells as they are."""
        return self.levels.rows(codes, positions, condition)

    def given(self, condition: KnownCells) -> tuple[Tensor, Tensor]:
        """Return the levels of a condition, and which of them are known."""
        return self.levels.codes(condition), condition.known
