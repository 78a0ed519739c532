"""Diversity of one set of samples, without reference to real ones."""

from statistics import fmean

from jaxtyping import Float
from torch import Tensor, linalg
from torch.special import entr

from sparring.errors import SparringError
from sparring.metrics.distances import Features

TOLERANCE = 1e-3
"""Greatest difference of a sum of probabilities from 1."""


def vendi(features: Features) -> float:
    """Return the effective number of different samples, in [1, count] (Friedman & Dieng 2023, definition 3.1).

    Similarity is the cosine of features, which are not centred. The score grows with the number of samples: compare it
    only at equal numbers, with that of real samples.

    >>> import torch
    >>> round(vendi(torch.eye(3).repeat(2, 1)), 6)
    3.0

    Raises:
        SparringError: no samples, values that are not finite, or not (count, features).
    """
    if features.dim() != 2 or len(features) == 0 or not features.isfinite().all():
        raise SparringError(
            found=f"features of shape {tuple(features.shape)}, empty or with values that are not finite",
            expected="finite features (count, features)",
            remedy="inspect the samples: a diverged model generates such values",
        )
    rows = features.detach().double()
    # Of unit length, so that inner products are cosines: (count, features).
    rows = rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-12)
    # XᵀX and XXᵀ have the same eigenvalues apart from zeros: take the smaller.
    return vendi_of_similarities(rows @ rows.T if len(rows) <= rows.shape[1] else rows.T @ rows, len(rows))


def vendi_of_similarities(similarities: Float[Tensor, "n n"], count: int | None = None) -> float:
    """Return exp(−Σ λ ln λ) over the eigenvalues λ of ``similarities`` / ``count``.

    Args:
        similarities: symmetric, positive semidefinite, 1 on the diagonal; or a smaller matrix with the same
            eigenvalues other than zero.
        count: number of samples; None for the number of rows.
    """
    # Clamping makes 0 · ln 0 equal to its limit, 0.
    shares = linalg.eigvalsh(similarities.double() / (count or len(similarities))).clamp(min=1e-300)
    return float((-(shares * shares.log()).sum()).exp())


def inception_score(probabilities: Float[Tensor, "count classes"], splits: int = 1) -> float:
    """Return exp(mean KL(p(y|x) ‖ p(y))), in [1, classes] (Salimans et al. 2016, section 4); higher is better.

    It grows with the number of samples and knows no real ones: compare it only at equal numbers, for one classifier,
    with that of real samples.

    Args:
        probabilities: p(y|x), a classifier's prediction for each sample.
        splits: equal parts, in the order given, whose scores are averaged; 10 of 5,000 samples each in the paper's
            code.

    Raises:
        SparringError: rows that are not probabilities, or fewer samples than splits.
    """
    count = len(probabilities)
    if not 1 <= splits <= count:
        raise SparringError(
            found=f"{count} samples and {splits} splits",
            expected="at least one split with at least one sample",
            remedy="give more samples or fewer splits",
        )
    shares = _probabilities(probabilities)
    return fmean(_one_score(shares[part * count // splits : (part + 1) * count // splits]) for part in range(splits))


def _one_score(shares: Tensor) -> float:
    # The mean divergence from the mean is the entropy of the mean minus the mean entropy.
    return float((entr(shares.mean(0)).sum() - entr(shares).sum(1).mean()).exp())


def _probabilities(rows: Tensor) -> Tensor:
    """Return the rows in float64, or refuse what is not a distribution."""
    shares = rows.detach().double()
    valid = shares.dim() == 2 and (shares >= 0).all() and ((shares.sum(1) - 1).abs() <= TOLERANCE).all()
    if not valid:
        raise SparringError(
            found=f"values of shape {tuple(rows.shape)} in which not all rows are probabilities",
            expected="(count, classes), finite, none negative, each row with sum 1",
            remedy="give the output of a softmax, not logits; check for samples that are not finite",
        )
    return shares
