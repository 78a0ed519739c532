"""Policy gradients: a generator of tokens that is rewarded where a discriminator takes its sequences for real."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeAlias, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sparring.flow import Batch, Objective, Phase, Progress, Sample, Turn, Verdict
from sparring.games.sequences import SequenceGame, counted_tokens, next_token, prompt_of, rows_at_once, surprises
from sparring.objectives.losses import Loss, non_saturating
from sparring.randomness import RandomStream
from sparring.samples import concatenate, take
from sparring.tokens import END, Prompt, Sequencer, State

Reward: TypeAlias = Callable[[Int[Tensor, "draws batch length"], Prompt], Float[Tensor, "draws batch"]]
"""Rewards of whole sequences, higher for better ones; every draw was generated from the same prompts, (batch, …)."""
ROWS_AT_ONCE = 4096
"""Completions that are rewarded at once."""
CERTAIN = 50.0
"""Logit of a certain verdict."""
BASELINE_DECAY = 0.9
"""Decay of the running means of rewards, per update."""


class Rewards(Protocol):
    """Expected rewards of the tokens of generated sequences."""

    def __call__(
        self,
        player: Sequencer,
        critic: "Critic | None",
        tokens: Int[Tensor, "batch length"],
        prompt: Prompt,
        random: RandomStream,
    ) -> Float[Tensor, "batch length"]:
        """Return the expected reward of each token, given those before it."""
        ...


class Critic(Protocol):
    """A discriminator of sequences."""

    def __call__(self, sample: Sample, condition: Sample | None = None) -> Verdict: ...


@final
class Baseline(nn.Module):
    """A player without weights: the running mean of the rewards at each place, ``mean``, (length,).

    Args:
        length: tokens of a sequence at most.
    """

    mean: Tensor

    def __init__(self, length: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(length))

    def move(self, rewards: Float[Tensor, "batch length"], counted: Float[Tensor, "batch length"]) -> None:
        """Move towards the mean of the rewards of tokens that count, to which it is set at first."""
        count = counted.sum(0)
        mean = (rewards * counted).sum(0) / count.clamp_min(1)
        moved = torch.where(count > 0, self.mean + (1 - BASELINE_DECAY) * (mean - self.mean), self.mean)
        self.mean.copy_(torch.where((self.mean == 0).all(), mean, moved))


@final
class Rollouts:
    """Monte Carlo search (Yu et al. 2017, section 3.1, eq. 4): the mean reward of random completions of each prefix.

    Args:
        count: completions of each prefix.
        reward: of whole sequences; by default the probability by the discriminator that they are real.
    """

    def __init__(self, count: int, reward: Callable[["Critic | None"], Reward] | None = None) -> None:
        self.count, self.reward = count, reward or probability_of_real

    def __call__(
        self, player: Sequencer, critic: Critic | None, tokens: Tensor, prompt: Prompt, random: RandomStream
    ) -> Float[Tensor, "batch length"]:
        """Return the mean reward of the completions after each token; the last one ends its sequence."""
        reward = self.reward(critic)
        rows, length = tokens.shape
        draws = completions(player, tokens, prompt, self.count, random).view(-1, rows, length)  # (starts × count, …)
        parts = [reward(some, prompt) for some in draws.split(max(1, ROWS_AT_ONCE // rows))]
        found = torch.cat(parts).view(length - 1, self.count, rows).mean(1)  # (starts, batch)
        return torch.cat([found, reward(tokens[None], prompt)]).T


@final
class Whole:
    """The reward of a whole sequence for each of its tokens (Williams 1992), which needs no completions.

    Args:
        reward: as for ``Rollouts``.
    """

    def __init__(self, reward: Callable[["Critic | None"], Reward] | None = None) -> None:
        self.reward = reward or probability_of_real

    def __call__(
        self, player: Sequencer, critic: Critic | None, tokens: Tensor, prompt: Prompt, random: RandomStream
    ) -> Float[Tensor, "batch length"]:
        """Return the reward of each sequence, once for each of its tokens."""
        return self.reward(critic)(tokens[None], prompt)[0, :, None].expand_as(tokens)


@final
class PerToken:
    """Rewards of a discriminator that judges every token by those before it (de Masson d'Autume et al. 2019, eq. 4).

    Args:
        discount: γ, by which later rewards count less.
    """

    def __init__(self, discount: float) -> None:
        self.discount = discount

    def __call__(
        self, player: Sequencer, critic: Critic | None, tokens: Tensor, prompt: Prompt, random: RandomStream
    ) -> Float[Tensor, "batch length"]:
        """Return the discounted sums of 2 D(x_t | x_<t) − 1 from each token on."""
        assert critic is not None
        logits = critic(tokens, prompt).logits[0].float()
        counted = counted_tokens(tokens, prompt, has_end=player.has_end)
        rewards = (2 * logits.sigmoid() - 1) * counted
        total, found = torch.zeros_like(rewards[:, 0]), list[Tensor]()
        for place in reversed(range(tokens.shape[1])):
            total = rewards[:, place] + self.discount * total
            found.append(total)
        return torch.stack(found[::-1], 1)


def probability_of_real(critic: Critic | None) -> Reward:
    """Return the reward D(x), the probability by the discriminator that a sequence is real."""
    assert critic is not None

    def reward(tokens: Tensor, prompt: Prompt) -> Tensor:
        draws, rows, _ = tokens.shape
        repeated = take(prompt, torch.arange(rows, device=tokens.device).repeat(draws))
        logits: Tensor = critic(tokens.flatten(0, 1), repeated).logits[0]
        return logits.float().sigmoid().view(draws, rows)

    return reward


def with_objective(objective: Reward, weight: float) -> Callable[[Critic | None], Reward]:
    """Return the reward R(x) = λ D(x) + (1 − λ) O(x) (Guimaraes et al. 2017, eq. 4).

    Args:
        objective: O, of whole sequences.
        weight: 1 − λ, in [0, 1]; with 1 no discriminator is needed.
    """

    def of(critic: Critic | None) -> Reward:
        if weight == 1:
            return objective
        real = probability_of_real(critic)
        return lambda tokens, prompt: (1 - weight) * real(tokens, prompt) + weight * objective(tokens, prompt)

    return of


@final
class Policy(SequenceGame):
    """Sequence generation by policy gradients (Yu et al. 2017, algorithm 1; Williams 1992).

    After a phase of maximum likelihood and one in which only the discriminator learns, the generator maximises
    E Σ_t log p(x_t | x_<t) (Q_t − b_t), where Q_t is the reward of a token and b_t its running mean.

    Args:
        generator: an ``nn.Module`` that satisfies ``Sequencer``.
        discriminator: ``(tokens, prompt) -> Verdict``, one logit for each sequence, or each token for ``PerToken``;
            None where rewards do not ask it.
        rewards: ``Rollouts``, ``Whole`` or ``PerToken``.
        mean_tokens: of a training sequence, its end included.
        likelihood_until: share of the budget at which the phase of maximum likelihood ends; 0 for none.
        discriminator_until: share at which the phase of the discriminator alone ends.
        discriminator_turns: updates of the discriminator for each of the generator.
        likelihood_weight: weight of -log p(x) per token beside the rewards.
        loss: of the discriminator.
        on_data: takes the training samples before the first step, for rewards that compare with them.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module | None,
        *,
        rewards: Rewards,
        mean_tokens: float,
        likelihood_until: float = 0.6,
        discriminator_until: float = 0.7,
        discriminator_turns: int = 5,
        likelihood_weight: float = 0.0,
        loss: Loss = non_saturating,
        on_data: Callable[[Iterable[Batch]], None] = lambda batches: None,
    ) -> None:
        super().__init__({"generator": generator}, "generator", mean_tokens=mean_tokens)
        self.players["baseline"] = Baseline(self.player.length)
        if discriminator is not None:
            self.players["discriminator"], self.critics = discriminator, ("discriminator",)
        self.rewards, self.loss = rewards, loss
        self.discriminator_turns, self.likelihood_weight = discriminator_turns, likelihood_weight
        before = [Phase("maximum likelihood", until=likelihood_until)]
        if discriminator is not None:
            before.append(Phase("discriminator alone", until=discriminator_until))
        self.phases = (*(phase for phase in before if phase.until > 0), Phase("policy gradients"))
        self.take_data = on_data

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Train the players of the phase."""
        phase = next(one.name for one in self.phases if progress.fraction < one.until or one is self.phases[-1])
        if phase == "maximum likelihood":
            return [Turn("generator", self.likelihood_objective)]
        judged = [Turn("discriminator", self.discriminator_objective, times=self.discriminator_turns)]
        judged = judged if self.critics else []
        if phase == "discriminator alone":
            return judged
        return [Turn("generator", self.policy_objective, after=self._move_baseline), *judged]

    def policy_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise -Σ_t log p(x_t | x_<t) (Q_t − b_t) over generated sequences (eq. 8)."""
        # Noise to sequences, sequences to rewards; neither has a gradient.
        prompt, critic = prompt_of(batch), self.players.get("discriminator")
        with torch.no_grad():
            tokens = self.generate(self.latent(progress.random), prompt)
            rewards = self.rewards(self.player, critic, tokens, prompt, progress.random)

        # Log-likelihoods, weighted by how much better than usual a token turned out.
        surprise, counted = surprises(self.player, tokens, prompt)
        advantage = (rewards - self._baseline.mean) * counted
        terms = {"policy": (surprise * advantage).sum(1).mean() / self.mean_tokens}
        if self.likelihood_weight:
            terms["surprise"] = self.likelihood_weight * self.likelihood_objective(batch, progress).terms["surprise"]
        notes = {"reward": (rewards * counted).sum() / counted.sum().clamp_min(1)}
        return Objective(terms, notes, rows={"rewards": rewards, "counted": counted.to(rewards)})

    def discriminator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise the loss on real and generated sequences (eq. 5)."""
        prompt = prompt_of(batch)
        with torch.no_grad():
            fake = self.generate(self.latent(progress.random), prompt)
        critic = self.players["discriminator"]
        real_logits, fake_logits = critic(batch.real, prompt).logits, critic(fake, prompt).logits
        if real_logits[0].dim() > 1:
            # A logit for each token: those that nobody predicts are taken for certain, so that they cost nothing.
            sides = zip((real_logits[0], fake_logits[0]), (batch.real, fake), (CERTAIN, -CERTAIN), strict=True)
            counted = partial(counted_tokens, prompt=prompt, has_end=self.player.has_end)
            kept = [torch.where(counted(tokens), logits, certain) for logits, tokens, certain in sides]
            scale = batch.real.shape[1] / self.mean_tokens
            return Objective({"adversarial": scale * self.loss.discriminator([kept[0]], [kept[1]])})
        return Objective({"adversarial": self.loss.discriminator(real_logits, fake_logits)})

    @property
    def _baseline(self) -> Baseline:
        found: Baseline = self.players["baseline"]  # type: ignore[assignment]
        return found

    def _move_baseline(self, rows: Mapping[str, Sample], progress: Progress) -> None:
        """Move the running mean of the rewards at each place."""
        self._baseline.move(rows["rewards"], rows["counted"])


def completions(
    player: Sequencer, tokens: Int[Tensor, "batch length"], prompt: Prompt, count: int, random: RandomStream
) -> Int[Tensor, "starts count*batch length"]:
    """Complete every prefix of sequences ``count`` times at random: the first token, the first two, … all but one.

    All prefixes advance together: whatever was read before a prefix ends is read once, and every place is one step of
    the network for all completions that have begun, or one for each part of them that fits into the caches.

    Args:
        player: the network.
        tokens: the sequences.
        prompt: what they were generated from.
        count: completions of each prefix.
        random: random numbers of the rows.
    """
    rows, length = tokens.shape
    each, every = count * rows, torch.arange(rows, device=tokens.device).repeat(count)
    # All completions, (starts × count × batch, length), of which each part has a state of its own.
    found, temperature = tokens.repeat((length - 1) * count, 1), prompt.temperature.repeat((length - 1) * count)
    known, most = prompt.known.repeat((length - 1) * count), rows_at_once(player, tokens.device)
    parts = list[tuple[slice, State]]()
    state, before = player.begin(prompt), prompt.known.new_full((rows,), player.vocabulary)
    for place in range(length - 1):
        # Read the sequences, and begin the completions of the prefixes that end here, in parts of ``most`` rows.
        _, state = player.step(before, state)
        before = tokens[:, place]
        for begin in range(0, each, most):
            here, start = every[begin : begin + most], place * each + begin
            part, going = slice(start, start + len(here)), take(state, here)
            if parts and part.stop - parts[-1][0].start <= most:
                earlier, before_it = parts.pop()
                part, going = slice(earlier.start, part.stop), concatenate([before_it, going])
            parts.append((part, going))

        # Add a token to every completion that has begun; those of known places and of ended sequences are given.
        uniforms = random.uniform(f"completion {place + 1}", (place + 1) * count).T.flatten()
        for number, (part, going) in enumerate(parts):
            last, own = found[part, place], found[part, place + 1]
            token, going = next_token(player, last, going, uniforms[part], temperature[part])
            token = torch.where(place + 1 < known[part], own, token)
            found[part, place + 1] = torch.where(last == END, END, token)
            parts[number] = part, going
    return found.view(length - 1, each, length)
