"""Tokenisers: what is encoded and decoded again is the same text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparring.data.words import MAX_VOCABULARY, Kind, Tokeniser, fit
from sparring.tokens import END, SPECIAL, UNKNOWN

TEXTS = [
    "a man riding a bike.",
    "def f(x):\n    return  x\n",
    "床前明月光，疑是地上霜。",
    "naïve — “quoted” 3.5%",
    " two  spaces ",
]


@pytest.mark.parametrize("kind", MAX_VOCABULARY)
def test_texts_survive_every_tokeniser(kind: Kind) -> None:
    tokeniser = fit(kind, TEXTS)
    for text in TEXTS:
        tokens = tokeniser.encode(text)
        assert tokeniser.decode([*tokens, END, 3]) == text
        assert all(SPECIAL <= token < tokeniser.size for token in tokens)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=40))
def test_bytes_and_pairs_encode_any_text(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    for kind in ("bytes", "pairs"):
        tokeniser = fit(kind, ["some text"], 300)
        assert tokeniser.decode(tokeniser.encode(text)) == text


def test_the_first_word_is_the_word_inside_a_sentence() -> None:
    tokeniser = fit("words", ["the cat sees the dog"])
    first, *_, later, _ = tokeniser.encode("the cat sees the dog")
    assert first == later and len(tokeniser.vocabulary) == 4


def test_chinese_characters_are_words() -> None:
    assert len(fit("words", ["床前明月光"]).encode("床前明月光")) == 5


def test_rare_units_are_unknown() -> None:
    tokeniser = fit("characters", ["aaab", "aac"], 1)
    assert tokeniser.vocabulary == ("a",) and tokeniser.encode("aba") == [SPECIAL, UNKNOWN, SPECIAL]
    assert tokeniser.decode([SPECIAL, UNKNOWN]) == "a\N{REPLACEMENT CHARACTER}"


def test_the_order_of_texts_does_not_matter() -> None:
    assert fit("words", ["b a", "c a"]) == fit("words", ["c a", "b a"])


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert Tokeniser("bytes").decode([SPECIAL + 0xFF, SPECIAL + 0x61]) == "\N{REPLACEMENT CHARACTER}a"
