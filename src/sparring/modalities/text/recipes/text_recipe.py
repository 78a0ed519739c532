"""Base of all recipes for text."""

from typing import ClassVar

from sparring.recipe import BatchSize, Samples
from sparring.sequence_recipe import ENOUGH, SequenceRecipe


class TextRecipe(SequenceRecipe):
    """Base of all recipes for text."""

    modality: ClassVar[str] = "text"
    noun: ClassVar[str] = "text"
    least: ClassVar[int] = 20
    samples: Samples = ENOUGH
    """Real texts to see when neither --samples nor --minutes is given."""
    batch: BatchSize = 64
    """Texts per batch, over all processes."""
