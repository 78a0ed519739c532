"""Sequences of tokens: networks read and generate alike, likelihoods are those of the distribution that is drawn."""

import itertools

import pytest
import torch
from torch import nn

from sparring.games.language import LanguageModel
from sparring.games.policy import completions
from sparring.games.relaxed import gumbel, noisy_tokens
from sparring.games.sequences import counted_tokens, drawn, generated, surprises
from sparring.layers.tokens.lstm import LSTMPredictor
from sparring.layers.tokens.transformer import TransformerPredictor
from sparring.modalities.text.networks.relgan import RelationalPredictor
from sparring.randomness import RandomStream, seeded
from sparring.tokens import END, UNKNOWN, Prompt, no_prompt

KINDS = (LSTMPredictor, TransformerPredictor, RelationalPredictor)
VOCABULARY, LENGTH = 5, 3


def network(kind: type[nn.Module], *, has_end: bool = True, classes: int = 0, length: int = LENGTH) -> nn.Module:
    small = {RelationalPredictor: {"head_size": 8}, TransformerPredictor: {"width": 8, "blocks": 2, "heads": 2}}
    fields = small.get(kind, {"width": 8, "embedding": 8, "layers": 2})
    with seeded(0, "weights"):
        found = kind(vocabulary=VOCABULARY, length=length, has_end=has_end, classes=classes, **fields)
        for one in found.parameters():
            nn.init.normal_(one, std=0.7)
    return found.eval()


def sequences(tokens: list[int]) -> list[tuple[int, ...]]:
    """Return all sequences of tokens whose ends are at their end."""
    every = itertools.product(tokens, repeat=LENGTH)
    return [one for one in every if END not in one or not any(one[one.index(END) :])]


def stream(rows: int) -> RandomStream:
    return RandomStream(0, 0, rows, slice(0, rows))


