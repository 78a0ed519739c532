"""What every game promises the trainer."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from torch import nn

from sparring.dials import Dial
from sparring.flow import Batch, Noise, Opinion, Phase, Progress, Sample, Turn
from sparring.randomness import Draw

WHOLE_RUN = (Phase("training"),)
"""The phases of a game that has only one."""
JUDGING, GENERATING, NEITHER = "judging", "generating", "neither"
"""The roles of turns."""


class Game(Protocol):
    """Players, whose turn it is and what they minimise on it, and how a finished game makes samples."""

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """All networks that move, by name."""
        ...

    @property
    def published(self) -> Sequence[str]:
        """The players that ``generate`` needs: these are averaged and published."""
        ...

    @property
    def judges(self) -> Sequence[str]:
        """The players that tell real samples from generated ones."""
        ...

    @property
    def phases(self) -> Sequence[Phase]:
        """The parts of a run in order; the last one lasts to its end."""
        ...

    @property
    def dials(self) -> Mapping[str, Dial]:
        """What can be turned while the game is played, by name."""
        ...

    def opinion(self, batch: Batch) -> Opinion:
        """What the players say of the samples ``batch.real``."""
        ...

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """The turns of one step, in order."""
        ...

    def noise(self, draw: Draw) -> Noise:
        """Noise for the rows of ``draw``."""
        ...

    def generate(self, noise: Noise, condition: Sample | None) -> Sample:
        """Samples from noise and condition."""
        ...


def phase_at(game: Game, fraction: float) -> int:
    """Number of the phase at ``fraction`` of the budget, in [0, number of phases)."""
    for number, phase in enumerate(game.phases[:-1]):
        ended = bool(phase.ended_by) and game.dials[phase.ended_by].value >= 1
        if fraction < phase.until and not ended:
            return number
    return len(game.phases) - 1


def roles(game: Game, progress: Progress) -> dict[str, str]:
    """Role of each turn that is due, by its name.

    Returns:
        ``GENERATING`` where a published player moves, ``JUDGING`` where nobody but judges does, else ``NEITHER``.
    """
    found = {}
    for turn in game.turns(progress):
        if set(turn.movers) & set(game.published):
            found[turn.name] = GENERATING
        else:
            found[turn.name] = JUDGING if set(turn.movers) <= set(game.judges) else NEITHER
    return found


def dials_called(game: Game, name: str) -> list[str]:
    """Names of the game's dials that are called ``name``, or ``name`` and something more: "strength", "strength a"."""
    return [dial for dial in game.dials if dial == name or dial.startswith(f"{name} ")]
