"""A small CycleGAN (Zhu et al. 2017), which translates points between two domains."""

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss

from sparring.controls import Control
from sparring.flow import Batch, Latent, Objective, Opinion, Progress, Sample, Turn
from sparring.games.game import WHOLE_RUN
from sparring.layers.dense import Dense
from sparring.objectives.gamma import LEAD, lead
from sparring.randomness import RandomStream

CYCLE_WEIGHT = 10.0
"""λ of Zhu et al. (2017), eq. 3."""


class Critic(nn.Module):
    """Discriminator of points with a pool of earlier fakes, which it sees again (Shrivastava et al. 2017, section 2.3).

    Args:
        size: numbers in a point.
        width: units of the hidden layer.
        pool: number of earlier fakes that are kept, at least as many as a batch has rows.
    """

    pool: Tensor
    filled: Tensor

    def __init__(self, *, size: int = 2, width: int = 32, pool: int = 50) -> None:
        super().__init__()
        self.layers = Dense(size, width, 1)
        self.register_buffer("pool", torch.zeros(pool, size))
        self.register_buffer("filled", torch.zeros(pool, dtype=torch.bool))

    def forward(self, points: Tensor) -> Tensor:
        """Map points (rows, size) to logits (rows,)."""
        logits: Tensor = self.layers(points).squeeze(1)
        return logits

    def exchange(self, fakes: Tensor, progress: Progress) -> Tensor:
        """Replace half of the fakes by earlier ones."""
        places, chosen = self._places(progress)
        return torch.where((chosen & self.filled[places])[:, None], self.pool[places], fakes)

    def remember(self, fakes: Tensor, progress: Progress) -> None:
        """Store the replaced fakes in the pool, and those whose place in it was empty."""
        places, chosen = self._places(progress)
        kept = chosen | ~self.filled[places]
        self.pool[places[kept]] = fakes[kept]
        self.filled[places[kept]] = True

    def _places(self, progress: Progress) -> tuple[Tensor, Tensor]:
        """Return each row's place in the pool, unique within the batch, and whether the row is to be replaced."""
        random = progress.random
        rows = torch.arange(random.rows.start, random.rows.stop, device=random.device)
        return (progress.samples + rows) % len(self.pool), random.uniform("exchange") < 0.5


class ExchangeGame:
    """CycleGAN whose domain a are the samples and whose domain b are the conditions."""

    published = ("to a", "to b")
    critics = ("critic a", "critic b")
    phases = WHOLE_RUN

    def __init__(self, *, size: int = 2, width: int = 32, pool: int = 50) -> None:
        self.controls: dict[str, Control] = {}
        self.generators = {domain: Dense(size, width, size) for domain in ("a", "b")}
        self.discriminators = {domain: Critic(size=size, width=width, pool=pool) for domain in ("a", "b")}
        self.players: dict[str, nn.Module] = {
            **{f"to {domain}": generator for domain, generator in self.generators.items()},
            **{f"critic {domain}": critic for domain, critic in self.discriminators.items()},
        }

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Train each critic, then both generators together."""
        critics = [
            Turn(f"critic {domain}", partial(self.critic_objective, domain), after=partial(self.remember, domain))
            for domain in self.discriminators
        ]
        return [*critics, Turn("generators", self.generator_objective, players=("to a", "to b"))]

    def critic_objective(self, domain: str, batch: Batch, progress: Progress) -> Objective:
        """Minimise least squares (Mao et al. 2017) on real points and on fakes, some of them from the pool."""
        real, other = (batch.real, batch.condition) if domain == "a" else (batch.condition, batch.real)
        with torch.no_grad():
            fakes = self.generators[domain](other)
        critic = self.discriminators[domain]
        real_logits, fake_logits = critic(real), critic(critic.exchange(fakes, progress))
        with torch.no_grad():
            notes = {LEAD: lead([real_logits], [fake_logits])}
        terms = {"real": towards(1.0, real_logits) / 2, "fake": towards(0.0, fake_logits) / 2}
        return Objective(terms, notes, {"fakes": fakes})

    def remember(self, domain: str, rows: Mapping[str, Sample], progress: Progress) -> None:
        """Update the pool of the domain's critic."""
        self.discriminators[domain].remember(rows["fakes"], progress)

    def generator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise the adversarial losses of both domains and the cycle loss (Zhu et al. 2017, eqs. 1 and 2)."""
        a, b = batch.real, batch.condition
        assert b is not None
        as_a, as_b = self.generators["a"](b), self.generators["b"](a)
        cycle = l1_loss(self.generators["a"](as_b), a) + l1_loss(self.generators["b"](as_a), b)
        return Objective(
            {
                "a": towards(1.0, self.discriminators["a"](as_a)),
                "b": towards(1.0, self.discriminators["b"](as_b)),
                "cycle": CYCLE_WEIGHT * cycle,
            }
        )

    def opinion(self, batch: Batch) -> Opinion:
        """Return the critic's logits of points of domain a."""
        return Opinion(self.discriminators["a"](batch.real))

    def latent(self, random: RandomStream) -> Latent:
        """Return empty latents, (rows, 0): the sample is a function of the condition alone."""
        return random.normal("noise", 0)

    def generate(self, latent: Latent, condition: Sample | None) -> Sample:
        """Translate points of domain b into domain a."""
        return self.generators["a"](condition)


def towards(value: float, logits: Tensor) -> Tensor:
    """Mean squared distance of logits from a value."""
    return mse_loss(logits, torch.full_like(logits, value))