@pytest.mark.parametrize("kind", KINDS)
def test_steps_and_whole_sequences_give_the_same_logits(kind: type[nn.Module]) -> None:
    player = network(kind, classes=2)
    prompt = no_prompt(4, LENGTH)._replace(label=torch.tensor([0, 1, -1, 0]))
    tokens = torch.tensor([[2, 3, 4], [4, 4, 2], [3, 2, 2], [2, 2, 2]])
    state, before, logits = player.begin(prompt), torch.full((4,), VOCABULARY), []
    for place in range(LENGTH):
        one, state = player.step(before, state)
        logits.append(one)
        before = tokens[:, place]
    torch.testing.assert_close(torch.stack(logits, 1), player(tokens, prompt), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("has_end", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_likelihoods_add_up_to_one_and_are_those_that_are_drawn(kind: type[nn.Module], has_end: bool) -> None:
    """Over all sequences; and the frequencies of 20,000 generated ones are near them."""
    player = network(kind, has_end=has_end)
    tokens = [2, 3, 4, END] if has_end else [2, 3, 4]
    all_ = torch.tensor([one for one in sequences(tokens) if one[0] != END])
    with torch.no_grad():
        likely = (-surprises(player, all_, no_prompt(len(all_), LENGTH))[0].sum(1)).exp()
        assert float(likely.sum()) == pytest.approx(1.0, abs=1e-4)
        drawn = generated(player, stream(20_000).uniform("u", LENGTH), no_prompt(20_000, LENGTH))
        other, _ = noisy_tokens(player, gumbel(stream(20_000), LENGTH, VOCABULARY), no_prompt(20_000, LENGTH))
    for made in (drawn, other):
        assert not (made == UNKNOWN).any() and not (made[:, 0] == END).any() and (has_end or not (made == END).any())
        found = torch.stack([(made == one).all(1).float().mean() for one in all_])
        assert float((found - likely).abs().max()) < 0.015


@pytest.mark.parametrize("known", [1, 2])
def test_texts_may_end_with_their_prefix_and_likelihoods_still_add_up_to_one(known: int) -> None:
    """Without a prefix no text is empty; one that is no more than the prefix has the likelihood of its end."""
    player = network(LSTMPredictor)
    prefix = (3, 4)[:known]
    all_ = torch.tensor([one for one in sequences([2, 3, 4, END]) if one[:known] == prefix])
    prompt = no_prompt(len(all_), LENGTH)._replace(tokens=all_, known=torch.full((len(all_),), known))
    with torch.no_grad():
        likely = (-surprises(player, all_, prompt)[0].sum(1)).exp()
    ends_there = (all_ != END).sum(1) == known
    assert float(likely.sum()) == pytest.approx(1.0, abs=1e-4) and 0 < float(likely[ends_there]) < 1


def test_prefixes_are_kept_and_cost_nothing() -> None:
    player = network(LSTMPredictor)
    prompt = no_prompt(50, LENGTH)
    prompt = prompt._replace(tokens=torch.tensor([[3, 4, 0]]).expand(50, -1), known=torch.full((50,), 2))
    made = generated(player, stream(50).uniform("u", LENGTH), prompt)
    assert (made[:, :2] == torch.tensor([3, 4])).all() and len(made[:, 2].unique()) > 1
    surprise, counted = surprises(player, made, prompt)
    assert counted.sum(1).eq(1).all() and not surprise[:, :2].any()


def test_temperatures_sharpen_and_zero_takes_the_likeliest() -> None:
    player = network(LSTMPredictor)
    uniforms = stream(2000).uniform("u", LENGTH)
    prompt = no_prompt(2000, LENGTH)
    kinds = [
        len(generated(player, uniforms, prompt._replace(temperature=torch.full((2000,), one))).unique(dim=0))
        for one in (0.0, 0.3, 1.0)
    ]
    assert kinds[0] == 1 < kinds[1] < kinds[2]


def test_neither_unknown_tokens_nor_those_after_the_end_count() -> None:
    tokens = torch.tensor([[2, UNKNOWN, 3, END, END], [END, END, END, END, END]])
    counted = counted_tokens(tokens, no_prompt(2, 5), has_end=True)
    assert counted.tolist() == [[True, False, True, True, False], [True, False, False, False, False]]


@pytest.mark.parametrize("kind", KINDS)
def test_completions_have_the_distribution_of_the_naive_loop(kind: type[nn.Module]) -> None:
    """The same network, started anew with a prefix as its prompt, generates as often what follows."""
    player, count = network(kind, length=4), 4000
    tokens = torch.tensor([[3, 2, 4, 2], [2, END, END, END]])
    prompt = no_prompt(2, 4)
    with torch.no_grad():
        found = completions(player, tokens, prompt, count, stream(2)).view(3, count, 2, 4)
        for start in range(3):
            assert (found[start, :, :, : start + 1] == tokens[:, : start + 1]).all()
            assert (found[start, :, 1, 1:] == END).all() or start == 0
            given = Prompt(tokens[:1].expand(count, -1), torch.full((count,), start + 1), *no_prompt(count, 4)[2:])
            naive = generated(player, torch.rand(count, 4, generator=torch.Generator().manual_seed(start)), given)
            for token in range(VOCABULARY):
                shares = [(made[:, start + 1] == token).float().mean() for made in (found[start, :, 0], naive)]
                assert abs(float(shares[0] - shares[1])) < 0.035


@pytest.mark.parametrize("kind", KINDS)
def test_drawing_in_parts_changes_nothing(kind: type[nn.Module], monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts end inside a prefix, between two, and after several."""
    player = network(kind, length=4)
    game, prompt, tokens = LanguageModel(player, mean_tokens=3.0), no_prompt(5, 4), torch.tensor([[3, 2, 4, 2]] * 5)
    with torch.no_grad():
        whole = completions(player, tokens, prompt, 3, stream(5)), game.generate(game.latent(stream(5)), prompt)
        for rows in (4, 15, 31):
            monkeypatch.setattr("sparring.games.sequences.LOGITS_AT_ONCE", rows * VOCABULARY)
            assert torch.equal(completions(player, tokens, prompt, 3, stream(5)), whole[0])
            assert torch.equal(game.generate(game.latent(stream(5)), prompt), whole[1])


def test_drawn_tokens_are_those_of_the_distribution_function() -> None:
    logits = torch.tensor([0.1, 0.2, 0.0, 0.7]).log().expand(5, -1).clone()
    uniforms = torch.tensor([0.0, 0.0999, 0.1001, 0.2999, 0.3001])
    assert drawn(logits, uniforms, torch.ones(5)).tolist() == [0, 0, 1, 1, 3]
