"""A mixture of Gaussians fitted by stepwise EM (Cappé & Moulines 2009): nothing in it has a gradient."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from sparring.controls import Control
from sparring.flow import Batch, Latent, Objective, Opinion, Progress, Sample, Turn
from sparring.games.game import WHOLE_RUN
from sparring.games.priors import normal
from sparring.randomness import RandomStream

FORGETTING = 0.6
"""α of the step sizes n^-α, in (1/2, 1] (Cappé & Moulines 2009, section 2.4)."""
LEAST_VARIANCE, LEAST_SHARE = 1e-4, 1e-6


class Mixture(nn.Module):
    """A mixture as running means of its sufficient statistics, with r the responsibilities of the components.

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
        return self.sums / self.shares.clamp_min(LEAST_SHARE)[:, None]

    @property
    def factors(self) -> Tensor:
        """Cholesky factors of the covariances, (components, size, size)."""
        second = self.products / self.shares.clamp_min(LEAST_SHARE)[:, None, None]
        least = LEAST_VARIANCE * torch.eye(self.sums.shape[1], device=self.sums.device)
        factors: Tensor = torch.linalg.cholesky(second - self.means[:, :, None] * self.means[:, None] + least)
        return factors

    def forward(self, points: Tensor) -> Tensor:
        """Map points (rows, size) to log p(x, component), (rows, components)."""
        factors = self.factors
        apart = (points[:, None] - self.means).permute(1, 2, 0)
        squares = torch.linalg.solve_triangular(factors, apart, upper=False).square().sum(1).T
        spread = factors.diagonal(dim1=1, dim2=2).log().sum(1) + points.shape[1] / 2 * math.log(2 * math.pi)
        joint: Tensor = self.shares.clamp_min(LEAST_SHARE).log() - spread - squares / 2
        return joint

    def begin(self, points: Tensor) -> None:
        """Put each mean on the point that is farthest from those before it, with the variance of all points."""
        means = points[:1]
        while len(means) < len(self.shares):
            distances = (points[:, None] - means).square().sum(2).amin(1)
            means = torch.cat([means, points[distances.argmax()][None]])
        self.sums.copy_(means * self.shares[:, None])
        second = means[:, :, None] * means[:, None] + torch.diag(points.var(0))
        self.products.copy_(second * self.shares[:, None, None])
        self.begun.fill_(True)

    def update(self, points: Tensor) -> None:
        """Move the statistics towards those of the points (eq. 13, without the M-step, which ``means`` takes)."""
        mine = self(points).softmax(1) / len(points)
        self.updates += 1
        rate = (self.updates + 1.0) ** -FORGETTING
        self.shares.lerp_(mine.sum(0), rate)
        self.sums.lerp_(mine.T @ points, rate)
        self.products.lerp_(torch.einsum("rk,ri,rj->kij", mine, points, points), rate)


class MixtureGame:
    """One player, whose statistics move after each turn."""

    published = ("mixture",)
    critics = ()
    phases = WHOLE_RUN

    def __init__(self, *, components: int = 3, size: int = 2) -> None:
        self.controls: dict[str, Control] = {}
        self.mixture = Mixture(components=components, size=size)
        self.players: dict[str, nn.Module] = {"mixture": self.mixture}
        self._prior = normal(1 + size)

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """The mixture, every time."""
        return [Turn("mixture", self.objective, after=self.learn)]

    def objective(self, batch: Batch, progress: Progress) -> Objective:
        """The negative log-likelihood in nats, which EM lowers."""
        return Objective({"surprise": -self.mixture(batch.real).logsumexp(1).mean()}, rows={"points": batch.real})

    def learn(self, rows: Mapping[str, Sample], progress: Progress) -> None:
        """Take one step of EM on the whole batch."""
        if not self.mixture.begun:
            self.mixture.begin(rows["points"])
        self.mixture.update(rows["points"])

    def opinion(self, batch: Batch) -> Opinion:
        """The log-likelihood."""
        return Opinion(likelihood=self.mixture(batch.real).logsumexp(1))

    def latent(self, random: RandomStream) -> Latent:
        """Standard normal noise, (rows, 1 + size): the first number chooses the component."""
        return self._prior(random)

    def generate(self, latent: Latent, condition: Sample | None) -> Sample:
        """Choose a component by its share, and a point of it."""
        bounds = self.mixture.shares.cumsum(0)
        chosen = torch.searchsorted(bounds, torch.special.ndtr(latent[:, 0])).clamp_max(len(bounds) - 1)
        steps = self.mixture.factors[chosen] @ latent[:, 1:, None]
        return self.mixture.means[chosen] + steps.squeeze(2)
