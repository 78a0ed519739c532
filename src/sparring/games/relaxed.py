"""Relaxed contests: a discriminator sees distributions over tokens, through which gradients reach the generator."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sparring.flow import Batch, Objective, Phase, Progress, Turn
from sparring.games.sequences import SequenceGame, allowed, counted_tokens, is_first, prompt_of, unrolled
from sparring.objectives.losses import Loss, relativistic
from sparring.objectives.schedules import Schedule
from sparring.objectives.statistics import kernel_distance
from sparring.randomness import RandomStream
from sparring.tokens import Prompt, Sequencer, State

Goal: TypeAlias = Literal["adversarial", "moments"]
"""What the generator minimises: the loss, or the distance between the features of both kinds of sequences."""
TINY = 1e-20
"""Least argument of a logarithm."""


@final
class Relaxed(SequenceGame):
    """The contest of RelGAN (Nie et al. 2019) and of TextGAN (Zhang et al. 2017), after maximum likelihood.

    A token is drawn by adding Gumbel noise to the logits. The discriminator sees softmax(β (logits + noise)) in its
    place, which nears the token as β grows (Jang et al. 2017).

    Args:
        generator: an ``nn.Module`` that satisfies ``Sequencer``.
        discriminator: ``(tokens or distributions, prompt) -> Verdict``.
        mean_tokens: of a training sequence, its end included.
        inverse_temperature: β.
        likelihood_until: share of the budget at which the phase of maximum likelihood ends; 0 for none.
        discriminator_turns: updates of the discriminator for each of the generator.
        loss: what the two minimise.
        goal: of the generator.
    """

    critics = ("discriminator",)

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        *,
        mean_tokens: float,
        inverse_temperature: Schedule,
        likelihood_until: float = 0.6,
        discriminator_turns: int = 5,
        loss: Loss = relativistic,
        goal: Goal = "adversarial",
    ) -> None:
        players = {"generator": generator, "discriminator": discriminator}
        super().__init__(players, "generator", mean_tokens=mean_tokens)
        self.inverse_temperature, self.loss, self.goal = inverse_temperature, loss, goal
        self.discriminator_turns = discriminator_turns
        before = [Phase("maximum likelihood", until=likelihood_until)]
        self.phases = (*(phase for phase in before if phase.until > 0), Phase("contest"))

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Train the players of the phase."""
        if len(self.phases) > 1 and progress.fraction < self.phases[0].until:
            return [Turn("generator", self.likelihood_objective)]
        return [
            Turn("discriminator", self.discriminator_objective, times=self.discriminator_turns),
            Turn("generator", self.generator_objective),
        ]

    def discriminator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise the discriminator's side of the loss, on real tokens and on relaxed ones."""
        critic, player, prompt = self.players["discriminator"], self.player, prompt_of(batch)
        with torch.no_grad():
            noise = gumbel(progress.random, player.length, player.vocabulary)
            fake = self._relaxed(*noisy_tokens(player, noise, prompt), prompt, progress)
        real_logits, fake_logits = critic(batch.real, prompt).logits, critic(fake, prompt).logits
        return Objective({"adversarial": self.loss.discriminator(real_logits, fake_logits)})

    def generator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise the generator's side of the loss, or the distance in features."""
        critic, player, prompt = self.players["discriminator"], self.player, prompt_of(batch)
        noise = gumbel(progress.random, player.length, player.vocabulary)
        with torch.no_grad():
            tokens, _ = noisy_tokens(player, noise, prompt)
        # All places at once: each depends on the tokens before it, through which no gradient flows.
        logits = allowed(player(tokens, prompt), has_end=player.has_end, first=is_first(tokens))
        fake = critic(self._relaxed(tokens, logits + noise, prompt, progress), prompt)
        with torch.no_grad():
            real = critic(batch.real, prompt)
        if self.goal == "adversarial":
            return Objective({"adversarial": self.loss.generator(real.logits, fake.logits)})
        return Objective({"moments": kernel_distance(real.features[0].float(), fake.features[0].float())})

    def _relaxed(
        self,
        tokens: Int[Tensor, "batch length"],
        noisy: Float[Tensor, "batch length vocabulary"],
        prompt: Prompt,
        progress: Progress,
    ) -> Float[Tensor, "batch length vocabulary"]:
        """Return distributions over the tokens of generated sequences; those that are not predicted are certain."""
        counted = counted_tokens(tokens, prompt, has_end=self.player.has_end)[..., None]
        soft = (self.inverse_temperature(progress.fraction) * noisy).softmax(2) * counted
        return soft.scatter_add(2, tokens[..., None], (~counted).to(soft))


def gumbel(random: RandomStream, length: int, vocabulary: int) -> Float[Tensor, "batch length vocabulary"]:
    """Draw standard Gumbel noise."""
    uniforms = random.uniform("gumbel", length, vocabulary)
    return uniforms.clamp_min_(TINY).log_().neg_().clamp_min_(TINY).log_().neg_()


def noisy_tokens(
    player: Sequencer, noise: Float[Tensor, "batch length vocabulary"], prompt: Prompt
) -> tuple[Int[Tensor, "batch length"], Float[Tensor, "batch length vocabulary"]]:
    """Draw sequences of a network by Gumbel noise on its logits; return them and their logits with the noise.

    After the end of all sequences, the logits are 0.
    """
    noisy = torch.zeros_like(noise)

    def choose(before: Tensor, state: State, place: int) -> tuple[Tensor, State]:
        logits, state = player.step(before, state)
        logits = allowed(logits, has_end=player.has_end, first=before == player.vocabulary)
        torch.add(logits, noise[:, place], out=noisy[:, place])
        return noisy[:, place].argmax(1), state

    return unrolled(player, prompt, noise.shape[1], choose), noisy
