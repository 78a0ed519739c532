"""One generator against one discriminator: the page to read first."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias, final

import torch
from torch import Tensor, nn

from sparring.dials import Dial, climb, running_mean
from sparring.flow import Batch, Noise, Opinion, Progress, SameUnits, Sample, Terms, Turn, Units
from sparring.games.game import WHOLE_RUN
from sparring.games.priors import Prior
from sparring.objectives.balance import LEAD, fixed, lead
from sparring.objectives.judge import Judge, gradient
from sparring.objectives.losses import Formula, Loss
from sparring.objectives.penalties import Penalty, clip_weights, differentiable, lecam, r1, r2
from sparring.objectives.schedules import Weighted, constant
from sparring.objectives.terms import Attempt, Term
from sparring.randomness import Draw
from sparring.samples import as_float32

Augment: TypeAlias = Callable[[Sample, float, Draw], Sample]
"""(samples, probability, random numbers) → samples of the same shape."""

MOST_AUGMENTED = 0.8
"""Above this probability augmentations show in the samples (Karras et al. 2020, section 2.3)."""
OVERFITTING, KNOWN = "look: held-out gap", 0.6
"""What the probability of augmentation follows, as in Karras et al. (2020), section 3.1: r_v, and where it is held."""
SLOWNESS = 500_000
"""Real samples in which it goes from 0 to 1 at most (the same, section 3.2)."""
NOTED_EVERY = 16
"""Steps between looks at the scores."""


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
        strength: a factor on all penalties, beside their weights; where there are none, on R1 and R2, which then count
            nothing until the watchdog wants them.
        augment: what samples pass, with a probability, before the discriminator sees them (Karras et al. 2020).
        units: those in which both players work, and penalties measure.
    """

    published = ("generator",)
    judges = ("discriminator",)
    phases = WHOLE_RUN

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
        strength: Dial | None = None,
        augment: Augment | None = None,
        units: Units | None = None,
    ) -> None:
        self.players = {"generator": generator, "discriminator": discriminator}
        self.prior = prior
        self.loss = loss
        self.penalties = dict(penalties or {"r1": Weighted(r1, constant(1.0)), "r2": Weighted(r2, constant(1.0))})
        self.terms = dict(terms or {})
        self.discriminator_turns = discriminator_turns
        self.weight_limit = weight_limit
        self.augment = augment
        self.units = units or SameUnits()
        self.dials = {
            "strength": strength or fixed(1.0 if penalties else 0.0),
            "augmentation": Dial(
                0.0,
                highest=MOST_AUGMENTED if augment else 0.0,
                rule=climb(OVERFITTING, KNOWN, "look: samples", SLOWNESS),
            ),
            "lecam": Dial(0.0, obeys=False),
            "real level": Dial(0.0, lowest=-math.inf, rule=running_mean("discriminator: real score", 0.9)),
            "fake level": Dial(0.0, lowest=-math.inf, rule=running_mean("discriminator: fake score", 0.9)),
        }
        self._lecam = lecam(self.dials["real level"], self.dials["fake level"])

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """The discriminator, then the generator."""
        clip = self._clip if self.weight_limit else None
        return [
            Turn("discriminator", self.discriminator_terms, times=self.discriminator_turns, after=clip),
            Turn("generator", self.generator_terms),
        ]

    def discriminator_terms(self, batch: Batch, progress: Progress) -> Terms:
        """Tell real from fake, smoothly."""
        with torch.no_grad():
            fake = self._made(self.noise(progress.draw), batch.condition)
        real, fake = differentiable(self.units.standard(batch.real)), differentiable(fake)
        judge = self._judge(batch, progress)
        terms = {"adversarial": self._sum(self.loss.discriminator, judge(real).scores, judge(fake).scores)}
        for name, penalty in self.penalties.items():
            weight = penalty.weight(progress.fraction) * self.dials["strength"].value
            if weight > 0:
                terms[name] = weight * penalty.item(judge, real, fake).mean()
        if self.dials["lecam"].value > 0:
            terms["lecam"] = self.dials["lecam"].value * self._lecam(judge, real, fake).mean()
        with torch.no_grad():
            ahead = lead(judge(real).scores, judge(fake).scores)
        progress.notes.update({LEAD: ahead, "paired": torch.full_like(ahead, float(self.loss.paired))})
        if progress.step % NOTED_EVERY == 0:
            progress.notes.update(notes_on(judge, real, fake))
        return terms

    def generator_terms(self, batch: Batch, progress: Progress) -> Terms:
        """Be taken for real."""
        batch = batch._replace(real=self.units.standard(batch.real))
        noise = self.noise(progress.draw)
        fake = self._made(noise, batch.condition)
        judge = self._judge(batch, progress)
        terms = {"adversarial": self._ask(judge, batch.real, fake)}
        attempt = Attempt(noise, fake, batch, judge, partial(self._made, condition=batch.condition))
        for name, term in self.terms.items():
            terms[name] = term.weight(progress.fraction) * term.item(attempt)
        return terms

    def opinion(self, batch: Batch) -> Opinion:
        """How real the discriminator takes each sample for: the sum over its judges."""
        scores = self.players["discriminator"](self.units.standard(batch.real), batch.condition).scores
        return Opinion(torch.stack([score.float() for score in scores]).sum(0))

    def noise(self, draw: Draw) -> Noise:
        """Noise for the rows of ``draw``, (rows, size)."""
        return self.prior(draw)

    def generate(self, noise: Noise, condition: Sample | None) -> Sample:
        """Samples from noise and condition."""
        return self.units.own(self._made(noise, condition))

    def _made(self, noise: Noise, condition: Sample | None) -> Sample:
        sample: Sample = self.players["generator"](noise, condition)
        return as_float32(sample)

    def _judge(self, batch: Batch, progress: Progress) -> Judge:
        return Judge(self.players["discriminator"], batch.condition, progress.draw, self._augmented)

    def _clip(self, rows: Mapping[str, Sample], progress: Progress) -> None:
        assert self.weight_limit is not None
        clip_weights(self.players["discriminator"], self.weight_limit)

    def _augmented(self, sample: Sample, draw: Draw) -> Sample:
        probability = self.dials["augmentation"].value
        return self.augment(sample, probability, draw) if self.augment and probability else sample

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


def notes_on(judge: Judge, real: Sample, fake: Sample) -> dict[str, Tensor]:
    """What a discriminator's scores say of the duel; where it has several judges, their sum.

    Returns:
        ``real score`` and ``fake score``, the means; ``sure``, the mean sign of D(x) over the mean score of fakes, in
        [-1, 1] (Karras et al. 2020, eq. 1; over that mean, here of a micro-batch, because relativistic scores have no
        zero of their own); ``overlap``, the share of rows in which the fake scores higher, in [0, 1] and 1/2 where the
        two cannot be told apart; ``real slope`` and ``fake slope``, the mean of ‖∇D‖.
    """
    totals = [torch.stack(judge(sample).scores).sum(0) for sample in (real, fake)]
    slopes = [
        gradient(total, sample, retain_graph=True).norm(dim=1).mean()
        for total, sample in zip(totals, (real, fake), strict=True)
    ]
    with torch.no_grad():
        reals, fakes = totals
        return {
            "real score": reals.mean(),
            "fake score": fakes.mean(),
            "sure": (reals - fakes.mean()).sign().mean(),
            "overlap": (fakes > reals).float().mean(),
            "real slope": slopes[0],
            "fake slope": slopes[1],
        }
