"""Features by a function of the user's own, in a file of the user's own."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sparring.errors import SparringError, nearest

CHUNK = 512
EXPECTED = "a function in a Python file, as module.py:function"


@final
@dataclass(frozen=True)
class OwnFunction:
    """A function as an extractor of what it returns.

    Its features are never kept for later: what else it reads beside its file, nobody knows.

    Args:
        function: samples (count, *shape) in the range of their modality, float32 on the CPU, to numbers
            (count, ...): a tensor, an array, or lists.
        name: the function's name and the first 12 digits of the SHA-256 of its file.
    """

    function: Callable[[Tensor], Any]
    name: str
    lasting = False

    def __call__(self, samples: Tensor) -> Float[Tensor, "count features"]:
        """Features, float32, on the CPU; of more than two dimensions all but the first are flattened.

        Raises:
            SparringError: the function fails, or does not give one row of finite numbers for each sample.
        """
        parts = [self._features(part) for part in torch.split(samples, CHUNK)]
        widths = sorted({part.shape[1] for part in parts})
        if len(widths) > 1:
            raise self._unusable(f"rows of {widths[0]} and of {widths[1]} numbers")
        return torch.cat(parts)

    def _features(self, samples: Tensor) -> Tensor:
        # A copy, so that a function that works in place leaves the samples as they are.
        given = samples.detach().to("cpu", torch.float32, copy=True)
        with _said_in_one_sentence(f"{self.name} of {len(samples)} samples"), torch.no_grad():
            found = self.function(given)
        features = self._numbers(found)
        if features.dim() == 0 or len(features) != len(samples):
            shape = tuple(features.shape)
            raise self._unusable(f"{type(found).__name__} of shape {shape} for {len(samples)} samples")
        rows = features[:, None] if features.dim() == 1 else features.flatten(1)
        broken = int((~rows.isfinite()).any(1).sum())
        if broken:
            raise self._unusable(f"numbers that are not finite for {broken} of {len(samples)} samples")
        return rows

    def _numbers(self, found: object) -> Tensor:
        try:
            if isinstance(found, Tensor):
                return found.detach().to("cpu", torch.float32)
            return torch.from_numpy(np.array(found, dtype=np.float32))
        except (TypeError, ValueError, RuntimeError):
            raise self._unusable(type(found).__name__) from None

    def _unusable(self, found: str) -> SparringError:
        return SparringError(
            found=f"{found} from {self.name}",
            expected="one row of finite numbers for each sample, (count, features)",
            remedy="look at what the function returns",
        )


def load_function(place: str) -> OwnFunction:
    """The function ``place`` = ``module.py:function`` of the user's own as an extractor.

    Runs the file: only ever call it with a place that the user typed.

    Raises:
        SparringError: no such file, the file fails, or there is no such function in it.
    """
    written, _, attribute = place.rpartition(":")
    path = Path(written)
    if not path.is_file() or path.suffix != ".py":
        raise SparringError(found=f"no Python file {written!r}", expected=EXPECTED, remedy="check the path")
    content = path.read_bytes()
    digest = sha256(content).hexdigest()[:12]
    module = _run(path, content, f"own_{path.stem}_{digest}")
    function = vars(module).get(attribute)
    if not callable(function):
        found = (
            f"{type(function).__name__} as {place!r}" if attribute in vars(module) else f"no {attribute!r} in {path}"
        )
        names = [name for name, value in vars(module).items() if callable(value)]
        raise SparringError(found=found, expected=EXPECTED, remedy=f"check the name{nearest(attribute, names)}")
    return OwnFunction(function, f"{attribute}-{digest}")


def _run(path: Path, content: bytes, name: str) -> ModuleType:
    """The module that ``content``, read from ``path``, makes; known to Python as ``name``."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickle look a module up by its name, the former while it is still being run.
    sys.modules[name] = module
    try:
        with _said_in_one_sentence(str(path)):
            # Not by the loader, which may run what it compiled before: what is run is what the name says.
            exec(content, vars(module))
    except SparringError:
        del sys.modules[name]
        raise
    return module


@contextmanager
def _said_in_one_sentence(place: str) -> Iterator[None]:
    """Whatever the user's own code raises, as one SparringError that leads back to it."""
    try:
        yield
    except Exception as error:
        raise SparringError(
            found=f"{type(error).__name__} in {place}: {next(iter(str(error).splitlines()), 'no message')}",
            expected="code that runs",
            remedy="correct the file and try again",
        ) from error
