"""How various one set of samples is."""

from statistics import fmean

from jaxtyping import Float
from torch import Tensor, linalg
from torch.special import entr

from sparring.errors import SparringError
from sparring.metrics.distances import Features

LARGEST_EXCESS = 1e-3
"""By how much the sum of probabilities may differ from 1."""


def vendi(features: Features) -> float:
    """The effective number of different samples, in [1, count] (Friedman & Dieng 2023, definition 3.1).

    Similarity is the cosine of features from which nothing was subtracted. It grows with the number of samples:
    compare it only at equal numbers, with what real samples reach.

    Raises:
        SparringError: no samples, values that are not finite, or not (count, features).
    """
    if features.dim() != 2 or len(features) == 0 or not features.isfinite().all():
        raise SparringError(
            found=f"features of shape {tuple(features.shape)}, empty or with values that are not finite",
            expected="finite features (count, features)",
            remedy="look at the samples: a run that has diverged generates such ones",
        )
    rows = features.detach().double()
    rows = rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-12)
    # XᵀX and XXᵀ have the same eigenvalues but for zeros: take the smaller.
    return vendi_of_similarities(rows @ rows.T if len(rows) <= rows.shape[1] else rows.T @ rows, len(rows))


def vendi_of_similarities(similarities: Float[Tensor, "n n"], count: int | None = None) -> float:
    """exp(−Σ λ ln λ) over the eigenvalues λ of ``similarities`` / ``count``.

    Args:
        similarities: symmetric, positive semidefinite, 1 on the diagonal; or a smaller matrix of the same eigenvalues.
        count: samples; None for as many as there are rows.
    """
    shares = linalg.eigvalsh(similarities.double() / (count or len(similarities))).clamp(min=1e-300)
    return float((-(shares * shares.log()).sum()).exp())


def inception_score(probabilities: Float[Tensor, "count classes"], splits: int = 1) -> float:
    """exp(mean KL(p(y|x) ‖ p(y))), in [1, classes] (Salimans et al. 2016, section 4); more is better.

    It grows with the number of samples and says nothing about real ones: compare it only at equal numbers, of one
    classifier, with what real samples reach.

    Args:
        probabilities: p(y|x), what a classifier says of each sample.
        splits: equal parts, in the order given, over whose scores the mean is taken; 10 of 5,000 samples each in the
            paper's code.

    Raises:
        SparringError: rows that are not probabilities, or fewer samples than splits.
    """
    count = len(probabilities)
    if not 1 <= splits <= count:
        raise SparringError(
            found=f"{count} samples and {splits} splits",
            expected="at least one split, and a sample in each",
            remedy="give more samples, or ask for fewer splits",
        )
    shares = _probabilities(probabilities)
    return fmean(_one_score(shares[part * count // splits : (part + 1) * count // splits]) for part in range(splits))


def _one_score(shares: Tensor) -> float:
    # The mean divergence from the mean is the entropy of the mean less the mean entropy.
    return float((entr(shares.mean(0)).sum() - entr(shares).sum(1).mean()).exp())


def _probabilities(rows: Tensor) -> Tensor:
    """The rows in float64."""
    shares = rows.detach().double()
    fine = shares.dim() == 2 and (shares >= 0).all() and ((shares.sum(1) - 1).abs() <= LARGEST_EXCESS).all()
    if not fine:
        raise SparringError(
            found=f"values of shape {tuple(rows.shape)} of which not all rows are probabilities",
            expected="(count, classes), finite, none negative, each row with the sum 1",
            remedy="give what a softmax gives, not scores; look at samples that are not finite",
        )
    return shares
