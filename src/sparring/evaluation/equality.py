"""Copies of discrete samples: whether a model repeats its training samples more than it would by chance.

A text that is likely is written by any good model, whether it was trained on it or not. So a model that copies nothing
writes training texts and held-out ones in proportion to their numbers, and one that memorised writes the former only.
"""

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict
from torch import Tensor

MAX_CHANCE = 0.002
"""Probability up to which chance is no explanation."""


class Equality(NamedTuple):
    """Facts about discrete generated samples beside their distances to training samples.

    Args:
        equal: which are equal to a training sample, (count,) bool.
        to_held_out: distance to the nearest held-out sample, (count,).
        first: which are not equal to an earlier one, (count,) bool.
        ratio: number of different training samples for each different held-out sample.
    """

    equal: Tensor
    to_held_out: Tensor
    first: Tensor
    ratio: float


class Equal(BaseModel):
    """Generated samples that are equal, or nearly equal, to real ones."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    count: int
    """Generated samples that are equal to a training sample."""
    near: int
    """Generated samples that are nearly equal to one, but not equal."""
    different: int
    """Different ones among both."""
    held_out: int
    """Generated samples that are equal or nearly equal to a held-out sample, which the model has not seen."""
    ratio: float
    """Different training samples for each different held-out sample."""
    chance: float
    """Probability that of the different samples that are like real ones so few or fewer are like held-out ones, by a
    model without preference: binomial."""

    @property
    def copied(self) -> bool:
        """True if training samples are preferred more than chance explains."""
        return self.chance <= MAX_CHANCE

    @property
    def decidable(self) -> bool:
        """True if there are so many different ones that the absence of held-out ones would be no chance."""
        return (self.ratio / (1 + self.ratio)) ** self.different <= MAX_CHANCE

    def sentence(self, of: int, one: str, several: str, *, known: bool) -> str:
        """Return the result in one sentence.

        Args:
            of: number of generated samples.
            one: "a training sample", or another name.
            several: its plural.
            known: whether the model is known to have been trained on the training samples alone.
        """
        all_ = self.count + self.near
        like = "equal or nearly equal" if self.count and self.near else "equal" if self.count else "nearly equal"
        found = f"{all_:,} of {of:,} generated samples {'is' if all_ == 1 else 'are'} {like} to"
        found += f" {one if all_ == 1 else several}"
        found += f" ({self.different:,} different)" if 1 <= self.different < all_ else ""
        if not known:
            return f"{found}."
        if self.copied:
            return f"{found}, and {self.held_out:,} to held-out ones, of which there are {self.ratio:.0f} times fewer."
        if not self.decidable:
            return f"{found}: too few different ones to tell copies from chance."
        return f"{found}, and {self.held_out:,} to held-out ones: no more than chance explains."


def like_real_ones(distances: Tensor, known: Equality, limit: float) -> Equal:
    """Count generated samples that are equal or nearly equal to real ones.

    Args:
        distances: to the nearest training samples, (count,).
        known: what else is known of them.
        limit: distance up to which samples are nearly equal.
    """
    from scipy.stats import binom

    to_train, to_held_out = known.equal | (distances <= limit), known.to_held_out <= limit
    different, others = int((to_train & known.first).sum()), int((to_held_out & known.first).sum())
    return Equal(
        count=int(known.equal.sum()),
        near=int((to_train & ~known.equal).sum()),
        different=different,
        held_out=int(to_held_out.sum()),
        ratio=known.ratio,
        chance=float(binom.cdf(others, different + others, 1 / (1 + known.ratio))),
    )
