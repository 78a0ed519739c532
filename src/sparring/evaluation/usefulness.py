"""Usefulness of generated samples for training a classifier, tested on held-out real samples."""

from functools import partial

import torch
from torch import Tensor

from sparring.arguments import option
from sparring.data.dataset import Dataset, Split
from sparring.errors import SparringError
from sparring.evaluation.scores import Score
from sparring.metrics.extractors.classifier import accuracy, classes_of, fitted, predicted
from sparring.randomness import generator


def not_useful() -> str:
    """Return what to do where usefulness cannot be measured."""
    return f"do not ask for usefulness: leave out {option('useful')}"


def usefulness(samples: Tensor, labels: Tensor | None, split: Split, seed: int) -> dict[str, Score]:
    """Return the classification accuracy score of generated samples (Ravuri & Vinyals 2019), in [0, 1].

    Args:
        samples: generated images in [-1, 1], (count, channels, height, width).
        labels: the classes that were asked for, (count,), or None, which is refused.
        split: labelled real images.
        seed: of the classifiers, and of the real samples that are compared with.

    Returns:
        ``trained_on_samples``: a classifier trained on generated samples; floor: on as many real ones.
        ``trained_on_both``: on generated and all real training samples; floor: on the real ones alone.

    Raises:
        SparringError: no labels on one side, fewer than two classes, or not images of at least 8 × 8.
    """
    classes = classes_of(split)
    if labels is None:
        raise SparringError(
            found="samples without classes",
            expected="a model that was trained with classes",
            remedy=not_useful(),
        )

    # Generated samples are compared with equally many real ones, so that only their origin differs.
    real, count = split.train, min(len(samples), len(split.train))
    rows = torch.randperm(len(real), generator=generator(seed, "equally many"))[:count].numpy()
    fake = Dataset(samples[:count].numpy(), labels[:count].numpy())
    few, everything = _in_memory(real.subset(rows)), _in_memory(real)

    def score(fake: Dataset, real: Dataset) -> Score:
        # Both classifiers start from the same weights and are tested on the same images.
        networks = [fitted(data, classes, seed) for data in (fake, real)]
        value, floor = (accuracy(partial(predicted, network), split.held_out) for network in networks)
        return Score(value=value, floor=floor, better="higher")

    return {
        "trained_on_samples": score(fake, few),
        "trained_on_both": score(everything.followed_by(fake), everything),
    }


def _in_memory(data: Dataset) -> Dataset:
    """Return images as float32, as generated ones are, so that both can be joined."""
    samples, _, labels = data.batch(slice(None))
    assert labels is not None
    return Dataset(samples.numpy(), labels.numpy())
