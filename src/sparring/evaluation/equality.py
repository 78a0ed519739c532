"""Equality of discrete samples: whether a model repeats its training samples more than it would by chance.

A text that is likely is written by any good model, whether it was trained on it or not. So a model that copies nothing
writes training texts and held-out ones in proportion to their numbers, and one that memorised writes the former only.
"""

from pydantic import BaseModel, ConfigDict
from torch import Tensor

from sparring.data.dataset import Dataset

AT_ONCE = 4096
"""Samples that are read at once."""
MAX_CHANCE = 0.002
"""Probability up to which chance is no explanation."""


class Equal(BaseModel):
    """Generated samples that are equal to real ones."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    count: int
    """Generated samples that are equal to a training sample."""
    different: int
    """Different ones among them."""
    held_out: int
    """Generated samples that are equal to a held-out sample, which the model has not seen."""
    expected: float
    """Expected number of those that are equal to a training sample, by those that are equal to held-out ones."""
    ratio: float
    """Different training samples for each different held-out sample."""
    chance: float
    """Probability that of the different samples that are equal to real ones so few or fewer are equal to held-out
    ones, by a model without preference: binomial."""

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
        count = f"{self.count:,} of {of:,} generated samples {'is' if self.count == 1 else 'are'} equal to"
        found = f"{count} {one if self.count == 1 else several}"
        found += f" ({self.different:,} different)" if 1 <= self.different < self.count else ""
        if not known:
            return f"{found}."
        if self.copied:
            return f"{found}, and {self.held_out:,} to held-out ones, of which there are {self.ratio:.0f} times fewer."
        if not self.decidable:
            return f"{found}: too few different ones to tell copies from chance."
        return f"{found}, and {self.held_out:,} to held-out ones: no more than chance explains."


def equal_samples(samples: Tensor, train: Dataset, held_out: Dataset) -> Equal:
    """Count generated samples that are equal to real ones.

    Args:
        samples: the generated ones, (count, …) int64.
        train: training samples, none of which is equal to a held-out one.
        held_out: held-out samples.
    """
    from scipy.stats import binom

    made = _keys(samples)
    known, unseen = _distinct(train), _distinct(held_out)
    of_train, of_held_out = [key for key in made if key in known], [key for key in made if key in unseen]
    different, others = len(set(of_train)), len(set(of_held_out))
    share = len(unseen) / (len(unseen) + len(known))
    return Equal(
        count=len(of_train),
        different=different,
        held_out=len(of_held_out),
        expected=len(of_held_out) * len(known) / len(unseen),
        ratio=len(known) / len(unseen),
        chance=float(binom.cdf(others, different + others, share)),
    )


def _distinct(data: Dataset) -> set[int]:
    """Return the keys of the different samples of a data set."""
    parts = (data.batch(slice(start, start + AT_ONCE)).real for start in range(0, len(data), AT_ONCE))
    return {key for part in parts for key in _keys(part)}


def _keys(samples: Tensor) -> list[int]:
    """Return a number for each sample, equal for equal ones."""
    return [hash(row.tobytes()) for row in samples.cpu().numpy()]
