"""A game that tells by itself how unusual points are: by the way through an autoencoder and back."""

from typing import Any, final

import torch

from sparring.data.facts import Facts
from sparring.flow import Anomaly, Batch
from sparring.games.game import Game
from sparring.games.likelihood import Likelihood
from sparring.modalities.points.recipes.point_recipe import PointRecipe
from sparring.modalities.points.recipes.vae import PointVAE


@final
class DetectingGame:
    """The likelihood game of points, with scores; implements ``games.game.Detecting``."""

    def __init__(self, game: Likelihood) -> None:
        self.game = game

    def __getattr__(self, name: str) -> Any:
        if name == "game":
            raise AttributeError(name)  # Of a copy that has no values yet.
        return getattr(self.game, name)

    def anomaly(self, batch: Batch) -> Anomaly:
        player: Any = self.game.players["autoencoder"]
        with torch.no_grad():
            real = self.game.normalizer.normalize(batch.real)
            back = player.decode(player.encode(real, None).mean, None)
            residual = (real - back).square()
        return Anomaly(residual.mean(1), residual)


@final
class DetectingVAE(PointRecipe):
    """The recipe of this game."""

    paper = "a toy"

    def game(self, facts: Facts) -> Game:
        return DetectingGame(PointVAE(latent_size=2, width=32).game(facts))

    def optimisers(self) -> Any:
        return PointVAE().optimisers()
