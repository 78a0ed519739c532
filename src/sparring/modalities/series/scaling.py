"""Scaling: series in units of the data as the numbers that networks work with, and back.

Channels of one sign that spread over orders of magnitude become logarithms. Channels that move together are turned into
components that do not, each of deviation 1, so that a network sees the difference of two prices as well as their level.
Beside its components a step may have their changes since the step before, of deviation 1 likewise: a penalty on the
slope of a discriminator then lets it see a step that is too rough as well as a level that is wrong.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot, pad

from sparring.modalities.series.coding import Attribute, Channel, Component, Context, Series, SeriesCoding
from sparring.modalities.series.contexts import completed
from sparring.randomness import RandomStream

MIN_VARIANCE = 1e-6
"""Variance of a component, as a share of that of a channel, below which it is a rounding error and left out."""
MIN_CHANGE = 1e-3
"""Lower bound of the deviation of a component's changes, whose own is 1."""
SKEWED = 0.5
"""Skewness by quantiles above which a channel becomes its logarithm."""
LIMIT = 20.0
"""Largest number that networks see, in deviations."""


@final
class Scaling:
    """Maps ``Series`` to (count, steps, width) float32, and back; see ``sparring.flow.Normalizer``.

    The numbers of a step are its components, their changes if there are any, and for each channel with missing values
    1 where it is present, else 0. All are 0 after the end of a series.

    Args:
        coding: of the series.
        changes: whether there are changes beside the components.

    Attributes:
        components: number of components.
        channels: number of channels.
        gaps: number of channels with missing values.
        width: numbers of a step.
        attributes_width: numbers of the attributes of a series.
    """

    def __init__(self, coding: SeriesCoding, *, changes: bool = False) -> None:
        self.coding, self.has_changes = coding, changes
        self.channels = len(coding.channels)
        self.curves = Curves(coding.channels)
        self.sparse = [number for number, channel in enumerate(coding.channels) if channel.missing > 0]
        self.gaps = len(self.sparse)

        # Channels to components and back; without stored components each channel is one.
        found = coding.components or plain_components(self.channels)
        mix = np.array([component.weights for component in found], dtype=np.float64).reshape(-1, self.channels)
        self.mix, self.unmix = (torch.from_numpy(matrix).float() for matrix in (mix.T, np.linalg.pinv(mix).T))
        self.deviations = torch.tensor([component.change for component in found])
        self.components = len(found)
        self.width = self.components * (1 + changes) + self.gaps
        self.attributes_width = sum(_attribute_width(attribute) for attribute in coding.attributes)

    def normalize(self, sample: Series, random: RandomStream | None = None) -> Tensor:
        """Return (count, steps, width) numbers."""
        there = within(sample.length, sample.values.shape[1])
        return self.form(self.scaled(sample), self.presence(sample), there)

    def denormalize(self, sample: Tensor, condition: Context | None = None) -> Series:
        """Return series of the lengths and attributes of their contexts, whose known steps are exact."""
        assert condition is not None
        values = self.curves.inverse(self.channels_of(sample))
        missing = torch.zeros_like(values, dtype=torch.bool)
        if self.gaps:
            missing[..., self.sparse] = sample[..., sample.shape[-1] - self.gaps :] < 0.5
        missing = missing | ~within(condition.length, sample.shape[1])
        length, attributes = condition.length, condition.attributes
        return completed(Series(values, missing, length, attributes), condition)

    def by_column(self, values: Tensor) -> Tensor:
        """Return the sum of the numbers of each channel, (count, steps, channels); see ``sparring.flow.Columnar``.

        A component, and its changes, count for each channel by the square of its weight.
        """
        shares: Tensor = self.mix.square().T.to(values)  # (components, channels)
        shares = shares / shares.sum(1, keepdim=True)
        end = values.shape[-1] - self.gaps
        found = torch.stack([part @ shares for part in values[..., :end].split(self.components, -1)]).sum(0)
        if self.gaps:
            found[..., self.sparse] += values[..., end:]
        return found

    def scaled(self, sample: Series | Context) -> Tensor:
        """Return values by their curves, (count, steps, channels), 0 where they are missing."""
        return self.curves(sample.values).masked_fill(sample.missing, 0.0)

    def presence(self, sample: Series | Context) -> Tensor:
        """Return 1 where channels that can be missing are present, (count, steps, gaps)."""
        return (~sample.missing[..., self.sparse]).float()

    def form(self, scaled: Tensor, presence: Tensor, there: Tensor) -> Tensor:
        """Return the numbers of networks, 0 outside of the steps ``there``.

        Args:
            scaled: (count, steps, channels), 0 where they are missing.
            presence: (count, steps, gaps).
            there: (count, steps, 1) of 0 and 1.
        """
        components = scaled @ self.mix.to(scaled.device)
        parts = [components]
        if self.has_changes:
            deviations = self.deviations.to(scaled.device)
            parts.append(pad(components[:, 1:] - components[:, :-1], (0, 0, 1, 0)) / deviations)
        return torch.cat([*parts, presence], 2) * there

    def channels_of(self, numbers: Tensor) -> Tensor:
        """Return the scaled channels, (…, channels), of the numbers of networks, which begin with components."""
        return numbers[..., : self.components] @ self.unmix.to(numbers.device)

    def spread_presence(self, presence: Tensor) -> Tensor:
        """Return the presence of all channels, (count, steps, channels), from that of those which can be missing."""
        spread = presence.new_ones(*presence.shape[:2], self.channels)
        if self.gaps:
            spread[..., self.sparse] = presence
        return spread

    def attributes(self, condition: Context) -> Tensor:
        """Return the attributes of series as numbers near 1, (count, attributes_width); 0 where they are missing."""
        parts = [
            _attribute_numbers(attribute, values)
            for attribute, values in zip(self.coding.attributes, condition.attributes.unbind(1), strict=True)
        ]
        return torch.cat([condition.attributes[:, :0], *parts], 1).float()


