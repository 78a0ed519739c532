"""The network of TVAE (Xu et al. 2019, section 4.5)."""

from typing import Any

import torch
from torch import Tensor, nn

from sparring.flow import Code
from sparring.modalities.tables.networks.encoding import VectorEncoding

MIN_DEVIATION, MAX_DEVIATION = 0.01, 1.0
"""Bounds of δ: without the lower one, a column whose α is constant would have an infinite likelihood."""
INITIAL_DEVIATION = 0.1


class Autoencoder(nn.Module):
    """Both directions have two hidden layers.

    Args:
        encoding: of the rows.
        latent_size: length of codes.
        width: units of each hidden layer.
    """

    def __init__(self, *, encoding: VectorEncoding, latent_size: int, width: int) -> None:
        super().__init__()
        self.seen, self.scalars = encoding.scalars + encoding.width, encoding.scalars
        self.encoder = nn.Sequential(nn.Linear(self.seen, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.code = nn.Linear(width, 2 * latent_size)
        self.decoder = nn.Sequential(nn.Linear(latent_size, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.last = nn.Linear(width, self.seen)
        share = torch.tensor((INITIAL_DEVIATION - MIN_DEVIATION) / (MAX_DEVIATION - MIN_DEVIATION))
        self.deviation = nn.Parameter(torch.full((encoding.scalars,), float(share.logit())))

    def encode(self, sample: Tensor, condition: Any = None) -> Code:
        """Map vectors of ``ModeVectors``, whose places are not seen, to q(z|r)."""
        return Code(*self.code(self.encoder(sample[:, : self.seen])).chunk(2, 1))

    def decode(self, latent: Tensor, condition: Any = None) -> Tensor:
        """Map codes to the parameters of p(r|z): means of α, logits of all columns, and δ of α.

        Returns:
            (batch, scalars + width + scalars).
        """
        means, logits = self.last(self.decoder(latent)).tensor_split([self.scalars], 1)
        spread = MIN_DEVIATION + (MAX_DEVIATION - MIN_DEVIATION) * self.deviation.sigmoid()
        return torch.cat([means.tanh(), logits, spread.expand(means.shape[0], -1)], 1)
