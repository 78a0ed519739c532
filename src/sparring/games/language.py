"""One player that predicts token after token by maximum likelihood: the language model."""

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from sparring.controls import Control
from sparring.flow import Anomaly, Batch, Latent, Objective, Opinion, Progress, Turn
from sparring.games.game import WHOLE_RUN
from sparring.games.priors import uniform
from sparring.games.sequences import generated, surprises
from sparring.randomness import RandomStream
from sparring.tokens import Prompt, Sequencer, no_prompt


@final
class LanguageModel:
    """Autoregression by maximum likelihood (Bengio et al. 2003, section 2): p(x) = Π p(x_t | x_<t).

    Minimises -log p(x) of each sequence, divided by the mean number of tokens.

    Args:
        predictor: an ``nn.Module`` that satisfies ``Sequencer``.
        mean_tokens: of a training sequence, its end included.
    """

    published = ("predictor",)
    critics = ()
    phases = WHOLE_RUN

    def __init__(self, predictor: nn.Module, *, mean_tokens: float) -> None:
        self.players = {"predictor": predictor}
        self.controls: dict[str, Control] = {}
        self.prior = uniform(self._player.length)
        self.mean_tokens = mean_tokens

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Train the only player."""
        return [Turn("predictor", self.objective)]

    def objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise -log p(x), in nats per token."""
        surprise, _ = surprises(self._player, batch.real, prompt_of(batch))
        return Objective({"surprise": surprise.sum(1).mean() / self.mean_tokens})

    @torch.no_grad()
    def opinion(self, batch: Batch) -> Opinion:
        """Return log p(x) of sequences, in nats."""
        surprise, _ = surprises(self._player, batch.real, prompt_of(batch))
        return Opinion(likelihood=-surprise.sum(1))

    @torch.no_grad()
    def anomaly(self, batch: Batch) -> Anomaly:
        """Return -log p(x) per token of each sequence, and -log p of each token."""
        surprise, counted = surprises(self._player, batch.real, prompt_of(batch))
        return Anomaly(surprise.sum(1) / counted.sum(1).clamp_min(1), surprise)

    def latent(self, random: RandomStream) -> Latent:
        """Draw a number in [-1, 1) for each token."""
        return self.prior(random)

    def generate(self, latent: Latent, condition: Prompt | None) -> Tensor:
        """Generate sequences, (batch, length) int64."""
        player = self._player
        prompt = no_prompt(len(latent), player.length, latent.device) if condition is None else condition
        return generated(player, (latent + 1) / 2, prompt)

    @property
    def _player(self) -> Sequencer:
        player: Sequencer = self.players["predictor"]  # type: ignore[assignment]
        return player


def prompt_of(batch: Batch) -> Prompt:
    """Return the prompts of a batch, of which nothing is known where it has no conditions."""
    if batch.condition is None:
        return no_prompt(len(batch.real), batch.real.shape[1], batch.real.device)
    prompt: Prompt = batch.condition
    return prompt
