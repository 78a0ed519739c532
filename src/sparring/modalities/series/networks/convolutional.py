"""Convolutions over time, at any number of steps: a generator shaped like a U, and a discriminator.

Both work on patches: consecutive steps whose numbers lie side by side, so that a short series costs little.
Tensors are (batch, patches, channels), and a convolution is a linear layer on neighbours side by side: at these sizes
this takes half of the time of ``torch.nn.Conv1d`` on a CPU, and less for second derivatives.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pad

from sparring.flow import Verdict
from sparring.modalities.series.networks.encoding import (
    CONTEXT_NUMBERS,
    PLACE_NUMBERS,
    Encoding,
    completed,
    decided,
    given,
    inside,
    places,
    told,
    walked,
)

COARSEST = 4
"""Patches of the coarsest grid at most."""
LOCAL_WIDTH, LOCAL_SCALE = 64, 3.0
"""Features of single steps in the discriminator, and the factor on their means, which vary less than features do."""
MAX_LOG_SPREAD = 3.0
"""Largest logarithm of the deviation of the noise of a step."""


def grids(steps: int, patch: int) -> list[int]:
    """Return the numbers of patches of all grids, from the finest, each half of the one before.

    >>> grids(24, 2)
    [12, 6, 3]
    """
    found = [-(-steps // patch)]
    while found[-1] > COARSEST:
        found.append(-(-found[-1] // 2))
    return found


class Generator(nn.Module):
    """Maps latents and contexts to the numbers of series.

    What is known goes down the grids and up again, each grid on the way up with noise of its own; every block is
    modulated by a style, a function of the latent, the attributes and the length.

    Args:
        encoding: of the series.
        steps: of a sample.
        patch: steps of a patch.
        latent_size: numbers of the latent for the whole series.
        noise: numbers of the latent for each patch of each grid.
        width: channels of each grid.
    """

    def __init__(self, *, encoding: Encoding, steps: int, patch: int, latent_size: int, noise: int, width: int) -> None:
        super().__init__()
        self.encoding, self.steps, self.patch = encoding, steps, patch
        self.sizes, self.whole, self.noise = grids(steps, patch), latent_size, noise
        self.style = nn.Sequential(
            nn.Linear(latent_size + encoding.attributes_width + CONTEXT_NUMBERS, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2),
        )
        kernel = kernel_of(self.sizes)
        self.enter = Convolution(patch * (encoding.width + encoding.channels + PLACE_NUMBERS), width, kernel)
        self.start = nn.Linear(width, self.sizes[-1] * width)
        self.down = nn.ModuleList(Block(width, kernel, width) for _ in self.sizes)
        self.up = nn.ModuleList(Block(width, kernel, width) for _ in self.sizes)
        self.noises = nn.ModuleList(nn.Linear(noise, width, bias=False) for _ in self.sizes)
        self.leave = Convolution(width, patch * (2 * encoding.components + encoding.gaps), kernel)
        self.blend = nn.Linear(encoding.components, encoding.components, bias=False)
        nn.init.eye_(self.blend.weight)
        self.level = nn.Linear(width, encoding.components)

    @staticmethod
    def latent_size(encoding: Encoding, steps: int, patch: int, whole: int, noise: int) -> int:
        """Return the length of latents."""
        return whole + noise * sum(grids(steps, patch)) + (encoding.components + encoding.gaps) * steps

    def forward(self, latent: Tensor, condition: Any) -> Tensor:
        """Map latents (batch, latent_size) and contexts to (batch, steps, width of the encoding)."""
        sizes = [self.noise * size for size in self.sizes]
        parts = self.encoding.components, self.encoding.gaps
        whole, *noises, own, choices = latent.split([self.whole, *sizes, *(self.steps * part for part in parts)], 1)
        style = self.style(torch.cat([whole, told(self.encoding, condition)], 1))

        # Down: what is known, on all grids.
        seen = torch.cat([given(self.encoding, condition), places(condition)], 2)
        hidden, passed = self.enter(folded(seen, self.patch)), list[Tensor]()
        for block in self.down:
            hidden = block(halved(hidden) if passed else hidden, style)
            passed.append(hidden)

        # Up: noise of each grid, and the style.
        hidden = self.start(style).unflatten(1, (self.sizes[-1], -1))
        for number in reversed(range(len(self.sizes))):
            size, noise = self.sizes[number], noises[number]
            hidden = doubled(hidden, size) if hidden.shape[1] != size else hidden
            hidden = hidden + passed[number] + self.noises[number](noise.unflatten(1, (size, self.noise)))
            hidden = self.up[number](hidden, style)

        # Innovations of each step with a noise of their own, whose deviation may change; what is known in its place.
        numbers = unfolded(self.leave(leaky_relu(hidden, 0.2)).float(), self.patch, self.steps)
        mean, spread, logits = numbers.split([parts[0], *parts], 2)
        innovations = mean + self.blend(own.reshape(mean.shape) * spread.clamp(max=MAX_LOG_SPREAD).exp())
        components = walked(self.encoding, self.level(style).float(), innovations, condition)
        presence = decided(logits, choices.reshape(logits.shape))
        return completed(self.encoding, components, presence, condition)


class Discriminator(nn.Module):
    """Maps the numbers of series and their contexts to a logit.

    Args:
        encoding: of the series.
        steps: of a sample.
        patch: steps of a patch.
        width: channels of each grid.
    """

    def __init__(self, *, encoding: Encoding, steps: int, patch: int, width: int) -> None:
        super().__init__()
        self.encoding, self.patch, self.sizes = encoding, patch, grids(steps, patch)
        context, kernel = encoding.attributes_width + CONTEXT_NUMBERS, kernel_of(self.sizes)
        self.context = nn.Sequential(nn.Linear(context, width), nn.LeakyReLU(0.2), nn.Linear(width, 2 * width))
        self.enter = Convolution(patch * (encoding.width + encoding.channels + PLACE_NUMBERS), width, kernel)
        self.blocks = nn.ModuleList(Block(width, kernel) for _ in self.sizes)
        self.local = Local(encoding.width + encoding.channels + PLACE_NUMBERS, LOCAL_WIDTH)
        self.last = nn.Linear(self.sizes[-1] * width + LOCAL_WIDTH, width)
        self.score = nn.Linear(width, 1)

    def forward(self, sample: Tensor, condition: Any) -> Verdict:
        """Map (batch, steps, width of the encoding) and contexts to logits (batch,) and the hidden layers."""
        first, last = self.context(told(self.encoding, condition)).chunk(2, 1)
        seen = torch.cat([sample, condition.known.to(sample), places(condition)], 2)
        hidden, features = self.enter(folded(seen, self.patch)) + first[:, None], list[Tensor]()
        for block in self.blocks:
            hidden = block(halved(hidden) if features else hidden)
            features.append(hidden)

        # The context weights what was seen (Miyato & Koyama 2018, section 3), as well as being seen.
        whole = torch.cat([leaky_relu(hidden.flatten(1), 0.2), self.local(seen, inside(condition))], 1)
        found = leaky_relu(self.last(whole), 0.2)
        logits = self.score(found)[:, 0] + (found * last).sum(1) / math.sqrt(found.shape[1])
        return Verdict([logits], [*features, found])


class Local(nn.Module):
    """Means over the steps of a series of what two layers see of each step and its neighbours.

    They tell how rough a series is from all of its steps, which a network of patches learns for each step anew.

    Args:
        inputs: numbers of a step.
        width: units of both layers.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.first, self.second = Convolution(inputs, width, 3), nn.Linear(width, width)

    def forward(self, seen: Tensor, there: Tensor) -> Tensor:
        """Map (batch, steps, inputs) to (batch, width), over the steps ``there``, (batch, steps, 1) of 0 and 1."""
        hidden = leaky_relu(self.second(leaky_relu(self.first(seen), 0.2)), 0.2)
        means: Tensor = LOCAL_SCALE * (hidden * there).sum(1) / there.sum(1)
        return means


