"""The interface between games and the trainer."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

from torch import nn

from sparring.controls import Control
from sparring.flow import Anomaly, Batch, Cycle, Latent, Opinion, Phase, Progress, Sample, Turn
from sparring.randomness import RandomStream

WHOLE_RUN = (Phase("training"),)
"""The phases of a game that has only one."""


class Role(StrEnum):
    """Role of a turn, by the players that it trains."""

    CRITIC = "critic"
    PUBLISHED = "published"
    OTHER = "other"


class Game(Protocol):
    """The players, whose turn it is and what they minimise on it, and how a finished game generates samples."""

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """All networks that are trained, by name."""
        ...

    @property
    def published(self) -> Sequence[str]:
        """Names of the players that ``generate`` needs: these are averaged and published."""
        ...

    @property
    def critics(self) -> Sequence[str]:
        """Names of the players that distinguish real samples from generated ones."""
        ...

    @property
    def phases(self) -> Sequence[Phase]:
        """The parts of a run in order; the last one lasts to its end."""
        ...

    @property
    def controls(self) -> Mapping[str, Control]:
        """Numbers that change while the game is played, by name."""
        ...

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Return the turns of one step, in order."""
        ...

    def latent(self, random: RandomStream) -> Latent:
        """Draw latents for the rows of ``random``, (rows, size)."""
        ...

    def generate(self, latent: Latent, condition: Sample | None) -> Sample:
        """Generate samples from latents and conditions, in the units of the data."""
        ...

    def opinion(self, batch: Batch) -> Opinion:
        """Return what the players say of the samples ``batch.real``."""
        ...


@runtime_checkable
class Returning(Protocol):
    """A game whose published players can undo what they did to the samples of a condition."""

    def there_and_back(self, batch: Batch) -> tuple[Cycle, ...]:
        """Translate samples of ``batch`` and back again, in each direction that the game has; the first comes first."""
        ...


@runtime_checkable
class Detecting(Protocol):
    """A game whose published players tell how unusual samples are."""

    def anomaly(self, batch: Batch) -> Anomaly:
        """Return how unusual the samples ``batch.real`` are, without gradients."""
        ...


@runtime_checkable
class TakesData(Protocol):
    """A game that compares generated samples with all training samples, such as by a reward of novelty."""

    def take_data(self, batches: Iterable[Batch]) -> None:
        """Take the training samples, before the first step."""
        ...


def phase_at(game: Game, fraction: float) -> int:
    """Return the number of the phase at ``fraction`` of the budget, in [0, number of phases)."""
    for number, phase in enumerate(game.phases[:-1]):
        ended = bool(phase.ended_by) and game.controls[phase.ended_by].value >= 1
        if fraction < phase.until and not ended:
            return number
    return len(game.phases) - 1


def roles(game: Game, progress: Progress) -> dict[str, Role]:
    """Return the role of each turn of this step, by its name.

    It is ``PUBLISHED`` if the turn trains a published player, ``CRITIC`` if it trains critics alone, else ``OTHER``.
    """
    found = {}
    for turn in game.turns(progress):
        if set(turn.trained) & set(game.published):
            found[turn.name] = Role.PUBLISHED
        else:
            found[turn.name] = Role.CRITIC if set(turn.trained) <= set(game.critics) else Role.OTHER
    return found


def controls_named(game: Game, name: str) -> list[str]:
    """Names of the game's controls that are called ``name``, or ``name`` and a suffix: "gamma", "gamma a"."""
    return [control for control in game.controls if control == name or control.startswith(f"{name} ")]
