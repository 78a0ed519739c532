"""The published players of every recipe without conditions, or with classes, export to ONNX with a free batch axis."""

import io
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from sparring.data.facts import Facts
from sparring.games.game import Game
from sparring.randomness import RandomStream, seeded
from sparring.recipes import RECIPES

pytest.importorskip("onnxscript", reason="needs the extra export")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra export")

CLASSES = ("a", "b", "c")
COUNTS = (1, 3, 64)
BY_CLASS = [name for name, recipe in RECIPES.items() if "labels" in type(recipe).model_fields]
CASES = [(name, ()) for name in RECIPES if name in BY_CLASS or name.startswith("points/")]
CASES += [(name, CLASSES) for name in BY_CLASS]
"""Recipes that generate from nothing, or from a class."""


class Generation(nn.Module):
    """Maps latents, and labels where the game has them, to samples in the units of the data."""

    def __init__(self, game: Game) -> None:
        super().__init__()
        self.game, self.players = game, nn.ModuleDict({name: game.players[name] for name in game.published})

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.game.generate(latent, condition)


def game_of(recipe: str, classes: tuple[str, ...]) -> tuple[Game, bool]:
    """Return a tiny game in evaluation mode, and whether it is conditioned on classes."""
    modality = recipe.split("/")[0]
    shape, coding = ((3, 16, 16), {}) if modality == "images" else ((2,), {"center": [1.0, 2.0], "scale": [3.0, 4.0]})
    facts = Facts("toy", modality, 100, shape, "0" * 64, classes, ("label",) if classes else (), coding)
    sizes = {"width": 8, "latent_size": 4} | ({"resolution": (16, 16), "labels": True} if modality == "images" else {})
    chosen = RECIPES[recipe].model_copy(update=sizes)
    with seeded(0, "weights"):
        game = chosen.game(facts)
    for player in game.players.values():
        player.eval()
    return game, bool(chosen.view(facts).condition)


# Both warnings come from torch's exporter itself.
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:# The axis name:UserWarning")
@pytest.mark.parametrize(("recipe", "classes"), CASES)
def test_an_exported_generator_takes_batches_of_any_size(recipe: str, classes: tuple[str, ...], tmp_path: Path) -> None:
    game, conditional = game_of(recipe, classes)
    assert conditional == bool(classes)

    def inputs(count: int) -> tuple[Tensor, ...]:
        latent = game.latent(RandomStream(0, 0, count, slice(0, count)))
        return (latent, torch.arange(count) % len(classes)) if conditional else (latent,)

    # Export at one size of the batch, and run at others.
    network, batch, file = Generation(game).eval(), torch.export.Dim("batch"), io.BytesIO()
    axes = tuple({0: batch} for _ in inputs(2))
    torch.onnx.export(network, inputs(2), file, dynamic_shapes=axes, dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    for count in COUNTS:
        given = dict(zip((one.name for one in session.get_inputs()), map(Tensor.numpy, inputs(count)), strict=True))
        (found,) = session.run(None, given)
        torch.testing.assert_close(torch.from_numpy(found), network(*inputs(count)).detach(), rtol=1e-4, atol=1e-5)
