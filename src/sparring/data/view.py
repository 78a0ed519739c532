"""View: the part of data that a recipe asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final


@final
@dataclass(frozen=True)
class View:
    """Shape, condition and options that a recipe asks of data; the recipe's modality reads it so.

    Args:
        shape: of one sample as the networks see it.
        condition: what players are told, one of ``Facts.offers`` ("label", "pair", "prefix", …); "" for nothing.
        options: further choices that only this modality knows, as JSON values.
    """

    shape: tuple[int, ...]
    condition: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
