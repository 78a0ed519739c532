"""Sequences of tokens: maximum likelihood, then a contest for rewards (SeqGAN, Yu et al. 2017)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from sparring.controls import Control, note, running_mean
from sparring.flow import Batch, Latent, Objective, Opinion, Phase, Progress, Sample, Turn
from sparring.games.game import phase_at
from sparring.objectives.gamma import LEAD, lead
from sparring.randomness import RandomStream


class PolicyGame:
    """A generator that writes token by token, and a discriminator that reads what was written.

    Args:
        generator: tokens (rows, length) → log p(token | tokens before), (rows, length, letters).
        discriminator: tokens (rows, length) → scores (rows,).
        length: of a sequence.
        letters: number of different tokens.
    """

    published = ("generator",)
    critics = ("discriminator",)
    phases = (Phase("likelihood", 0.5, watched=False), Phase("contest"))

    def __init__(self, generator: nn.Module, discriminator: nn.Module, *, length: int, letters: int) -> None:
        self.players = {"generator": generator, "discriminator": discriminator}
        self.controls = {"baseline": Control(0.5, rule=running_mean(note("generator", "reward"), 0.9))}
        self.length, self.letters = length, letters

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """The generator alone learns to imitate; then the discriminator moves, and the generator by its rewards."""
        if phase_at(self, progress.fraction) == 0:
            return [Turn("likelihood", self.likelihood_objective, players=("generator",))]
        return [Turn("discriminator", self.discriminator_objective), Turn("generator", self.generator_objective)]

    def likelihood_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Make the data likely: -log p(x), in nats."""
        return Objective({"surprise": -self.log_likelihood(batch.real).mean()})

    def discriminator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Tell real from fake (eq. 5)."""
        fake = self.generate(self.latent(progress.random), None)
        real_logits, fake_logits = (self.players["discriminator"](side) for side in (batch.real, fake))
        terms = {"adversarial": softplus(-real_logits).mean() + softplus(fake_logits).mean()}
        return Objective(terms, {LEAD: lead([real_logits.detach()], [fake_logits.detach()])})

    def generator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Write more of what was rewarded above the baseline (Williams 1992): E[(R - b) ∇ log p(x)], R = σ(D(x))."""
        with torch.no_grad():
            fake = self.generate(self.latent(progress.random), None)
            reward = self.players["discriminator"](fake).sigmoid()
        advantage = reward - self.controls["baseline"].value
        return Objective({"policy": -(advantage * self.log_likelihood(fake)).mean()}, {"reward": reward.mean()})

    def log_likelihood(self, tokens: Tensor) -> Tensor:
        """Sum of log p(token | tokens before), (rows,)."""
        return self.players["generator"](tokens).gather(2, tokens[:, :, None]).sum((1, 2))

    def opinion(self, batch: Batch) -> Opinion:
        """The log-likelihood, and how real the discriminator takes each sequence for."""
        return Opinion(self.players["discriminator"](batch.real), self.log_likelihood(batch.real))

    def latent(self, random: RandomStream) -> Latent:
        """Gumbel noise, (rows, length · letters). Truncated by a factor, it is sampling at that temperature."""
        return -(-random.uniform("noise", self.length * self.letters).clamp_min(1e-9).log()).log()

    @torch.no_grad()
    def generate(self, latent: Latent, condition: Sample | None) -> Sample:
        """Write one token after the other: argmax of log p plus Gumbel noise is drawn from p."""
        tokens = torch.zeros(len(latent), self.length, dtype=torch.int64, device=latent.device)
        for place, here in enumerate(latent.view(-1, self.length, self.letters).unbind(1)):
            tokens[:, place] = (self.players["generator"](tokens)[:, place] + here).argmax(1)
        return tokens
