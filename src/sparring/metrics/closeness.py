"""Shares of generated samples that are equal, or close, to training samples, from keys and distances of samples."""

from collections.abc import Iterable, Sequence

from torch import Tensor

NEAR_SHARE = 0.01
"""Share of held-out samples that are as close to a training sample as a near copy."""
LOW_SHARE = 0.05
"""Percentile of the distances to the closest sample, as a share."""
ROUNDING = 1e-9
"""Rounding errors of distances, which must not decide between equal samples."""


def equal_share(ours: Sequence[bytes], parts: Iterable[Sequence[bytes]]) -> float:
    """Return the share of samples whose content is also in one of ``parts``, in [0, 1].

    Args:
        ours: content of each sample, at least one.
        parts: content of training samples, some at a time; of many only those that matter are kept.
    """
    wanted, found = set(ours), set[bytes]()
    for part in parts:
        found |= wanted.intersection(part)
    return sum(key in found for key in ours) / len(ours)


def near_share(held_out: Tensor, ours: Tensor) -> float:
    """Return the share of samples as close to a training sample as the closest 1 % of held-out ones, in [0, 1].

    Args:
        held_out: distance from each held-out sample to the closest training sample, (count,).
        ours: the same of generated samples.
    """
    limit = held_out.quantile(NEAR_SHARE, interpolation="lower") + ROUNDING
    return float((ours <= limit).double().mean())


def nearer_share(to_train: Tensor, to_held_out: Tensor) -> float:
    """Return the share of samples that are closer to a training than to a held-out sample; ties count half.

    Args:
        to_train: distance from each sample to the closest training sample, (count,).
        to_held_out: the same to the closest held-out sample.
    """
    tied = (to_train - to_held_out).abs() <= ROUNDING
    return float(((to_train < to_held_out) & ~tied).double().mean() + tied.double().mean() / 2)
