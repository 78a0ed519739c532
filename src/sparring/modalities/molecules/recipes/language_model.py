"""Language model of SMILES: the likelihood baseline on molecules."""

from typing import ClassVar, final

from sparring.modalities.molecules.recipes.molecule_recipe import MoleculeRecipe
from sparring.sequence_recipe import LSTMRecipe


@final
class MoleculeLSTM(MoleculeRecipe, LSTMRecipe):
    """A recurrent language model of SMILES: predicts token after token by maximum likelihood."""

    paper: ClassVar[str] = "Segler et al. 2018, Generating Focused Molecule Libraries, methods"
