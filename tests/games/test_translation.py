"""Sequences from sources: a network that attends to them, and rewards by the discriminator and by the true sequence."""

import torch

from sparring.flow import Batch, Progress
from sparring.games.language import LanguageModel
from sparring.games.sequences import allowed, is_first, surprises
from sparring.games.translation import Translation
from sparring.layers.tokens.attention import AttentivePredictor
from sparring.layers.tokens.critics import PairCritic
from sparring.randomness import RandomStream, seeded
from sparring.tokens import END, UNKNOWN, Prompt, no_prompt

VOCABULARY, LENGTH = 6, 4
SOURCE = torch.tensor([[2, 3, 4], [5, END, END], [UNKNOWN, 2, END]])
TOKENS = torch.tensor([[2, 3, 4, 5], [4, END, END, END], [3, 2, END, END]])


def network() -> AttentivePredictor:
    with seeded(0, "weights"):
        found = AttentivePredictor(source_vocabulary=7, vocabulary=VOCABULARY, length=LENGTH, has_end=True, width=8)
        for one in found.parameters():
            torch.nn.init.normal_(one, std=0.7)
    return found.eval()


def asked(source: torch.Tensor = SOURCE) -> Prompt:
    return no_prompt(len(source), LENGTH)._replace(source=source)


def test_steps_and_whole_sequences_give_the_same_logits() -> None:
    player = network()
    state, before, logits = player.begin(asked()), torch.full((3,), VOCABULARY), []
    for place in range(LENGTH):
        one, state = player.step(before, state)
        logits.append(one)
        before = TOKENS[:, place]
    torch.testing.assert_close(torch.stack(logits, 1), player(TOKENS, asked()), atol=1e-5, rtol=1e-5)


def test_sources_count_up_to_their_ends() -> None:
    player = network()
    padded = torch.cat([SOURCE, torch.full((3, 4), END)], 1)
    torch.testing.assert_close(player(TOKENS, asked(padded)), player(TOKENS, asked()))
    other = SOURCE.clone()
    other[0, 2] = 5
    changed = (player(TOKENS, asked(other)) - player(TOKENS, asked())).abs().amax((1, 2))
    assert changed[0] > 1e-3 and not changed[1:].any()


def test_smoothing_mixes_the_likelihood_with_that_of_all_tokens() -> None:
    player = network()
    log_likely = allowed(player(TOKENS, asked()), has_end=True, first=is_first(TOKENS)).log_softmax(2)
    possible = [number for number in range(VOCABULARY) if number != UNKNOWN]
    expected = -0.9 * log_likely[0, 1, 3] - 0.1 * log_likely[0, 1, possible].mean()
    found, counted = surprises(player, TOKENS, asked(), 0.1)
    torch.testing.assert_close(found[0, 1], expected)
    assert found.shape == TOKENS.shape and not found[~counted].any()
    smooth, plain = (
        LanguageModel(player, mean_tokens=3.0, smoothing=one).likelihood_objective(
            Batch(TOKENS, asked()), Progress(0, 0, 0.0, RandomStream(0, 0, 3, slice(0, 3)))
        )
        for one in (0.1, 0.0)
    )
    assert not torch.equal(smooth.terms["surprise"], plain.terms["surprise"])


def share_of_threes(tokens: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return (tokens == 3).float().mean(1)


def game(judged: float) -> Translation:
    with seeded(0, "weights"):
        critic = PairCritic(source_vocabulary=7, vocabulary=VOCABULARY, source_filters={1: 4}, filters={1: 4})
    return Translation(network(), critic.eval(), similarity=share_of_threes, mean_tokens=3.0, judged=judged)


def test_what_is_rewarded_more_than_usual_becomes_likelier() -> None:
    """With BLEU alone, here the share of a token: steps along the gradient raise it from a quarter to nearly all."""
    played, rows = game(0.0), 32
    played.likelihood_weight = 0.0
    source = SOURCE.repeat(11, 1)[:rows]
    batch = Batch(torch.full((rows, LENGTH), 2), asked(source))
    optimiser = torch.optim.Adam(played.players["generator"].parameters(), lr=0.05)
    for step in range(40):
        progress = Progress(step, 0, 1.0, RandomStream(0, step * rows, rows, slice(0, rows)))
        objective = played.policy_objective(batch, progress)
        optimiser.zero_grad()
        objective.terms["policy"].backward()
        optimiser.step()
        played.turns(progress)[0].after(objective.rows, progress)
    assert objective.notes["reward"] > 0.9


def test_rewards_are_the_weighted_mean_of_judge_and_similarity() -> None:
    tokens, prompt = TOKENS, asked()
    judge, similar, both = (game(one)._reward(tokens, tokens, prompt) for one in (1.0, 0.0, 0.25))
    torch.testing.assert_close(both, 0.25 * judge + 0.75 * similar)
    assert similar.tolist() == [0.25, 0.0, 0.25] and ((judge > 0) & (judge < 1)).all()


def test_the_judge_sees_the_source() -> None:
    critic = game(1.0).players["discriminator"]
    one, other = (critic(TOKENS, asked(source)).logits[0] for source in (SOURCE, SOURCE.flip(0)))
    assert (one != other)[[0, 2]].all() and one[1] == other[1]
