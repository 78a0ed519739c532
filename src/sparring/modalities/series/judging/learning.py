"""Learners that judge series: a recurrent discriminator, a recurrent predictor and boosted trees.

The first two follow TimeGAN (Yoon et al. 2019) for comparison with the literature. Both have few units, and are passed
by copies with noise and by simple models; the boosted trees are the strong test.
"""

from collections.abc import Sequence
from typing import NamedTuple, final

import numpy as np

from sparring.errors import SparringError
from sparring.modalities.series.coding import Channel, Series
from sparring.modalities.series.judging.recurrent import Recurrent, Singles, logistic
from sparring.modalities.series.judging.values import (
    MAX_STEPS,
    Floats,
    check,
    cropped,
    differences,
    lengths_of,
    missing_of,
    scaled,
    some_series,
    standardised,
)
from sparring.randomness import derive
from sparring.samples import take

MIN_SERIES = 20
"""Series without which nothing is learned."""
BATCH = 128
DISCRIMINATOR_UPDATES, PREDICTOR_UPDATES = 2000, 5000
"""Updates in TimeGAN."""
MIN_UNITS = 2
MAX_TREE_SERIES = 4000
"""Series of each kind that boosted trees learn from."""


class Halves(NamedTuple):
    """Series of one kind.

    Args:
        learn: those that a judge learns from.
        test: those that it is tested on. Of windows of one long series, both should come from other stretches of time:
            a window that overlaps one of the others is nearly known.
    """

    learn: Series
    test: Series


