"""Contexts: length and attributes of each series, and in half of the rows of training its first steps."""

import torch

from sparring.data.dataset import ReadRows
from sparring.flow import Batch
from sparring.modalities.series.coding import Context, Series
from sparring.randomness import RandomStream

CONTEXT = "context"
"""Name of the condition in ``View.condition`` and ``Facts.offers``."""
UNPREFIXED = 0.5
"""Share of the series in training of which no step is known."""


def context_of(series: Series, prefix: torch.Tensor | None = None) -> Context:
    """Return the context of series of which the first steps are known: ``prefix``, (count,) int64; None for none."""
    steps = torch.arange(series.values.shape[1], device=series.values.device)
    end = torch.zeros_like(series.length) if prefix is None else torch.minimum(prefix, series.length)
    known = (steps < end[:, None])[..., None].expand_as(series.missing)
    return Context(series.length, series.attributes, series.values, series.missing, known)


def with_context(read: ReadRows) -> ReadRows:
    """Return a function that reads stored series with their context; without random numbers no step is known."""

    def read_context(stored: Batch, random: RandomStream | None = None) -> Batch:
        batch = read(stored, random)
        series: Series = batch.real
        if random is None:
            return batch._replace(condition=context_of(series))
        # At least the last step is left open.
        most = (series.length - 1).clamp_min(0)
        drawn = (random.uniform("prefix") * (most + 1)).long().clamp_max(most)
        prefix = drawn * (random.uniform("conditioned") >= UNPREFIXED)
        return batch._replace(condition=context_of(series, prefix))

    return read_context


def completed(series: Series, context: Context) -> Series:
    """Return series with what their contexts tell in place of their own values."""
    values = torch.where(context.known, context.values.to(series.values), series.values)
    # Logic in place of torch.where: ONNX Runtime has no choice between Booleans.
    missing = (context.known & context.missing) | (~context.known & series.missing)
    return Series(values.masked_fill(missing, 0.0), missing, context.length, context.attributes.to(series.values))
