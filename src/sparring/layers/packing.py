"""Several samples judged as one."""

import torch
from torch import Tensor, nn

from sparring.flow import Verdict


class Packed(nn.Module):
    """A discriminator of packs (Lin et al. 2018, PacGAN, section 3), which sees how various samples are.

    A generator that makes few kinds gives itself away: its packs lack the variety that packs of real samples have.
    Each ``size`` rows in a row are a pack; a last one that is not full is filled from the first rows. Packs lie within
    micro-batches: where ``size`` divides these, they are those of the whole batch. Each row has the score of its pack,
    so that exact penalties on slopes count a pack ``size`` times; those by finite differences count it once.

    Args:
        network: a discriminator without classes, of samples with ``size`` times as many channels or coordinates.
        size: samples in a pack.
    """

    def __init__(self, network: nn.Module, size: int) -> None:
        super().__init__()
        self.network, self.size = network, size

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        """Map samples (batch, channels, …) to scores, each (batch,), and features, each (packs, …)."""
        count = len(sample)
        packs = -(-count // self.size)
        rows = torch.arange(packs * self.size, device=sample.device) % count
        packed = sample[rows].unflatten(0, (packs, self.size)).flatten(1, 2)
        logits, features = self.network(packed)
        return Verdict([score.repeat_interleave(self.size)[:count] for score in logits], features)


def packed(network: nn.Module, size: int) -> nn.Module:
    """The discriminator of packs of ``size``; for packs of one, ``network`` itself."""
    return network if size == 1 else Packed(network, size)
