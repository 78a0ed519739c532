"""Base of the recipes for molecules that are written as SMILES."""

from typing import ClassVar

from sparring.recipe import BatchSize, Samples
from sparring.sequence_recipe import ENOUGH, SequenceRecipe


class MoleculeRecipe(SequenceRecipe):
    """Base of the recipes for molecules that are written as SMILES."""

    modality: ClassVar[str] = "molecules"
    noun: ClassVar[str] = "molecule"
    least: ClassVar[int] = 10
    samples: Samples = ENOUGH
    """Real molecules to see when neither --samples nor --minutes is given."""
    batch: BatchSize = 64
    """Molecules per batch, over all processes."""
