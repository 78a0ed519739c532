"""One generator against one discriminator: the page to read first."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple, final

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


class Answer(NamedTuple):
    """What a discriminator has told the generator about one batch: its loss, and where each sample should move."""

    batch: Batch
    noise: Noise
    loss: Tensor
    slope: Tensor


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
        simultaneous: the generator follows the slope that the discriminator felt in its own turn, instead of asking the
            updated one: simultaneous instead of alternating gradient descent (Mescheder et al. 2017, algorithm 1).
            R2 has computed that slope already, so the generator's turn needs no pass through the discriminator.
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
        simultaneous: bool = False,
        discriminator_turns: int = 1,
        weight_limit: float | None = None,
    ) -> None:
        self.players = {"generator": generator, "discriminator": discriminator}
        self.prior = prior
        self.loss = loss
        self.penalties = dict(penalties or {})
        self.terms = dict(terms or {})
        self.simultaneous = simultaneous
        self.discriminator_turns = discriminator_turns
        self.weight_limit = weight_limit
        self._answers: dict[tuple[int, int], Answer] = {}

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """The discriminator, then the generator."""
        clip = partial(clip_weights, self.players["discriminator"], self.weight_limit) if self.weight_limit else None
        return [
            Turn("discriminator", self.discriminator_terms, self.discriminator_turns, after=clip),
            Turn("generator", self.generator_terms),
        ]

    def discriminator_terms(self, batch: Batch, progress: Progress) -> Terms:
        """Tell real from fake, smoothly."""
        noise = self.noise(progress.draw)
        with torch.no_grad():
            fake = self.generate(noise, batch.condition)
        real, fake = batch.real.detach().requires_grad_(), fake.requires_grad_()
        judge = self._judge(batch, progress)
        terms = {"adversarial": self._sum(self.loss.discriminator, judge(real).scores, judge(fake).scores)}
        for name, penalty in self.penalties.items():
            terms[name] = penalty.weight(progress.fraction) * penalty.item(judge, real, fake).mean()
        if self.simultaneous:
            self._answers[_rows(progress)] = self._answer(judge, batch, noise, real, fake)
        return terms

    def generator_terms(self, batch: Batch, progress: Progress) -> Terms:
        """Be taken for real."""
        answer = self._answers.pop(_rows(progress), None)
        batch, noise = (answer.batch, answer.noise) if answer else (batch, self.noise(progress.draw))
        fake = self.generate(noise, batch.condition)
        judge = self._judge(batch, progress)
        terms = {"adversarial": _heed(answer, fake) if answer else self._ask(judge, batch.real, fake)}
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

    def _answer(self, judge: Judge, batch: Batch, noise: Noise, real: Sample, fake: Sample) -> Answer:
        """The generator's loss and its gradient at the fakes: ∂L/∂score of each, times the slope of the score."""
        real_scores = [score.detach() for score in judge(real).scores]
        fake_scores = [score.detach().requires_grad_() for score in judge(fake).scores]
        loss = self._sum(self.loss.generator, real_scores, fake_scores)
        weights = torch.autograd.grad(loss, fake_scores)
        slopes = [
            slope.detach() * weight.view(-1, *[1] * (fake.dim() - 1))
            for slope, weight in zip(judge.slopes(fake), weights, strict=True)
        ]
        return Answer(batch, noise, loss.detach(), torch.stack(slopes).sum(0))

    @staticmethod
    def _sum(formula: Formula, real: list[Tensor], fake: list[Tensor]) -> Tensor:
        return torch.stack([formula(*pair) for pair in zip(real, fake, strict=True)]).sum()


def _rows(progress: Progress) -> tuple[int, int]:
    return progress.draw.rows.start, progress.draw.rows.stop


def _heed(answer: Answer, fake: Sample) -> Tensor:
    """A scalar with the value of the answer's loss and, in the generator's weights, its gradient."""
    move = (fake * answer.slope).sum()
    return answer.loss + move - move.detach()
