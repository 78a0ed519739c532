"""Interface between networks of series and the numbers that they see, and the parts that these networks share."""

from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.functional import pad

TEMPERATURE = 0.5
"""Temperature of the sigmoid whose gradient stands for that of a decision."""
CONTEXT_NUMBERS = 2
"""Numbers that tell the length of a series."""
PLACE_NUMBERS = 4
"""Numbers that tell the place of a step."""


class Encoding(Protocol):
    """Maps series to the numbers of networks; see ``modalities.series.scaling.Scaling``."""

    @property
    def components(self) -> int:
        """Number of components of a step."""
        ...

    @property
    def channels(self) -> int:
        """Number of channels of a step."""
        ...

    @property
    def deviations(self) -> Tensor:
        """Return the standard deviation of the changes of each component, whose own is 1."""
        ...

    @property
    def gaps(self) -> int:
        """Number of channels with missing values."""
        ...

    @property
    def width(self) -> int:
        """Number of all numbers of a step."""
        ...

    @property
    def attributes_width(self) -> int:
        """Number of the numbers of attributes."""
        ...

    def scaled(self, sample: Any) -> Tensor:
        """Return scaled channels, 0 where they are missing, (count, steps, channels)."""
        ...

    def presence(self, sample: Any) -> Tensor:
        """Return 1 where channels that can be missing are present, (count, steps, gaps)."""
        ...

    def form(self, scaled: Tensor, presence: Tensor, there: Tensor) -> Tensor:
        """Return the numbers of scaled channels and presence, (count, steps, width); 0 outside of steps ``there``."""
        ...

    def channels_of(self, numbers: Tensor) -> Tensor:
        """Return scaled channels of components, (…, channels)."""
        ...

    def spread_presence(self, presence: Tensor) -> Tensor:
        """Return the presence of all channels, (count, steps, channels)."""
        ...

    def attributes(self, condition: Any) -> Tensor:
        """Return the numbers of attributes, (count, attributes_width)."""
        ...


def told(encoding: Encoding, condition: Any) -> Tensor:
    """Return what is told of whole series, (count, attributes_width + 2): attributes, and the length twice."""
    length, steps = condition.length.float(), condition.known.shape[1]
    share = 2 * length / steps - 1
    logarithm = length.log() / max(1.0, torch.tensor(float(steps)).log().item())
    return torch.cat([encoding.attributes(condition), share[:, None], logarithm[:, None]], 1)


def places(condition: Any) -> Tensor:
    """Return what is told of the place of each step, (count, steps, 4); 0 after the end.

    The numbers are 1, the share of the steps that have passed, and the logarithms of steps passed and of steps left.
    """
    steps = condition.known.shape[1]
    step = torch.arange(steps, device=condition.length.device)
    length = condition.length[:, None].float()
    left = (condition.length[:, None] - 1 - step).clamp_min(0).float()  # (count, steps)
    found = torch.stack(
        [
            torch.ones_like(left),
            2 * step / length - 1,
            (1 + step).log().expand_as(left) / 4,
            (1 + left).log() / 4,
        ],
        2,
    )
    numbers: Tensor = found * inside(condition)
    return numbers


def inside(condition: Any) -> Tensor:
    """Return 1 before the end of a series, (count, steps, 1)."""
    step = torch.arange(condition.known.shape[1], device=condition.length.device)
    there: Tensor = step < condition.length[:, None]
    return there.float()[..., None]


def given(encoding: Encoding, condition: Any) -> Tensor:
    """Return the known steps as a network sees them, (count, steps, width + channels): numbers, and what is known."""
    known = condition.known.float()
    scaled, presence = encoding.scaled(condition) * known, encoding.presence(condition)
    return torch.cat([encoding.form(scaled, presence, known.amax(2, keepdim=True)), known], 2)


def completed(encoding: Encoding, components: Tensor, presence: Tensor, condition: Any) -> Tensor:
    """Return the numbers of generated components and presence with the known steps in their place.

    Args:
        encoding: of the series.
        components: (count, steps, components).
        presence: (count, steps, gaps) in {0, 1}.
        condition: the context.

    Returns:
        (count, steps, width); 0 after the end.
    """
    there = inside(condition)
    scaled = encoding.channels_of(components) * encoding.spread_presence(presence)
    scaled = torch.where(condition.known, encoding.scaled(condition), scaled) * there
    known = encoding.presence(condition._replace(missing=~condition.known))
    presence = torch.where(known > 0, encoding.presence(condition), presence)
    return encoding.form(scaled, presence, there)


def walked(encoding: Encoding, level: Tensor, innovations: Tensor, condition: Any) -> Tensor:
    """Return components whose changes are as large as in the data where innovations are of deviation 1.

    They are u_t = φ u_(t-1) + √(1 - φ²) e_t with φ = 1 - s² / 2, which for independent e_t has the deviation 1, and
    changes of deviation s. Where steps are known they start from the last of these, otherwise from a level. Any series
    can be written so: this only tells a network how smooth it is.

    Args:
        encoding: of the series.
        level: u_0 before the first innovation, (count, components).
        innovations: e, (count, steps, components).
        condition: the context.
    """
    decay = 1 - encoding.deviations.to(level.device).square().clamp(max=2) / 2  # φ, (components,)
    steps = innovations.shape[1]

    # The sum of φ^k √(1 - φ²) e_(t-k) over k, of which each round doubles the number of summands.
    moved, shift = (1 - decay.square()).sqrt() * innovations, 1
    while shift < steps:
        moved = moved + decay**shift * pad(moved[:, :-shift], (0, 0, shift, 0))
        shift *= 2

    # The walk goes on from the last known step.
    known = condition.known.any(2).sum(1)  # (count,)
    last = (known - 1).clamp_min(0)[:, None, None].expand(-1, 1, moved.shape[2])
    there = condition.known.any(2, keepdim=True).to(moved)
    here = encoding.form(encoding.scaled(condition), encoding.presence(condition), there)[..., : encoding.components]
    offset = torch.where(known[:, None] > 0, (here - moved).gather(1, last)[:, 0], level)
    passed = torch.arange(steps, device=level.device) - (known[:, None] - 1).clamp_min(0)  # Steps since then.
    walk: Tensor = moved + decay ** passed.clamp_min(0)[..., None] * offset[:, None]
    return walk


def decided(logits: Tensor, noise: Tensor) -> Tensor:
    """Return 0 or 1 with probability sigmoid(logits) of 1, and the gradient of a sigmoid at a temperature.

    Args:
        logits: any shape.
        noise: standard normal numbers of that shape, which decide.
    """
    uniform = torch.special.ndtr(noise.float()).clamp(1e-6, 1 - 1e-6)
    soft = ((logits + uniform.logit()) / TEMPERATURE).sigmoid()
    hard: Tensor = (soft > 0.5).to(soft) + (soft - soft.detach())
    return hard
