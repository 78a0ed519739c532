"""Simple detectors, and the areas under their ROC curves."""

import numpy as np
import pytest
import torch

from sparring.data.dataset import Dataset, split_rows
from sparring.data.facts import Facts
from sparring.detection.areas import areas, normal_classes
from sparring.detection.baselines import BASELINES, MAX_DIMENSIONS, FeatureSpace, nearest
from sparring.detection.scoring import FeatureScorer, largest_places, scores_of
from sparring.errors import SparringError
from sparring.modalities import modality


def space_of(samples: np.ndarray, kind: str) -> FeatureSpace:
    facts = Facts("toy", kind, len(samples), samples.shape[1:], "0" * 64)
    return FeatureSpace(split_rows(Dataset(samples), facts, 0), modality(kind), 0)


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_score_what_is_far_away_higher(name: str) -> None:
    random = np.random.default_rng(0)
    space = space_of(random.normal(size=(300, 2)).astype(np.float32), "points")
    scorer = FeatureScorer(space, BASELINES[name](space.train, 0))
    near, far = random.normal(size=(50, 2)), 6 + random.normal(size=(50, 2))
    scores = scores_of(scorer, Dataset(np.concatenate([near, far]).astype(np.float32)))
    assert scores[50:].min() > np.median(scores[:50])
    assert np.isfinite(scores_of(scorer, Dataset(np.array([[1e38, -1e38]], dtype=np.float32)))).all()


def test_the_nearest_training_sample_is_at_its_distance() -> None:
    score = nearest(np.array([[0.0, 0.0], [3.0, 4.0]]), 0)
    assert score(np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 5.0]])) == pytest.approx([0, 3, 1])


def test_images_are_reduced_to_128_dimensions() -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, size=(200, 3, 16, 16)).astype(np.uint8)
    space = space_of(images, "images")
    assert space.train.shape == (180, MAX_DIMENSIONS)
    assert np.concatenate(list(space.of(Dataset(images)))).shape == (200, MAX_DIMENSIONS)


def test_areas_are_overall_and_per_class() -> None:
    scores, labels = np.array([0.0, 1.0, 2.0, 3.0, 0.5, 9.0]), np.array([0, 0, 1, 1, 2, -1])
    overall, each = areas(scores, labels, ("a", "b", "c"), ("a",))
    assert each == {"b": 1.0, "c": 0.5} and overall == pytest.approx(5 / 6)
    assert areas(scores, labels, ("a", "b", "c", "d"), ("d",)) == (None, {})


def test_normal_classes_are_those_that_were_trained_on() -> None:
    assert normal_classes((), ("a", "b"), ("a",)) == ("a",)
    assert normal_classes(("b", "b"), ("a", "b"), ("a",)) == ("b",)
    assert normal_classes((), ("a", "b"), ("a", "b")) == ()
    assert normal_classes((), (), ()) == ()
    with pytest.raises(SparringError, match="did you mean 'good'"):
        normal_classes(("god",), ("good", "bad"), ())


def test_largest_columns_come_first_and_none_without_a_contribution() -> None:
    assert largest_places(torch.tensor([[1.0, 0.0, 5.0], [0.0, 0.0, 0.0]]), 2) == [[2, 0], []]
