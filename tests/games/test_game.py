"""Questions that any game answers: its phase, the roles of its turns, its dials."""

from collections.abc import Callable

import pytest

from sparring.controls import Control
from sparring.flow import Phase, Progress, Turn
from sparring.games.duel import Duel
from sparring.games.game import GENERATING, JUDGING, NEITHER, controls_named, phase_at, roles

Make = Callable[..., Duel]
At = Callable[..., Progress]


@pytest.fixture
def in_three(tiny_duel: Make) -> Duel:
    """A game whose second phase is ended by a dial."""
    duel = tiny_duel()
    duel.phases = (Phase("pretraining", until=0.2), Phase("search", until=0.6, ended_by="found"), Phase("contest"))
    duel.controls["found"] = Control(0.0)
    return duel


@pytest.mark.parametrize(("fraction", "number"), [(0.0, 0), (0.19, 0), (0.2, 1), (0.59, 1), (0.6, 2), (1.0, 2)])
def test_a_phase_ends_at_its_share_of_the_budget(fraction: float, number: int, in_three: Duel) -> None:
    assert phase_at(in_three, fraction) == number


@pytest.mark.parametrize(("value", "number"), [(0.99, 1), (1.0, 2), (7.0, 2)])
def test_a_phase_ends_early_when_its_dial_reaches_1(value: float, number: int, in_three: Duel) -> None:
    in_three.controls["found"].set(value)
    assert phase_at(in_three, 0.3) == number
    assert phase_at(in_three, 0.1) == 0


def test_the_last_phase_lasts_to_the_end_whatever_it_says(in_three: Duel) -> None:
    in_three.phases = (Phase("contest", until=0.1, ended_by="found"),)
    in_three.controls["found"].set(1.0)
    assert [phase_at(in_three, fraction) for fraction in (0.0, 0.5, 1.0)] == [0, 0, 0]


def test_the_role_of_a_turn_follows_from_who_moves(tiny_duel: Make, progress: At) -> None:
    duel = tiny_duel()
    assert roles(duel, progress(8)) == {"discriminator": JUDGING, "generator": GENERATING}
    terms = duel.generator_terms
    turns = [
        Turn("first", terms, ("discriminator",)),
        Turn("second", terms, ("generator", "encoder")),
        Turn("third", terms, ("discriminator", "encoder")),
        Turn("discriminator", terms, ("generator", "discriminator")),
        Turn("encoder", terms),
    ]
    duel.turns = lambda progress: turns  # type: ignore[method-assign]
    assert roles(duel, progress(8)) == {
        "first": JUDGING,
        "second": GENERATING,
        "third": NEITHER,
        "discriminator": GENERATING,
        "encoder": NEITHER,
    }


def test_a_dial_may_be_one_of_several_of_a_name(tiny_duel: Make) -> None:
    duel = tiny_duel()
    duel.controls |= {"strength a": Control(), "strengthen": Control()}
    assert controls_named(duel, "strength") == ["strength", "strength a"]
    assert controls_named(duel, "fake") == ["fake level"] and controls_named(duel, "level") == []
