"""Sequences of tokens: maximum likelihood, then policy gradients with rewards (SeqGAN, Yu et al. 2017)."""

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
    """Generator that samples token by token, against a discriminator of whole sequences.

    Args:
        generator: tokens (rows, length) → log p(token | tokens before), (rows, length, letters).
        discriminator: tokens (rows, length) → logits (rows,).
        length: tokens in a sequence.
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
        """Train the generator by likelihood; in the second phase the discriminator, then the generator by rewards."""
        if phase_at(self, progress.fraction) == 0:
            return [Turn("likelihood", self.likelihood_objective, players=("generator",))]
        return [Turn("discriminator", self.discriminator_objective), Turn("generator", self.generator_objective)]

    def likelihood_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise the mean of -log p(x) over the data, in nats."""
        return Objective({"negative log-likelihood": -self.log_likelihood(batch.real).mean()})

    def discriminator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise the binary cross-entropy of real and generated sequences (Yu et al. 2017, eq. 5)."""
        fake = self.generate(self.latent(progress.random), None)
        real_logits, fake_logits = (self.players["discriminator"](side) for side in (batch.real, fake))
        terms = {"adversarial": softplus(-real_logits).mean() + softplus(fake_logits).mean()}
        return Objective(terms, {LEAD: lead([real_logits.detach()], [fake_logits.detach()])})

    def generator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Follow the policy gradient E[(R - b) ∇ log p(x)]: reward R = σ(D(x)), baseline b (Williams 1992)."""
        with torch.no_grad():
            fake = self.generate(self.latent(progress.random), None)
            reward = self.players["discriminator"](fake).sigmoid()
        advantage = reward - self.controls["baseline"].value
        return Objective({"policy": -(advantage * self.log_likelihood(fake)).mean()}, {"reward": reward.mean()})

    def log_likelihood(self, tokens: Tensor) -> Tensor:
        """Sum of log p(token | tokens before), (rows,)."""
        return self.players["generator"](tokens).gather(2, tokens[:, :, None]).sum((1, 2))

    def opinion(self, batch: Batch) -> Opinion:
        """Return the discriminator's logits and the log-likelihoods, (rows,) each."""
        return Opinion(self.players["discriminator"](batch.real), self.log_likelihood(batch.real))

    def latent(self, random: RandomStream) -> Latent:
        """Draw Gumbel noise, (rows, length · letters); scaled by a factor, it samples at that temperature."""
        return -(-random.uniform("noise", self.length * self.letters).clamp_min(1e-9).log()).log()

    @torch.no_grad()
    def generate(self, latent: Latent, condition: Sample | None) -> Sample:
        """Sample one token after the other: the argmax of log p plus Gumbel noise is a sample of p."""
        tokens = torch.zeros(len(latent), self.length, dtype=torch.int64, device=latent.device)
        for place, noise in enumerate(latent.view(-1, self.length, self.letters).unbind(1)):
            tokens[:, place] = (self.players["generator"](tokens)[:, place] + noise).argmax(1)
        return tokens
