"""Conditions under which samples are scored: none, nothing known, or each class in turn."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch

from sparring.arguments import option
from sparring.data.conditions import LABEL
from sparring.errors import SparringError
from sparring.flow import Anomaly, Batch
from sparring.games.game import Detecting
from sparring.samples import batch_size, to_device

if TYPE_CHECKING:
    from sparring.model import Model

MAX_CLASSES = 100
"""Classes that each sample is compared with at most."""


@final
@dataclass(frozen=True)
class Given:
    """Conditions of samples, as the players of a model take them.

    A sample of unknown class is scored under each class, and the lowest score counts: it is unusual if it is unusual
    for all of them. Labels of the samples themselves are never used, so that they cannot give an anomaly away.

    Args:
        model: the model.

    Raises:
        SparringError: its condition is a sample, such as an image to translate.
    """

    model: "Model"

    def __post_init__(self) -> None:
        spec = self.model.condition_spec
        if spec is not None and spec.required:
            raise SparringError(
                found=f"a model of {self.model.name}, which generates from inputs",
                expected="one that generates from nothing or from a class",
                remedy="train another recipe on the normal samples",
            )
        if len(self.model.classes) > MAX_CLASSES:
            raise SparringError(
                found=f"a model of {len(self.model.classes):,} classes",
                expected=f"at most {MAX_CLASSES}, since each sample is compared with all",
                remedy=f"train without labels: {option('labels', False)}",
            )

    @property
    def by_class(self) -> bool:
        """True if the condition is a class."""
        return self.model.condition_spec is LABEL

    def known(self, batch: Batch) -> Batch:
        """Return training samples with the conditions that belong to them: their classes, or nothing known."""
        return batch if self.by_class else self._open(batch)

    def anomaly(self, detector: Detecting, batch: Batch, device: torch.device | str = "cpu") -> Anomaly:
        """Return how unusual samples of unknown class are, on the device that the detector is on."""
        batch = batch._replace(label=None, condition=None)
        if not self.by_class:
            return detector.anomaly(to_device(self._open(batch), device))
        best: Anomaly | None = None
        for number in range(len(self.model.classes)):
            condition = torch.full((batch_size(batch.real),), number)
            best = _nearer(best, detector.anomaly(to_device(batch._replace(condition=condition), device)))
        assert best is not None
        return best

    def _open(self, batch: Batch) -> Batch:
        condition = self.model.conditions(batch_size(batch.real)) if self.model.condition_spec else None
        return batch._replace(condition=condition)


def _nearer(one: Anomaly | None, other: Anomaly) -> Anomaly:
    """Return for each sample the one of two results with the lower score."""
    if one is None:
        return other
    is_lower = other.score < one.score
    if one.places is None or other.places is None:
        return Anomaly(torch.where(is_lower, other.score, one.score))
    chosen = is_lower.view(-1, *(1,) * (one.places.dim() - 1))
    return Anomaly(torch.where(is_lower, other.score, one.score), torch.where(chosen, other.places, one.places))
