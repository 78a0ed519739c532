"""Models are evaluated with classes in the shares of the data, not with all classes equally often."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from sparring.data.dataset import Dataset, Split
from sparring.evaluation.protocol import Repeats
from sparring.evaluation.quick import count_for
from sparring.evaluation.scores import Score, by_features, scored
from sparring.evaluation.subject import of_model
from sparring.flow import Batch, Latent
from sparring.games.game import WHOLE_RUN
from sparring.metrics.extractors.extractor import Pixels
from sparring.metrics.metric import METRICS
from sparring.modalities import modality
from sparring.model import Model
from sparring.randomness import RandomStream
from sparring.recipe import with_fields
from sparring.recipes import DEFAULTS, find_recipe

NAME = DEFAULTS["images"]
RECIPE = with_fields(find_recipe(NAME), {"resolution": "8", "labels": True})
COARSE = 5
"""Digits up to this one are one class, 60 % of all; each other digit is a class of its own, 10 %."""


class Resampling:
    """A perfect conditional generator: it returns training images of the given class."""

    players, published, critics, phases, controls = {"generator": nn.Identity()}, ("generator",), (), WHOLE_RUN, {}

    def __init__(self, train: Dataset) -> None:
        self.images, _, self.labels = train.batch(slice(None))

    def latent(self, random: RandomStream) -> Latent:
        return random.uniform("noise", 1)

    def generate(self, latent: Latent, condition: Tensor) -> Tensor:
        places = [torch.where(self.labels == label)[0] for label in condition]
        rows = [place[int(share * len(place))] for place, share in zip(places, latent[:, 0], strict=True)]
        return self.images[torch.stack(rows)]


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    """Digits in five classes, of which the first is six times as large as the others."""
    path: Path = tmp_path_factory.mktemp("share") / "digits.npz"
    digits = load_digits()
    np.savez(path, images=np.uint8(digits.images * 15), labels=np.maximum(digits.target - COARSE, 0))
    survey = modality("images").survey(str(path))
    return survey.prepare(RECIPE.view(survey.facts))


@pytest.fixture(scope="module")
def model(split: Split) -> Model:
    """A model that is as good as its data, class by class."""
    return Model(Resampling(split.train), RECIPE, NAME, split.facts, {})


def frechet(split: Split, samples: Tensor) -> Score:
    metrics = [metric for metric in METRICS if "frechet" in metric.names]
    repeats = Repeats(split.train, split.held_out, Batch(samples), repeats=0)
    (scores,), _ = scored(repeats, [by_features(Pixels(), metrics)])
    return scores["frechet"]


def test_classes_have_the_shares_of_the_data(split: Split, model: Model) -> None:
    generated = of_model(model, "resampled").batch(split, count_for(split), seed=0).batch
    assert generated.label is not None and torch.equal(generated.condition, generated.label)
    assert 0.55 < (generated.label == 0).float().mean() < 0.65
    score = frechet(split, generated.real)
    assert score.value < 1.5 * score.floor


def test_classes_in_turn_would_underrate_the_model(split: Split, model: Model) -> None:
    score = frechet(split, model.sample(count_for(split)))
    assert score.value > 2 * score.floor
