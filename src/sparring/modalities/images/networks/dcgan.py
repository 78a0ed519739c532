"""DCGAN (Radford et al. 2016, section 3 and figure 1): strided convolutions, batch norm, ReLU and leaky ReLU.

Both sides of an image are multiples of 2ⁿ with n = ``doublings(size)``; the coarsest grid is (height, width) / 2ⁿ.
"""

import itertools

import torch
from torch import Tensor, nn

from sparring.flow import Verdict
from sparring.layers.labels import one_hot_labels, one_hot_planes


def doublings(size: tuple[int, int]) -> int:
    """Return how often the shorter side can be halved with at least 4 pixels left, at least 1."""
    return max(1, (min(size) // 4).bit_length() - 1)


class Generator(nn.Module):
    """Maps latents to images: (batch, latent_size) → (batch, channels, height, width) in [-1, 1].

    Args:
        size: (height, width), multiples of 2 to the power of ``doublings(size)``.
        channels: channels of an image.
        latent_size: length of the latent vector.
        width: channels of the last hidden layer (128 in the paper, 64 in most code); doubled at every coarser grid.
        classes: number of classes, joined to the latent as one-hot labels; 0 for an unconditional generator.
    """

    def __init__(
        self, *, size: tuple[int, int], channels: int, latent_size: int = 100, width: int = 64, classes: int = 0
    ) -> None:
        super().__init__()
        self.classes = classes
        count = doublings(size)
        widths = [width * 2**level for level in reversed(range(count))]  # coarse to fine
        grid = (size[0] >> count, size[1] >> count)

        # A 1 × 1 image of latent channels grows to the coarsest grid, then doubles up to the size.
        layers: list[nn.Module] = [
            nn.ConvTranspose2d(latent_size + classes, widths[0], grid, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        ]
        for before, after in itertools.pairwise(widths):
            layers += [
                nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
        layers += [nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        initialise(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map latents (batch, latent_size) and labels (batch,) to images (batch, channels, height, width)."""
        # Latents and one-hot labels: (batch, latent_size + classes).
        joined = torch.cat([latent, one_hot_labels(condition, self.classes, latent)], dim=1)
        images: Tensor = self.layers(joined[:, :, None, None])  # (batch, latent_size + classes, 1, 1) → images
        return images


class Discriminator(nn.Module):
    """Maps images to logits: (batch, channels, height, width) → (batch,).

    Args:
        size: (height, width), as for the generator.
        channels: channels of an image.
        width: channels of the first layer; doubled at every coarser grid.
        classes: number of classes, joined to the image as one-hot planes; 0 for an unconditional discriminator.
    """

    def __init__(self, *, size: tuple[int, int], channels: int, width: int = 64, classes: int = 0) -> None:
        super().__init__()
        self.classes = classes
        count = doublings(size)
        self.layers = halvings(channels + classes, width, count)
        self.score = nn.Conv2d(width * 2 ** (count - 1), 1, (size[0] >> count, size[1] >> count))
        initialise(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        """Map images (batch, channels, height, width) and labels (batch,) to logits, (batch,)."""
        planes = one_hot_planes(condition, self.classes, sample)  # (batch, classes, height, width)
        # Features: (batch, widths[-1], height / 2ⁿ, width / 2ⁿ).
        features = self.layers(torch.cat([sample, planes], dim=1) if self.classes else sample)
        logit = self.score(features).flatten(1).squeeze(1)  # (batch, 1, 1, 1) → (batch,)
        return Verdict([logit], [features])


def halvings(channels: int, width: int, count: int) -> nn.Sequential:
    """Return the convolutions of the discriminator, each of which halves the grid.

    The first one has ``width`` channels and no batch norm (section 3), each later one twice as many as that before it.
    """
    widths = [width * 2**level for level in range(count)]  # fine to coarse
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    for before, after in itertools.pairwise(widths):
        layers += [
            nn.Conv2d(before, after, 4, 2, 1, bias=False),
            nn.BatchNorm2d(after),
            nn.LeakyReLU(0.2),
        ]
    return nn.Sequential(*layers)


@torch.no_grad()
def initialise(network: nn.Module) -> None:
    """Draw weights from N(0, 0.02²), and the scales of batch norm from N(1, 0.02²) (section 4)."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)
