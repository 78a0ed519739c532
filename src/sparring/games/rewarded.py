"""A duel whose generator also maximises an objective that has no gradient, by a network that predicts it."""

from collections.abc import Iterable, Sequence
from typing import Protocol, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sparring.flow import Batch, Latent, Objective, Opinion, Phase, Progress, Sample, Turn
from sparring.games.duel import Duel
from sparring.objectives.schedules import Weighted, constant
from sparring.randomness import RandomStream


class Score(Protocol):
    """An objective: a function of samples that needs no gradient."""

    def __call__(self, sample: Sample) -> Float[Tensor, " batch"]:
        """Return the value of each sample, in [0, 1]; higher is better."""
        ...

    def take_data(self, batches: Iterable[Batch]) -> None:
        """Take the training samples, before the first step."""
        ...


@final
class Rewarded:
    """The game of MolGAN (De Cao & Kipf 2018, section 3.3), after deep deterministic policy gradients.

    A reward network R̂ learns the objective's values of real and of generated samples. After a phase of the duel alone,
    the generator minimises λ L_duel − (1 − λ) E R̂(G(z)).

    Args:
        duel: the game without an objective; its terms get one more.
        reward: ``sample -> Verdict``, whose logit is that of R̂.
        score: the objective.
        share: λ.
        duel_until: share of the budget at which the phase of the duel alone ends, in which R̂ learns, too.
    """

    published = ("generator",)
    critics = ("discriminator",)

    def __init__(self, duel: Duel, reward: nn.Module, *, score: Score, share: float, duel_until: float = 0.5) -> None:
        self.duel, self.score, self.share = duel, score, share
        self.players = {**duel.players, "reward": reward}
        self.controls = duel.controls
        self.phases = (Phase("duel", until=duel_until), Phase("duel and reward"))
        duel.terms["reward"] = Weighted(lambda generated: -predicted(reward, generated.fake).mean(), constant(1.0))

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Train the discriminator, then the reward network, then the generator."""
        judged = [turn for turn in self.duel.turns(progress) if not {*turn.trained} & {*self.published}]
        return [*judged, Turn("reward", self.reward_objective), Turn("generator", self.generator_objective)]

    def reward_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise (R̂(x) − R(x))² over real and generated samples."""
        with torch.no_grad():
            fake = self.generate(self.latent(progress.random), batch.condition)
        true = [self.score(sample) for sample in (batch.real, fake)]
        found = [self._predicted(sample) for sample in (batch.real, fake)]
        error = torch.stack([(one - other).square().mean() for one, other in zip(found, true, strict=True)]).sum()
        return Objective({"error": error}, {"real": true[0].mean(), "generated": true[1].mean()})

    def generator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise what the generator of the duel minimises, weighted by λ, and −(1 − λ) E R̂(G(z)) (section 3.3)."""
        found = self.duel.generator_objective(batch, progress)
        share = 1.0 if progress.fraction < self.phases[0].until else self.share
        weights = {name: 1 - share if name == "reward" else share for name in found.terms}
        return found._replace(terms={name: weights[name] * term for name, term in found.terms.items() if weights[name]})

    def take_data(self, batches: Iterable[Batch]) -> None:
        """Show the training samples to the objective."""
        self.score.take_data(batches)

    def latent(self, random: RandomStream) -> Latent:
        """Draw latents for the rows of ``random``, (rows, size)."""
        return self.duel.latent(random)

    def generate(self, latent: Latent, condition: Sample | None) -> Sample:
        """Generate samples in the units of the data."""
        return self.duel.generate(latent, condition)

    def opinion(self, batch: Batch) -> Opinion:
        """Score samples by the discriminator."""
        return self.duel.opinion(batch)

    def _predicted(self, sample: Sample) -> Float[Tensor, " batch"]:
        return predicted(self.players["reward"], self.duel.normalizer.normalize(sample))


def predicted(reward: nn.Module, sample: Sample) -> Float[Tensor, " batch"]:
    """Return R̂ of each sample, in (0, 1)."""
    logit: Tensor = reward(sample).logits[0]
    return logit.float().sigmoid()
