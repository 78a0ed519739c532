"""Likelihood of rows as vectors of modes, and the term that holds a generator to the category that was asked for."""

from typing import final

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from sparring.layers.choices import normal_to_gumbel, normal_to_uniform
from sparring.modalities.tables.mode_vectors import ModeVectors
from sparring.modalities.tables.networks.ctgan import TEMPERATURE
from sparring.objectives.terms import GeneratorPass, Term

MIN_PROBABILITY = 1e-37
"""Generated probability from which a category that was asked for has a gradient: smaller ones are rounded to 0."""


@final
class MixedObservation:
    """p(r|z) of TVAE: α ~ N(ᾱ, δ²), modes and categories by softmax (Xu et al. 2019, section 4.5).

    It implements ``games.likelihood.Observation`` on the vectors of ``ModeVectors``; a decoder returns the means ᾱ, the
    logits of all columns, and δ.

    Args:
        encoding: of the rows.
    """

    def __init__(self, encoding: ModeVectors) -> None:
        self.encoding = encoding
        self.noise = encoding.scalars + encoding.width + encoding.places

    def surprises(self, decoded: Tensor, real: Tensor) -> Tensor:
        """Return -log p(r|z) of each column, (batch, columns); α of a missing number does not count."""
        means, logits, spread = self._split(decoded)
        alpha, vectors, _ = real.split([self.encoding.scalars, self.encoding.width, self.encoding.places], 1)
        parts, sizes = vectors.split(self.encoding.sizes, 1), self.encoding.sizes
        chosen = zip(parts, logits.split(sizes, 1), strict=True)
        surprises = -torch.stack([(one * log_softmax(logit, 1)).sum(1) for one, logit in chosen], 1)
        normal = ((alpha - means) / spread).square() / 2 + spread.log()
        numbers = surprises[:, : self.encoding.scalars] + normal * self._present(vectors)
        columns = torch.cat([numbers, surprises[:, self.encoding.scalars :]], 1)
        return columns[:, self.encoding.back.to(columns.device)]

    def values(self, real: Tensor) -> int:
        """Return 1: the bound is in nats per row."""
        return 1

    def sample(self, decoded: Tensor, noise: Tensor) -> Tensor:
        """Return vectors whose α and columns are drawn, (batch, scalars + width + places)."""
        means, logits, spread = self._split(decoded)
        normal, choices, places = noise.split([self.encoding.scalars, self.encoding.width, self.encoding.places], 1)
        drawn = logits + normal_to_gumbel(choices)
        return torch.cat([means + spread * normal, drawn, normal_to_uniform(places)], 1)

    def _split(self, decoded: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the means and the logits, and δ."""
        means, logits, spread = decoded.split([self.encoding.scalars, self.encoding.width, self.encoding.scalars], 1)
        return means, logits, spread

    def _present(self, vectors: Tensor) -> Tensor:
        """Return 1 for each number that is not missing, else 0, (batch, scalars)."""
        numbers = self.encoding.numbers
        parts = vectors.split(self.encoding.sizes, 1)[: self.encoding.scalars]
        missing = [part[:, -1] * has for part, has in zip(parts, numbers.has_missing.tolist(), strict=True)]
        return 1 - torch.stack(missing, 1) if missing else vectors[:, :0]


def asked_category(encoding: ModeVectors) -> Term:
    """Return the cross-entropy between the category that was asked for and the generated one (section 4.3).

    Probabilities are those at temperature 1, p ∝ d^τ of the vector d that was generated at τ: at .2 a wrong choice
    costs five times as much, and that noise hides the other columns (Adult, 24 epochs: AUC .58 at .2, .81 at 1).
    """
    first, last = encoding.scalars + encoding.width - encoding.condition_width, encoding.scalars + encoding.width
    sizes = encoding.sizes[encoding.first :]

    def term(generated: GeneratorPass) -> Tensor:
        made = TEMPERATURE * generated.fake[:, first:last].clamp(min=MIN_PROBABILITY).log()
        asked = encoding.conditions(generated.batch.condition, made)  # (batch, condition_width), one-hot
        return -(torch.cat([log_softmax(part, 1) for part in made.split(sizes, 1)], 1) * asked).sum(1).mean()

    return term
