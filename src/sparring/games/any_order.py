"""One player that completes samples of several parts, in any order, by maximum likelihood."""

from collections.abc import Sequence
from typing import Protocol, final

import torch
from torch import Tensor, nn
from torch.compiler import is_exporting
from torch.nn.functional import cross_entropy

from sparring.controls import Control
from sparring.flow import Anomaly, Batch, Latent, Objective, Opinion, Progress, Sample, Turn
from sparring.games.game import WHOLE_RUN
from sparring.games.priors import uniform
from sparring.randomness import RandomStream

IN_ORDER = 0.5
"""Share of the rows in training whose known parts are the first ones, as they are when a sample is generated."""


class Completer(Protocol):
    """A network that is told some parts of a sample, each one of a number of choices, and predicts the others."""

    @property
    def parts(self) -> int:
        """Number of parts of a sample."""
        ...

    def __call__(self, codes: Tensor, known: Tensor) -> list[Tensor]:
        """Return the logits of each part, (batch, choices), from the numbers of choices and whether they are known.

        Args:
            codes: (batch, parts) int64; they count only where they are known.
            known: (batch, parts) bool.
        """
        ...

    def encode(self, sample: Sample) -> Tensor:
        """Return the choices of samples, (batch, parts) int64."""
        ...

    def has_choice(self, sample: Sample) -> Tensor:
        """Return which parts of samples are one of the choices, (batch, parts) bool."""
        ...

    def sparsity(self, sample: Sample) -> Tensor:
        """Return how sparse the values of samples are where they lie, which choices do not tell, (batch, parts).

        It is -log of a density up to a constant, in nats, and 0 where a choice is a single value; that of a part that
        is none of the choices is its whole surprise.
        """
        ...

    def decode(self, codes: Tensor, positions: Tensor, condition: Sample | None) -> Sample:
        """Return samples of given choices, with positions in [0, 1] inside each, (batch, parts)."""
        ...

    def given(self, condition: Sample) -> tuple[Tensor, Tensor]:
        """Return the choices of a condition, and which of them are known, (batch, parts) each."""
        ...


@final
class AnyOrder:
    """Autoregression in any order (Uria et al. 2014; Hoogeboom et al. 2022, section 2): p(x) = Π p(x_i | x_<i).

    In training a random subset of the parts is known, and the mean cross-entropy of the others is minimised. Generated
    are those parts that are not known, in their order.

    Args:
        completer: an ``nn.Module`` that satisfies ``Completer``.
    """

    published = ("completer",)
    critics = ()
    phases = WHOLE_RUN

    def __init__(self, completer: nn.Module) -> None:
        self.players = {"completer": completer}
        self.controls: dict[str, Control] = {}
        self.prior = uniform(2 * self._player.parts)

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Train the only player."""
        return [Turn("completer", self.objective)]

    def objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise the mean of -log p(x_j | known) over the parts j that are not known."""
        # Draw how many parts are known, and which: the first ones, or any.
        player, random = self._player, progress.random
        codes = player.encode(batch.real)
        order = random.uniform("order", player.parts).argsort(1).argsort(1)  # (batch, parts): a permutation in a row.
        in_order = random.uniform("in order") < IN_ORDER
        order = torch.where(in_order[:, None], torch.arange(player.parts, device=codes.device), order)
        known = order < random.integers("known", player.parts)[:, None]

        # Cross-entropy of each part, and the mean of those that are not known.
        surprise = self._surprise(player(codes, known), codes)  # (batch, parts)
        open_parts = (~known).float()
        return Objective({"surprise": ((surprise * open_parts).sum(1) / open_parts.sum(1)).mean()})

    def opinion(self, batch: Batch) -> Opinion:
        """Return log p(x) of the choices of samples, part by part."""
        codes = self._player.encode(batch.real)
        return Opinion(likelihood=self._likelihood(codes, torch.ones_like(codes, dtype=torch.bool)))

    @torch.no_grad()
    def anomaly(self, batch: Batch) -> Anomaly:
        """Return -log p(x) up to a constant, part by part, and -log p(x_i | all others) of each part i.

        The factors of p(x) depend on the order of the parts, so these would blame the last part that contradicts an
        earlier one; the conditionals, those of the pseudo-likelihood (Besag 1975), name both. A part that is none of
        the choices is not known to the others.
        """
        player = self._player
        codes, sparsity, chosen = player.encode(batch.real), player.sparsity(batch.real), player.has_choice(batch.real)
        conditionals = []
        for part in range(player.parts):
            known = chosen.clone()
            known[:, part] = False
            conditionals.append(self._surprise(player(codes, known), codes)[:, part] * chosen[:, part])
        return Anomaly(sparsity.sum(1) - self._likelihood(codes, chosen), torch.stack(conditionals, 1) + sparsity)

    def _likelihood(self, codes: Tensor, chosen: Tensor) -> Tensor:
        """Return the sum of log p(x_i | x_<i) over the parts that are one of the choices, (batch,)."""
        known, total = torch.zeros_like(chosen), codes.new_zeros(len(codes), dtype=torch.float32)
        for part in range(self._player.parts):
            total -= self._surprise(self._player(codes, known), codes)[:, part] * chosen[:, part]
            known[:, part] = chosen[:, part]
        return total

    def latent(self, random: RandomStream) -> Latent:
        """Draw a number in [-1, 1) for the choice of each part, and one for the position inside it."""
        return self.prior(random)

    def generate(self, latent: Latent, condition: Sample | None) -> Sample:
        """Choose the parts that are not known one after the other, by the inverse of their distribution function."""
        player = self._player
        choices, positions = ((latent + 1) / 2).chunk(2, 1)
        codes = torch.zeros_like(choices, dtype=torch.int64)
        known = torch.zeros_like(codes, dtype=torch.bool)
        if condition is not None:
            codes, known = player.given(condition)
        codes, known, settled = codes.clone(), known.clone(), known.clone()
        for part in range(player.parts):
            # An exported graph has no branches that depend on values.
            if is_exporting() or not bool(settled[:, part].all()):
                until = player(codes, known)[part].float().softmax(1).cumsum(1)  # (batch, choices)
                chosen = (until[:, :-1] < choices[:, part, None]).sum(1)
                codes[:, part] = torch.where(settled[:, part], codes[:, part], chosen)
                known[:, part] = True
        return player.decode(codes, positions, condition)

    @property
    def _player(self) -> Completer:
        player: Completer = self.players["completer"]  # type: ignore[assignment]
        return player

    @staticmethod
    def _surprise(logits: Sequence[Tensor], codes: Tensor) -> Tensor:
        """Return the cross-entropy of each part, (batch, parts)."""
        parts = zip(logits, codes.unbind(1), strict=True)
        return torch.stack([cross_entropy(part.float(), code, reduction="none") for part, code in parts], 1)
