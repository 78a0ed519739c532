"""View: the form in which a recipe takes its data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final


@final
@dataclass(frozen=True)
class View:
    """Shape, condition and options that a recipe requires; its modality prepares the data accordingly.

    Args:
        shape: shape of one sample as the networks take it.
        condition: what the players are conditioned on, one of ``Facts.offers`` ("label", "pair", "prefix", …); "" for
            nothing.
        options: further choices that are specific to the modality, as JSON values.
    """

    shape: tuple[int, ...]
    condition: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
