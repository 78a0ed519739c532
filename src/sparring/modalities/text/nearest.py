"""Nearest texts by the n-grams that they have in common."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.modalities.text.features import hashed
from sparring.modality import Neighbours
from sparring.tokens import END

SIZES = (2, 3)
"""Tokens of the n-grams, the edges of a text included."""
BUCKETS = 2**20
"""Numbers that the n-grams of one size are hashed to; so many that few of them meet."""
LEFT, RIGHT = 2**20, 2**20 + 1
"""Tokens that stand for the edges of a text."""
TOKENS_AT_ONCE, TEXTS_AT_ONCE = 2**22, 256
"""Tokens of the texts that are searched at once, and texts that are looked for at once."""
RAREST, CANDIDATES = 8, 48
"""N-grams of a text by which others are found, and those of them whose distances are computed."""


def nearest(samples: Tensor, among: Dataset, own: Tensor | None = None) -> Neighbours:
    """Return the nearest of other texts for each text.

    The distance is the Jaccard distance of the sets of n-grams, the share of the n-grams of either text that are not in
    both: 0 for equal texts, 1 for texts without a common pair of tokens. It is computed for those of the other texts
    that have the most of the rarest n-grams of a text.

    Args:
        samples: the texts, (count, length).
        among: the others.
        own: row of each text itself among the others, which does not count, (count,); None without.
    """
    wanted = _grams(samples)
    best, rows = np.ones(len(samples)), np.zeros(len(samples), dtype=np.int64)
    size = max(1, TOKENS_AT_ONCE // samples.shape[1])
    for start in range(0, len(among), size):
        part = _grams(among.batch(slice(start, start + size)).real)
        postings = part.T.tocsr()
        for first in range(0, len(samples), TEXTS_AT_ONCE):
            chunk = slice(first, first + TEXTS_AT_ONCE)
            query, other = _candidates(wanted[chunk], postings)
            if own is not None:
                query, other = (side[other != own[chunk].numpy()[query] - start] for side in (query, other))
            distances = _distances(wanted[first + query], part[other])
            # The last of equal rows wins an assignment: the nearest, and of equally near ones the first.
            order = np.lexsort((-other, -distances))
            query, other, distances = first + query[order], other[order] + start, distances[order]
            found, found_rows = np.ones(len(samples)), np.zeros(len(samples), dtype=np.int64)
            found[query], found_rows[query] = distances, other
            rows, best = np.where(found < best, found_rows, rows), np.minimum(found, best)
    return Neighbours(torch.from_numpy(best), torch.from_numpy(rows))


def _candidates(wanted: csr_matrix, postings: csr_matrix) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of a text and of one that may be its nearest: numbers of both.

    Args:
        wanted: n-grams of texts, (count, n-grams).
        postings: n-grams of the others, (n-grams, others).
    """
    frequency = np.diff(postings.indptr)[wanted.indices]
    row = np.repeat(np.arange(wanted.shape[0]), np.diff(wanted.indptr))
    present = frequency > 0
    row, gram, frequency = row[present], wanted.indices[present], frequency[present]
    order = np.lexsort((frequency, row))
    row, gram, frequency = row[order], gram[order], frequency[order]
    rare = _rank(row) < RAREST
    weights = np.log1p(postings.shape[1] / frequency[rare]).astype(np.float32)
    probe = csr_matrix((weights, (row[rare], gram[rare])), shape=wanted.shape)
    common = (probe @ postings).tocoo()
    order = np.lexsort((common.col, -common.data, common.row))
    row, other = common.row[order].astype(np.int64), common.col[order].astype(np.int64)
    kept = _rank(row) < CANDIDATES
    return row[kept], other[kept]


def _rank(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each entry within its row, from 0; ``rows`` are sorted."""
    place = np.arange(len(rows))
    begins = np.concatenate([[True], rows[1:] != rows[:-1]]) if len(rows) else np.zeros(0, dtype=bool)
    return place - np.maximum.accumulate(np.where(begins, place, 0))


def _distances(one: csr_matrix, other: csr_matrix) -> NDArray[np.float64]:
    """Return the Jaccard distances of texts, row by row."""
    common = np.asarray(one.multiply(other).sum(1), dtype=np.float64).ravel()
    either = np.diff(one.indptr) + np.diff(other.indptr) - common
    distances: NDArray[np.float64] = 1 - common / np.maximum(either, 1)
    return distances


def _grams(samples: Tensor) -> csr_matrix:
    """Return which n-grams each text has, (count, sizes × buckets), 1 for each of them."""
    ended = samples == END
    inside = samples.masked_fill(ended & (ended.cumsum(1) == 1), RIGHT)
    last = torch.where(ended.any(1), END, RIGHT)
    edged = torch.cat([torch.full_like(samples[:, :1], LEFT), inside, last[:, None]], 1)
    keys = list[NDArray[np.int64]]()
    for number, size in enumerate(SIZES):
        places = hashed(edged, size, BUCKETS)
        row, place = torch.nonzero(places >= 0, as_tuple=True)
        keys.append((row * (len(SIZES) * BUCKETS) + number * BUCKETS + places[row, place]).numpy())
    # Each n-gram of a text counts once.
    every = np.sort(np.concatenate(keys))
    row_, column = np.divmod(every[np.diff(every, prepend=-1) > 0], len(SIZES) * BUCKETS)
    shape = len(samples), len(SIZES) * BUCKETS
    return csr_matrix((np.ones(len(row_), dtype=np.float32), (row_, column)), shape=shape)
