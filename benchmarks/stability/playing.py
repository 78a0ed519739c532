"""One run of a recipe whose game may be changed, on data that may be changed, without an evaluation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sparring.data.dataset import Split
from sparring.data.facts import Facts
from sparring.evaluation.quick import quick_score
from sparring.games.game import Game
from sparring.randomness import RandomStream
from sparring.recipe import Recipe
from sparring.runs.display import Silent
from sparring.runs.folder import Record, create, versions
from sparring.runs.session import Session
from sparring.training.distributed import World

Change = Callable[[Any], None]
"""Changes a game in place."""


class Changed:
    """Recipe whose game is changed before it is trained."""

    def __init__(self, recipe: Recipe, change: Change) -> None:
        self.__dict__.update(vars(recipe))
        self.recipe, self.change = recipe, change

    def __getattr__(self, name: str) -> Any:
        return getattr(self.recipe, name)

    def game(self, facts: Facts) -> Game:
        game = self.recipe.game(facts)
        self.change(game)
        return game


def trained(
    recipe: Recipe,
    split: Split,
    folder: Path,
    *,
    samples: int,
    seed: int,
    watchdog: str,
    change: Change = lambda game: None,
) -> tuple[Session, str]:
    """Train; return the session, and the error that ended it, or an empty string."""
    choices = {name: {"value": value, "reason": ""} for name, value in recipe.model_dump(mode="json").items()}
    record = Record("planted", choices, split.facts, seed, samples, None, None, "cpu", None, versions(), watchdog)
    run = create(folder, record)
    changed: Any = Changed(recipe, change)
    device, world = torch.device("cpu"), World()
    session = Session(run, record, changed, split, device, world, Silent(), None, quick_score, lambda *_: None)
    try:
        for _ in session:
            pass
    except Exception as error:  # A fault may break the run, which is then its result.
        return session, str(error)
    return session, ""


def samples_of(session: Session, count: int) -> Tensor:
    """Return samples of the averaged generator, with classes in turn."""
    game = session.trainer.average
    random = RandomStream(0, 0, count, slice(0, count), stream="judged/")
    classes = len(session.record.facts.classes)
    labels = torch.arange(count) % classes if session.trainer.data.conditions is not None else None
    with torch.inference_mode():
        return game.generate(game.latent(random), labels)
