"""Policy gradients: a generator of tokens that is rewarded where a discriminator takes its sequences for real."""

from collections.abc import Callable, Mapping, Sequence
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

Reward: TypeAlias = Callable[[Int[Tensor, "batch length"], Prompt], Float[Tensor, " batch"]]
"""Reward of whole sequences, higher for better ones."""
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
        critic: "Critic",
        tokens: Int[Tensor, "batch length"],
        prompt: Prompt,
        random: RandomStream,
    ) -> Float[Tensor, "batch length"]:
        """Return the expected reward of each token, given those before it."""
        ...


class Critic(Protocol):
    """A discriminator of sequences with a running mean of the rewards at each place, a buffer ``baseline``."""

    baseline: Tensor

    def __call__(self, sample: Sample, condition: Sample | None = None) -> Verdict: ...


@final
class Rollouts:
    """Monte Carlo search (Yu et al. 2017, section 3.1, eq. 4): the mean reward of random completions of each prefix.

    Args:
        count: completions of each prefix.
        reward: of whole sequences; by default the probability by the discriminator that they are real.
    """

    def __init__(self, count: int, reward: Callable[["Critic"], Reward] | None = None) -> None:
        self.count, self.reward = count, reward or probability_of_real

    def __call__(
        self, player: Sequencer, critic: Critic, tokens: Tensor, prompt: Prompt, random: RandomStream
    ) -> Float[Tensor, "batch length"]:
        """Return the mean reward of the completions after each token; the last one ends its sequence."""
        reward = self.reward(critic)
        rows, length = tokens.shape
        ends = completions(player, tokens, prompt, self.count, random).flatten(0, 1)  # (starts × count × batch, length)
        repeated = take(prompt, torch.arange(rows, device=tokens.device).repeat(len(ends) // rows))
        parts = [
            reward(ends[start : start + ROWS_AT_ONCE], take(repeated, slice(start, start + ROWS_AT_ONCE)))
            for start in range(0, len(ends), ROWS_AT_ONCE)
        ]
        found = torch.cat(parts).view(length - 1, self.count, rows).mean(1)  # (starts, batch)
        return torch.cat([found, reward(tokens, prompt)[None]]).T


@final
class PerToken:
    """Rewards of a discriminator that judges every token by those before it (de Masson d'Autume et al. 2019, eq. 4).

    Args:
        discount: γ, by which later rewards count less.
    """

    def __init__(self, discount: float) -> None:
        self.discount = discount

    def __call__(
        self, player: Sequencer, critic: Critic, tokens: Tensor, prompt: Prompt, random: RandomStream
    ) -> Float[Tensor, "batch length"]:
        """Return the discounted sums of 2 D(x_t | x_<t) − 1 from each token on."""
        logits = critic(tokens, prompt).logits[0].float()
        counted = counted_tokens(tokens, prompt, has_end=player.has_end)
        rewards = (2 * logits.sigmoid() - 1) * counted
        total, found = torch.zeros_like(rewards[:, 0]), list[Tensor]()
        for place in reversed(range(tokens.shape[1])):
            total = rewards[:, place] + self.discount * total
            found.append(total)
        return torch.stack(found[::-1], 1)


def probability_of_real(critic: Critic) -> Reward:
    """Return the reward D(x), the probability by the discriminator that a sequence is real."""

    def reward(tokens: Tensor, prompt: Prompt) -> Tensor:
        logits: Tensor = critic(tokens, prompt).logits[0]
        return logits.float().sigmoid()

    return reward


@final
class Policy(SequenceGame):
    """Sequence generation by policy gradients (Yu et al. 2017, algorithm 1; Williams 1992).

    After a phase of maximum likelihood and one in which only the discriminator learns, the generator maximises
    E Σ_t log p(x_t | x_<t) (Q_t − b_t), where Q_t is the reward of a token and b_t its running mean.

    Args:
        generator: an ``nn.Module`` that satisfies ``Sequencer``.
        discriminator: ``(tokens, prompt) -> Verdict``, one logit for each sequence, or each token for ``PerToken``.
        rewards: ``Rollouts`` or ``PerToken``.
        mean_tokens: of a training sequence, its end included.
        likelihood_until: share of the budget at which the phase of maximum likelihood ends; 0 for none.
        discriminator_until: share at which the phase of the discriminator alone ends.
        discriminator_turns: updates of the discriminator for each of the generator.
        likelihood_weight: weight of -log p(x) per token beside the rewards.
        loss: of the discriminator.
    """

    critics = ("discriminator",)

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        *,
        rewards: Rewards,
        mean_tokens: float,
        likelihood_until: float = 0.6,
        discriminator_until: float = 0.7,
        discriminator_turns: int = 5,
        likelihood_weight: float = 0.0,
        loss: Loss = non_saturating,
    ) -> None:
        players = {"generator": generator, "discriminator": discriminator}
        super().__init__(players, "generator", mean_tokens=mean_tokens)
        discriminator.register_buffer("baseline", torch.zeros(self.player.length))
        self.rewards, self.loss = rewards, loss
        self.discriminator_turns, self.likelihood_weight = discriminator_turns, likelihood_weight
        before = [
            Phase("maximum likelihood", until=likelihood_until),
            Phase("discriminator alone", until=discriminator_until),
        ]
        self.phases = (*(phase for phase in before if phase.until > 0), Phase("policy gradients"))

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Train the players of the phase."""
        phase = next(one.name for one in self.phases if progress.fraction < one.until or one is self.phases[-1])
        if phase == "maximum likelihood":
            return [Turn("generator", self.likelihood_objective)]
        discriminator = Turn("discriminator", self.discriminator_objective, times=self.discriminator_turns)
        if phase == "discriminator alone":
            return [discriminator]
        return [Turn("generator", self.policy_objective, after=self._move_baseline), discriminator]

    def policy_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise -Σ_t log p(x_t | x_<t) (Q_t − b_t) over generated sequences (eq. 8)."""
        # Noise to sequences, sequences to rewards; neither has a gradient.
        prompt, critic = prompt_of(batch), self._critic
        with torch.no_grad():
            tokens = self.generate(self.latent(progress.random), prompt)
            rewards = self.rewards(self.player, critic, tokens, prompt, progress.random)

        # Log-likelihoods, weighted by how much better than usual a token turned out.
        surprise, counted = surprises(self.player, tokens, prompt)
        advantage = (rewards - critic.baseline) * counted
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
    def _critic(self) -> Critic:
        critic: Critic = self.players["discriminator"]  # type: ignore[assignment]
        return critic

    def _move_baseline(self, rows: Mapping[str, Sample], progress: Progress) -> None:
        """Move the running mean of the rewards at each place."""
        counted = rows["counted"].sum(0)
        mean = (rows["rewards"] * rows["counted"]).sum(0) / counted.clamp_min(1)
        baseline = self._critic.baseline
        moved = torch.where(counted > 0, baseline + (1 - BASELINE_DECAY) * (mean - baseline), baseline)
        baseline.copy_(torch.where((baseline == 0).all(), mean, moved))


def completions(
    player: Sequencer, tokens: Int[Tensor, "batch length"], prompt: Prompt, count: int, random: RandomStream
) -> Int[Tensor, "starts count*batch length"]:
    """Complete every prefix of sequences ``count`` times at random: the first token, the first two, … all but one.

    All prefixes advance together: whatever was read before a prefix ends is read once, and every place is one step of
    the network for all completions that have begun.

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
            part, going = (
                slice(place * each + begin, place * each + min(begin + most, each)),
                take(state, every[begin : begin + most]),
            )
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
