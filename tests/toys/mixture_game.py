"""A mixture of Gaussians fitted by stepwise EM (Cappé & Moulines 2009), without any gradient."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from sparring.controls import Control
from sparring.flow import Batch, Latent, Objective, Opinion, Progress, Sample, Turn
from sparring.games.game import WHOLE_RUN
from sparring.games.priors import normal
from sparring.randomness import RandomStream

STEP_SIZE_EXPONENT = 0.6
"""α of the step sizes n^-α, in (1/2, 1] (Cappé & Moulines 2009, section 2.4)."""
MIN_VARIANCE, MIN_SHARE = 1e-4, 1e-6


class Mixture(nn.Module):
    """Mixture stored as running means of its sufficient statistics; r are the responsibilities of the components.

    Args:
        components: number of Gaussians.
        size: numbers in a point.
    """

    begun: Tensor
    updates: Tensor
    shares: Tensor
    sums: Tensor
    products: Tensor

    def __init__(self, *, components: int, size: int) -> None:
        super().__init__()
        self.register_buffer("begun", torch.tensor(False))
        self.register_buffer("updates", torch.tensor(0))
        self.register_buffer("shares", torch.full((components,), 1 / components))  # E[r]
        self.register_buffer("sums", torch.zeros(components, size))  # E[r x]
        self.register_buffer("products", torch.eye(size).repeat(components, 1, 1) / components)  # E[r x xᵀ]

    @property
    def means(self) -> Tensor:
        """Means of the components, (components, size)."""
        return self.sums / self.shares.clamp_min(MIN_SHARE)[:, None]

    @property
    def factors(self) -> Tensor:
        """Cholesky factors of the covariances, (components, size, size)."""
        second = self.products / self.shares.clamp_min(MIN_SHARE)[:, None, None]
        smallest = MIN_VARIANCE * torch.eye(self.sums.shape[1], device=self.sums.device)
        factors: Tensor = torch.linalg.cholesky(second - self.means[:, :, None] * self.means[:, None] + smallest)
        return factors

    def forward(self, points: Tensor) -> Tensor:
        """Map points (rows, size) to log p(x, component), (rows, components)."""
        factors = self.factors
        deviations = (points[:, None] - self.means).permute(1, 2, 0)  # (components, size, rows)
        squares = torch.linalg.solve_triangular(factors, deviations, upper=False).square().sum(1).T
        spread = factors.diagonal(dim1=1, dim2=2).log().sum(1) + points.shape[1] / 2 * math.log(2 * math.pi)
        joint: Tensor = self.shares.clamp_min(MIN_SHARE).log() - spread - squares / 2
        return joint

    def begin(self, points: Tensor) -> None:
        """Initialise each mean to the point farthest from the means before it, with the variance of all points."""
        means = points[:1]
        while len(means) < len(self.shares):
            distances = (points[:, None] - means).square().sum(2).amin(1)
            means = torch.cat([means, points[distances.argmax()][None]])
        self.sums.copy_(means * self.shares[:, None])
        second = means[:, :, None] * means[:, None] + torch.diag(points.var(0))
        self.products.copy_(second * self.shares[:, None, None])
        self.begun.fill_(True)

    def update(self, points: Tensor) -> None:
        """Move the statistics towards those of the points (eq. 13; ``means`` and ``factors`` are the M-step)."""
        responsibilities = self(points).softmax(1) / len(points)
        self.updates += 1
        rate = (self.updates + 1.0) ** -STEP_SIZE_EXPONENT
        self.shares.lerp_(responsibilities.sum(0), rate)
        self.sums.lerp_(responsibilities.T @ points, rate)
        self.products.lerp_(torch.einsum("rk,ri,rj->kij", responsibilities, points, points), rate)


class MixtureGame:
    """Game of one player, whose statistics are updated after each turn."""

    published = ("mixture",)
    critics = ()
    phases = WHOLE_RUN

    def __init__(self, *, components: int = 3, size: int = 2) -> None:
        self.controls: dict[str, Control] = {}
        self.mixture = Mixture(components=components, size=size)
        self.players: dict[str, nn.Module] = {"mixture": self.mixture}
        self._prior = normal(1 + size)

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Take one turn of the mixture."""
        return [Turn("mixture", self.objective, after=self.learn)]

    def objective(self, batch: Batch, progress: Progress) -> Objective:
        """Log the negative log-likelihood in nats, which EM lowers."""
        surprise = -self.mixture(batch.real).logsumexp(1).mean()
        return Objective({"negative log-likelihood": surprise}, rows={"points": batch.real})

    def learn(self, rows: Mapping[str, Sample], progress: Progress) -> None:
        """Take one step of EM on the whole batch."""
        if not self.mixture.begun:
            self.mixture.begin(rows["points"])
        self.mixture.update(rows["points"])

    def opinion(self, batch: Batch) -> Opinion:
        """Return the log-likelihood of each point."""
        return Opinion(likelihood=self.mixture(batch.real).logsumexp(1))

    def latent(self, random: RandomStream) -> Latent:
        """Draw standard normal latents, (rows, 1 + size): the first number chooses the component."""
        return self._prior(random)

    def generate(self, latent: Latent, condition: Sample | None) -> Sample:
        """Draw a component by its share, and a point of it."""
        bounds = self.mixture.shares.cumsum(0)
        chosen = torch.searchsorted(bounds, torch.special.ndtr(latent[:, 0])).clamp_max(len(bounds) - 1)
        steps = self.mixture.factors[chosen] @ latent[:, 1:, None]
        return self.mixture.means[chosen] + steps.squeeze(2)
