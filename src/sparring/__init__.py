"""Train, evaluate and use generative adversarial networks on your own data.

    import sparring
    run = sparring.train("photos/", minutes=10)
    model = sparring.load(run.folder)
    images = model.sample(64, seed=0)

Importing this package does not import torch: each name is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparring.api.compare import compare
    from sparring.api.complete import complete
    from sparring.api.detect import detect
    from sparring.api.diagnose import diagnose
    from sparring.api.evaluate import evaluate
    from sparring.api.inspect import inspect
    from sparring.api.resume import resume
    from sparring.api.run import Run
    from sparring.api.train import train
    from sparring.data.dataset import Dataset
    from sparring.errors import SparringError
    from sparring.flow import Batch, Progress, Turn, Verdict
    from sparring.games.duel import Duel
    from sparring.games.game import Game
    from sparring.games.likelihood import Likelihood
    from sparring.model import Model, load
    from sparring.recipe import Adam, Recipe
    from sparring.recipes import RECIPES
    from sparring.runs.session import Interrupted
    from sparring.training.plan import Plan
    from sparring.training.trainer import Trainer

_MODULES = {
    "RECIPES": "recipes",
    "Adam": "recipe",
    "Batch": "flow",
    "Dataset": "data.dataset",
    "Duel": "games.duel",
    "Game": "games.game",
    "Interrupted": "runs.session",
    "Likelihood": "games.likelihood",
    "Model": "model",
    "Plan": "training.plan",
    "Progress": "flow",
    "Recipe": "recipe",
    "Run": "api.run",
    "SparringError": "errors",
    "Trainer": "training.trainer",
    "Turn": "flow",
    "Verdict": "flow",
    "compare": "api.compare",
    "complete": "api.complete",
    "detect": "api.detect",
    "diagnose": "api.diagnose",
    "evaluate": "api.evaluate",
    "inspect": "api.inspect",
    "load": "model",
    "resume": "api.resume",
    "train": "api.train",
}
"""Public name → the module that defines it."""

__all__ = [
    "RECIPES",
    "Adam",
    "Batch",
    "Dataset",
    "Duel",
    "Game",
    "Interrupted",
    "Likelihood",
    "Model",
    "Plan",
    "Progress",
    "Recipe",
    "Run",
    "SparringError",
    "Trainer",
    "Turn",
    "Verdict",
    "compare",
    "complete",
    "detect",
    "diagnose",
    "evaluate",
    "inspect",
    "load",
    "resume",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'sparring' has no attribute {name!r}")
    return getattr(import_module(f"sparring.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
