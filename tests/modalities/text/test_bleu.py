"""BLEU: values by its formula."""

import math

import pytest

from sparring.modalities.text.bleu import bleu, self_bleu


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
