"""Sequences of tokens: their likelihood, their generation, and the base of games on them."""

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.compiler import is_exporting
from torch.nn.functional import nll_loss, pad

from sparring.controls import Control
from sparring.flow import Anomaly, Batch, Latent, Objective, Opinion, Progress
from sparring.games.priors import uniform
from sparring.objectives.critic import per_sample
from sparring.randomness import RandomStream
from sparring.samples import take
from sparring.tokens import END, UNKNOWN, Prompt, Sequencer, State, no_prompt

MIN_TEMPERATURE = 1e-9
"""Least temperature, by which the most likely token is taken."""
IGNORED = -100
"""Target of places that do not count."""
LOGITS_AT_ONCE = 2**19
"""Logits of rows that are drawn from together on the CPU, so that they stay in its caches."""
LOGITS_AT_ONCE_ELSEWHERE = 2**26
"""Logits of rows that are drawn from together on other devices."""


class SequenceGame:
    """Base of games on sequences, which generate token by token and can maximise the likelihood.

    Args:
        players: the networks; the one that generates satisfies ``Sequencer``.
        generator: name of that one.
        mean_tokens: of a training sequence, its end included.
        smoothing: ε of label smoothing, the share of the likelihood that is spread evenly over all tokens (Szegedy et
            al. 2016, section 7).
    """

    critics: Sequence[str] = ()

    def __init__(
        self, players: Mapping[str, nn.Module], generator: str, *, mean_tokens: float, smoothing: float = 0.0
    ) -> None:
        self.players = dict(players)
        self.controls: dict[str, Control] = {}
        self.published = (generator,)
        self.mean_tokens, self.smoothing = mean_tokens, smoothing
        self.prior = uniform(self.player.length)

    @property
    def player(self) -> Sequencer:
        """The player that generates."""
        found: Sequencer = self.players[self.published[0]]  # type: ignore[assignment]
        return found

    def likelihood_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise -log p(x), in nats per token."""
        surprise, _ = surprises(self.player, batch.real, prompt_of(batch), self.smoothing)
        return Objective({"surprise": surprise.sum(1).mean() / self.mean_tokens})

    @torch.no_grad()
    def likelihood(self, batch: Batch) -> Float[Tensor, " batch"]:
        """Return log p(x) of sequences, in nats."""
        surprise, _ = surprises(self.player, batch.real, prompt_of(batch))
        return -surprise.sum(1)

    def opinion(self, batch: Batch) -> Opinion:
        """Return log p(x) in nats, and the mean logit of the critic where there is one."""
        likelihood = self.likelihood(batch)
        if not self.critics:
            return Opinion(likelihood=likelihood)
        logits = self.players[self.critics[0]](batch.real, prompt_of(batch)).logits[0]
        return Opinion(per_sample(logits.float()), likelihood)

    @torch.no_grad()
    def anomaly(self, batch: Batch) -> Anomaly:
        """Return -log p(x) per token of each sequence, and -log p of each token."""
        surprise, counted = surprises(self.player, batch.real, prompt_of(batch))
        return Anomaly(surprise.sum(1) / counted.sum(1).clamp_min(1), surprise)

    def latent(self, random: RandomStream) -> Latent:
        """Draw a number in [-1, 1) for each token."""
        return self.prior(random)

    def generate(self, latent: Latent, condition: Prompt | None) -> Tensor:
        """Generate sequences, (batch, length) int64."""
        prompt = no_prompt(len(latent), self.player.length, latent.device) if condition is None else condition
        uniforms, size = (latent + 1) / 2, rows_at_once(self.player, latent.device)
        parts = [slice(start, start + size) for start in range(0, len(latent), size)]
        return torch.cat([generated(self.player, uniforms[part], take(prompt, part)) for part in parts])


def prompt_of(batch: Batch) -> Prompt:
    """Return the prompts of a batch, of which nothing is known where it has no conditions."""
    if batch.condition is None:
        return no_prompt(len(batch.real), batch.real.shape[1], batch.real.device)
    prompt: Prompt = batch.condition
    return prompt


def allowed(
    logits: Float[Tensor, "*batch vocabulary"], *, has_end: bool, first: Bool[Tensor, "*batch"]
) -> Float[Tensor, "*batch vocabulary"]:
    """Return float32 logits by which unknown tokens, empty sequences, and ends where there are none are impossible.

    Logits of float32 are changed in place, since a copy of them costs as much as their softmax.

    Args:
        logits: of tokens.
        has_end: whether sequences may end before their length.
        first: whether the token is the first of its sequence, which no data ends before; broadcast over the batch.
    """
    found = logits.float()
    # Beside the graph: a softmax has no gradient with respect to an impossible token.
    values = found.detach()
    values[..., UNKNOWN] = -torch.inf
    values[..., END].masked_fill_(first if has_end else torch.ones_like(first), -torch.inf)
    return found


def is_first(tokens: Int[Tensor, "batch length"]) -> Bool[Tensor, " length"]:
    """Return which places of sequences are the first one."""
    return torch.arange(tokens.shape[1], device=tokens.device) == 0


def counted_tokens(
    tokens: Int[Tensor, "batch length"], prompt: Prompt, *, has_end: bool
) -> Bool[Tensor, "batch length"]:
    """Return which tokens a network has to predict: neither given nor unknown ones, nor those after the first end."""
    places = torch.arange(tokens.shape[1], device=tokens.device)
    ended = (tokens == END).cumsum(1) - (tokens == END).long() > 0
    counted = ~ended & (tokens != UNKNOWN) & (places >= prompt.known[:, None])
    return counted if has_end else counted & (tokens != END)


def surprises(
    player: Sequencer, tokens: Int[Tensor, "batch length"], prompt: Prompt, smoothing: float = 0.0
) -> tuple[Float[Tensor, "batch length"], Bool[Tensor, "batch length"]]:
    """Return -log p of every token in nats, 0 where it does not count, and which of them count.

    Temperatures are ignored. With smoothing ε it is (1 − ε) (-log p) + ε times the mean of -log p over all tokens.
    """
    counted = counted_tokens(tokens, prompt, has_end=player.has_end)
    # Nothing after the last token that counts has to be computed.
    places = counted.any(0).nonzero()
    until = int(places[-1]) + 1 if len(places) else 1
    seen = tokens[:, :until]
    logits = allowed(player(seen, prompt), has_end=player.has_end, first=is_first(seen))
    log_likely = logits.log_softmax(2)
    targets = torch.where(counted, tokens, IGNORED)[:, :until]
    found = nll_loss(log_likely.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none").view_as(seen)
    if smoothing:
        possible = log_likely > -torch.inf
        even = -log_likely.where(possible, 0.0).sum(2) / possible.sum(2)
        found = (1 - smoothing) * found + smoothing * even.masked_fill(targets == IGNORED, 0.0)
    return pad(found, (0, tokens.shape[1] - until)), counted


def generated(
    player: Sequencer, uniforms: Float[Tensor, "batch length"], prompt: Prompt
) -> Int[Tensor, "batch length"]:
    """Generate sequences, token by token, by the inverse of their distribution functions.

    Args:
        player: the network.
        uniforms: numbers in [0, 1), one for each token.
        prompt: what is given.
    """

    def choose(before: Tensor, state: State, place: int) -> tuple[Tensor, State]:
        return next_token(player, before, state, uniforms[:, place], prompt.temperature)

    return unrolled(player, prompt, uniforms.shape[1], choose)


def unrolled(
    player: Sequencer, prompt: Prompt, length: int, choose: Callable[[Tensor, State, int], tuple[Tensor, State]]
) -> Int[Tensor, "batch length"]:
    """Return sequences that begin as prompts do and whose other tokens are chosen one after the other, to their ends.

    Args:
        player: the network.
        prompt: what is given.
        length: tokens of a sequence.
        choose: (token before, state, place) → the next token of each row, and the state after the one before.
    """
    state, before = player.begin(prompt), prompt.known.new_full((len(prompt.known),), player.vocabulary)
    ended, found = torch.zeros_like(before, dtype=torch.bool), list[Tensor]()
    for place in range(length):
        token, state = choose(before, state, place)
        token = torch.where(place < prompt.known, prompt.tokens[:, place], token)
        before = torch.where(ended, END, token)
        found.append(before)
        ended = ended | (before == END)
        # An exported graph has no branches that depend on values.
        if not is_exporting() and place % 8 == 7 and bool(ended.all()):
            break
    return pad(torch.stack(found, 1), (0, length - len(found)), value=END)


def next_token(
    player: Sequencer,
    before: Int[Tensor, " batch"],
    state: State,
    uniforms: Float[Tensor, " batch"],
    temperature: Float[Tensor, " batch"],
) -> tuple[Int[Tensor, " batch"], State]:
    """Draw the next token of each row."""
    logits, state = player.step(before, state)
    logits = allowed(logits, has_end=player.has_end, first=before == player.vocabulary)
    return drawn(logits, uniforms, temperature), state


def drawn(
    logits: Float[Tensor, "batch vocabulary"], uniforms: Float[Tensor, " batch"], temperature: Float[Tensor, " batch"]
) -> Int[Tensor, " batch"]:
    """Draw a token for each row: the first whose distribution function exceeds a number in [0, 1).

    Logits are changed in place: on the CPU, memory costs more than arithmetic.
    """
    weights = logits.div_(temperature.clamp_min(MIN_TEMPERATURE)[:, None])
    until = weights.sub_(weights.amax(1, keepdim=True)).exp_().cumsum_(1)
    token = torch.searchsorted(until, (uniforms * until[:, -1])[:, None], right=True)[:, 0]
    return token.clamp_max(logits.shape[1] - 1)


def rows_at_once(player: Sequencer, device: torch.device) -> int:
    """Return how many rows are drawn from together."""
    return max(1, (LOGITS_AT_ONCE if device.type == "cpu" else LOGITS_AT_ONCE_ELSEWHERE) // player.vocabulary)
