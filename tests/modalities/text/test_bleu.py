"""BLEU: values by its formula."""

import math

import pytest

from sparring.modalities.text.bleu import bleu, corpus_bleu, self_bleu, sentence_bleu


def test_a_text_among_the_references_scores_one() -> None:
    text = ["a", "man", "rides", "a", "red", "bike"]
    assert bleu([text], [text, ["other"]], 4) == pytest.approx({2: 1.0, 3: 1.0, 4: 1.0})


def test_matches_are_clipped_and_short_texts_are_penalised() -> None:
    """Seven times "the" has two of seven words of "the cat is on the mat" (Papineni et al. 2002, section 2.1)."""
    found = bleu([["the"] * 7], [["the", "cat", "is", "on", "the", "mat"]], 2)[2]
    # The closest reference is shorter, so there is no penalty; no bigram matches: 0.1 of 6.
    assert found == pytest.approx(math.sqrt(2 / 7 * 0.1 / 6))
    brief = bleu([["the", "cat"]], [["the", "cat", "is", "on", "the", "mat"]], 2)[2]
    assert brief == pytest.approx(math.exp(1 - 6 / 2))


def test_all_references_count_and_nothing_in_common_is_zero() -> None:
    assert bleu([list("abcd")], [list("abxx"), list("xxcd")], 2)[2] == pytest.approx(math.sqrt(1 * 2 / 3))
    assert bleu([list("ab")], [list("cd")], 3) == {2: 0.0, 3: 0.0}


def test_self_bleu_leaves_each_text_out() -> None:
    texts = [list("abcd"), list("abcd"), list("wxyz")]
    found = self_bleu(texts, 2)[2]
    assert found == pytest.approx(2 / 3)
    others = [bleu([text], texts[:number] + texts[number + 1 :], 2)[2] for number, text in enumerate(texts)]
    assert found == pytest.approx(sum(others) / 3)


def test_bleu_of_a_set_counts_the_matches_of_all_texts_together() -> None:
    """5/6, 3/5, 2/4 and 1/3 of the n-grams of one sentence match; a second one, too short, shortens all."""
    text, reference = ["the", "cat", "sat", "on", "a", "mat"], ["the", "cat", "sat", "on", "the", "mat"]
    assert corpus_bleu([text], [reference]) == pytest.approx((5 / 6 * 3 / 5 / 2 / 3) ** 0.25)
    both = corpus_bleu([text, ["a"]], [reference, ["a", "dog"]])
    assert both == pytest.approx(math.exp(1 - 8 / 7) * (6 / 7 * 3 / 5 / 2 / 3) ** 0.25)
    assert corpus_bleu(["ab"], ["ab"]) == 1.0 and corpus_bleu(["abcd"], ["abdc"]) == 0.0


def test_bleu_of_a_sentence_is_smoothed() -> None:
    assert sentence_bleu("abcd", "abcd") == 1.0 and sentence_bleu("xyz", "abcd") == sentence_bleu("", "a") == 0.0
    assert 0 < sentence_bleu("abdc", "abcd") < sentence_bleu("abcc", "abcd") < 1
