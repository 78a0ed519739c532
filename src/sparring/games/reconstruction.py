"""Reconstruction against a critic: samples are coded, decoded and coded again, and unusual ones come back changed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias, final

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from sparring.controls import Control
from sparring.flow import (
    Anomaly,
    Batch,
    Latent,
    NoNormalizer,
    Normalizer,
    Objective,
    Opinion,
    Phase,
    Progress,
    Sample,
    Turn,
)
from sparring.games.exchange import contest
from sparring.games.priors import normal
from sparring.objectives.critic import Critic, per_sample
from sparring.objectives.losses import minimax
from sparring.randomness import RandomStream

STATISTICS_RATE = 0.1
"""Share of a batch in the running statistics of the codes; that of batch norm."""

Residual: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""(sample, its reconstruction) → error of each value, (batch, …), not negative."""


class Autoencoder(Protocol):
    """A network that codes samples, and decodes them."""

    def encode(self, sample: Tensor, condition: Sample | None) -> Tensor:
        """Return codes, (batch, size)."""
        ...

    def decode(self, code: Tensor, condition: Sample | None) -> Tensor:
        """Return samples on the scale of the networks."""
        ...


class Encoder(Protocol):
    """A network that codes samples: (batch, …) → (batch, size)."""

    def __call__(self, sample: Tensor, condition: Sample | None) -> Tensor: ...


def absolute(sample: Tensor, reconstruction: Tensor) -> Tensor:
    """Return the absolute difference of each value."""
    return (sample - reconstruction).abs()


