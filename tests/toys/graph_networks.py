"""Graphs as networks see them, a generator and a discriminator: only bonds carry gradients."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from sparring.flow import Verdict
from sparring.layers.dense import Dense

ELEMENTS, MIN_ATOMS, MAX_ATOMS = 4, 3, 5
CHOICE_SIZES = ELEMENTS * MAX_ATOMS, 1 + MAX_ATOMS - MIN_ATOMS
"""Length of the parts of a latent that choose the atoms, and their number."""


class Graph(NamedTuple):
    atoms: Tensor  # (batch, 5) int64: their elements
    bonds: Tensor  # (batch, 5, 5) float32 in [0, 1]
    size: Tensor  # (batch,) int64: number of atoms; the places after them are empty


def flat(graph: Graph) -> Tensor:
    """Concatenate one-hot atoms, one-hot size and bonds, (batch, 51)."""
    return torch.cat([one_hot_parts(graph.atoms, graph.size), graph.bonds.flatten(1)], 1)


def one_hot_parts(atoms: Tensor, size: Tensor) -> Tensor:
    """Concatenate one-hot atoms and one-hot size, (batch, 26)."""
    return torch.cat([one_hot(atoms, ELEMENTS).flatten(1), one_hot(size, 1 + MAX_ATOMS)], 1).float()


class Generator(nn.Module):
    """Generator whose latents (batch, 31) choose atoms and size by argmax, without a gradient; bonds are learned."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = Dense(26 + 8, 64, MAX_ATOMS * MAX_ATOMS)

    def forward(self, latent: Tensor, condition: None) -> Graph:
        for_atoms, for_size, rest = latent.split((*CHOICE_SIZES, 8), 1)
        atoms, size = for_atoms.view(-1, MAX_ATOMS, ELEMENTS).argmax(2), MIN_ATOMS + for_size.argmax(1)
        bonds = self.layers(torch.cat([one_hot_parts(atoms, size), rest], 1)).view(-1, MAX_ATOMS, MAX_ATOMS)
        return Graph(atoms, (bonds + bonds.mT).sigmoid(), size)


class Discriminator(nn.Module):
    """Discriminator of graphs."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = Dense(51, 64, 1)

    def forward(self, graph: Graph, condition: None) -> Verdict:
        seen = flat(graph)
        return Verdict([self.layers(seen)[:, 0]], [seen])
