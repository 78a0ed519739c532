"""A network that is told some cells of a row, and predicts the levels of the others."""

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from sparring.flow import Sample
from sparring.modalities.tables.networks.dense import Block
from sparring.modalities.tables.networks.encoding import Encoding, KnownCells


class RowCompleter(nn.Module):
    """Sums an embedding for each cell, of its level or of not being known, and maps it through residual blocks.

    Args:
        levels: of the columns.
        width: units of each layer.
        blocks: residual blocks.
    """

    starts: Tensor

    def __init__(self, *, levels: Encoding, width: int, blocks: int) -> None:
        super().__init__()
        self.levels, self.parts = levels, len(levels.sizes)
        starts = torch.tensor([0, *levels.sizes]).cumsum(0)[:-1]
        self.register_buffer("starts", starts, persistent=False)
        self.cells = nn.Parameter(torch.randn(levels.width + self.parts, width) / self.parts**0.5)
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.predict = nn.Linear(width, levels.width)

    def forward(self, codes: Tensor, known: Tensor) -> list[Tensor]:
        """Map levels (batch, columns) and which of them are known to the logits of each column's levels."""
        unknown = self.levels.width + torch.arange(self.parts, device=codes.device)
        hidden = embedding(torch.where(known, codes + self.starts, unknown), self.cells).sum(1)  # (batch, width)
        for block in self.blocks:
            hidden = block(hidden)
        return list(self.predict(self.norm(hidden)).split(self.levels.sizes, 1))

    def encode(self, sample: Sample) -> Tensor:
        """Return the levels of rows, (batch, columns) int64."""
        return self.levels.codes(sample)

    def decode(self, codes: Tensor, positions: Tensor, condition: KnownCells | None) -> Sample:
        """Return the rows of levels and positions inside them, with known cells as they are."""
        return self.levels.rows(codes, positions, condition)

    def given(self, condition: KnownCells) -> tuple[Tensor, Tensor]:
        """Return the levels of a condition, and which of them are known."""
        return self.levels.codes(condition), condition.known
