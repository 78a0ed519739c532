"""A graph as networks see it, and two networks for it: gradients flow through its bonds alone."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from sparring.flow import Verdict
from sparring.layers.dense import Dense

KINDS, ATOMS, FEWEST = 4, 5, 3
CHOICE = KINDS * ATOMS, 1 + ATOMS - FEWEST
"""Numbers of the noise that choose the atoms, and those that choose the size."""


class Graph(NamedTuple):
    atoms: Tensor  # (batch, 5) int64: their kinds
    bonds: Tensor  # (batch, 5, 5) float32 in [0, 1]
    size: Tensor  # (batch,) int64: so many atoms are there, the first ones


def flat(graph: Graph) -> Tensor:
    """All of a graph in one row: one-hot atoms and size, and bonds, (batch, 51)."""
    return torch.cat([indicators(graph.atoms, graph.size), graph.bonds.flatten(1)], 1)


def indicators(atoms: Tensor, size: Tensor) -> Tensor:
    """One-hot atoms and size, (batch, 26)."""
    return torch.cat([one_hot(atoms, KINDS).flatten(1), one_hot(size, 1 + ATOMS)], 1).float()


class Generator(nn.Module):
    """Noise (batch, 31) chooses atoms and size by argmax, without a gradient; the bonds between them are learned."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = Dense(26 + 8, 64, ATOMS * ATOMS)

    def forward(self, latent: Tensor, condition: None) -> Graph:
        for_atoms, for_size, rest = latent.split((*CHOICE, 8), 1)
        atoms, size = for_atoms.view(-1, ATOMS, KINDS).argmax(2), FEWEST + for_size.argmax(1)
        bonds = self.layers(torch.cat([indicators(atoms, size), rest], 1)).view(-1, ATOMS, ATOMS)
        return Graph(atoms, (bonds + bonds.mT).sigmoid(), size)


class Discriminator(nn.Module):
    """Scores of graphs."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = Dense(51, 64, 1)

    def forward(self, graph: Graph, condition: None) -> Verdict:
        seen = flat(graph)
        return Verdict([self.layers(seen)[:, 0]], [seen])