@final
class Coded(nn.Module):
    """Autoencoder with the running mean and variance of its codes, by which codes can be drawn.

    The statistics are buffers: they are part of every checkpoint, and move in ``Turn.after`` alone.

    Args:
        autoencoder: an ``nn.Module`` that satisfies ``Autoencoder``.
        size: length of a code.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, autoencoder: nn.Module, size: int) -> None:
        super().__init__()
        self.autoencoder, self.size = autoencoder, size
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("variance", torch.ones(size))

    def encode(self, sample: Tensor, condition: Sample | None) -> Tensor:
        """Return the codes of samples, (batch, size) float32."""
        return self._network.encode(sample, condition).float()

    def decode(self, code: Tensor, condition: Sample | None) -> Tensor:
        """Return the samples of codes, in float32."""
        return self._network.decode(code, condition).float()

    def scaled(self, latent: Latent) -> Tensor:
        """Map standard normal numbers to codes with the mean and variance of those in training."""
        return self.mean + self.variance.sqrt() * latent

    def observe(self, codes: Tensor) -> None:
        """Move the statistics towards those of the codes of a batch."""
        self.mean.lerp_(codes.mean(0), STATISTICS_RATE)
        self.variance.lerp_(codes.var(0, correction=0), STATISTICS_RATE)

    @property
    def _network(self) -> Autoencoder:
        network: Autoencoder = self.autoencoder  # type: ignore[assignment]
        return network


@final
class GANomaly:
    """The game of Akçay, Atapour-Abarghouei & Breckon (2018, section 3), which tells how unusual samples are.

    A generator G = G_D ∘ G_E reconstructs samples, and a second encoder E codes the reconstruction again. Both learn
    from ordinary samples alone, so that of others the two codes differ. Norms are means over their values, and squared
    where the paper says L2: the weights of the paper belong to these.

    It is no generative model by its paper. ``generate`` decodes codes drawn from a normal distribution with the mean
    and the variance of each number of the codes in training, which ignores how these depend on one another.

    Args:
        generator: G, with the statistics of its codes.
        encoder: E, an ``Encoder``.
        discriminator: D, ``(sample, condition) -> Verdict``, whose last features are f.
        residual: errors of a reconstruction, whose mean is the contextual term.
        contextual: weight w_con.
        adversarial: weight w_adv.
        coding: weight w_enc.
        normalizer: maps data to the scale that the players work in.
    """

    published = ("generator", "encoder")
    critics = ("discriminator",)
    phases = (Phase("training", watched=False),)

    def __init__(
        self,
        generator: Coded,
        encoder: nn.Module,
        discriminator: nn.Module,
        *,
        residual: Residual = absolute,
        contextual: float = 50.0,
        adversarial: float = 1.0,
        coding: float = 1.0,
        normalizer: Normalizer | None = None,
    ) -> None:
        self.players: dict[str, nn.Module] = {
            "generator": generator,
            "encoder": encoder,
            "discriminator": discriminator,
        }
        self.controls: dict[str, Control] = {}
        self.prior, self.residual = normal(generator.size), residual
        self.contextual, self.adversarial, self.coding = contextual, adversarial, coding
        self.normalizer = normalizer or NoNormalizer()

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Train the generator together with the second encoder, then the discriminator on the reconstructions."""
        return [
            Turn("generator", self.generator_objective, players=self.published, after=self.remember),
            Turn("discriminator", self.discriminator_objective),
        ]

    def generator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise w_adv L_adv + w_con L_con + w_enc L_enc (eq. 4)."""
        # Sample to code z to reconstruction to code ẑ.
        real = self.normalizer.normalize(batch.real, progress.random)
        code = self._generator.encode(real, batch.condition)
        fake = self._generator.decode(code, batch.condition)
        again = self._encoder(fake, batch.condition).float()

        # f(x) and f(G(x)); no gradient flows through those of the real samples.
        critic = Critic(self.players["discriminator"], batch.condition, progress.random)
        with torch.no_grad():
            real_features = critic(real).features[-1].float()
        fake_features = critic(fake).features[-1].float()
        terms = {
            "adversarial": self.adversarial * mse_loss(fake_features, real_features),  # L_adv, eq. 1
            "contextual": self.contextual * self.residual(real, fake).mean(),  # L_con, eq. 2
            "code": self.coding * mse_loss(again, code),  # L_enc, eq. 3
        }
        return Objective(terms, rows={"fakes": fake, "codes": code})

    def discriminator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise the binary cross-entropy of samples and reconstructions."""
        real = self.normalizer.normalize(batch.real, progress.random)
        with torch.no_grad():
            made = progress.made.get("fakes")
            fake = self._reconstructed(real, batch.condition)[1] if made is None else made
        critic = Critic(self.players["discriminator"], batch.condition, progress.random)
        return Objective(*contest(minimax, critic, real, fake, progress))

    def remember(self, rows: Mapping[str, Sample], progress: Progress) -> None:
        """Update the statistics of the codes."""
        self._generator.observe(rows["codes"])

    @torch.no_grad()
    def anomaly(self, batch: Batch) -> Anomaly:
        """Return ‖G_E(x) - E(G(x))‖₁ over the length of the code (eq. 5), and the errors of the reconstruction."""
        real = self.normalizer.normalize(batch.real)
        code, fake = self._reconstructed(real, batch.condition)
        again = self._encoder(fake, batch.condition).float()
        return Anomaly((code - again).abs().mean(1), self.residual(real, fake))

    def opinion(self, batch: Batch) -> Opinion:
        """Score samples by the logit of the discriminator."""
        logits = self.players["discriminator"](self.normalizer.normalize(batch.real), batch.condition).logits
        return Opinion(torch.stack([per_sample(logit.float()) for logit in logits]).sum(0))

    def latent(self, random: RandomStream) -> Latent:
        """Draw standard normal latents, (rows, size of a code)."""
        return self.prior(random)

    def generate(self, latent: Latent, condition: Sample | None) -> Sample:
        """Decode latents, scaled to the mean and the variance of the codes in training."""
        code = self._generator.scaled(latent)
        return self.normalizer.denormalize(self._generator.decode(code, condition), condition)

    def _reconstructed(self, real: Tensor, condition: Sample | None) -> tuple[Tensor, Tensor]:
        """Return the codes G_E(x) and the reconstructions G(x)."""
        code = self._generator.encode(real, condition)
        return code, self._generator.decode(code, condition)

    @property
    def _generator(self) -> Coded:
        generator = self.players["generator"]
        assert isinstance(generator, Coded)
        return generator

    @property
    def _encoder(self) -> Encoder:
        encoder: Encoder = self.players["encoder"]
        return encoder
