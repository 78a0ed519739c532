"""How various one set of samples is."""

from jaxtyping import Float
from torch import Tensor, linalg

from sparring.errors import SparringError
from sparring.evaluation.distances import Features


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
