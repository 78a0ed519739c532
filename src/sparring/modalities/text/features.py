"""Texts as features: n-grams for metrics, and cheaply for the watchdog."""

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor

from sparring.data.dataset import Split
from sparring.data.facts import Facts
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.extractors.own_function import named_or_own
from sparring.modalities.text.render import lengths
from sparring.randomness import derive, generator
from sparring.tokens import END

BUCKETS, LONGEST = 2**14, 3
"""Numbers that n-grams are hashed to, and tokens of the longest."""
COMPONENTS = 64
"""Features of a text."""
FITTED = 10_000
"""Training texts by which the features are chosen."""
CHEAP, CHEAP_BUCKETS = 32, 4096
"""Features for the watchdog, per length of n-gram."""


def hashed(samples: Tensor, size: int, buckets: int) -> Tensor:
    """Return the bucket of the n-gram of ``size`` tokens that ends at each place, (count, places); −1 after the end."""
    if samples.shape[1] < size:
        return samples[:, :0]
    ended = (samples == END).cumsum(1) > 0
    found = torch.zeros_like(samples[:, size - 1 :])
    for offset in range(size):
        # A multiplicative hash (Knuth, volume 3, section 6.4), token by token.
        found = ((found + samples[:, offset : samples.shape[1] - size + 1 + offset] + 1) * 2_654_435_761) % (2**31)
    return (found % buckets).masked_fill(ended[:, size - 1 :], -1)


def gram_counts(samples: Tensor) -> csr_matrix:
    """Return how often each text has an n-gram of each bucket, (count, sizes × buckets)."""
    samples = samples.cpu()
    rows, columns = list[Tensor](), list[Tensor]()
    for size in range(1, LONGEST + 1):
        places = hashed(samples, size, BUCKETS)
        row, place = torch.nonzero(places >= 0, as_tuple=True)
        rows.append(row)
        columns.append(places[row, place] + (size - 1) * BUCKETS)
    row_, column = torch.cat(rows).numpy(), torch.cat(columns).numpy()
    shape = len(samples), LONGEST * BUCKETS
    return csr_matrix((np.ones(len(row_), dtype=np.float32), (row_, column)), shape=shape)


def cheap_features(samples: Tensor, facts: Facts) -> Float[Tensor, "count features"]:
    """Return random projections of the shares of tokens and of pairs of tokens, and the relative length."""
    parts = [lengths(samples)[:, None] / samples.shape[1]]
    for size in (1, 2):
        table = torch.randn(CHEAP_BUCKETS + 1, CHEAP, generator=generator(size, "n-grams")).to(samples.device)
        table[CHEAP_BUCKETS] = 0.0  # n-grams after the end.
        places = hashed(samples, size, CHEAP_BUCKETS)
        counted = (places >= 0).sum(1, keepdim=True).clamp_min(1)
        parts.append(table[torch.where(places < 0, CHEAP_BUCKETS, places)].sum(1) / counted.sqrt())
    return torch.cat(parts, 1).float()


def extra_signals(real: Tensor, fake: Tensor) -> dict[str, float]:
    """Return the watchdog's signals of texts alone: ``repeated``, the share of generated texts that occur twice."""
    return {"repeated": 1 - len(fake.unique(dim=0)) / max(1, len(fake))}


def scaled(counts: csr_matrix, weights: NDArray[np.float64]) -> csr_matrix:
    """Return weighted counts, each row with the length one."""
    weighted = counts.multiply(weights[None]).tocsr()
    norms = np.sqrt(np.asarray(weighted.multiply(weighted).sum(1)).ravel())
    return weighted.multiply(1 / np.maximum(norms, 1e-9)[:, None]).tocsr()


@final
class NGrams:
    """Latent semantic analysis (Deerwester et al. 1990) of n-grams of one to three tokens.

    Counts are hashed, weighted by log(1 + count) and by how few training texts have them, and scaled to length one;
    their 64 components of largest variance among the training texts are the features.

    Args:
        split: the texts.
        seed: draws the training texts that decide the components.
    """

    name = "n-grams"
    cacheable = False

    def __init__(self, split: Split, seed: int) -> None:
        from sklearn.decomposition import TruncatedSVD

        rows = torch.randperm(len(split.train), generator=generator(seed, "n-grams"))[:FITTED].sort().values
        counts = gram_counts(split.train.batch(rows.numpy()).real)
        present = np.asarray((counts > 0).sum(0)).ravel()
        self._weights = np.log((1 + counts.shape[0]) / (1 + present))
        weighted = self._weighted(counts)
        size = max(1, min(COMPONENTS, counts.shape[0] - 1))
        self._analysis = TruncatedSVD(size, random_state=derive(seed, "components") % 2**32).fit(weighted)
        spread = np.asarray(self._analysis.transform(weighted)).std(0)
        self._scale = 1 / max(float(spread.max()), 1e-6)

    def __call__(self, samples: Tensor) -> Float[Tensor, "count features"]:
        """Return the features of texts."""
        found = self._analysis.transform(self._weighted(gram_counts(samples)))
        return torch.from_numpy(np.asarray(found) * self._scale).float()

    def _weighted(self, counts: csr_matrix) -> csr_matrix:
        weighted = counts.copy()
        weighted.data = np.log1p(weighted.data)
        return scaled(weighted, self._weights)


def extractors(split: Split, seed: int, names: Sequence[str] = ()) -> Mapping[str, Extractor]:
    """Return the named extractors: ``n-grams``, the default, or the user's own ``file.py:function``.

    Raises:
        SparringError: there is no extractor of such a name.
    """
    return named_or_own(names, NGrams.name, lambda: NGrams(split, seed))
