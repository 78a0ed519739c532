"""GANomaly on images of two shapes, of which one is ordinary."""

import numpy as np
import pytest
import torch

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.flow import Anomaly
from sparring.games.game import Detecting
from sparring.modalities.images.networks.ganomaly import Autoencoder, Encoder
from sparring.randomness import seeded
from sparring.recipe import with_fields
from sparring.recipes import RECIPES
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer

SIDE = 16


def shapes(count: int, kind: str, seed: int) -> np.ndarray:
    """Return grey images with a bright frame or a bright cross of random size and place, and noise."""
    random = np.random.default_rng(seed)
    images = random.integers(20, 61, size=(count, 1, SIDE, SIDE))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    for image in images:
        half, (row, column) = random.integers(3, 6), random.integers(6, 10, size=2)
        down, right = abs(rows - row), abs(columns - column)
        inside = (down <= half) & (right <= half)
        edge = (down == half) | (right == half) if kind == "frame" else (down == 0) | (right == 0)
        image[0, inside & edge] = 220
    return images.astype(np.uint8)


def area(ordinary: torch.Tensor, unusual: torch.Tensor) -> float:
    """Return the area under the ROC curve: how often an unusual sample has the higher score."""
    return float((unusual[:, None] > ordinary).double().mean())


@pytest.fixture(scope="module")
def found() -> tuple[Anomaly, Anomaly]:
    """Anomaly of 100 unseen frames and of 100 crosses, for a model of frames."""
    facts = Facts("shapes", "images", 400, (1, SIDE, SIDE), "0" * 64)
    recipe = with_fields(RECIPES["images/ganomaly"], {"resolution": SIDE, "width": 16, "latent_size": 16, "batch": 32})
    with seeded(0, "weights"):
        game = recipe.game(facts)
    plan = Plan(recipe.optimisers(), 32, 150 * 32, average_half_life=lambda samples: 0.1 * samples)
    trainer = Trainer(game, Dataset(shapes(400, "frame", 0)), plan)
    assert len(list(trainer)) == 150
    assert isinstance(trainer.average, Detecting)
    frames, crosses = (Dataset(shapes(100, kind, 1)).batch(slice(0, 100)) for kind in ("frame", "cross"))
    return trainer.average.anomaly(frames), trainer.average.anomaly(crosses)


def test_other_shapes_have_higher_scores(found: tuple[Anomaly, Anomaly]) -> None:
    ordinary, unusual = found
    assert area(ordinary.score, unusual.score) > 0.9


def test_places_are_those_of_the_other_shape(found: tuple[Anomaly, Anomaly]) -> None:
    """The errors of a cross lie in its middle more than in the corners of the image, where there is noise alone."""
    places = found[1].places
    assert places is not None and places.shape == (100, 1, SIDE, SIDE)
    middle, corners = places[:, :, 6:10, 6:10].mean(), places[:, :, ::15, ::15].mean()
    assert middle > 2 * corners


@pytest.mark.parametrize("size", [(8, 8), (16, 32), (64, 64), (28, 28)])
def test_codes_and_images_have_their_shapes(size: tuple[int, int]) -> None:
    network = Autoencoder(size=size, channels=3, latent_size=1, width=4)
    code = network.encode(torch.rand(2, 3, *size))
    assert code.shape == (2, 1) and network.decode(code).shape == (2, 3, *size)


def test_an_encoder_of_classes_sees_them() -> None:
    encoder, image = (
        Encoder(size=(16, 16), channels=1, latent_size=3, width=4, classes=2).eval(),
        torch.rand(1, 1, 16, 16),
    )
    assert not encoder(image, torch.tensor([0])).equal(encoder(image, torch.tensor([1])))


def test_a_side_that_cannot_be_halved_is_refused() -> None:
    facts = Facts("shapes", "images", 400, (1, 30, 30), "0" * 64)
    with pytest.raises(SparringError, match="multiples of 4"):
        with_fields(RECIPES["images/ganomaly"], {"resolution": 30}).game(facts)
