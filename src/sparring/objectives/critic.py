"""A discriminator bound to one batch, with memoised outputs and input gradients."""

from collections.abc import Callable
from dataclasses import replace
from typing import final

import torch
from torch import Tensor

from sparring.flow import Discriminator, Sample, Verdict
from sparring.randomness import RandomStream
from sparring.samples import floats, take


@final
class Critic:
    """Discriminator with the condition and the random numbers of one turn.

    It remembers its outputs, so that a loss and its penalties share one forward pass over the same tensor.

    Args:
        discriminator: the network.
        condition: what the samples are conditioned on, or None.
        random: the random numbers of this turn, for penalties that need some.
        augment: applied to samples before the network sees them; gradients are with respect to its inputs.
    """

    def __init__(
        self,
        discriminator: Discriminator,
        condition: Sample | None,
        random: RandomStream,
        augment: Callable[[Sample, RandomStream], Sample] = lambda sample, random: sample,
    ) -> None:
        self.discriminator = discriminator
        self.condition = condition
        self.random = random
        self.augment = augment
        self._verdicts: list[tuple[Sample, Verdict]] = []
        self._gradients: list[tuple[Sample, list[Tensor]]] = []

    def __call__(self, sample: Sample) -> Verdict:
        """Return the verdict on ``sample``, its logits in float32 or wider; cached per tensor object."""
        for known, verdict in self._verdicts:
            if known is sample:
                return verdict
        # The n-th distinct tensor has the n-th stream, so real and generated samples are augmented independently.
        verdict = self.forward(sample, str(len(self._verdicts)))
        self._verdicts.append((sample, verdict))
        return verdict

    def forward(self, sample: Sample, stream: str) -> Verdict:
        """Run the network on ``sample``, uncached; equal streams give equal augmentations."""
        seen = self.augment(sample, self.random.substream(f"view/{stream}"))
        logits, features = self.discriminator(seen, self.condition)
        return Verdict([at_least_float32(logit) for logit in logits], features)

    def input_gradients(self, sample: Sample) -> list[Tensor]:
        """Return ∇D at ``sample``, (batch, values) per critic, in float32 or wider; itself differentiable.

        The floating-point parts of ``sample`` must require a gradient.
        """
        for known, gradients in self._gradients:
            if known is sample:
                return gradients
        gradients = [gradient(per_sample(logit), sample, create_graph=True) for logit in self(sample).logits]
        self._gradients.append((sample, gradients))
        return gradients

    def subsample(self, interval: int) -> tuple["Critic", slice]:
        """Return a critic of every ``interval``-th row of the whole batch, and which of the rows here those are.

        Rows are counted over the whole batch, so the choice does not depend on micro-batches or ranks.
        """
        rows = self.random.rows
        here = slice(-rows.start % interval, None, interval)
        random = replace(self.random, rows=slice(rows.start + here.start, rows.stop, interval))
        return Critic(self.discriminator, take(self.condition, here), random, self.augment), here


def gradient(logit: Tensor, sample: Sample, *, create_graph: bool = False, retain_graph: bool | None = None) -> Tensor:
    """Return ∂ Σ logit / ∂ sample over the floating-point parts, (batch, values), in float32 or wider."""
    parts = torch.autograd.grad(
        logit.sum(), floats(sample), create_graph=create_graph, retain_graph=retain_graph, materialize_grads=True
    )
    flat = [at_least_float32(part).flatten(1) for part in parts]
    return flat[0] if len(flat) == 1 else torch.cat(flat, 1)


def per_sample(values: Tensor) -> Tensor:
    """Return the mean over the patches of each sample: (batch, …) → (batch,)."""
    return values if values.dim() == 1 else values.flatten(1).mean(1)


def at_least_float32(values: Tensor) -> Tensor:
    """Cast bfloat16 and float16 up; float32 and float64 stay what they are."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
