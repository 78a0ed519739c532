"""Advice on training longer, on the figures of runs whose continuation was measured by benchmarks/advice.py."""

import pytest

from sparring.evaluation.verdict import Level
from sparring.report.advice import Advice, advise
from sparring.watchdog.convergence import Improvement

UNLIKE, ROUGH, DISTINGUISHABLE, CLOSE, SAME = Level
RUNS = {
    "digits r3gan 20,000": (11, None, (None, None, None), DISTINGUISHABLE, True, "longer"),
    "digits r3gan 80,000": (45, True, (0.0066, 0.00617, 0.00068), DISTINGUISHABLE, True, "longer"),
    "digits r3gan 300,000": (167, False, (-0.00042, 0.00245, 0.00055), CLOSE, True, "enough"),
    "digits dcgan 100,000": (56, True, (0.00202, 0.00313, 0.00119), DISTINGUISHABLE, False, "longer"),
    "digits gan 100,000": (56, False, (0.0926, 0.173, 0.0491), ROUGH, False, "longer"),
    "digits vae 200,000": (111, False, (0.01817, 0.02103, 0.00077), CLOSE, True, "longer"),
    "ring 30,000": (0.6, None, (None, None, None), UNLIKE, True, "longer"),
}
"""Run → passes, whether it had stopped improving, (last, best, ±) distance, level, annealed, what would have helped."""


def advice(
    passes: float, stopped: bool | None, distances: tuple[float | None, ...], level: Level | None, annealed: bool | None
) -> Advice:
    now, best, around = distances
    improvement = Improvement(stopped=stopped, now=now, best=best, plus_minus=around, sentence="")
    return advise(passes, improvement, level=level, annealed=annealed)


@pytest.mark.parametrize("name", RUNS)
def test_advice_agrees_with_the_measured_continuation(name: str) -> None:
    *figures, right = RUNS[name]
    assert advice(*figures).prospect == right


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    """Without an evaluation, or with samples close to real ones, a flat distance proves nothing."""
    flat = (0.05, 0.051, 0.01)
    for level in (None, CLOSE):
        found = advice(30, True, flat, level, True)
        assert found.prospect == "unknown" and found.sentence.endswith("which falling learning rates alone explain.")
    assert advice(30, True, flat, CLOSE, False).sentence.endswith("no further improvement is detectable.")
    assert "too few observations" in advice(300, None, (None, None, None), ROUGH, None).sentence
    worse = advice(2, True, (0.3, 0.1, 0.05), ROUGH, False)
    assert worse.prospect == "unknown" and "it was better earlier" in worse.sentence


def test_a_distance_at_zero_after_few_passes_proves_nothing() -> None:
    """After 18 passes over made clothes the distance was zero, and a longer run better; over a mixture, it was not."""
    for passes, stopped, distances in ((18, False, (-0.0059, -0.0053, 0.0003)), (6, True, (-0.0103, -0.0103, 0.0))):
        found = advice(passes, stopped, distances, CLOSE, True)
        assert found.prospect == "unknown" and "already that of real samples" in found.sentence
        assert "no further improvement" not in found.sentence


def test_many_passes_without_improvement_are_enough() -> None:
    found = advice(150, True, (0.05, 0.051, 0.01), ROUGH, False)
    assert found.prospect == "enough" and "each sample was seen 150 times" in found.sentence
    assert advice(0.2, True, (0.0, 0.0, 0.01), SAME, True).prospect == "enough"


def test_passes_are_said_as_times() -> None:
    none = (None, None, None)
    words = [advice(passes, None, none, ROUGH, None).sentence for passes in (1.0, 1.6, 0.04, 45.2, 2.0)]
    expected = ("seen once;", "seen 1.6 times;", "seen 0.04 times;", "seen 45 times;", "seen 2 times;")
    assert all(part in sentence for part, sentence in zip(expected, words, strict=True))
