"""One player that maximises the likelihood of the data: the baseline of the adversarial games."""

from collections.abc import Sequence
from typing import Protocol, final

import torch
from torch import Tensor, nn

from sparring.controls import Control
from sparring.flow import (
    Anomaly,
    Batch,
    Code,
    Latent,
    NoNormalizer,
    Normalizer,
    Objective,
    Opinion,
    Progress,
    Sample,
    Turn,
)
from sparring.games.game import WHOLE_RUN
from sparring.games.priors import normal
from sparring.objectives.schedules import Schedule
from sparring.randomness import RandomStream


class Autoencoder(Protocol):
    """A network with both directions."""

    def encode(self, sample: Sample, condition: Sample | None) -> Code: ...

    def decode(self, latent: Latent, condition: Sample | None) -> Tensor: ...


class Observation(Protocol):
    """The distribution p(x|z) of samples on the scale of the network, given what the decoder returns for z."""

    @property
    def noise(self) -> int:
        """Number of the random numbers by which a sample is drawn."""
        ...

    def surprises(self, decoded: Tensor, real: Sample) -> Tensor:
        """Return -log p(x|z) of each value or column up to a constant, (batch, …)."""
        ...

    def values(self, real: Sample) -> int:
        """Return the number of values of a sample, by which both parts of the bound are divided."""
        ...

    def sample(self, decoded: Tensor, noise: Tensor) -> Sample:
        """Return the samples that standard normal numbers, (batch, noise), choose."""
        ...


@final
class Normal:
    """p(x|z) = N(decoded, σ² I); generated samples are its mean.

    Args:
        spread: σ, the standard deviation of the observation noise, on the scale of the network.
    """

    noise = 0

    def __init__(self, spread: float) -> None:
        self.spread = spread

    def surprises(self, decoded: Tensor, real: Tensor) -> Tensor:
        """Return squared error / (2 σ²), of the shape of the samples."""
        return (decoded - real).square() / (2 * self.spread**2)

    def values(self, real: Tensor) -> int:
        """Return the number of values of a sample."""
        return real[0].numel()

    def sample(self, decoded: Tensor, noise: Tensor) -> Tensor:
        """Return the mean."""
        return decoded


@final
class Likelihood:
    """The variational autoencoder (Kingma & Welling 2014), with the weight β of Higgins et al. (2017).

    Minimises -log p(x|z) + β KL(q(z|x) ‖ N(0, I)) per sample, divided by the number of values in a sample.

    Args:
        autoencoder: an ``nn.Module`` that satisfies ``Autoencoder``.
        latent_size: length of its latent vectors.
        observation: p(x|z), such as ``Normal``.
        divergence_weight: β.
        normalizer: maps data to the scale that the network works in.
    """

    published = ("autoencoder",)
    critics = ()
    phases = WHOLE_RUN

    def __init__(
        self,
        autoencoder: nn.Module,
        *,
        latent_size: int,
        observation: Observation,
        divergence_weight: Schedule,
        normalizer: Normalizer | None = None,
    ) -> None:
        self.players = {"autoencoder": autoencoder}
        self.controls: dict[str, Control] = {}
        self.prior, self.latent_size = normal(latent_size + observation.noise), latent_size
        self.observation = observation
        self.divergence_weight = divergence_weight
        self.normalizer = normalizer or NoNormalizer()

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Train the only player."""
        return [Turn("autoencoder", self.objective)]

    def objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise the negative evidence lower bound (Kingma & Welling 2014, eqs. 8 and 10)."""
        # Sample to code, code to sample by the reparametrisation z = μ + σ ε (eq. 10).
        player: Autoencoder = self.players["autoencoder"]  # type: ignore[assignment]
        real = self.normalizer.normalize(batch.real, progress.random)
        mean, log_variance = player.encode(real, batch.condition)
        mean, log_variance = mean.float(), log_variance.float()  # (batch, latent_size) each
        latent = mean + (log_variance / 2).exp() * progress.random.normal("code", self.latent_size)
        surprises = self.observation.surprises(player.decode(latent, batch.condition).float(), real)
        surprise = surprises.flatten(1).sum(1)  # (batch,)

        # Both parts of the bound, per value of a sample.
        divergence = divergence_from_prior(mean, log_variance)  # (batch,)
        weight, values = self.divergence_weight(progress.fraction), self.observation.values(real)
        return Objective(
            {
                "reconstruction": surprise.mean() / values,
                "divergence": weight * divergence.mean() / values,
            }
        )

    def opinion(self, batch: Batch) -> Opinion:
        """Return no opinion: there is no critic, and the minimised bound is not on the scale of log p(x)."""
        return Opinion()

    @torch.no_grad()
    def anomaly(self, batch: Batch) -> Anomaly:
        """Return the minimised bound of each sample at z = μ and the final weight, and -log p(x|z) of each value."""
        player: Autoencoder = self.players["autoencoder"]  # type: ignore[assignment]
        real = self.normalizer.normalize(batch.real)
        mean, log_variance = player.encode(real, batch.condition)
        mean, log_variance = mean.float(), log_variance.float()
        surprises = self.observation.surprises(player.decode(mean, batch.condition).float(), real)
        divergence = self.divergence_weight(1.0) * divergence_from_prior(mean, log_variance)
        return Anomaly(surprises.flatten(1).sum(1) + divergence, surprises)

    def latent(self, random: RandomStream) -> Latent:
        """Draw standard normal latents, (rows, latent_size + noise of the observation)."""
        return self.prior(random)

    def generate(self, latent: Latent, condition: Sample | None) -> Sample:
        """Return samples of p(x|z)."""
        player: Autoencoder = self.players["autoencoder"]  # type: ignore[assignment]
        code, noise = latent.split([self.latent_size, self.observation.noise], 1)
        sample = self.observation.sample(player.decode(code, condition).float(), noise)
        return self.normalizer.denormalize(sample, condition)


def divergence_from_prior(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(q ‖ N(0, I)) in closed form (appendix B), (batch,)."""
    return (mean.square() + log_variance.exp() - log_variance - 1).sum(1) / 2
