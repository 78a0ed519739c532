"""Class labels as numbers that a network can use."""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from sparring.errors import SparringError


def indicators(condition: Tensor | None, classes: int, like: Tensor) -> Tensor:
    """One-hot labels, (batch, classes), of the kind and device of ``like``; (batch, 0) without classes."""
    if classes == 0:
        return torch.zeros(len(like), 0, dtype=like.dtype, device=like.device)
    return one_hot(required(condition), classes).to(like)


def required(condition: Tensor | None) -> Tensor:
    """The labels, (batch,) int64, that a network made for classes cannot do without.

    Raises:
        SparringError: there are none.
    """
    if condition is None:
        raise SparringError(found="no class labels", expected="one for each sample", remedy="pass them as `condition`")
    return condition