def halves(series: Series, seed: int) -> Halves:
    """Return random halves."""
    order = np.random.default_rng(seed).permutation(len(series.values))
    return Halves(take(series, order[: len(order) // 2]), take(series, order[len(order) // 2 :]))


def discriminative(
    real: Halves, fake: Halves, channels: Sequence[Channel], seed: int = 0, updates: int = DISCRIMINATOR_UPDATES
) -> float:
    """Return |accuracy − ½| of a recurrent network that tells generated from real series, in [0, ½]; lower is better.

    The discriminative score of TimeGAN (Yoon et al. 2019, section 5): half as many units as channels, at least 2,
    2,000 updates by 128 series of each kind, values scaled by the lowest and the highest real one. Unlike there, test
    series are none of the windows beside those that it learned from.

    Args:
        real: real series, at least 20 in each half.
        fake: generated series, likewise.
        channels: of the series.
        seed: of weights and batches.
        updates: how many.
    """
    learn, test = _balanced(real, fake, channels, seed)
    random = np.random.default_rng(derive(seed, "discriminator"))
    inputs = [_Inputs(side, channels) for side in learn]
    network = Recurrent(inputs[0].width, max(len(channels) // 2, MIN_UNITS), random)
    for _ in range(updates):
        picked = [side.some(random.integers(len(side), size=BATCH)) for side in inputs]
        steps, within = (np.concatenate(parts, -1) for parts in zip(*picked, strict=True))
        outputs = network.forward(steps, within)
        # Cross-entropy of the last outputs, a mean over each kind: real series have the target 1.
        at_output = np.zeros_like(outputs)
        at_output[-1] = (logistic(outputs[-1]) - np.repeat(np.array([1, 0], np.float32), BATCH)) / BATCH
        network.update(network.backward(at_output))
    right = [
        (_last_outputs(network, _Inputs(side, channels)) > 0) == wanted
        for side, wanted in zip(test, (True, False), strict=True)
    ]
    return abs(float(np.concatenate(right).mean()) - 0.5)


def predictive(
    learn: Series, test: Series, channels: Sequence[Channel], seed: int = 0, updates: int = PREDICTOR_UPDATES
) -> float:
    """Return the mean absolute error of a recurrent network one step ahead, on real series; lower is better.

    The predictive score of TimeGAN (Yoon et al. 2019, section 5): the last channel of the next step from the others, or
    from itself where it is the only one; values scaled by the lowest and the highest real one; half as many units as
    channels, at least 2, 5,000 updates by 128 series.

    Args:
        learn: generated series, or real ones for the value of a perfect generator.
        test: real series.
        channels: of the series.
        seed: of weights and batches.
        updates: how many.

    Raises:
        SparringError: too few series of two steps or more with a value of the last channel.
    """
    check(channels, learn, test, at_least=MIN_SERIES)
    learn, test = (cropped(side, MAX_STEPS, derive(seed, "crops")) for side in (learn, test))
    random = np.random.default_rng(derive(seed, "predictor"))
    known, asked = (_Pairs(side, channels) for side in (learn, test))
    network = Recurrent(known.inputs.width, max(len(channels) // 2, MIN_UNITS), random)
    for _ in range(updates):
        rows = random.integers(len(known.inputs), size=min(BATCH, len(known.inputs)))
        steps, within = known.inputs.some(rows)
        predicted = logistic(network.forward(steps, within))
        targets, counts = known.targets[:, rows], known.counts[:, rows]
        # The gradient of |σ(y) − t|, a mean over all steps that have a target.
        at_output = np.sign(predicted - targets) * predicted * (1 - predicted) * counts / max(counts.sum(), 1)
        network.update(network.backward(at_output))
    errors, total = 0.0, 0.0
    for rows in np.array_split(np.arange(len(asked.inputs)), -(-len(asked.inputs) // 1000)):
        predicted = logistic(network.forward(*asked.inputs.some(rows)))
        errors += float((np.abs(predicted - asked.targets[:, rows]) * asked.counts[:, rows]).sum())
        total += float(asked.counts[:, rows].sum())
    return errors / total


def boosted_test(real: Halves, fake: Halves, channels: Sequence[Channel], seed: int = 0) -> float:
    """Return the AUC of boosted trees that tell generated from real series, in [0, 1]; ½ for equal distributions.

    They see standardised values and changes from step to step, NaN where these are missing and after the end
    (Lopez-Paz & Oquab 2017, with a stronger classifier).

    Args:
        real: real series, at least 20 in each half.
        fake: generated series, likewise.
        channels: of the series.
        seed: draws series where there are more than 4,000, and the trees.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from threadpoolctl import threadpool_limits

    learn, test = _balanced(real, fake, channels, seed, most=MAX_TREE_SERIES)
    sides = [[_tree_features(one, channels) for one in half] for half in (learn, test)]
    inputs, asked = (np.concatenate(half) for half in sides)
    # Trees refuse columns without a single value.
    inputs[:, np.isnan(inputs).all(0)] = 0
    kinds, test_kinds = (np.repeat([0, 1], [len(one) for one in half]) for half in sides)
    trees = HistGradientBoostingClassifier(random_state=derive(seed, "trees") % 2**32)
    with threadpool_limits(1):
        return float(roc_auc_score(test_kinds, trees.fit(inputs, kinds).predict_proba(asked)[:, 1]))


def _tree_features(series: Series, channels: Sequence[Channel]) -> Floats:
    """Return values and changes, (count, features)."""
    values = standardised(series, channels)
    features: Floats = np.concatenate([side.reshape(len(values), -1) for side in (values, differences(values))], 1)
    return features


def _balanced(
    real: Halves, fake: Halves, channels: Sequence[Channel], seed: int, most: int = 10**9
) -> tuple[tuple[Series, Series], tuple[Series, Series]]:
    """Return equally many real and generated series to learn from, and to test on, cut to 100 steps."""
    check(channels, *real, *fake, at_least=MIN_SERIES)

    def half(name: str, ours: Series, theirs: Series) -> tuple[Series, Series]:
        count = min(len(ours.values), len(theirs.values), most)
        first, second = (
            cropped(some_series(side, count, derive(seed, f"{name} {kind}")), MAX_STEPS, derive(seed, f"crop {kind}"))
            for kind, side in (("real", ours), ("fake", theirs))
        )
        return first, second

    return half("learn", real.learn, fake.learn), half("test", real.test, fake.test)


@final
class _Inputs:
    """Scaled values of series as a recurrent network takes them: ½ and a flag where a value is missing.

    Args:
        series: the series.
        channels: of them.
        used: which channels are inputs; all by default.
    """

    def __init__(self, series: Series, channels: Sequence[Channel], used: slice = slice(None)) -> None:
        values = scaled(series, channels)[..., used]
        flagged = [at for at, one in enumerate(channels[used]) if one.missing]
        flags = missing_of(series)[..., used][..., flagged]
        parts = np.concatenate([np.nan_to_num(values, nan=0.5), flags], 2)
        self._steps: Singles = np.ascontiguousarray(parts.transpose(1, 2, 0), dtype=np.float32)
        self._within: Singles = (np.arange(values.shape[1])[:, None] < lengths_of(series)).astype(np.float32)
        self.width = self._steps.shape[1]

    def __len__(self) -> int:
        return int(self._steps.shape[2])

    def some(self, rows: np.ndarray) -> tuple[Singles, Singles]:
        """Return inputs, (steps, width, rows), and which steps are within a series, (steps, rows)."""
        return self._steps[..., rows], self._within[:, rows]


@final
class _Pairs:
    """Steps of series, and the value of the last channel one step later.

    Args:
        series: the series.
        channels: of them.

    Attributes:
        inputs: the steps but the last one.
        targets: (steps − 1, count), 0 where there is none.
        counts: likewise, 1 where there is a target.
    """

    def __init__(self, series: Series, channels: Sequence[Channel]) -> None:
        steps = series.values.shape[1]
        targets = scaled(series, channels)[:, 1:, -1]  # (count, steps − 1)
        usable = ~np.isnan(targets).all(1)
        if usable.sum() < MIN_SERIES:
            raise SparringError(
                found=f"{int(usable.sum())} series with a value of {channels[-1].name!r} after the first step",
                expected=f"at least {MIN_SERIES}",
                remedy="use the other metrics: there is nothing to predict",
            )
        series = take(series, np.flatnonzero(usable))
        earlier = Series(
            series.values[:, : steps - 1],
            series.missing[:, : steps - 1],
            series.length.clamp(max=steps - 1),
            series.attributes,
        )
        self.inputs = _Inputs(earlier, channels, slice(None, -1) if len(channels) > 1 else slice(None))
        self.targets: Singles = np.nan_to_num(targets[usable]).T.astype(np.float32)
        self.counts: Singles = (~np.isnan(targets[usable])).T.astype(np.float32)


def _last_outputs(network: Recurrent, inputs: _Inputs) -> Singles:
    """Return the outputs after the last step of each series, (count,)."""
    parts = np.array_split(np.arange(len(inputs)), -(-len(inputs) // 1000))
    found: Singles = np.concatenate([network.forward(*inputs.some(rows))[-1] for rows in parts])
    return found
