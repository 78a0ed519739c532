"""What samples are compared by: extractors turn them into features."""

from typing import Protocol, final, runtime_checkable

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from sparring.errors import SparringError

LARGEST = 4096


@runtime_checkable
class Extractor(Protocol):
    """Samples to features.

    The name stands in every protocol, so it should say all that decides them; ``lasting`` is whether it does, and they
    are dear: then they are kept.
    """

    @property
    def name(self) -> str: ...

    @property
    def lasting(self) -> bool: ...

    def __call__(self, samples: Tensor) -> Float[Tensor, "count features"]: ...


@runtime_checkable
class Classifying(Extractor, Protocol):
    """An extractor whose features say of which class a sample is."""

    def probabilities(self, features: Float[Tensor, "count features"]) -> Float[Tensor, "count classes"]: ...


@final
class Pixels:
    """The values themselves, flattened; images of over 4096 values are first averaged over areas.

    Any samples of shape (count, *shape) will do; only images (count, channels, height, width) are made
    smaller.
    """

    name = "pixels"
    lasting = False

    def __call__(self, samples: Tensor) -> Float[Tensor, "count features"]:
        if samples.dim() == 4 and samples.shape[1:].numel() > LARGEST:
            samples = adaptive_avg_pool2d(samples, _fitting(*samples.shape[1:]))
        return samples.flatten(1)


def require_pictures(samples: Tensor) -> None:
    """Refuse what no network of natural images can look at.

    Raises:
        SparringError: not images of one or three channels.
    """
    if samples.dim() != 4 or samples.shape[1] not in (1, 3) or 0 in samples.shape[2:]:
        raise SparringError(
            found=f"samples of shape {tuple(samples.shape[1:])}",
            expected="grey or colour images, (1 or 3, height, width)",
            remedy="judge by pixels instead",
        )


def _fitting(channels: int, height: int, width: int) -> tuple[int, int]:
    """The largest size of the same proportions that has at most 4096 values."""
    shrink = (LARGEST / (channels * height * width)) ** 0.5
    return max(1, int(height * shrink)), max(1, int(width * shrink))
