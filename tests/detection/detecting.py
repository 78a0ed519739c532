"""Calls that the tests of this folder share."""

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

import sparring
from sparring.detection.result import Detection
from sparring.runs.display import Silent

NORMAL = 100
"""Rows of odd.csv that are normal; all after them are not."""


class Said(list[str]):
    """A display that keeps what is said."""

    def say(self, sentence: str) -> None:
        self.append(sentence)

    def step(self, *values: Any) -> None:
        pass

    def count(self, what: str, done: int, total: int) -> None:
        pass

    def close(self) -> None:
        pass


def detect(run: Path, data: object = "odd.csv", **options: Any) -> Detection:
    return sparring.detect(run, data, **{"display": Silent(), **options})


def area_of(detection: Detection) -> float:
    return float(roc_auc_score(np.arange(detection.count) >= NORMAL, detection.scores))
