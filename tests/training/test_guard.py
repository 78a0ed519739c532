"""One word on the health of a run."""

import math

from sparring.training.watchdog import PATIENCE, Watchdog


def fed(*norms: float) -> Watchdog:
    watchdog = Watchdog()
    for norm in norms:
        watchdog.note("generator", norm)
    return watchdog


def test_words() -> None:
    assert Watchdog().word == "warming up"
    assert fed(*[1.0] * 19).word == "warming up"
    assert fed(*[1.0, 1.5] * 50).word == "healthy"
    assert fed(*[1.0] * 100, *[50.0] * 10).word == "shaking"
    assert fed(*[1.0] * 100, *[1e-5] * 10).word == "stalled"
    assert fed(*[0.0] * 100).word == "stalled"
    assert fed(*[1.0] * 100, math.nan).word == "not finite"
    assert fed(*[1.0] * 100, math.inf, 1.0).word == "healthy"


def test_one_jump_is_not_a_shake() -> None:
    assert fed(*[1.0] * 100, 500.0, *[1.0] * 5).word == "healthy"


def test_the_worst_player_decides() -> None:
    watchdog = fed(*[1.0] * 100)
    for norm in [1.0] * 100 + [1e-6] * 10:
        watchdog.note("discriminator", norm)
    assert watchdog.word == "stalled"


def test_only_a_row_of_bad_gradients_exhausts() -> None:
    watchdog = Watchdog()
    for norm in [math.nan] * (PATIENCE - 1) + [1.0] + [math.inf] * (PATIENCE - 1):
        assert watchdog.note("generator", norm) == math.isfinite(norm)
        assert watchdog.exhausted is None
    watchdog.note("generator", math.nan)
    assert watchdog.exhausted == "generator"
