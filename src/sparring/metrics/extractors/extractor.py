"""Extractors: what turns samples into the features that metrics compare."""

from typing import Protocol, final, runtime_checkable

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from sparring.samples import Sample

MAX_PIXEL_FEATURES = 4096


@runtime_checkable
class Extractor(Protocol):
    """A function from samples to features.

    Attributes:
        name: stands in every protocol, so it should say everything that decides the features.
        cacheable: whether the name does, and the features are expensive: then they are cached.
    """

    @property
    def name(self) -> str: ...

    @property
    def cacheable(self) -> bool: ...

    def __call__(self, samples: Sample) -> Float[Tensor, "count features"]: ...


@runtime_checkable
class Classifying(Extractor, Protocol):
    """An extractor whose features determine class probabilities."""

    def probabilities(self, features: Float[Tensor, "count features"]) -> Float[Tensor, "count classes"]: ...


@runtime_checkable
class Unbounded(Extractor, Protocol):
    """An extractor that bounds its features, so that single absurd values decide no metric, and has them without."""

    def unbounded(self, samples: Sample) -> Float[Tensor, "count features"]:
        """Return the features without bounds: absurd values are far from all others."""
        ...


@final
class Pixels:
    """The values themselves, flattened; images of over 4096 values are first reduced by averaging over areas.

    Samples may have any shape (count, *shape); only images (count, channels, height, width) are reduced.
    """

    name = "pixels"
    cacheable = False

    def __call__(self, samples: Tensor) -> Float[Tensor, "count features"]:
        if samples.dim() == 4 and samples.shape[1:].numel() > MAX_PIXEL_FEATURES:
            samples = adaptive_avg_pool2d(samples, _reduced_size(*samples.shape[1:]))
        return samples.flatten(1)


def _reduced_size(channels: int, height: int, width: int) -> tuple[int, int]:
    """Return the largest size of the same proportions that has at most ``MAX_PIXEL_FEATURES`` values."""
    factor = (MAX_PIXEL_FEATURES / (channels * height * width)) ** 0.5
    return max(1, int(height * factor)), max(1, int(width * factor))
