"""Molecules as graphs, as networks see them."""

from typing import NamedTuple

from torch import Tensor

NO_ATOM, NO_BOND = 0, 0
"""Kind of a place without an atom, and of a pair of places without a bond."""
BOND_KINDS = 4
"""No bond, single, double and triple: the number of a kind is its order."""


class Graphs(NamedTuple):
    """Molecules as graphs, one-hot or, while a generator is trained, probabilities.

    Args:
        atoms: (batch, places, 1 + kinds), ``NO_ATOM`` first.
        bonds: (batch, places, places, 4), symmetric, ``NO_BOND`` first; so is a place to itself, and wherever one of
            the two places has no atom.
    """

    atoms: Tensor
    bonds: Tensor
