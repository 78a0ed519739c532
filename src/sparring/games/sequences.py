"""Sequences of tokens: how likely networks find them, and how these generate them."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.compiler import is_exporting
from torch.nn.functional import pad

from sparring.tokens import END, UNKNOWN, Prompt, Sequencer

GREEDY = 1e-6
"""Temperature below which the most likely token is taken."""


def allowed(logits: Float[Tensor, "*batch vocabulary"], *, has_end: bool) -> Float[Tensor, "*batch vocabulary"]:
    """Return float32 logits by which unknown tokens, and ends of sequences that have none, are impossible."""
    banned = torch.zeros(logits.shape[-1], dtype=torch.bool, device=logits.device)
    banned[UNKNOWN] = True
    banned[END] = not has_end
    return logits.float().masked_fill(banned, -torch.inf)


def surprises(
    player: Sequencer, tokens: Int[Tensor, "batch length"], prompt: Prompt
) -> tuple[Float[Tensor, "batch length"], Bool[Tensor, "batch length"]]:
    """Return -log p of every token in nats, and which of them count, (batch, length).

    Neither given nor unknown tokens count, nor those after the first end; those that do not count are 0. Temperatures
    are ignored.
    """
    places = torch.arange(tokens.shape[1], device=tokens.device)
    ended = (tokens == END).cumsum(1) - (tokens == END).long() > 0
    counted = ~ended & (tokens != UNKNOWN) & (places >= prompt.known[:, None])
    if not player.has_end:
        counted &= tokens != END
    log_likely = allowed(player(tokens, prompt), has_end=player.has_end).log_softmax(2)
    found = -log_likely.gather(2, torch.where(counted, tokens, UNKNOWN + 1)[..., None])[..., 0]
    return found.masked_fill(~counted, 0.0), counted


def generated(
    player: Sequencer, uniforms: Float[Tensor, "batch length"], prompt: Prompt
) -> Int[Tensor, "batch length"]:
    """Generate sequences, token by token, by the inverse of their distribution functions.

    Args:
        player: the network.
        uniforms: numbers in [0, 1), one for each token.
        prompt: what is given.
    """
    rows, length = uniforms.shape
    state, before = player.begin(prompt), prompt.known.new_full((rows,), player.vocabulary)
    ended, found = torch.zeros(rows, dtype=torch.bool, device=before.device), list[Tensor]()
    for place in range(length):
        logits, state = player.step(before, state)
        token = drawn(allowed(logits, has_end=player.has_end), uniforms[:, place], prompt.temperature)
        token = torch.where(place < prompt.known, prompt.tokens[:, place], token)
        before = torch.where(ended, END, token)
        found.append(before)
        ended = ended | (before == END)
        # An exported graph has no branches that depend on values.
        if not is_exporting() and place % 8 == 7 and bool(ended.all()):
            break
    return pad(torch.stack(found, 1), (0, length - len(found)), value=END)


def drawn(
    logits: Float[Tensor, "batch vocabulary"], uniforms: Float[Tensor, " batch"], temperature: Float[Tensor, " batch"]
) -> Int[Tensor, " batch"]:
    """Draw a token of each row: the first whose distribution function exceeds a number in [0, 1)."""
    best = logits.argmax(1)
    until = (logits / temperature.clamp_min(GREEDY)[:, None]).softmax(1).cumsum(1)
    token = (until[:, :-1] <= (uniforms * until[:, -1])[:, None]).sum(1)
    return torch.where(temperature < GREEDY, best, token)
