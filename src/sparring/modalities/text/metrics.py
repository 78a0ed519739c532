"""Metrics of texts, as the evaluation asks for them."""

from functools import cache, partial

from torch import Tensor

from sparring.data.dataset import Split
from sparring.metrics.metric import MetricValues
from sparring.metrics.sample_sets import Repeat, SampleMetrics, Subset, cached
from sparring.modalities.text.bleu import bleu, self_bleu
from sparring.modalities.text.classes import class_metrics, classifier
from sparring.tokens import END

LONGEST = 5
"""Tokens of the longest n-gram of BLEU."""


def measure(split: Split, seed: int, *, further: bool = True) -> SampleMetrics:
    """Return BLEU against training texts, BLEU of texts against one another, and the shares of distinct and new ones.

    With classes also ``class_metrics``: predictions for generated texts beside those for held-out ones.

    Args:
        split: the texts.
        seed: of the classifier.
        further: all lengths of n-grams, rather than two and four tokens.
    """
    # The classifier is fitted on first use: never, where all metrics come from the cache.
    classifier_of = cache(partial(classifier, split, seed))
    known = {tuple(row) for row in tokens_of(split.train.batch(slice(0, len(split.train))).real)}

    def one_side(one: Repeat, side: Subset) -> MetricValues:
        texts, references = tokens_of(side.batch().real), tokens_of(one.real.batch().real)
        against, own = bleu(texts, references, LONGEST), self_bleu(texts, LONGEST)
        sizes = range(2, LONGEST + 1) if further else (2, 4)
        found: MetricValues = {f"bleu_{size}": against[size] for size in sizes}
        found |= {f"self_bleu_{size}": own[size] for size in sizes}
        found["distinct"] = len({*map(tuple, texts)}) / max(1, len(texts))
        found["novel"] = sum(tuple(text) not in known for text in texts) / max(1, len(texts))
        return found

    def compute(one: Repeat) -> tuple[MetricValues, MetricValues]:
        sides = one_side(one, one.fake), one_side(one, one.floor)
        predicted = [class_metrics(side.batch(), classifier_of(), split) for side in (one.fake, one.held_out)]
        # Without requested classes there is nothing for predictions to agree with.
        if "agreement" not in predicted[0]:
            predicted[1].pop("agreement", None)
        return {**sides[0], **predicted[0]}, {**sides[1], **predicted[1]}

    return cached(f"text {split.facts.fingerprint} {seed} {further}", compute)


def tokens_of(samples: Tensor) -> list[list[int]]:
    """Return the tokens of each text, without its end."""
    return [row[: row.index(END)] if END in row else row for row in samples.tolist()]
