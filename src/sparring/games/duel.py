"""One generator against one discriminator (Goodfellow et al. 2014): noise to samples to logits to loss."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias, final

import torch
from torch import nn

from sparring.controls import Control, climb, note, running_mean, signal
from sparring.flow import Batch, Latent, NoNormalizer, Normalizer, Objective, Opinion, Progress, Sample, Turn
from sparring.games.game import WHOLE_RUN
from sparring.games.priors import Prior
from sparring.objectives.critic import Critic, per_sample
from sparring.objectives.gamma import LEAD, fixed, lead
from sparring.objectives.losses import Loss
from sparring.objectives.penalties import Penalty, clip_weights, differentiable, lecam, r1, r2
from sparring.objectives.schedules import Weighted, constant
from sparring.objectives.statistics import logit_statistics
from sparring.objectives.terms import GeneratorPass, Term
from sparring.randomness import RandomStream
from sparring.samples import as_float32

Augment: TypeAlias = Callable[[Sample, float, RandomStream], Sample]
"""(samples, probability, random numbers) → samples of the same shape."""

MAX_AUGMENTATION = 0.8
"""Probability above which augmentations leak into the samples (Karras et al. 2020, section 2.2)."""
OVERFITTING_TARGET = 0.6
"""Set point of the held-out gap, which is r_v of Karras et al. (2020, section 3); 0.6 is their target of r_t."""
AUGMENTATION_SAMPLES = 500_000
"""Real samples in which the probability of augmentation rises from 0 to 1 at the fastest (the same, section 3)."""
STATISTICS_INTERVAL = 16
"""Steps between statistics of the logits."""
LEVEL_DECAY = 0.9
"""Decay of LeCam's running means α, per update."""


