"""BLEU of texts against many references, and of texts against one another, as Texygen computes them (Zhu et al. 2018).

Sentences are scored one by one and averaged (Papineni et al. 2002, with the smoothing "method 1" of Chen & Cherry 2014:
0.1 in place of no match). All references count for every sentence.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeAlias, final

Tokens: TypeAlias = Sequence[Hashable]

EPSILON = 0.1
"""Matches in place of none."""


@final
class References:
    """Most frequent use of every n-gram in one of the references, and the second most in another.

    Args:
        texts: the references.
        longest: words of the longest n-gram.
    """

    def __init__(self, texts: Sequence[Tokens], longest: int) -> None:
        self.lengths = sorted(map(len, texts))
        self.most: dict[tuple[Hashable, ...], tuple[int, int, int]] = {}
        for number, text in enumerate(texts):
            for size in range(1, longest + 1):
                for gram, count in _counts(text, size).items():
                    first, owner, second = self.most.get(gram, (0, -1, 0))
                    if count > first:
                        self.most[gram] = (count, number, first)
                    elif count > second:
                        self.most[gram] = (first, owner, count)

    def clipped(self, gram: tuple[Hashable, ...], count: int, without: int = -1) -> int:
        """Return ``count``, at most that of a reference other than the one of number ``without``."""
        first, owner, second = self.most.get(gram, (0, -1, 0))
        return min(count, second if owner == without else first)

    def closest_length(self, length: int, *, without_own: bool = False) -> int:
        """Return the length of the reference that is closest to ``length``, the shorter one of two.

        Args:
            length: of the text.
            without_own: whether one reference of this length is the text itself.
        """
        place = bisect_left(self.lengths, length)
        after = place + without_own
        near = self.lengths[max(0, place - 1) : place] + self.lengths[after : after + 1]
        return min(near, key=lambda one: (abs(one - length), one)) if near else length


def bleu(texts: Sequence[Tokens], references: Sequence[Tokens], longest: int = 5) -> dict[int, float]:
    """Return the mean BLEU of texts against all references, by the words of the longest n-gram: 2 to ``longest``."""
    known = References(references, longest)
    return _mean([_score(text, known, longest) for text in texts], longest)


def self_bleu(texts: Sequence[Tokens], longest: int = 5) -> dict[int, float]:
    """Return the mean BLEU of texts against all others: 1 where all are equal."""
    known = References(texts, longest)
    return _mean([_score(text, known, longest, own=number) for number, text in enumerate(texts)], longest)


def corpus_bleu(texts: Sequence[Tokens], references: Sequence[Tokens], longest: int = 4) -> float:
    """Return BLEU of a whole set of texts against one reference each (Papineni et al. 2002, section 2.3).

    Matches of all texts are counted before the precisions are formed, without smoothing: 0 where no n-gram of some
    length matches. Lengths that no reference has are left out.

    >>> corpus_bleu(["abcde", "xyz"], ["abcde", "xyz"])
    1.0
    >>> round(corpus_bleu(["the cat sat on a mat".split()], ["the cat sat on the mat".split()]), 4)
    0.5373
    """
    sizes = range(1, max(1, min(longest, max(map(len, references), default=1))) + 1)
    logarithms = list[float]()
    for size in sizes:
        matches = total = 0
        for text, reference in zip(texts, references, strict=True):
            counts = _counts(text, size)
            matches += (counts & _counts(reference, size)).total()
            total += counts.total()
        if not matches:
            return 0.0
        logarithms.append(math.log(matches / total))
    brevity = min(0.0, 1 - sum(map(len, references)) / sum(map(len, texts)))
    return math.exp(brevity + sum(logarithms) / len(logarithms))


def sentence_bleu(text: Tokens, reference: Tokens, longest: int = 4) -> float:
    """Return BLEU of one text against one reference, with 1 added to counts of two tokens and more (Lin & Och 2004).

    >>> sentence_bleu("abcd", "abcd"), sentence_bleu("xyz", "abcd")
    (1.0, 0.0)
    """
    logarithm = 0.0
    for size in range(1, longest + 1):
        counts = _counts(text, size)
        matches, added = (counts & _counts(reference, size)).total(), int(size > 1)
        if size == 1 and not matches:
            return 0.0
        logarithm += math.log((matches + added) / (counts.total() + added)) / longest
    return math.exp(min(0.0, 1 - len(reference) / len(text)) + logarithm)


def _score(text: Tokens, known: References, longest: int, own: int = -1) -> dict[int, float]:
    """Return the BLEU of one text by the words of the longest n-gram."""
    logarithms = list[float]()
    for size in range(1, longest + 1):
        counts = _counts(text, size)
        matches = sum(known.clipped(gram, count, own) for gram, count in counts.items())
        if size == 1 and not matches:
            return dict.fromkeys(range(2, longest + 1), 0.0)
        logarithms.append(math.log((matches or EPSILON) / max(1, counts.total())))
    length = len(text)
    closest = known.closest_length(length, without_own=own >= 0)
    brevity = min(0.0, 1 - closest / max(1, length))
    return {size: math.exp(brevity + sum(logarithms[:size]) / size) for size in range(2, longest + 1)}


def _counts(text: Tokens, size: int) -> Counter[tuple[Hashable, ...]]:
    return Counter(zip(*(text[start:] for start in range(size)), strict=False))


def _mean(scores: Sequence[Mapping[int, float]], longest: int) -> dict[int, float]:
    return {size: sum(one[size] for one in scores) / max(1, len(scores)) for size in range(2, longest + 1)}
