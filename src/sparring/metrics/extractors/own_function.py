"""Features by a function in a file of the user."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sparring.errors import SparringError
from sparring.metrics.extractors.extractor import Extractor
from sparring.user_code import failures_reported, load_user_function

CHUNK = 512


@final
@dataclass(frozen=True)
class OwnFunction:
    """A function of the user as an extractor.

    Its features are never cached, because it may read more than its file and its input.

    Args:
        function: maps samples (count, *shape) in the range of their modality, float32 on the CPU, to numbers
            (count, ...): a tensor, an array or lists.
        name: name of the function and first 12 digits of the SHA-256 of its file.
    """

    function: Callable[[Tensor], Any]
    name: str
    cacheable = False

    def __call__(self, samples: Tensor) -> Float[Tensor, "count features"]:
        """Return features, float32, on the CPU; all dimensions but the first are flattened.

        Raises:
            SparringError: the function fails, or does not return one row of finite numbers for each sample.
        """
        parts = [self._features(part) for part in torch.split(samples, CHUNK)]
        widths = sorted({part.shape[1] for part in parts})
        if len(widths) > 1:
            raise self._unusable(f"rows of {widths[0]} and of {widths[1]} numbers")
        return torch.cat(parts)

    def _features(self, samples: Tensor) -> Tensor:
        # A copy, so that a function that works in place leaves the samples unchanged.
        copied = samples.detach().to("cpu", torch.float32, copy=True)
        with failures_reported(f"{self.name} of {len(samples)} samples"), torch.no_grad():
            returned = self.function(copied)
        features = self._as_tensor(returned)
        if features.dim() == 0 or len(features) != len(samples) or not features.numel():
            shape = tuple(features.shape)
            raise self._unusable(f"{type(returned).__name__} of shape {shape} for {len(samples)} samples")
        # One number for each sample is one feature: (count,) → (count, 1); (count, …) → (count, features).
        rows = features[:, None] if features.dim() == 1 else features.flatten(1)
        broken = int((~rows.isfinite()).any(1).sum())
        if broken:
            raise self._unusable(f"numbers that are not finite for {broken} of {len(samples)} samples")
        return rows

    def _as_tensor(self, returned: object) -> Tensor:
        try:
            if isinstance(returned, Tensor):
                return returned.detach().to("cpu", torch.float32)
            return torch.from_numpy(np.array(returned, dtype=np.float32))
        except (TypeError, ValueError, RuntimeError):
            raise self._unusable(type(returned).__name__) from None

    def _unusable(self, found: str) -> SparringError:
        return SparringError(
            found=f"{found} from {self.name}",
            expected="one row of finite numbers for each sample, (count, features)",
            remedy="correct what the function returns",
        )


def load_function(place: str) -> OwnFunction:
    """Load the function at ``place`` = ``file.py:function`` as an extractor; the file is executed.

    Raises:
        SparringError: no such file, a file that fails, or no such function in it.
    """
    function, digest = load_user_function(place)
    return OwnFunction(function, f"{place.rpartition(':')[2]}-{digest}")


def named_or_own(names: Sequence[str], name: str, make: Callable[[], Extractor]) -> Mapping[str, Extractor]:
    """Return the named extractors of a modality that has one of its own, by name; that one where none is named.

    Args:
        names: the name of that one, or the user's own ``file.py:function``.
        name: of the modality's extractor.
        make: builds it.

    Raises:
        SparringError: there is no extractor of such a name.
    """
    found: dict[str, Extractor] = {}
    for wanted in names or [name]:
        if wanted == name:
            found[wanted] = make()
        elif ".py:" in wanted:
            found[wanted] = load_function(wanted)
        else:
            raise SparringError(
                found=f"the unknown extractor {wanted!r}",
                expected=f"{name}, or your own as file.py:function",
                remedy="give one of these",
            )
    return found