@final
class Duel:
    """The game of Goodfellow et al. (2014), with any loss, penalties and extra terms.

    Args:
        generator: ``(latent, condition) -> sample``.
        discriminator: ``(sample, condition) -> Verdict``.
        prior: the distribution of latents.
        loss: what the two minimise.
        penalties: on the discriminator, by the name they are logged under.
        terms: minimised by the generator beside the loss, by the name they are logged under.
        discriminator_turns: updates of the discriminator per update of the generator, each on a batch of its own.
        weight_limit: the discriminator's weights are clipped to [-limit, limit] after each update.
        gamma: a factor on all penalties, beside their weights. Without penalties it multiplies R1 and R2 and starts at
            zero, so that they cost nothing until the watchdog raises it.
        augment: applied to samples with a probability before the discriminator sees them (Karras et al. 2020).
        normalizer: maps data to the scale that both players work in, on which penalties are measured.
        generator_first: whether the generator is updated first, and the discriminator on the samples that it made then,
            which saves one pass of the generator; for one update of each.
    """

    published = ("generator",)
    critics = ("discriminator",)
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
        gamma: Control | None = None,
        augment: Augment | None = None,
        normalizer: Normalizer | None = None,
        generator_first: bool = False,
    ) -> None:
        # The players and the formulas.
        self.players = {"generator": generator, "discriminator": discriminator}
        self.prior = prior
        self.loss = loss
        self.terms = dict(terms or {})
        self.discriminator_turns = discriminator_turns
        self.weight_limit = weight_limit
        self.augment = augment
        self.normalizer = normalizer or NoNormalizer()
        self.generator_first = generator_first

        # Numbers that change during the run: γ by its rule, the others when the watchdog raises them.
        self.controls = {
            "gamma": gamma or fixed(1.0 if penalties else 0.0),
            "augmentation": Control(
                0.0,
                highest=MAX_AUGMENTATION if augment else 0.0,
                rule=climb(signal("held-out gap"), OVERFITTING_TARGET, AUGMENTATION_SAMPLES),
            ),
            "lecam": Control(0.0, enabled=False),
            "real level": running_level("real score"),
            "fake level": running_level("fake score"),
        }

        # A penalty is weighted by its schedule times the control of its name, or γ where there is none.
        one = constant(1.0)
        self.penalties = dict(penalties or {"r1": Weighted(r1, one), "r2": Weighted(r2, one)})
        self.penalties["lecam"] = Weighted(lecam(self.controls["real level"], self.controls["fake level"]), one)

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Train the discriminator, then the generator, or the reverse."""
        clip = self._clip if self.weight_limit else None
        turns = [
            Turn("discriminator", self.discriminator_objective, times=self.discriminator_turns, after=clip),
            Turn("generator", self.generator_objective),
        ]
        return turns[::-1] if self.generator_first else turns

    def discriminator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise the loss on real and generated samples, plus the penalties."""
        # Noise to samples. Penalties differentiate with respect to both kinds, so both become leaves of the graph.
        if "fakes" in progress.made:
            fake = progress.made["fakes"]
        else:
            with torch.no_grad():
                fake = self._generate(self.latent(progress.random), batch.condition)
        real = differentiable(self.normalizer.normalize(batch.real, progress.random))
        fake = differentiable(fake)

        # Samples to logits, once each.
        critic = self._critic(batch, progress)
        real_logits, fake_logits = critic(real).logits, critic(fake).logits

        # Logits to loss, and the penalties that have a weight now.
        terms = {"adversarial": self.loss.discriminator(real_logits, fake_logits)}
        for name, (penalty, schedule) in self.penalties.items():
            control = self.controls.get(name, self.controls["gamma"])
            weight = schedule(progress.fraction) * control.value
            if weight > 0:
                terms[name] = weight * penalty(critic, real, fake).mean()

        # Notes for the log, for the control of γ and for the watchdog.
        with torch.no_grad():
            notes = {LEAD: lead(real_logits, fake_logits)}
        if progress.step % STATISTICS_INTERVAL == 0:
            notes |= logit_statistics(critic, real, fake)
            # Constant, and logged because rules of the watchdog on the lead hold for paired losses only.
            notes["paired"] = torch.full_like(notes[LEAD], float(self.loss.paired))
        return Objective(terms, notes)

    def generator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise the generator's side of the loss, plus the extra terms."""
        # Noise to samples.
        latent = self.latent(progress.random)
        fake = self._generate(latent, batch.condition)
        batch = batch._replace(real=self.normalizer.normalize(batch.real, progress.random))

        # Samples to logits. Only a paired loss compares with those of real samples; no gradient flows through them.
        critic = self._critic(batch, progress)
        fake_logits = critic(fake).logits
        real_logits = [torch.zeros_like(logits) for logits in fake_logits]
        if self.loss.paired:
            with torch.no_grad():
                real_logits = critic(batch.real).logits

        # Logits to loss, and the extra terms.
        terms = {"adversarial": self.loss.generator(real_logits, fake_logits)}
        generated = GeneratorPass(latent, fake, batch, critic, partial(self._generate, condition=batch.condition))
        for name, (term, schedule) in self.terms.items():
            terms[name] = schedule(progress.fraction) * term(generated)
        return Objective(terms, rows={"fakes": fake} if self.generator_first else {})

    def opinion(self, batch: Batch) -> Opinion:
        """Score samples by the discriminator: the sum of its critics' logits, of patches their mean."""
        logits = self.players["discriminator"](self.normalizer.normalize(batch.real), batch.condition).logits
        return Opinion(torch.stack([per_sample(logit.float()) for logit in logits]).sum(0))

    def latent(self, random: RandomStream) -> Latent:
        """Draw latents for the rows of ``random``, (rows, size)."""
        return self.prior(random)

    def generate(self, latent: Latent, condition: Sample | None) -> Sample:
        """Generate samples in the units of the data."""
        return self.normalizer.denormalize(self._generate(latent, condition), condition)

    def _generate(self, latent: Latent, condition: Sample | None) -> Sample:
        sample: Sample = self.players["generator"](latent, condition)
        return as_float32(sample)

    def _critic(self, batch: Batch, progress: Progress) -> Critic:
        return Critic(self.players["discriminator"], batch.condition, progress.random, self._augmented)

    def _augmented(self, sample: Sample, random: RandomStream) -> Sample:
        probability = self.controls["augmentation"].value
        return self.augment(sample, probability, random) if self.augment and probability else sample

    def _clip(self, rows: Mapping[str, Sample], progress: Progress) -> None:
        assert self.weight_limit is not None
        clip_weights(self.players["discriminator"], self.weight_limit)


def running_level(name: str) -> Control:
    """Return α_R or α_F of LeCam: a running mean of a logit statistic."""
    return Control(0.0, lowest=-math.inf, rule=running_mean(note("discriminator", name), LEVEL_DECAY))
