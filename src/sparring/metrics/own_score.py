"""Scores of single samples by a function in a file of the user."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from sparring.arguments import option
from sparring.errors import SparringError
from sparring.user_code import failures_reported, load_user_function


@final
@dataclass(frozen=True)
class OwnScore:
    """A function of the user that maps one sample to a number.

    Args:
        function: the function.
        place: ``file.py:function``, with the absolute path of the file.
    """

    function: Callable[[Any], Any]
    place: str

    def __call__(self, sample: Any, named: str) -> float:
        """Return the score of a sample.

        Args:
            sample: as the function takes it.
            named: the sample in messages.

        Raises:
            SparringError: the function fails, or returns no finite number.
        """
        file, _, name = self.place.rpartition(":")
        short = f"{Path(file).name}:{name}"
        with failures_reported(f"{short} of {named}"):
            score = float(self.function(sample))
        if not math.isfinite(score):
            raise SparringError(
                found=f"{score} from {short} of {named}",
                expected="a finite number for each sample",
                remedy="correct what the function returns",
            )
        return score


_permitted: dict[str, OwnScore] = {}
"""Scores by their places, as the user typed them in this process: the only ones that a stored name can stand for."""


def permit_score(place: str) -> OwnScore:
    """Load the score at ``place`` = ``file.py:function``, so that ``permitted_score`` finds it; the file is executed.

    Only ever call it with a place that the user typed, never with one that was found in a run folder.

    Raises:
        SparringError: no such file, a file that fails, or no such function in it.
    """
    file, _, name = place.rpartition(":")
    score = OwnScore(load_user_function(place).value, f"{Path(file).absolute()}:{name}")
    _permitted[score.place] = score
    return score


def permitted_score(place: str, name: str) -> OwnScore:
    """Return the score that a stored name stands for.

    Args:
        place: as in ``OwnScore``.
        name: of the option by which the user gives it.

    Raises:
        SparringError: the user has not given it in this process: no folder runs code.
    """
    if place not in _permitted:
        raise SparringError(
            found=f"your own function {place!r}",
            expected="that function to be given again: code is never run because a folder names it",
            remedy=f"add {option(name, place)}",
        )
    return _permitted[place]
