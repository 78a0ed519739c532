"""Objectives of molecules as values of generated graphs."""

from collections.abc import Iterable
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from sparring.data.facts import Facts
from sparring.flow import Batch
from sparring.modalities.molecules.forms import smiles_of
from sparring.modalities.molecules.networks.graphs import Graphs
from sparring.modalities.molecules.objectives import UNIQUENESS, MoleculeObjective


@final
class GraphScore:
    """An objective of the most probable graphs; what is no molecule has 0.

    Args:
        objective: the objective.
        facts: of the training data.
    """

    def __init__(self, objective: MoleculeObjective, facts: Facts) -> None:
        self.objective, self.facts = objective, facts

    def __call__(self, sample: Graphs) -> Float[Tensor, " batch"]:
        """Return the value of each graph; see ``games.rewarded.Score``."""
        once = UNIQUENESS in self.objective.factors
        found = [score for _, score in self.objective.scored(smiles_of(sample, self.facts), once=once)]
        return torch.tensor(found, dtype=torch.float32, device=sample.atoms.device)

    def take_data(self, batches: Iterable[Batch]) -> None:
        """Show the training samples to the objective."""
        self.objective.take_data(batches, self.facts)