class Convolution(nn.Module):
    """Linear layer on each patch and its neighbours, 0 beyond the ends: (batch, patches, inputs) → outputs.

    Args:
        inputs: channels of a patch.
        outputs: likewise.
        kernel: 3, or 1 for no neighbours.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.kernel, self.linear = kernel, nn.Linear(kernel * inputs, outputs)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (batch, patches, inputs) to (batch, patches, outputs)."""
        if self.kernel > 1:
            wide = pad(hidden, (0, 0, 1, 1))
            hidden = torch.cat([wide[:, :-2], hidden, wide[:, 2:]], 2)
        found: Tensor = self.linear(hidden)
        return found


class Block(nn.Module):
    """Residual block of two convolutions, x + W₂ σ(W₁ σ(x)), of which a style scales and shifts the inner channels.

    Args:
        width: channels.
        kernel: of the convolutions.
        style: length of the style; 0 for none.
    """

    def __init__(self, width: int, kernel: int, style: int = 0) -> None:
        super().__init__()
        self.first, self.second = Convolution(width, width, kernel), Convolution(width, width, kernel)
        self.modulate = nn.Linear(style, 2 * width) if style else None
        for layer in (self.first.linear, self.second.linear):
            nn.init.normal_(layer.weight, std=math.sqrt(2 / (1.04 * kernel * width)))
            nn.init.zeros_(layer.bias)

    def forward(self, hidden: Tensor, style: Tensor | None = None) -> Tensor:
        """Map (batch, patches, width) to the same shape, of about the same variance."""
        inner = self.first(leaky_relu(hidden, 0.2))
        if self.modulate is not None and style is not None:
            scale, shift = self.modulate(style)[:, None].chunk(2, 2)
            inner = inner * (1 + scale) + shift
        changed: Tensor = (hidden + self.second(leaky_relu(inner, 0.2))) * math.sqrt(0.5)
        return changed


def kernel_of(sizes: list[int]) -> int:
    """Return the kernel of the convolutions on grids: a patch that is alone has no neighbours."""
    return 3 if sizes[0] > 1 else 1


def folded(numbers: Tensor, patch: int) -> Tensor:
    """Return the patches of (batch, steps, width), the last one filled up with 0: (batch, patches, patch · width)."""
    count = -(-numbers.shape[1] // patch)
    filled = pad(numbers, (0, 0, 0, count * patch - numbers.shape[1]))
    patches: Tensor = filled.unflatten(1, (count, patch)).flatten(2)
    return patches


def unfolded(patches: Tensor, patch: int, steps: int) -> Tensor:
    """Return the first steps of patches, (batch, patches, patch · width): (batch, steps, width)."""
    numbers: Tensor = patches.unflatten(2, (patch, -1)).flatten(1, 2)
    return numbers[:, :steps]


def halved(hidden: Tensor) -> Tensor:
    """Return means of pairs of patches, (batch, ⌈size / 2⌉, width); a last one without another counts twice."""
    if hidden.shape[1] % 2:
        hidden = torch.cat([hidden, hidden[:, -1:]], 1)
    return (hidden[:, ::2] + hidden[:, 1::2]) / 2


def doubled(hidden: Tensor, size: int) -> Tensor:
    """Return the first ``size`` of the patches of (batch, ⌈size / 2⌉, width), each of them twice."""
    return hidden.repeat_interleave(2, 1)[:, :size]
