"""Quick score: one metric of a game in training."""

import math

from sparring.data.conditions import needs_inputs
from sparring.data.dataset import Split
from sparring.data.view import View
from sparring.evaluation.glossary import metric_info
from sparring.evaluation.protocol import MAX_SAMPLES, Repeats
from sparring.evaluation.scores import by_features, scored
from sparring.flow import Batch
from sparring.games.game import Game
from sparring.metrics.metric import METRICS
from sparring.modality import Modality
from sparring.samples import rows_within, tensors
from sparring.sampling import conditions_from, generate

MIN_SAMPLES = 1000
"""Samples that are generated however few are held out."""
QUICK_SAMPLES = 2000
"""Samples on each side of a quick score."""
MAX_SAMPLE_BYTES = 2 * 2**30
"""Bytes of generated samples, in float32, that are evaluated at once."""


def quick_score(game: Game, split: Split, modality: Modality, view: View, metric: str, seed: int) -> tuple[str, float]:
    """Return title and value of one metric, in the most sensitive features and on at most 2,000 samples a side.

    The value is NaN where it cannot be computed, which passes no goal.
    """
    extractor = list(modality.extractors(split, seed).values())[-1]
    count = min(QUICK_SAMPLES, count_for(split))
    if needs_inputs(modality.conditions, view):
        count = min(count, len(split.held_out))  # Each input once, as in an evaluation.
    device = tensors(tuple(game.players[game.published[0]].state_dict().values()))[0].device
    condition = conditions_from(split.held_out, count, seed).condition
    samples = generate(game, count, condition, seed=seed, stream="quick score/", device=device, bounds=modality.bounds)
    repeats = Repeats(split.train, split.held_out, Batch(samples), seed=seed, count=count, repeats=0)
    wanted = [one for one in METRICS if metric in one.names]
    (scores,), _ = scored(repeats, [by_features(extractor, wanted)])
    value = scores[metric].value
    name = f"{metric_info(metric).title} ({extractor.name}, {repeats.size} samples a side)"
    return name, math.nan if value is None else value


def count_for(split: Split, least: int = MIN_SAMPLES) -> int:
    """Return how many samples to generate: as many as are held out, from ``least`` to 10,000, as memory allows."""
    wanted = min(max(len(split.held_out), least), MAX_SAMPLES)
    return rows_within(MAX_SAMPLE_BYTES, split.train.shapes, wanted)
