"""Sines of unequal lengths whose frequency is an attribute, with missing values: series with a known answer."""

import numpy as np
import torch

from sparring.data.dataset import Dataset, from_bytes
from sparring.data.facts import Facts
from sparring.modalities.series.coding import Attribute, Channel, Series, SeriesCoding
from sparring.modalities.series.contexts import CONTEXT, with_context
from sparring.modalities.series.scaling import with_components

SPEEDS = ("slow", "fast")
FREQUENCIES = (0.05, 0.2)
"""Cycles in a step, of slow and of fast series."""


def sines(count: int = 400, steps: int = 24, missing: float = 0.1, seed: int = 0) -> Series:
    """Return arrays of series of two channels: 10 + 2 sin(2π f t + φ), of which values are missing, and a counter.

    The counter is an integer that rises from 0 by 1 in each step; the second attribute is a number that means nothing.
    """
    random = np.random.default_rng(seed)
    length = random.integers(steps // 2, steps + 1, count)
    fast = random.integers(0, 2, count)
    time = np.arange(steps)
    angle = 2 * np.pi * (np.array(FREQUENCIES)[fast][:, None] * time + random.random((count, 1)))
    values = np.stack([np.round(10 + 2 * np.sin(angle), 3), np.broadcast_to(time, (count, steps))], 2)
    ended = np.broadcast_to((time >= length[:, None])[..., None], values.shape)
    absent = ended.copy()
    absent[..., 0] |= random.random((count, steps)) < missing
    attributes = np.stack([fast, np.where(random.random(count) < 0.1, np.nan, random.normal(size=count))], 1)
    return Series(np.where(absent, 0.0, values), absent, length, attributes.astype(np.float64))


def coding_of_sines(series: Series) -> SeriesCoding:
    """Return the coding of ``sines``."""
    inside = np.arange(series.values.shape[1]) < series.length[:, None]
    channels = []
    for number, (name, kind) in enumerate((("wave", "continuous"), ("counter", "integer"))):
        there = series.values[..., number][~series.missing[..., number]]
        quantiles = tuple(np.quantile(there, np.linspace(0, 1, 101)).tolist())
        absent = float(series.missing[..., number][inside].mean())
        channels.append(Channel(name, kind, float(there.mean()), float(there.std()), quantiles, absent))
    attributes = (Attribute("speed", categories=SPEEDS), Attribute("weight"))
    rows = zip(series.length.tolist(), series.attributes.tolist(), strict=True)
    contexts = tuple((float(n), *(None if np.isnan(one) else one for one in others)) for n, others in rows)
    return with_components(SeriesCoding(tuple(channels), attributes, contexts), series)


def sines_data(count: int = 400, steps: int = 24, missing: float = 0.1) -> tuple[Facts, Dataset]:
    """Return the facts of ``sines``, and their data with contexts."""
    series = sines(count, steps, missing)
    coding = coding_of_sines(series).as_json()
    facts = Facts("sines", "series", count, (steps, 2), "0" * 64, offers=(CONTEXT,), coding=coding)
    return facts, Dataset(series, read=with_context(from_bytes))


def with_speed(context: object, speed: int) -> object:
    """Return contexts of series of one speed of which no step is known."""
    attributes = context.attributes.clone()
    attributes[:, 0] = speed
    return context._replace(attributes=attributes, known=torch.zeros_like(context.known))


def frequency(series: Series) -> torch.Tensor:
    """Return the frequency of the wave of each series, in cycles per step: the largest of a periodogram, (count,)."""
    steps = torch.arange(series.values.shape[1])
    there = (~series.missing[..., 0]).double()
    wave = (series.values[..., 0] - 10) * there
    grid = torch.linspace(0.02, 0.3, 57, dtype=torch.float64)
    angle = 2 * torch.pi * grid[:, None] * steps  # (frequencies, steps)
    power = (wave @ angle.cos().T).square() + (wave @ angle.sin().T).square()
    return grid[power.argmax(1)]
