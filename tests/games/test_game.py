"""Phases, roles of turns and controls of any game."""

from collections.abc import Callable

import pytest

from sparring.controls import Control
from sparring.flow import Phase, Progress, Turn
from sparring.games.duel import Duel
from sparring.games.game import Role, controls_named, phase_at, roles

Make = Callable[..., Duel]
At = Callable[..., Progress]


@pytest.fixture
def in_three(tiny_duel: Make) -> Duel:
    """Game of three phases, the second of which can be ended by a control."""
    duel = tiny_duel()
    duel.phases = (Phase("pretraining", until=0.2), Phase("search", until=0.6, ended_by="found"), Phase("contest"))
    duel.controls["found"] = Control(0.0)
    return duel


@pytest.mark.parametrize(("fraction", "number"), [(0.0, 0), (0.19, 0), (0.2, 1), (0.59, 1), (0.6, 2), (1.0, 2)])
def test_a_phase_ends_at_its_share_of_the_budget(fraction: float, number: int, in_three: Duel) -> None:
    assert phase_at(in_three, fraction) == number


@pytest.mark.parametrize(("value", "number"), [(0.99, 1), (1.0, 2), (7.0, 2)])
def test_a_phase_ends_early_when_its_control_reaches_1(value: float, number: int, in_three: Duel) -> None:
    in_three.controls["found"].set(value)
    assert phase_at(in_three, 0.3) == number
    assert phase_at(in_three, 0.1) == 0


def test_the_last_phase_lasts_to_the_end_regardless_of_its_share_and_control(in_three: Duel) -> None:
    in_three.phases = (Phase("contest", until=0.1, ended_by="found"),)
    in_three.controls["found"].set(1.0)
    assert [phase_at(in_three, fraction) for fraction in (0.0, 0.5, 1.0)] == [0, 0, 0]


def test_the_role_of_a_turn_follows_from_the_trained_players(tiny_duel: Make, progress: At) -> None:
    duel = tiny_duel()
    assert roles(duel, progress(8)) == {"discriminator": Role.CRITIC, "generator": Role.PUBLISHED}
    objective = duel.generator_objective
    turns = [
        Turn("first", objective, ("discriminator",)),
        Turn("second", objective, ("generator", "encoder")),
        Turn("third", objective, ("discriminator", "encoder")),
        Turn("discriminator", objective, ("generator", "discriminator")),
        Turn("encoder", objective),
    ]
    duel.turns = lambda progress: turns  # type: ignore[method-assign]
    assert roles(duel, progress(8)) == {
        "first": Role.CRITIC,
        "second": Role.PUBLISHED,
        "third": Role.OTHER,
        "discriminator": Role.PUBLISHED,
        "encoder": Role.OTHER,
    }


def test_controls_are_found_by_name_and_suffix(tiny_duel: Make) -> None:
    duel = tiny_duel()
    duel.controls |= {"gamma a": Control(), "gammas": Control()}
    assert controls_named(duel, "gamma") == ["gamma", "gamma a"]
    assert controls_named(duel, "fake") == ["fake level"] and controls_named(duel, "level") == []
