"""One player that makes the data likely: the comparator of the adversarial games."""

from collections.abc import Sequence
from typing import Protocol, final

from torch import nn

from sparring.dials import Dial
from sparring.flow import Batch, Code, Noise, Opinion, Progress, SameUnits, Sample, Terms, Turn, Units
from sparring.games.game import WHOLE_RUN
from sparring.objectives.schedules import Schedule
from sparring.randomness import Draw


class Autoencoder(Protocol):
    """A network with both directions."""

    def encode(self, sample: Sample, condition: Sample | None) -> Code: ...

    def decode(self, noise: Noise, condition: Sample | None) -> Sample: ...


@final
class Likelihood:
    """The variational autoencoder (Kingma & Welling 2014), with the weight β of Higgins et al. (2017).

    Minimises squared error / (2 σ²) + β KL(q(z|x) ‖ N(0, I)), per sample, divided by the number of values in a sample.

    Args:
        autoencoder: an ``nn.Module`` that satisfies ``Autoencoder``.
        noise_size: length of its noise.
        spread: σ, the standard deviation of the observation noise, in the units of the network.
        divergence_weight: β.
        units: those in which the network works.
    """

    published = ("autoencoder",)
    judges = ()
    phases = WHOLE_RUN

    def __init__(
        self,
        autoencoder: nn.Module,
        *,
        noise_size: int,
        spread: float,
        divergence_weight: Schedule,
        units: Units | None = None,
    ) -> None:
        self.players = {"autoencoder": autoencoder}
        self.dials: dict[str, Dial] = {}
        self.noise_size = noise_size
        self.spread = spread
        self.divergence_weight = divergence_weight
        self.units = units or SameUnits()

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """The only player, every time."""
        return [Turn("autoencoder", self.terms)]

    def terms(self, batch: Batch, progress: Progress) -> Terms:
        """The negative evidence lower bound (Kingma & Welling 2014, eqs. 8 and 10)."""
        player: Autoencoder = self.players["autoencoder"]  # type: ignore[assignment]
        real = self.units.standard(batch.real)
        mean, log_variance = player.encode(real, batch.condition)
        mean, log_variance = mean.float(), log_variance.float()
        noise = mean + (log_variance / 2).exp() * progress.draw.normal("code", self.noise_size)
        error = player.decode(noise, batch.condition).float() - real
        divergence = (mean.square() + log_variance.exp() - log_variance - 1).sum(1) / 2
        values = real[0].numel()
        weight = self.divergence_weight(progress.fraction)
        return {
            "reconstruction": error.square().mean() / (2 * self.spread**2),
            "divergence": weight * divergence.mean() / values,
        }

    def opinion(self, batch: Batch) -> Opinion:
        """Nothing: nobody judges here, and the bound that is minimised has another scale than log p(x)."""
        return Opinion()

    def noise(self, draw: Draw) -> Noise:
        """Standard normal noise, (rows, noise_size)."""
        return draw.normal("noise", self.noise_size)

    def generate(self, noise: Noise, condition: Sample | None) -> Sample:
        """The mean of p(x|z)."""
        player: Autoencoder = self.players["autoencoder"]  # type: ignore[assignment]
        return self.units.own(player.decode(noise, condition).float())