@final
class Curves:
    """Maps the values of channels to numbers of mean 0 and deviation 1, monotonely, and back."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        quantiles = [np.array(channel.quantiles) for channel in channels]
        self.is_log = torch.tensor([is_skewed(one) for one in quantiles])
        moments = [
            (np.log(one).mean(), np.log(one).std()) if is_skewed(one) else (channel.mean, channel.deviation)
            for one, channel in zip(quantiles, channels, strict=True)
        ]
        self.mean, self.deviation = (torch.tensor(part, dtype=torch.float64) for part in zip(*moments, strict=True))
        self.deviation = self.deviation.clamp_min(1e-300)
        self.lowest, self.highest = (torch.tensor([one[end] for one in quantiles]) for end in (0, -1))
        self.decimals = [0 if channel.kind == "integer" else channel.decimals for channel in channels]

    def __call__(self, values: Tensor) -> Tensor:
        """Return float32 numbers of values in the units of the data, (…, channels)."""
        is_log, mean, deviation, lowest, _ = self._on(values.device)
        # Values beyond the range of a channel stay recognisable, as unusual ones; logarithms are of positive ones.
        values = values.double()
        curved = torch.where(is_log, torch.where(is_log, torch.maximum(values, lowest), 1.0).log(), values)
        return ((curved - mean) / deviation).clamp(-LIMIT, LIMIT).float()

    def inverse(self, numbers: Tensor) -> Tensor:
        """Return float64 values within the range of each channel, rounded as its own are."""
        is_log, mean, deviation, lowest, highest = self._on(numbers.device)
        curved = numbers.double() * deviation + mean
        values = torch.where(is_log, torch.where(is_log, curved, 0.0).exp(), curved)
        values = torch.maximum(torch.minimum(values, highest), lowest)
        rounded = [
            one if decimals is None else one.round(decimals=decimals)
            for one, decimals in zip(values.unbind(-1), self.decimals, strict=True)
        ]
        return torch.stack(rounded, -1)

    def _on(self, device: torch.device) -> list[Tensor]:
        return [part.to(device) for part in (self.is_log, self.mean, self.deviation, self.lowest, self.highest)]


def is_skewed(quantiles: NDArray[np.float64]) -> bool:
    """Return whether logarithms of positive values are more symmetric than the values are, by far."""
    if quantiles[0] <= 0:
        return False
    plain, logs = (_skewness(values) for values in (quantiles, np.log(quantiles)))
    return plain > SKEWED and abs(logs) < plain


def _skewness(values: NDArray[np.float64]) -> float:
    centred = values - values.mean()
    deviation = float(np.sqrt((centred**2).mean()))
    return float(((centred / deviation) ** 3).mean()) if deviation > 0 else 0.0


def plain_components(channels: int) -> tuple[Component, ...]:
    """Return each channel as a component."""
    return tuple(Component(tuple(row)) for row in np.eye(channels).tolist())


def with_components(coding: SeriesCoding, series: Series) -> SeriesCoding:
    """Return the coding with the components of training series.

    Args:
        coding: with channels.
        series: arrays or tensors.
    """
    series = Series(*(torch.as_tensor(part) for part in series))
    scaling = Scaling(replace(coding, components=()))
    there = within(series.length, series.values.shape[1])[..., 0]
    scaled = scaling.scaled(series).double()

    # Principal components of all steps, each of deviation 1.
    rows = scaled[there]
    centred = rows - rows.mean(0)
    variances, directions = torch.linalg.eigh(centred.T @ centred / len(rows))
    kept = variances > max(MIN_VARIANCE * float(variances.mean()), 1e-12)
    weights = (directions[:, kept] / variances[kept].sqrt()).flip(1)

    # The sign of an eigenvector is arbitrary: make the largest weight positive.
    largest = weights.gather(0, weights.abs().argmax(0, keepdim=True))
    weights = weights * largest.sign()
    components = scaled @ weights
    changes = (components[:, 1:] - components[:, :-1])[there[:, 1:]]
    deviations = changes.square().mean(0).sqrt() if len(changes) else torch.ones(weights.shape[1])
    return replace(
        coding,
        components=tuple(
            Component(tuple(column.tolist()), max(MIN_CHANGE, float(deviation)))
            for column, deviation in zip(weights.unbind(1), deviations, strict=True)
        ),
    )


def within(length: Tensor, steps: int) -> Tensor:
    """Return which steps are before the end of series, (count, steps, 1) bool."""
    return (torch.arange(steps, device=length.device) < length[:, None])[..., None]


def _attribute_width(attribute: Attribute) -> int:
    return len(attribute.categories) or 2


def _attribute_numbers(attribute: Attribute, values: Tensor) -> Tensor:
    """Return one-hot vectors of categories; of numbers their standardised value and 1; 0 where it is missing."""
    known = ~values.isnan()
    if attribute.categories:
        codes = torch.where(known, values, 0.0).long().clamp(0, len(attribute.categories) - 1)
        return one_hot(codes, len(attribute.categories)) * known[:, None]
    number = torch.where(known, (values - attribute.mean) / attribute.deviation, 0.0).clamp(-LIMIT, LIMIT)
    return torch.stack([number, known.to(number)], 1)
