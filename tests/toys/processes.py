"""Made-up series whose properties are known: autoregressive ones, with lengths and missing values as wanted."""

from hashlib import sha256

import numpy as np
import torch

from sparring.data.dataset import Split
from sparring.data.facts import Facts
from sparring.flow import Batch
from sparring.metrics.sample_sets import in_memory
from sparring.modalities.series.coding import Channel, Series, SeriesCoding


def series_of(values, lengths=None, missing=None):
    """Return series of values, (count, steps, channels), without attributes."""
    values = values.double() if isinstance(values, torch.Tensor) else torch.tensor(values, dtype=torch.float64)
    count, steps, _ = values.shape
    length = torch.full((count,), steps) if lengths is None else torch.as_tensor(lengths)
    gone = torch.zeros(values.shape, dtype=torch.bool) if missing is None else torch.as_tensor(missing)
    gone = gone | (torch.arange(steps) >= length[:, None])[..., None]
    return Series(values.masked_fill(gone, 0.0), gone, length, torch.zeros(count, 0, dtype=torch.float64))


def autoregressive(count, steps=24, phi=0.8, channels=2, seed=0):
    """Return values of z_t = φ z_{t−1} + e_t with a variance of 1, (count, steps, channels).

    The second channel is half the first and half independent.
    """
    random = np.random.default_rng(seed)
    noise = random.standard_normal((count, steps, channels))
    found = noise.copy()
    for step in range(1, steps):
        found[:, step] = phi * found[:, step - 1] + np.sqrt(1 - phi**2) * noise[:, step]
    if channels > 1:
        found[..., 1] = np.sqrt(0.5) * (found[..., 0] + found[..., 1])
    return found


def channels_of(series, names="abcdefgh", kind="continuous"):
    """Return the channels that a survey would find in series."""
    found = []
    for at in range(series.values.shape[2]):
        gone = series.missing[..., at]
        values = series.values[..., at][~gone].numpy()
        values = values if len(values) else np.zeros(1)
        quantiles = np.quantile(values, np.linspace(0, 1, 101), method="nearest")
        within = (torch.arange(series.values.shape[1]) < series.length[:, None]).sum()
        share = max(0.0, float(1 - (~gone).sum() / within))
        scale = np.abs(values).max() or 1.0
        mean, deviation = (float(scale * one) for one in ((values / scale).mean(), (values / scale).std()))
        found.append(Channel(names[at], kind, mean, deviation or 1.0, tuple(quantiles.tolist()), share))
    return tuple(found)


def facts_of(series, channels):
    """Return facts of a file with these series."""
    contexts = tuple((float(length),) for length in series.length[:5])
    coding = SeriesCoding(tuple(channels), contexts=contexts).as_json()
    fingerprint = sha256(series.values.numpy().tobytes()).hexdigest()
    return Facts("series.csv", "series", len(series.values), tuple(series.values.shape[1:]), fingerprint, coding=coding)


def split_of(train, held_out):
    """Return training and held-out series, with facts of the former."""
    return Split(in_memory(Batch(train)), in_memory(Batch(held_out)), facts_of(train, channels_of(train)))
