"""Adversarial translation: a generator of sequences from sources, rewarded where a pair is taken for a real one."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sparring.flow import Batch, Objective, Phase, Progress, Sample, Turn
from sparring.games.policy import Baseline
from sparring.games.sequences import SequenceGame, prompt_of, surprises
from sparring.objectives.losses import Loss, non_saturating
from sparring.tokens import Prompt

Similarity: TypeAlias = Callable[[Int[Tensor, "batch length"], Int[Tensor, "batch length"]], Float[Tensor, " batch"]]
"""(generated, true sequences) → their similarity, in [0, 1]."""


@final
class Translation(SequenceGame):
    """Policy gradients with a discriminator of pairs (Wu et al. 2018, section 3; Yang et al. 2018, section 3).

    After a phase of maximum likelihood and one in which only the discriminator learns, the generator maximises
    E log p(y|x) (R(x, y) − b) with R = λ D(x, y) + (1 − λ) S(y, y*) and b the running mean of R, beside the likelihood
    of the true y*. S is the similarity to it, such as BLEU.

    Args:
        generator: an ``nn.Module`` that satisfies ``Sequencer``.
        discriminator: ``(tokens, prompt) -> Verdict``, one logit for each pair.
        similarity: S.
        mean_tokens: of a training sequence, its end included.
        judged: λ, the weight of the discriminator in the reward.
        likelihood_until: share of the budget at which the phase of maximum likelihood ends.
        discriminator_until: share at which the phase of the discriminator alone ends.
        likelihood_weight: weight of -log p(y*|x) per token beside the rewards.
        smoothing: of the likelihood; see ``SequenceGame``.
        loss: of the discriminator.
    """

    critics = ("discriminator",)

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        *,
        similarity: Similarity,
        mean_tokens: float,
        judged: float = 0.7,
        likelihood_until: float = 0.9,
        discriminator_until: float = 0.93,
        likelihood_weight: float = 1.0,
        smoothing: float = 0.0,
        loss: Loss = non_saturating,
    ) -> None:
        self.baseline = Baseline(1)
        players = {"generator": generator, "baseline": self.baseline, "discriminator": discriminator}
        super().__init__(players, "generator", mean_tokens=mean_tokens, smoothing=smoothing)
        self.similarity, self.judged, self.likelihood_weight, self.loss = similarity, judged, likelihood_weight, loss
        self.phases = (
            Phase("maximum likelihood", until=likelihood_until),
            Phase("discriminator alone", until=discriminator_until),
            Phase("policy gradients"),
        )

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Train the players of the phase."""
        likelihood, alone, _ = self.phases
        if progress.fraction < likelihood.until:
            return [Turn("generator", self.likelihood_objective)]
        discriminator = Turn("discriminator", self.discriminator_objective)
        if progress.fraction < alone.until:
            return [discriminator]
        return [Turn("generator", self.policy_objective, after=self._move_baseline), discriminator]

    def policy_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise -log p(y|x) (R(x, y) − b) over generated sequences, and -log p(y*|x)."""
        # Noise to sequences, sequences to rewards; neither has a gradient.
        prompt = prompt_of(batch)
        with torch.no_grad():
            tokens = self.generate(self.latent(progress.random), prompt)
            reward = self._reward(tokens, batch.real, prompt)

        # Log-likelihoods, weighted by how much better than usual a sequence is.
        surprise, _ = surprises(self.player, tokens, prompt)
        policy = (surprise.sum(1) * (reward - self.baseline.mean)).mean() / self.mean_tokens
        likelihood = self.likelihood_objective(batch, progress).terms["surprise"]
        terms = {"policy": policy, "surprise": self.likelihood_weight * likelihood}
        return Objective(terms, {"reward": reward.mean()}, rows={"reward": reward})

    def discriminator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise the loss on true and generated sequences, each beside its source."""
        prompt, critic = prompt_of(batch), self.players["discriminator"]
        with torch.no_grad():
            fake = self.generate(self.latent(progress.random), prompt)
        loss = self.loss.discriminator(critic(batch.real, prompt).logits, critic(fake, prompt).logits)
        return Objective({"adversarial": loss})

    def _reward(self, tokens: Tensor, true: Tensor, prompt: Prompt) -> Float[Tensor, " batch"]:
        """Return R = λ D(x, y) + (1 − λ) S(y, y*) (Yang et al. 2018, section 3.3)."""
        real: Tensor = self.players["discriminator"](tokens, prompt).logits[0].float().sigmoid()
        return self.judged * real + (1 - self.judged) * self.similarity(tokens, true)

    def _move_baseline(self, rows: Mapping[str, Sample], progress: Progress) -> None:
        """Move the running mean of the rewards."""
        reward = rows["reward"][:, None]
        self.baseline.move(reward, torch.ones_like(reward))
