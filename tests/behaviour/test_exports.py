"""The published players of every recipe export to ONNX with a free batch axis."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sparring.data.facts import Facts
from sparring.games.game import Game
from sparring.modalities.molecules.recipes.graph_gans import GraphRecipe
from sparring.randomness import RandomStream, seeded
from sparring.recipes import RECIPES
from sparring.samples import tensors
from toys.small_recipes import small, toy

pytest.importorskip("onnxscript", reason="needs the extra export")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra export")

CLASSES = ("a", "b", "c")
COUNTS = (1, 3, 64)
BY_CLASS = [name for name, recipe in RECIPES.items() if "labels" in type(recipe).model_fields]
CASES = [(name, ()) for name in RECIPES if name in BY_CLASS or name.startswith("points/")]
CASES += [(name, CLASSES) for name in BY_CLASS]
"""Recipes that generate from nothing, or from a class."""
FROM_NOTHING = [name for name, recipe in RECIPES.items() if isinstance(recipe, GraphRecipe)]
"""Recipes that generate from nothing, and know the kinds of what they generate by the data."""
LOOPS = [name for name, recipe in RECIPES.items() if recipe.modality in ("text", "molecules")]
NOT_EXPORTED = {"series/rcgan", "series/timegan", *LOOPS} - {*FROM_NOTHING}
"""Torch's exporter cannot trace recurrent layers, nor texts, which are generated in a loop over their tokens."""
OF_INPUTS = [name for name in RECIPES if name not in {*dict(CASES), *NOT_EXPORTED, *FROM_NOTHING}]


class Generation(nn.Module):
    """Maps latents, and the tensors of a condition where the game has them, to samples in the units of the data."""

    def __init__(self, game: Game, form: Any = None) -> None:
        super().__init__()
        self.game, self.form = game, form
        self.players = nn.ModuleDict({name: game.players[name] for name in game.published})

    def forward(self, latent: Tensor, *condition: Tensor) -> Tensor:
        return self.game.generate(latent, self.form(*condition) if condition else None)


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
WITHOUT_WARNINGS = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:# The axis name:UserWarning")


def check_export(network: Generation, inputs: Callable[[int], tuple[Tensor, ...]]) -> None:
    """Export at one size of the batch, and run at others."""
    batch, file = torch.export.Dim("batch"), io.BytesIO()
    _, *conditions = inputs(2)
    axes = ({0: batch}, *([tuple({0: batch} for _ in conditions)] if conditions else []))
    torch.onnx.export(network, inputs(2), file, dynamic_shapes=axes, dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    for count in COUNTS:
        given = dict(zip((one.name for one in session.get_inputs()), map(Tensor.numpy, inputs(count)), strict=True))
        found = [torch.from_numpy(part) for part in session.run(None, given)]
        expected = [part.detach() for part in tensors(network(*inputs(count)))]
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5, equal_nan=True)


@WITHOUT_WARNINGS
@pytest.mark.parametrize(("recipe", "classes"), CASES)
def test_an_exported_generator_takes_batches_of_any_size(recipe: str, classes: tuple[str, ...]) -> None:
    game, conditional = game_of(recipe, classes)
    assert conditional == bool(classes)

    def inputs(count: int) -> tuple[Tensor, ...]:
        latent = game.latent(RandomStream(0, 0, count, slice(0, count)))
        return (latent, torch.arange(count) % len(classes)) if conditional else (latent,)

    check_export(Generation(game, lambda label: label).eval(), inputs)


@WITHOUT_WARNINGS
@pytest.mark.parametrize("name", OF_INPUTS)
def test_an_exported_generator_takes_inputs(name: str) -> None:
    """Images to translate, with a domain, or with a hole and its mask; rows, of which some cells may be known."""
    recipe = small(name)
    facts, data = toy(recipe)
    with seeded(0, "weights"):
        game = recipe.game(facts)
    for player in game.players.values():
        player.eval()

    def inputs(count: int) -> tuple[Tensor, ...]:
        condition = data.batch(slice(0, count)).condition
        if name == "images/cyclegan":
            condition = condition._replace(target=torch.arange(count) % 2)
        latent = game.latent(RandomStream(0, 0, count, slice(0, count)))
        return (latent, *tensors(condition))

    form = type(data.batch(slice(0, 1)).condition)
    check_export(Generation(game, form if issubclass(form, tuple) else lambda image: image).eval(), inputs)


@WITHOUT_WARNINGS
@pytest.mark.parametrize("name", FROM_NOTHING)
def test_an_exported_generator_draws_graphs(name: str) -> None:
    recipe = small(name)
    with seeded(0, "weights"):
        game = recipe.game(toy(recipe)[0])
    for player in game.players.values():
        player.eval()
    check_export(Generation(game).eval(), lambda count: (game.latent(RandomStream(0, 0, count, slice(0, count))),))
