"""A contest about the codes of sequences, which an autoencoder learns and a supervisor steps through: TimeGAN.

Samples and their codes are tensors (batch, steps, …). Equations and sections are those of Yoon, Jarrett & van der
Schaar (2019); the weights, and square roots which the paper does not have, are those of the authors' program.
"""

from collections.abc import Sequence
from typing import NamedTuple, final

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from sparring.controls import Control
from sparring.flow import Batch, Latent, NoNormalizer, Normalizer, Objective, Opinion, Phase, Progress, Sample, Turn
from sparring.games.priors import Prior
from sparring.objectives.critic import Critic, per_sample
from sparring.objectives.gamma import LEAD, lead
from sparring.objectives.losses import non_saturating
from sparring.objectives.penalties import differentiable
from sparring.objectives.statistics import logit_statistics
from sparring.randomness import RandomStream
from sparring.samples import as_float32

STATISTICS_INTERVAL = 16
"""Steps between statistics of the logits."""
MIN_SQUARE = 1e-8
"""Least number under a square root, whose slope is infinite at 0."""


class Networks(NamedTuple):
    """The players.

    Args:
        embedder: e, ``(sample, condition) -> code``.
        recovery: r, ``(code, condition) -> sample``.
        generator: g, ``(latent, condition) -> code``.
        supervisor: ``(code, condition) -> code``: from each step the code of the next one.
        discriminator: d, ``(code, condition) -> Verdict``.
    """

    embedder: nn.Module
    recovery: nn.Module
    generator: nn.Module
    supervisor: nn.Module
    discriminator: nn.Module


