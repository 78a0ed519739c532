"""Texts that were made from others: beside their sources, against the true ones, and without a model."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse import csr_matrix
from torch import Tensor

from sparring.data.dataset import Split
from sparring.data.facts import Facts
from sparring.data.sequences.coding import source_of
from sparring.flow import Batch
from sparring.modalities.text.bleu import corpus_bleu, sentence_bleu
from sparring.modalities.text.features import scaled
from sparring.modalities.text.metrics import tokens_of
from sparring.modalities.text.render import decoded
from sparring.rendering.exhibits import Table
from sparring.tokens import END, Prompt

SEARCHED = 50_000
"""Training pairs among which the nearest source is looked for."""
AT_ONCE = 1000
"""Sources that are compared with all of these at once."""
LONGEST = 4
"""Tokens of the longest n-gram of BLEU."""


def sources_of(batch: Batch) -> Tensor | None:
    """Return the tokens of the sources of a batch, (count, source length); None for plain texts."""
    return batch.condition.source if isinstance(batch.condition, Prompt) else None


def paired(fake: Tensor, true: Tensor) -> dict[str, float]:
    """Return BLEU-4 of all texts together against the true ones, and the share of texts that are equal to these."""
    texts, references = tokens_of(fake), tokens_of(true)
    equal = sum(text == reference for text, reference in zip(texts, references, strict=True))
    return {"corpus_bleu": corpus_bleu(texts, references, LONGEST), "exact": equal / max(1, len(texts))}


def similarity(fake: Tensor, true: Tensor) -> Float[Tensor, " count"]:
    """Return the sentence BLEU-4 of each text against the true one; the reward of ``text/translate-gan``."""
    pairs = zip(tokens_of(fake), tokens_of(true), strict=True)
    return torch.tensor([sentence_bleu(text, reference, LONGEST) for text, reference in pairs], device=fake.device)


def shown(batch: Batch, sources: Tensor, facts: Facts, true: Tensor | None = None) -> Table:
    """Return the texts of a batch beside their sources, and beside the true ones where they are known."""
    coding = source_of(facts)
    source, text = coding.columns
    columns = [[coding.tokeniser.decode(row) for row in sources.tolist()], decoded(batch.real, facts)]
    header: tuple[str, ...] = coding.columns
    if true is not None:
        columns, header = [*columns, decoded(true, facts)], (source, f"{text}, generated", f"{text}, true")
    return Table(header, tuple(zip(*columns, strict=True)), words=f"{len(sources)} texts beside their sources")


def nearest(batch: Batch, split: Split) -> Mapping[str, Tensor]:
    """Return the text of the training pair whose source shares most tokens with that of each row, by the cosine.

    Rarer tokens count more (Salton & Buckley 1988: tf-idf). A source that is itself among the data does not count.
    """
    asked = sources_of(batch)
    known = split.train.batch(slice(0, SEARCHED))
    theirs = sources_of(known)
    if asked is None or theirs is None:
        return {}
    size = source_of(split.facts).tokeniser.size
    counts = _counts(theirs, size)
    rare = np.log((1 + counts.shape[0]) / (1 + np.asarray((counts > 0).sum(0)).ravel()))
    candidates = scaled(counts, rare)
    rows = list[int]()
    for some in asked.split(AT_ONCE):
        likeness = (scaled(_counts(some, size), rare) @ candidates.T).toarray()
        for own, each in zip(some, likeness, strict=True):
            equal = (theirs == own).all(1).numpy()
            rows.append(int(np.where(equal, -1.0, each).argmax()))
    return {"nearest training source": known.real[rows]}


def difference(one: Tensor, other: Tensor) -> Float[Tensor, " count"]:
    """Return the share of places, up to the end of the longer text, at which texts and their counterparts differ."""
    there = (one != END) | (other != END)
    return ((one != other) & there).sum(1) / there.sum(1).clamp_min(1).double()


def _counts(sources: Tensor, size: int) -> csr_matrix:
    rows, places = torch.nonzero(sources != END, as_tuple=True)
    columns = sources[rows, places].numpy()
    return csr_matrix((np.ones(len(rows)), (rows.numpy(), columns)), shape=(len(sources), size))
