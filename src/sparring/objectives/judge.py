"""A discriminator at work in one turn."""

from collections.abc import Callable
from dataclasses import replace
from typing import final

import torch
from torch import Tensor

from sparring.flow import Discriminator, Sample, Verdict
from sparring.randomness import Draw
from sparring.samples import floats, take


@final
class Judge:
    """A discriminator with the turn's condition and random numbers.

    It remembers what it has seen in this turn, so that a loss and the penalties share one pass over the same tensor.

    Args:
        discriminator: the network that judges.
        condition: what the samples are said to be, or None.
        draw: the random numbers of this turn, for penalties that need some.
        through: what samples pass before they are judged: augmentation; gradients are with respect to the samples
            before it.
    """

    def __init__(
        self,
        discriminator: Discriminator,
        condition: Sample | None,
        draw: Draw,
        through: Callable[[Sample, Draw], Sample] = lambda sample, draw: sample,
    ) -> None:
        self.discriminator = discriminator
        self.condition = condition
        self.draw = draw
        self.through = through
        self._seen: list[tuple[Sample, Verdict]] = []
        self._felt: list[tuple[Sample, list[Tensor]]] = []

    def __call__(self, sample: Sample) -> Verdict:
        """The verdict on ``sample``, with scores in float32 at least, whatever the network computed in."""
        for known, verdict in self._seen:
            if known is sample:
                return verdict
        verdict = self.afresh(sample, str(len(self._seen)))
        self._seen.append((sample, verdict))
        return verdict

    def every(self, count: int) -> tuple["Judge", slice]:
        """A judge of every ``count``-th row of the whole batch, and which of the rows here those are.

        Counted over the whole batch, so that they do not depend on micro-batches or processes.
        """
        rows = self.draw.rows
        here = slice(-rows.start % count, None, count)
        condition = take(self.condition, here)
        draw = replace(self.draw, rows=slice(rows.start + here.start, rows.stop, count))
        return Judge(self.discriminator, condition, draw, self.through), here

    def slopes(self, sample: Sample) -> list[Tensor]:
        """∇D at ``sample``, whose floating-point parts must require a gradient: (batch, values) per judge.

        Itself differentiable; in float32 at least.
        """
        for known, slopes in self._felt:
            if known is sample:
                return slopes
        scores = self(sample).scores
        slopes = [gradient(score, sample, create_graph=True) for score in scores]
        self._felt.append((sample, slopes))
        return slopes

    def afresh(self, sample: Sample, view: str) -> Verdict:
        """The verdict on ``sample``, computed anew; equal views are augmented alike."""
        seen = self.through(sample, self.draw.within(f"view/{view}"))
        scores, features = self.discriminator(seen, self.condition)
        return Verdict([at_least_float32(score) for score in scores], features)


def gradient(score: Tensor, sample: Sample, *, create_graph: bool = False, retain_graph: bool | None = None) -> Tensor:
    """∂ Σ score / ∂ sample over all values of its floating-point parts, (batch, values), in float32 at least."""
    slopes = torch.autograd.grad(
        score.sum(), floats(sample), create_graph=create_graph, retain_graph=retain_graph, materialize_grads=True
    )
    flat = [at_least_float32(slope).flatten(1) for slope in slopes]
    return flat[0] if len(flat) == 1 else torch.cat(flat, 1)


def at_least_float32(values: Tensor) -> Tensor:
    """bfloat16 and float16 are cast up; float32 and float64 stay what they are."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
