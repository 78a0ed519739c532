"""What every game promises the trainer."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from torch import Tensor, nn

from sparring.dials import Dial
from sparring.flow import Noise, Progress, Sample, Turn
from sparring.randomness import Draw


class Game(Protocol):
    """Players, whose turn it is and what they minimise on it, and how a finished game makes samples."""

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """All networks that move, by name."""
        ...

    @property
    def generators(self) -> Sequence[str]:
        """The players that ``generate`` needs: these are averaged and published."""
        ...

    @property
    def dials(self) -> Mapping[str, Dial]:
        """What can be turned while the game is played, by name."""
        ...

    def score(self, sample: Sample, condition: Tensor | None) -> Tensor | None:
        """How real the discriminator takes each sample for, (batch,); None in a game without one."""
        ...

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """The turns of one step, in order."""
        ...

    def noise(self, draw: Draw) -> Noise:
        """Noise for the rows of ``draw``."""
        ...

    def generate(self, noise: Noise, condition: Tensor | None) -> Sample:
        """Samples from noise and condition."""
        ...