@final
class Embedded:
    """The game of TimeGAN, in three phases: the autoencoder, then the supervisor, then all players together.

    A step of the last phase updates generator and autoencoder twice and the discriminator once.

    Args:
        networks: the players.
        prior: the distribution of latents.
        normalizer: maps data to the tensors that the players work with.
        reconstruction: weight of the root of the squared error of reconstructions.
        supervision: weight η of the root of the supervised loss in the generator's turn.
        supervision_of_codes: weight λ of the supervised loss in the autoencoder's turn.
        unsupervised: weight γ of the contest about codes that the supervisor has not seen.
        moments: weight of the distance in means and deviations.
    """

    published = ("generator", "supervisor", "recovery")
    critics = ("discriminator",)
    phases = (
        Phase("autoencoding", until=0.25, watched=False),
        Phase("supervised training", until=0.5, watched=False),
        Phase("joint training"),
    )

    def __init__(
        self,
        networks: Networks,
        *,
        prior: Prior,
        normalizer: Normalizer | None = None,
        reconstruction: float = 10.0,
        supervision: float = 100.0,
        supervision_of_codes: float = 0.1,
        unsupervised: float = 1.0,
        moments: float = 100.0,
    ) -> None:
        self.players: dict[str, nn.Module] = networks._asdict()
        self.controls: dict[str, Control] = {}
        self.prior, self.normalizer = prior, normalizer or NoNormalizer()
        self.reconstruction, self.supervision, self.moments = reconstruction, supervision, moments
        self.supervision_of_codes, self.unsupervised = supervision_of_codes, unsupervised

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Train the players of the phase."""
        autoencoder = ("embedder", "recovery")
        if progress.fraction < self.phases[0].until:
            return [Turn("autoencoder", self.reconstruction_objective, autoencoder)]
        if progress.fraction < self.phases[1].until:
            return [Turn("supervisor", self.supervised_objective)]
        return [
            Turn("generator", self.generator_objective, ("generator", "supervisor"), times=2),
            Turn("autoencoder", self.autoencoder_objective, autoencoder, times=2),
            Turn("discriminator", self.discriminator_objective),
        ]

    def reconstruction_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise the error of reconstructions L_R (eq. 7)."""
        real = self.normalizer.normalize(batch.real, progress.random)
        return Objective({"reconstruction": self._reconstruction(real, self._codes(real, batch), batch)})

    def supervised_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise the supervised loss L_S of given codes (eq. 9)."""
        with torch.no_grad():
            codes = self._codes(self.normalizer.normalize(batch.real, progress.random), batch)
        return Objective({"supervised": self._supervised(codes, batch)})

    def autoencoder_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise λ L_S + L_R over embedder and recovery (eq. 10)."""
        real = self.normalizer.normalize(batch.real, progress.random)
        codes = self._codes(real, batch)
        return Objective(
            {
                "reconstruction": self._reconstruction(real, codes, batch),
                "supervised": self.supervision_of_codes * self._supervised(codes, batch),
            }
        )

    def generator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise η L_S + L_U over generator and supervisor (eq. 11), and the distance in moments."""
        # Noise to codes, and by the supervisor to those of the next steps; codes to samples.
        real = self.normalizer.normalize(batch.real, progress.random)
        first, second = self._generated(self.latent(progress.random), batch.condition)
        fake = self._recovered(second, batch.condition)

        # L_U of eq. 8, for codes with and without the supervisor.
        critic = Critic(self.players["discriminator"], batch.condition, progress.random)
        terms = {
            "adversarial": non_saturating.generator([], critic(second).logits),
            "unsupervised": self.unsupervised * non_saturating.generator([], critic(first).logits),
        }

        # L_S of eq. 9 at codes of real samples, and the moments over the batch.
        with torch.no_grad():
            codes = self._codes(real, batch)
        terms["supervised"] = self.supervision * root(self._supervised(codes, batch))
        terms["moments"] = self.moments * distance_in_moments(real, fake)
        return Objective(terms)

    def discriminator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise the discriminator's side of L_U (eq. 8), for codes with and without the supervisor."""
        with torch.no_grad():
            real = self._codes(self.normalizer.normalize(batch.real, progress.random), batch)
            first, second = self._generated(self.latent(progress.random), batch.condition)
        real, second = differentiable(real), differentiable(second)

        # Codes to logits, once each.
        critic = Critic(self.players["discriminator"], batch.condition, progress.random)
        real_logits, fake_logits, first_logits = critic(real).logits, critic(second).logits, critic(first).logits
        terms = {
            "adversarial": non_saturating.discriminator(real_logits, fake_logits),
            "unsupervised": self.unsupervised * fakes_refused(first_logits),
        }

        # Notes for the log and for the watchdog.
        with torch.no_grad():
            notes = {LEAD: lead(real_logits, fake_logits)}
        if progress.step % STATISTICS_INTERVAL == 0:
            notes |= logit_statistics(critic, real, second)
            # Constant, and logged because rules of the watchdog on the lead hold for paired losses only.
            notes["paired"] = torch.zeros_like(notes[LEAD])
        return Objective(terms, notes)

    def opinion(self, batch: Batch) -> Opinion:
        """Score samples by the discriminator at their codes: the mean logit of their steps."""
        codes = self._codes(self.normalizer.normalize(batch.real), batch)
        logits = self.players["discriminator"](codes, batch.condition).logits
        return Opinion(torch.stack([per_sample(logit).float() for logit in logits]).sum(0))

    def latent(self, random: RandomStream) -> Latent:
        """Draw latents for the rows of ``random``, (rows, size)."""
        return self.prior(random)

    def generate(self, latent: Latent, condition: Sample | None) -> Sample:
        """Generate samples in the units of the data: r(s(g(z)))."""
        _, codes = self._generated(latent, condition)
        return self.normalizer.denormalize(self._recovered(codes, condition), condition)

    def _codes(self, real: Tensor, batch: Batch) -> Tensor:
        codes: Tensor = self.players["embedder"](real, batch.condition)
        return codes

    def _generated(self, latent: Latent, condition: Sample | None) -> tuple[Tensor, Tensor]:
        """Return g(z), and what the supervisor makes of it."""
        first = self.players["generator"](latent, condition)
        return first, self.players["supervisor"](first, condition)

    def _recovered(self, codes: Tensor, condition: Sample | None) -> Sample:
        return as_float32(self.players["recovery"](codes, condition))

    def _reconstruction(self, real: Tensor, codes: Tensor, batch: Batch) -> Tensor:
        return self.reconstruction * root(mse_loss(self._recovered(codes, batch.condition), real))

    def _supervised(self, codes: Tensor, batch: Batch) -> Tensor:
        """Return the squared error of each step's code from that of the step before; 0 for a single step."""
        following: Tensor = self.players["supervisor"](codes, batch.condition)
        return (following[:, :-1] - codes[:, 1:]).square().sum() / max(1, codes[:, 1:].numel())


def root(square: Tensor) -> Tensor:
    """Return the square root, with a finite slope at 0."""
    return (square + MIN_SQUARE).sqrt()


def fakes_refused(logits: list[Tensor]) -> Tensor:
    """Return E softplus(D(G(z))), the part of the discriminator's loss on generated samples."""
    return torch.stack([nn.functional.softplus(logit).mean() for logit in logits]).sum()


def distance_in_moments(real: Tensor, fake: Tensor) -> Tensor:
    """Return the mean absolute difference of the means, and of the deviations, over the batch.

    >>> distance_in_moments(torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [3.0]]))
    tensor(1.)
    """
    deviations = [root(part.var(0, unbiased=False)) for part in (real, fake)]
    return (deviations[0] - deviations[1]).abs().mean() + (real.mean(0) - fake.mean(0)).abs().mean()
