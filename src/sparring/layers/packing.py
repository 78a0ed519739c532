"""Packs: several samples scored together."""

import torch
from torch import Tensor, nn

from sparring.flow import Verdict


class Packed(nn.Module):
    """A discriminator of packs (Lin et al. 2018, PacGAN, section 3), which sees the diversity of samples.

    Mode collapse is visible to it: packs of a collapsed generator lack the diversity of packs of real samples.
    Each ``size`` consecutive rows form a pack; an incomplete last pack is filled up from the first rows. Packs lie
    within micro-batches: where ``size`` divides these, they are the packs of the whole batch. Every row gets the logit
    of its pack, so exact gradient penalties count a pack ``size`` times, and those by finite differences count it once.

    Args:
        network: an unconditional discriminator for samples with ``size`` times as many channels or coordinates.
        size: samples in a pack.
    """

    def __init__(self, network: nn.Module, size: int) -> None:
        super().__init__()
        self.network, self.size = network, size

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        """Map samples (batch, channels, …) to logits, (batch,) each, and features, (packs, …) each."""
        count = sample.shape[0]
        packs = -(-count // self.size)
        rows = torch.arange(packs * self.size, device=sample.device) % count
        packed = sample[rows].unflatten(0, (packs, self.size)).flatten(1, 2)  # (packs, size · channels, …)
        logits, features = self.network(packed)  # (packs,) each
        return Verdict([logit.repeat_interleave(self.size)[:count] for logit in logits], features)


def packed(network: nn.Module, size: int) -> nn.Module:
    """Return the discriminator of packs of ``size``; for packs of one, ``network`` itself."""
    return network if size == 1 else Packed(network, size)
