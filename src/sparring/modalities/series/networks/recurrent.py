"""The recurrent networks of RCGAN (Esteban et al. 2017, section 3): a fresh latent and a logit for each step."""

from typing import Any

import torch
from torch import Tensor, nn

from sparring.flow import Verdict
from sparring.modalities.series.networks.encoding import (
    CONTEXT_NUMBERS,
    Encoding,
    completed,
    decided,
    given,
    inside,
    told,
)


class Generator(nn.Module):
    """LSTM that maps a latent and the context at each step to the numbers of that step.

    Args:
        encoding: of the series.
        steps: of a sample.
        latent_size: numbers of the latent for each step.
        width: hidden units.
    """

    def __init__(self, *, encoding: Encoding, steps: int, latent_size: int, width: int) -> None:
        super().__init__()
        self.encoding, self.steps, self.noise = encoding, steps, latent_size
        self.recur = nn.LSTM(latent_size + given_width(encoding), width, batch_first=True)
        self.leave = nn.Linear(width, encoding.components + encoding.gaps)

    @staticmethod
    def latent_size(encoding: Encoding, steps: int, noise: int) -> int:
        """Return the length of latents."""
        return steps * (noise + encoding.gaps)

    def forward(self, latent: Tensor, condition: Any) -> Tensor:
        """Map latents (batch, latent_size) and contexts to (batch, steps, width of the encoding)."""
        noise, choices = latent.split([self.steps * self.noise, self.steps * self.encoding.gaps], 1)
        seen = torch.cat([noise.unflatten(1, (self.steps, self.noise)), given_each(self.encoding, condition)], 2)
        numbers = self.leave(self.recur(seen)[0]).float()
        components, logits = numbers.split([self.encoding.components, self.encoding.gaps], 2)
        return completed(self.encoding, components, decided(logits, choices.reshape(logits.shape)), condition)


class Discriminator(nn.Module):
    """LSTM that maps the numbers and the context of each step to a logit for each step.

    Args:
        encoding: of the series.
        width: hidden units.
    """

    def __init__(self, *, encoding: Encoding, width: int) -> None:
        super().__init__()
        self.encoding = encoding
        self.recur = nn.LSTM(encoding.width + context_width(encoding), width, batch_first=True)
        self.score = nn.Linear(width, 1)

    def forward(self, sample: Tensor, condition: Any) -> Verdict:
        """Map (batch, steps, width of the encoding) and contexts to logits (batch, steps) and the hidden states."""
        hidden = self.recur(torch.cat([sample, context_each(self.encoding, condition)], 2))[0]
        return Verdict([around(self.score(hidden)[..., 0], condition)], [hidden * inside(condition)])


def around(logits: Tensor, condition: Any) -> Tensor:
    """Return logits, (batch, steps), with those of a series again after its end, so that the end counts nothing."""
    steps = torch.arange(logits.shape[1], device=logits.device)
    return logits.gather(1, steps % condition.length[:, None])


def context_width(encoding: Encoding) -> int:
    """Return the number of the numbers of ``context_each`` at a step."""
    return encoding.channels + encoding.attributes_width + CONTEXT_NUMBERS


def given_width(encoding: Encoding) -> int:
    """Return the number of the numbers of ``given_each`` at a step."""
    return encoding.width + context_width(encoding)


def context_each(encoding: Encoding, condition: Any) -> Tensor:
    """Return which channels are known at each step, and what is told of the series, (count, steps, context_width)."""
    return torch.cat([condition.known.float(), told_each(encoding, condition)], 2)


def given_each(encoding: Encoding, condition: Any) -> Tensor:
    """Return the known numbers of each step beside the context, (count, steps, given_width)."""
    return torch.cat([given(encoding, condition), told_each(encoding, condition)], 2)


def told_each(encoding: Encoding, condition: Any) -> Tensor:
    """Return what is told of the series, at each step, (count, steps, attributes_width + 2)."""
    return told(encoding, condition)[:, None].expand(-1, condition.known.shape[1], -1)
