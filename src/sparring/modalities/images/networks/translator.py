"""The generator of translations: a residual network between two strided convolutions and their inverses.

Johnson et al. 2016, supplement; Zhu et al. 2017, appendix 7.2. In the notation of the latter: c7s1-64, d128, d256,
R256 six or nine times, u128, u64, c7s1-3. With four strided convolutions it is the global generator of Wang et al.
(2018, section 3.1).
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from sparring.layers.labels import one_hot_planes

CONTRASTED_BLOCKS = (1, 5)
"""Residual blocks whose output is contrasted, counted from 1 (Park et al. 2020, section 3 and appendix)."""


class Translator(nn.Module):
    """Maps images to images of the same size, a multiple of ``multiple``.

    Instance norm takes its statistics over the image, so a tile of an image is translated a little differently.

    Args:
        channels: channels of an input.
        outputs: channels of an output; by default as many.
        width: channels of the first layer, doubled by every halving.
        blocks: residual blocks: 6 in the paper for images of 128 pixels, 9 for larger ones.
        domains: number of domains, of which the target is joined to the image as planes (Choi et al. 2018, section
            3.1), without instance norm in the first layer, which would remove them; 0 for a generator of one target.
        halvings: strided convolutions, 2 in the paper, and as many inverses.
    """

    def __init__(
        self,
        *,
        channels: int,
        outputs: int | None = None,
        width: int = 64,
        blocks: int = 9,
        domains: int = 0,
        halvings: int = 2,
    ) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(halvings + 1)]
        self.channels, self.widths, self.domains, self.multiple = channels, widths, domains, 2**halvings
        before = halvings + 1  # Layers before the first residual block; the image counts as number 0.
        contrasted = [before + block for block in CONTRASTED_BLOCKS if block <= blocks]
        self.contrasted = (0, *range(2, before + 1), *contrasted)
        first = _convolution(channels + domains, width, 7, normalise=not domains)
        layers: list[nn.Module] = [nn.Sequential(first, nn.ReLU())]
        layers += [_halved(before, after) for before, after in pairwise(widths)]
        layers += [Residual(widths[-1]) for _ in range(blocks)]
        layers += [_doubled(before, after) for before, after in pairwise(widths[::-1])]
        layers += [nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(width, outputs or channels, 7), nn.Tanh())]
        self.layers = nn.ModuleList(layers)
        initialise(self)

    def forward(self, latent: Tensor, condition: Tensor | tuple[Tensor, Tensor]) -> Tensor:
        """Translate images.

        Args:
            latent: not used.
            condition: (batch, channels, height, width) in [-1, 1], or with domains a pair of these and the targets.
        """
        *_, images = self._steps(condition)
        return images

    def translated(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the translation, and the features of the input that ``encode`` returns, in one pass."""
        steps = list(self._steps(images))
        return steps[-1], [steps[place] for place in self.contrasted]

    def encode(self, images: Tensor) -> list[Tensor]:
        """Return features to contrast: pixels, the halved grids, and two residual blocks; (batch, …, h, w) each."""
        steps = zip(range(self.contrasted[-1] + 1), self._steps(images), strict=False)
        return [values for place, values in steps if place in self.contrasted]

    @property
    def feature_widths(self) -> list[int]:
        """Channels of the features that ``encode`` returns."""
        halved = self.widths[1:]
        return [self.channels, *halved, *halved[-1:] * (len(self.contrasted) - 1 - len(halved))]

    def _steps(self, condition: Tensor | tuple[Tensor, Tensor]) -> Iterator[Tensor]:
        """Yield the image and the output of every layer."""
        values = condition[0] if isinstance(condition, tuple) else condition
        yield values
        if self.domains:
            values = torch.cat([values, one_hot_planes(condition[1], self.domains, values)], 1)
        for layer in self.layers:
            values = layer(values)
            yield values


class Residual(nn.Module):
    """Two 3 × 3 convolutions with instance norm, added to their input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = _convolution(width, width, 3), _convolution(width, width, 3)

    def forward(self, values: Tensor) -> Tensor:
        """Map (batch, width, h, w) to the same shape."""
        changed: Tensor = values + self.second(self.first(values).relu())
        return changed


class PatchProjections(nn.Module):
    """A network of two layers per feature map, which maps patches to the unit sphere (Park et al. 2020, section 3).

    Args:
        widths: channels of each feature map.
        size: units of both layers.
    """

    def __init__(self, widths: Sequence[int], size: int = 256) -> None:
        super().__init__()
        self.networks = nn.ModuleList(
            nn.Sequential(nn.Linear(width, size), nn.ReLU(), nn.Linear(size, size)) for width in widths
        )
        initialise(self)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Map patches, (batch, patches, channels) of each feature map, to (batch, patches, size) of norm 1."""
        pairs = zip(self.networks, features, strict=True)
        return [normalize(network(patches).float(), dim=2) for network, patches in pairs]


@torch.no_grad()
def initialise(network: nn.Module) -> None:
    """Draw weights from N(0, 0.02²); biases are zero (Zhu et al. 2017, section 7.1)."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _convolution(inputs: int, outputs: int, kernel: int, *, normalise: bool = True) -> nn.Sequential:
    """Return a convolution that keeps the size, with reflection padding and instance norm."""
    convolution = nn.Conv2d(inputs, outputs, kernel, bias=not normalise)
    norm = [nn.InstanceNorm2d(outputs)] if normalise else []
    return nn.Sequential(nn.ReflectionPad2d(kernel // 2), convolution, *norm)


def _halved(inputs: int, outputs: int) -> nn.Module:
    """Return dk: a 3 × 3 convolution with stride 2."""
    convolution = nn.Conv2d(inputs, outputs, 3, 2, padding=1, bias=False)
    return nn.Sequential(convolution, nn.InstanceNorm2d(outputs), nn.ReLU())


def _doubled(inputs: int, outputs: int) -> nn.Module:
    """Return uk: a 3 × 3 transposed convolution with stride 2."""
    convolution = nn.ConvTranspose2d(inputs, outputs, 3, 2, padding=1, output_padding=1, bias=False)
    return nn.Sequential(convolution, nn.InstanceNorm2d(outputs), nn.ReLU())
