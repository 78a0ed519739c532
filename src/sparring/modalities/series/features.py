"""Series as features: for metrics, and cheaply for the watchdog."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from sparring.data.dataset import Split
from sparring.data.facts import Facts
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.extractors.own_function import named_or_own
from sparring.modalities.series.coding import Channel, Series, coding_of
from sparring.randomness import generator

MAX_FEATURES = 256
KINDS = 15
"""Features of a channel in ``summaries``."""
CHEAP_KINDS = 5
"""Those for the watchdog."""
LAGS, WAVES = (1, 2, 4, 8), 3
"""Lags of the autocorrelations, and waves of the Fourier coefficients."""
MAX_VALUE = 5.0
"""Deviations beyond which values and features are clipped."""
MIN_DEVIATION = 1e-3
"""Least standard deviation by which a feature is divided."""
SCALING_SERIES = 2000
"""Training series by which features are scaled."""
MAX_ROUGHNESS = 3.0
"""Largest signal of that name, in decades."""


def summaries(series: Series, channels: Sequence[Channel], kinds: int = KINDS) -> Float[Tensor, "count features"]:
    """Return features of each channel, (count, channels × kinds) float64, over the values that are not missing.

    In this order, of which the first ``kinds`` are taken: mean, standard deviation, change from step to step (root mean
    square), last value, first value; autocorrelations at lags 1, 2, 4 and 8; cosine and sine coefficients of one, two
    and three waves over the length of the series. Values are standardised by their channel.
    """
    device = series.values.device
    center, scale = (
        torch.tensor([getattr(one, name) for one in channels], dtype=torch.float64, device=device)
        for name in ("mean", "deviation")
    )
    steps = torch.arange(series.values.shape[1], device=device)
    present = ~series.missing & (steps < series.length[:, None])[..., None]
    values = (series.values.double() / scale - center / scale).nan_to_num().clamp(-MAX_VALUE, MAX_VALUE)
    values = values.masked_fill(~present, 0.0)  # (count, steps, channels)
    number = present.sum(1).clamp_min(1)
    mean = values.sum(1) / number
    centred = (values - mean[:, None]).masked_fill(~present, 0.0)
    variance = centred.square().sum(1) / number
    both = present[:, 1:] & present[:, :-1]
    changes = values.diff(dim=1).masked_fill(~both, 0.0)
    # The place of the last value that is there, and of the first one; 0 where there is none.
    order = present * (steps[:, None] + 1)
    last, first = order.argmax(1, keepdim=True), present.int().argmax(1, keepdim=True)
    found = [
        mean,
        variance.sqrt(),
        (changes.square().sum(1) / both.sum(1).clamp_min(1)).sqrt(),
        values.gather(1, last)[:, 0],
        values.gather(1, first)[:, 0],
    ]
    if kinds > len(found):
        found += [_autocorrelation(centred, present, variance, lag) for lag in LAGS]
        found += _waves(centred, number, steps.double() / series.length[:, None])
    return torch.stack(found[:kinds], 2).flatten(1)


def _autocorrelation(centred: Tensor, present: Tensor, variance: Tensor, lag: int) -> Tensor:
    """Return autocorrelations at a lag, (count, channels), 0 where there are none."""
    if lag >= centred.shape[1]:
        return torch.zeros_like(variance)
    pairs = (present[:, lag:] & present[:, :-lag]).sum(1)
    products = (centred[:, lag:] * centred[:, :-lag]).sum(1) / pairs.clamp_min(1)
    return (products / variance.clamp_min(1e-12)).clamp(-1, 1)


def _waves(centred: Tensor, number: Tensor, time: Tensor) -> list[Tensor]:
    """Return coefficients of cosine and sine, (count, channels) each; ``time`` is (count, steps) in [0, 1)."""
    phases = [2 * torch.pi * wave * time for wave in range(1, WAVES + 1)]
    curves = [curve for phase in phases for curve in (phase.cos(), phase.sin())]
    return [2 * torch.einsum("ntc,nt->nc", centred, curve) / number for curve in curves]


@final
class SeriesFeatures:
    """Extracts ``summaries`` of at most 256 features, each scaled to a variance of one among the training series.

    Args:
        split: the series.
        seed: draws the training series that decide the scale.
    """

    name = "series"
    cacheable = False

    def __init__(self, split: Split, seed: int) -> None:
        self._channels, self._kept, self._kinds = _chosen(coding_of(split.facts).channels, KINDS)
        rows = torch.randperm(len(split.train), generator=generator(seed, "scale"))[:SCALING_SERIES]
        found = self._summaries(split.train.batch(rows.sort().values.numpy()).real)
        self._mean, self._deviation = found.mean(0), found.std(0, correction=0).clamp_min(MIN_DEVIATION)

    def __call__(self, samples: Series) -> Float[Tensor, "count features"]:
        """Return float32 features of series."""
        scaled = (self._summaries(samples) - self._mean) / self._deviation
        return scaled.clamp(-2 * MAX_VALUE, 2 * MAX_VALUE).float()

    def _summaries(self, samples: Series) -> Tensor:
        return summaries(_some_channels(samples, self._kept), self._channels, self._kinds)


_recent: deque[tuple[object, tuple[list[Channel], slice, int]]] = deque(maxlen=4)
"""Channels of the codings that were used last: checking a coding takes longer than using it."""


def cheap_features(samples: Series, facts: Facts) -> Float[Tensor, "count features"]:
    """Return mean, deviation, roughness, and last and first value of each channel, at most 256 features."""
    found = next((chosen for coding, chosen in _recent if coding is facts.coding), None)
    if found is None:
        found = _chosen(coding_of(facts).channels, CHEAP_KINDS)
        _recent.append((facts.coding, found))
    channels, kept, kinds = found
    return summaries(_some_channels(samples, kept), channels, kinds).float()


def extra_signals(real: Series, fake: Series) -> dict[str, float]:
    """Return the watchdog's signals of series alone.

    ``missing``: the largest difference of the share of missing values of a channel.
    ``roughness``: the mean |Δ log₁₀| of the mean absolute changes from step to step, in decades, at most 3: series that
    are too noisy or too smooth.
    """
    shares, changes = zip(*(_shares_and_changes(side) for side in (real, fake)), strict=True)
    least = 10.0**-MAX_ROUGHNESS
    varied = changes[0] > 0
    ratio = (changes[1][varied] / changes[0][varied]).nan_to_num().clamp(least, 1 / least).log10().abs()
    return {
        "missing": float((shares[0] - shares[1]).abs().max()),
        "roughness": float(ratio.mean()) if len(ratio) else 0.0,
    }


def extractors(split: Split, seed: int, names: Sequence[str] = ()) -> Mapping[str, Extractor]:
    """Return the named extractors: ``series``, the default, or the user's own ``file.py:function``.

    Raises:
        SparringError: there is no extractor of such a name.
    """
    return named_or_own(names, SeriesFeatures.name, lambda: SeriesFeatures(split, seed))


def _chosen(channels: Sequence[Channel], kinds: int) -> tuple[list[Channel], slice, int]:
    """Return the channels that have features, every n-th where there are too many, and how many features each has."""
    kept = slice(0, None, max(1, -(-len(channels) // MAX_FEATURES)))
    some = list(channels[kept])
    return some, kept, min(kinds, MAX_FEATURES // len(some))


def _some_channels(series: Series, kept: slice) -> Series:
    return series._replace(values=series.values[..., kept], missing=series.missing[..., kept])


def _shares_and_changes(series: Series) -> tuple[Tensor, Tensor]:
    """Return the share of missing values before the ends, and the mean absolute change, (channels,) each."""
    within = (torch.arange(series.values.shape[1], device=series.values.device) < series.length[:, None])[..., None]
    present = ~series.missing & within
    both = present[:, 1:] & present[:, :-1]
    changes = (series.values.double().diff(dim=1).abs() * both).nan_to_num()
    shares = 1 - present.sum((0, 1)) / within.sum().clamp_min(1)
    return shares, changes.sum((0, 1)) / both.sum((0, 1)).clamp_min(1)
