"""Class labels as inputs of a network."""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from sparring.errors import SparringError


def one_hot_labels(condition: Tensor | None, classes: int, like: Tensor) -> Tensor:
    """Return one-hot labels, (batch, classes), in the type and on the device of ``like``; (batch, 0) without classes.

    Args:
        condition: class numbers, (batch,) int64.
        classes: number of classes; 0 for an unconditional network.
        like: any tensor of ``batch`` rows.

    Raises:
        SparringError: there are classes but no labels.
    """
    if classes == 0:
        return torch.zeros(like.shape[0], 0, dtype=like.dtype, device=like.device)
    return one_hot(require_labels(condition), classes).to(like)


def one_hot_planes(condition: Tensor | None, classes: int, like: Tensor) -> Tensor:
    """Return one-hot labels as constant planes beside images ``like``: (batch, classes, height, width)."""
    return one_hot_labels(condition, classes, like)[:, :, None, None].expand(-1, -1, *like.shape[2:])


def require_labels(condition: Tensor | None) -> Tensor:
    """Return the labels, (batch,) int64, of a network that is conditioned on classes.

    Raises:
        SparringError: there are none.
    """
    if condition is None:
        raise SparringError(found="no class labels", expected="one for each sample", remedy="pass condition=…")
    return condition
