"""One run of a recipe that may be changed before it is played, on data that may be spoilt, without a judgement."""

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

Plant = Callable[[Any], None]


class Planted:
    """A recipe whose game is changed before it is played."""

    def __init__(self, recipe: Recipe, plant: Plant) -> None:
        self.__dict__.update(vars(recipe))
        self.recipe, self.plant = recipe, plant

    def __getattr__(self, name: str) -> Any:
        return getattr(self.recipe, name)

    def game(self, facts: Facts) -> Game:
        game = self.recipe.game(facts)
        self.plant(game)
        return game


def played(
    recipe: Recipe,
    split: Split,
    folder: Path,
    *,
    samples: int,
    seed: int,
    watchdog: str,
    plant: Plant = lambda game: None,
) -> tuple[Session, str]:
    """The experiment when it is over, and the error that ended it, if one did."""
    choices = {name: {"value": value, "reason": ""} for name, value in recipe.model_dump(mode="json").items()}
    record = Record("planted", choices, split.facts, seed, samples, None, None, "cpu", None, versions(), watchdog)
    run = create(folder, record)
    planted: Any = Planted(recipe, plant)
    place, alone = torch.device("cpu"), World()
    experiment = Session(run, record, planted, split, place, alone, Silent(), None, quick_score, lambda *_: None)
    try:
        for _ in experiment:
            pass
    except Exception as error:  # What a fault breaks is what is measured.
        return experiment, str(error)
    return experiment, ""


def samples_of(experiment: Session, count: int) -> Tensor:
    """Samples of the average, classes in turn."""
    game = experiment.trainer.average
    random = RandomStream(0, 0, count, slice(0, count), stream="judged/")
    classes = len(experiment.record.facts.classes)
    labels = torch.arange(count) % classes if experiment.trainer.data.conditions is not None else None
    with torch.inference_mode():
        return game.generate(game.latent(random), labels)
