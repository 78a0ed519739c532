"""Exhibits of models that take an input."""

import io
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.flow import Batch
from sparring.games.exchange import CycleGAN
from sparring.games.pool import Pooled
from sparring.modalities.images.conditions import partnered
from sparring.modalities.images.rooms import IMAGES
from sparring.model import Model
from sparring.recipe import with_fields
from sparring.recipes import RECIPES
from sparring.rendering.exhibits import Exhibit, Picture
from sparring.report.gallery import Gallery

GREY = {name: 2 * level / 255 - 1 for name, level in (("input", 100), ("output", 150), ("truth", 130))}
"""Grey levels of constant images."""


class Constant(nn.Module):
    """Gives images of one value, or of one value for each row of latents."""

    def __init__(self, value: float = 0.0, *, varied: bool = False) -> None:
        super().__init__()
        self.value, self.varied = value, varied

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        noise = latent[:, :1, None, None].clamp(-1, 1) / 2 if self.varied else 0
        return torch.full_like(condition, self.value) + noise


def gallery(name: str, generator: nn.Module, back: nn.Module | None = None) -> Gallery:
    """Return the gallery of a model on 40 constant inputs, with constant truths or a target domain."""
    shape = (40, 1, 32, 32)
    coding = {"pair": {"sides": ["b", "a"], "channels": [1, 1]}}
    facts = Facts("made up", "images", 40, shape[1:], "0" * 64, classes=("a", "b") if back else (), coding=coding)
    recipe = with_fields(RECIPES[name], {"resolution": 32, "width": 8})
    stored: Any = [np.full(shape, 130, np.uint8), None, np.full(shape, 100, np.uint8)]
    if back:
        critics = [Pooled(nn.Identity(), shape[1:], 0) for _ in range(2)]
        game: Any = CycleGAN(generator, back, *critics, target=1)
        inputs = torch.from_numpy(stored[2])
        data = Dataset(stored[0], np.ones(40, np.int64), np.arange(40), partnered(lambda rows: inputs[rows], 40))
    else:
        game, data = recipe.game(facts), Dataset(*stored)
        (player,) = game.published
        game.players[player] = generator
    model = Model(game, recipe, name, facts, {})
    return Gallery(IMAGES, Split(data, data, facts), Batch(data.batch(slice(0, 4)).real), model)


def levels(exhibits: list[Exhibit]) -> list[list[int]]:
    """Return the grey level of each cell of the only exhibit."""
    (exhibit,) = exhibits
    pixels = np.array(Image.open(io.BytesIO(exhibit.file)).convert("L"))
    return pixels[34::66, 34::66].tolist()


def test_answers_stand_between_input_and_truth_beside_their_difference() -> None:
    exhibits = gallery("images/pix2pix", Constant(GREY["output"])).compared()
    (picture,) = exhibits
    pixels = np.array(Image.open(io.BytesIO(picture.file)).convert("L"))
    assert [int(pixels[10, column * 66 + 34]) for column in range(4)] == [100, 150, 130, 20]
    assert "difference" in picture.caption and "b → a" in picture.caption
    assert isinstance(picture, Picture) and picture.headings == ("input", "output", "truth", "difference") * 2


def test_several_answers_follow_their_input() -> None:
    rows = levels(gallery("images/pix2pix", Constant(varied=True)).answers())
    assert len(rows) == 4 and all(row[0] == 100 and len(set(row[1:])) > 5 for row in rows)
    assert gallery("images/pix2pix", Constant()).answers() == []


def test_cycles_show_the_way_there_and_back() -> None:
    there, back = Constant(GREY["output"]), Constant(GREY["truth"])
    forward, backward = gallery("images/cyclegan", there, back).cycles()
    assert levels([forward]) == [[100, 150, 130] * 2] * 6 and levels([backward]) == [[130, 130, 150] * 2] * 6
    assert "a → b → a" in forward.caption and "b → a → b" in backward.caption
    assert gallery("images/pix2pix", there).cycles() == []


def test_each_input_is_shown_once() -> None:
    one = gallery("images/pix2pix", Constant(GREY["output"]))
    inputs = torch.linspace(-1, 1, 3)[:, None, None, None].expand(3, 1, 32, 32).repeat(5, 1, 1, 1)
    one.samples = Batch(torch.zeros(15, 1, 32, 32), inputs)
    (generated,) = one.generated()
    assert generated.words == "Generated samples: 3 in all."


def test_real_samples_stand_beside_their_own_inputs_only() -> None:
    paired, unpaired = (
        gallery(name, Constant(), back) for name, back in (("images/pix2pix", None), ("images/cyclegan", Constant()))
    )
    widths = [Image.open(io.BytesIO(one.real()[0].file)).width for one in (paired, unpaired)]
    assert widths == [5 * (2 * 66 + 6) - 6 + 2, 10 * 66 + 2]
