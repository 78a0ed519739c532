"""f-AnoGAN: an encoder beside the players of a duel (Schlegl et al. 2019, Medical Image Analysis 54)."""

import copy
import math
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, leaky_relu, pad

from sparring.flow import Anomaly, Batch, Columnar, DrawsChoices, Latent, Normalizer
from sparring.games.duel import Duel
from sparring.layers.packing import Packed
from sparring.randomness import RandomStream, seeded
from sparring.samples import Sample, as_float32, batch_size, floats, take
from sparring.sampling import has_normal_prior

KAPPA = 1.0
"""Weight κ of the features (Schlegl et al. 2019, eq. 4)."""
WIDTH = 256
"""Units of the hidden layer behind the features of the encoder."""
MAX_FEATURES = 4096
"""Numbers of a feature map above which it is averaged over areas."""
REACH = 2.0
"""Bound of normally distributed latents: 95 % of a normal distribution. Latents without a bound would reach samples
that the generator never makes."""


class Encoder(nn.Module):
    """Maps samples to latents: a discriminator without its last layer, and two layers more.

    Args:
        discriminator: is copied, with its weights.
        example: two samples or more with their conditions, from which sizes are found.
        latent_size: length of the latents.
        unseen: numbers at their ends that the generator does not see, but draws choices from: they stay 0, since
            with them any sample could be reached.
        reach: bound of absolute values.
    """

    def __init__(self, discriminator: nn.Module, example: Batch, latent_size: int, unseen: int, reach: float) -> None:
        super().__init__()
        self.trunk, self.unseen, self.reach = copy.deepcopy(discriminator), unseen, reach
        with torch.no_grad():
            size = self._seen(example.real, example.condition).shape[1]
        self.hidden, self.last = nn.Linear(size, WIDTH), nn.Linear(WIDTH, latent_size - unseen)

    def forward(self, sample: Sample, condition: Sample | None) -> Latent:
        """Map samples, as the discriminator takes them, to latents (batch, latent_size)."""
        hidden = leaky_relu(self.hidden(self._seen(sample, condition)), 0.2)
        latent = self.reach * torch.tanh(self.last(hidden) / self.reach)
        return pad(latent, (0, self.unseen))

    def _seen(self, sample: Sample, condition: Sample | None) -> Tensor:
        """Return the last features, flattened, (batch, size); large maps are averaged over areas before."""
        features = last_features(self.trunk, sample, condition)
        if features.dim() == 4 and features[0].numel() > MAX_FEATURES:
            side = max(1, math.isqrt(MAX_FEATURES // features.shape[1]))
            features = adaptive_avg_pool2d(features, side)
        return features.flatten(1)


@final
class FAnoGAN:
    """Scores samples by what is lost on the way to a latent and back (Schlegl et al. 2019, "izi_f", eq. 4 to 6).

    The score of x is ‖x − G(E(x))‖² / n + κ ‖f(x) − f(G(E(x)))‖² / n_d, in the scale that both players work in. f are
    the last features of the discriminator, n and n_d the numbers of values. Implements ``games.game.Detecting``.

    Args:
        game: with trained players, which are frozen and put into evaluation mode.
        example: two samples or more with their conditions.
        seed: of the two layers behind the features.
    """

    def __init__(self, game: Duel, example: Batch, seed: int) -> None:
        (generator,), (critic,) = game.published, game.critics
        self.generator, self.discriminator = game.players[generator], game.players[critic]
        self.normalizer: Normalizer = game.normalizer
        for player in (self.generator, self.discriminator):
            player.eval().requires_grad_(False)
        latent = game.latent(RandomStream(0, 0, 1, slice(0, 1), "probe/"))
        unseen = latent.shape[1] - self.generator.seen_latents if isinstance(self.generator, DrawsChoices) else 0
        reach = REACH if has_normal_prior(game) else 1.0
        known = example._replace(real=self.normalizer.normalize(example.real))
        with seeded(seed, "encoder"):
            self.encoder = Encoder(self.discriminator, known, latent.shape[1], unseen, reach)
        self.encoder.eval()

    @property
    def networks(self) -> list[nn.Module]:
        """All networks."""
        return [self.generator, self.discriminator, self.encoder]

    def anomaly(self, batch: Batch) -> Anomaly:
        """Return scores, and the squared residual of each value, or column."""
        with torch.no_grad():
            score, residual = self.losses(batch)
        return Anomaly(score, self._places(batch.real, residual))

    def explained(self, batch: Batch) -> float:
        """Return the share of the variance of normal samples that is left after the way back, at most 1.

        Near 0 or below, samples are not reconstructed at all, so that their scores say little.
        """
        real = self.normalizer.normalize(batch.real)
        flat = torch.cat([part.double().flatten(1) for part in floats(real)], 1)
        with torch.no_grad():
            _, residual = self.losses(batch)
        lost = torch.cat([part.flatten(1) for part in residual], 1).mean()
        return 1 - float(lost / flat.var(0, correction=0).mean().clamp(min=1e-30))

    def losses(self, batch: Batch) -> tuple[Tensor, list[Tensor]]:
        """Return what the encoder minimises, (batch,) float64, and the squared residual of each floating-point part."""
        real = self.normalizer.normalize(batch.real)
        fake = as_float32(self.generator(self.encoder(real, batch.condition), batch.condition))

        # ‖x − G(E(x))‖² / n. Squares of large numbers fit into float64 alone.
        pairs = zip(floats(real), floats(fake), strict=True)
        residual = [(one.double() - other.double()).square() for one, other in pairs]
        flat = torch.cat([part.flatten(1) for part in residual], 1)

        # κ ‖f(x) − f(G(E(x)))‖² / n_d
        with torch.no_grad():
            wanted = last_features(self.discriminator, real, batch.condition)
        found = last_features(self.discriminator, fake, batch.condition)
        features = (wanted.double() - found.double()).square().flatten(1)
        return flat.mean(1) + KAPPA * features.mean(1), residual

    def _places(self, real: Sample, residual: list[Tensor]) -> Tensor | None:
        """Return the residual in the shape of the samples; of encoded rows and steps, the sum of each column."""
        if len(residual) != 1:
            return None
        if isinstance(self.normalizer, Columnar):
            return self.normalizer.by_column(residual[0])
        return residual[0] if any(part.shape == residual[0].shape for part in floats(real)) else None


def last_features(discriminator: nn.Module, sample: Sample, condition: Sample | None) -> Tensor:
    """Return the last features of each sample, (batch, …); packs are made of copies of one sample."""
    size = math.prod(module.size for module in discriminator.modules() if isinstance(module, Packed))
    rows = torch.arange(batch_size(sample), device=floats(sample)[0].device).repeat_interleave(size)
    if size > 1:
        sample, condition = take(sample, rows), take(condition, rows)
    features: Tensor = discriminator(sample, condition).features[-1]
    return features
