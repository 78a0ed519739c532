"""One generator against one discriminator: the page to read first."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import final

import torch
from torch import Tensor, nn

from sparring.flow import Batch, Noise, Progress, Sample, Terms, Turn
from sparring.games.priors import Prior
from sparring.objectives.judge import Judge
from sparring.objectives.losses import Formula, Loss
from sparring.objectives.penalties import Penalty, clip_weights
from sparring.objectives.schedules import Weighted
from sparring.objectives.terms import Attempt, Term
from sparring.randomness import Draw


@final
class Duel:
    """The game of Goodfellow et al. (2014), with any loss, penalties and extra terms.

    Args:
        generator: ``(noise, condition) -> sample``.
        discriminator: ``(sample, condition) -> Verdict``.
        prior: where the noise comes from.
        loss: what the two minimise.
        penalties: by the name they are logged under, on the discriminator.
        terms: by the name they are logged under, for the generator beside the loss.
        discriminator_turns: updates of the discriminator for one of the generator, each on a batch of its own.
        weight_limit: the discriminator's weights are clipped to [-limit, limit] after each update.
    """

    generators = ("generator",)

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        *,
        prior: Prior,
        loss: Loss,
        penalties: Mapping[str, Weighted[Penalty]] | None = None,
        terms: Mapping[str, Weighted[Term]] | None = None,
        discriminator_turns: int = 1,
        weight_limit: float | None = None,
    ) -> None:
        self.players = {"generator": generator, "discriminator": discriminator}
        self.prior = prior
        self.loss = loss
        self.penalties = dict(penalties or {})
        self.terms = dict(terms or {})
        self.discriminator_turns = discriminator_turns
        self.weight_limit = weight_limit

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """The discriminator, then the generator."""
        clip = partial(clip_weights, self.players["discriminator"], self.weight_limit) if self.weight_limit else None
        return [
            Turn("discriminator", self.discriminator_terms, self.discriminator_turns, after=clip),
            Turn("generator", self.generator_terms),
        ]

    def discriminator_terms(self, batch: Batch, progress: Progress) -> Terms:
        """Tell real from fake, smoothly."""
        with torch.no_grad():
            fake = self.generate(self.noise(progress.draw), batch.condition)
        real, fake = batch.real.detach().requires_grad_(), fake.requires_grad_()
        judge = self._judge(batch, progress)
        terms = {"adversarial": self._sum(self.loss.discriminator, judge(real).scores, judge(fake).scores)}
        for name, penalty in self.penalties.items():
            terms[name] = penalty.weight(progress.fraction) * penalty.item(judge, real, fake).mean()
        return terms

    def generator_terms(self, batch: Batch, progress: Progress) -> Terms:
        """Be taken for real."""
        noise = self.noise(progress.draw)
        fake = self.generate(noise, batch.condition)
        judge = self._judge(batch, progress)
        terms = {"adversarial": self._ask(judge, batch.real, fake)}
        attempt = Attempt(noise, fake, batch, judge, partial(self.generate, condition=batch.condition))
        for name, term in self.terms.items():
            terms[name] = term.weight(progress.fraction) * term.item(attempt)
        return terms

    def noise(self, draw: Draw) -> Noise:
        """Noise for the rows of ``draw``, (rows, size)."""
        return self.prior(draw)

    def generate(self, noise: Noise, condition: Tensor | None) -> Sample:
        """Samples from noise and condition."""
        sample: Sample = self.players["generator"](noise, condition)
        return sample.float()

    def _judge(self, batch: Batch, progress: Progress) -> Judge:
        return Judge(self.players["discriminator"], batch.condition, progress.draw)

    def _ask(self, judge: Judge, real: Sample, fake: Sample) -> Tensor:
        fake_scores = judge(fake).scores
        real_scores = [torch.zeros_like(score) for score in fake_scores]
        if self.loss.paired:
            with torch.no_grad():
                real_scores = judge(real).scores
        return self._sum(self.loss.generator, real_scores, fake_scores)

    @staticmethod
    def _sum(formula: Formula, real: list[Tensor], fake: list[Tensor]) -> Tensor:
        return torch.stack([formula(*pair) for pair in zip(real, fake, strict=True)]).sum()
