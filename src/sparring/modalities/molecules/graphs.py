"""Molecules as graphs: one-hot kinds of atoms and of bonds, as networks see them.

Graphs are kekulised, so that there are three kinds of bonds, and hydrogens are implicit: an atom has as many as its
valence leaves. A kind of atoms is an element with its formal charge. Stereochemistry, isotopes and unpaired electrons
are not kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NamedTuple, TypeAlias, final

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from torch import Tensor
from torch.nn.functional import one_hot

from sparring.flow import Batch
from sparring.randomness import RandomStream
from sparring.schema import STORED

NO_ATOM, NO_BOND = 0, 0
"""Kind of a place without an atom, and of a pair of places without a bond."""
BOND_KINDS = 4
"""No bond, single, double and triple: the number of a kind is its order."""
MAX_ATOMS = 38
"""Atoms of a molecule at most, without its hydrogens."""

Places = Annotated[int, Field(ge=1, le=MAX_ATOMS)]


class Graphs(NamedTuple):
    """Molecules as graphs, one-hot or, while a generator is trained, probabilities.

    Args:
        atoms: (batch, places, 1 + kinds), ``NO_ATOM`` first.
        bonds: (batch, places, places, 4), symmetric, ``NO_BOND`` first: also from a place to itself, and wherever one of
            the two places has no atom.
    """

    atoms: Float[Tensor, "batch places kinds"]
    bonds: Float[Tensor, "batch places places orders"]


class Molecule(NamedTuple):
    """One molecule: the kinds of its atoms, such as C or N+, and bonds as (atom, atom, order)."""

    atoms: Sequence[str]
    bonds: Sequence[tuple[int, int, int]]


class Stored(NamedTuple):
    """Graphs as numbers of kinds, (count, places) and (count, places, places) uint8."""

    atoms: NDArray[np.uint8]
    bonds: NDArray[np.uint8]


Numbers: TypeAlias = NDArray[np.int64]


@final
@dataclass(frozen=True)
class GraphCoding:
    """Coding of molecules as graphs, as published with a model.

    Args:
        places: atoms of a molecule at most.
        kinds: of atoms, the most frequent first.
        valences: most bonds, each by its order, that an atom of each kind has in the training data.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    places: Places
    kinds: Annotated[tuple[str, ...], Field(min_length=1, max_length=200)]
    valences: tuple[Annotated[int, Field(ge=0, le=12)], ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the atoms of one graph."""
        return self.places, 1 + len(self.kinds)


def fit(molecules: Iterable[Molecule]) -> GraphCoding:
    """Return the coding of molecules that have at most ``MAX_ATOMS`` atoms; larger ones are passed over."""
    places, counts, valences = 1, dict[str, int](), dict[str, int]()
    for one in molecules:
        if not 0 < len(one.atoms) <= MAX_ATOMS:
            continue
        places = max(places, len(one.atoms))
        for kind, orders in zip(one.atoms, _orders(one), strict=True):
            counts[kind] = counts.get(kind, 0) + 1
            valences[kind] = max(valences.get(kind, 0), orders)
    kinds = sorted(counts, key=lambda kind: (-counts[kind], kind))
    return GraphCoding(places, tuple(kinds), tuple(valences[kind] for kind in kinds))


def stored(molecules: Sequence[Molecule], coding: GraphCoding) -> tuple[Stored, NDArray[np.bool_]]:
    """Return the graphs of the molecules that fit into a coding, and which ones these are."""
    numbers = {kind: number for number, kind in enumerate(coding.kinds, 1)}
    fits = np.array([0 < len(one.atoms) <= coding.places and numbers.keys() >= {*one.atoms} for one in molecules], bool)
    kept = [one for one, fit in zip(molecules, fits, strict=True) if fit]
    atoms = np.zeros((len(kept), coding.places), dtype=np.uint8)
    bonds = np.zeros((len(kept), coding.places, coding.places), dtype=np.uint8)
    for row, one in enumerate(kept):
        atoms[row, : len(one.atoms)] = [numbers[kind] for kind in one.atoms]
        for first, second, order in one.bonds:
            bonds[row, first, second] = bonds[row, second, first] = order
    return Stored(atoms, bonds), fits


class OneHot:
    """Reads stored graphs as one-hot tensors.

    Args:
        coding: of the graphs.
    """

    def __init__(self, coding: GraphCoding) -> None:
        self.kinds = coding.shape[1]

    def __call__(self, rows: Batch, random: RandomStream | None = None) -> Batch:
        """Return the batch as networks take it."""
        atoms, bonds = rows.real
        return Batch(
            Graphs(one_hot(atoms.long(), self.kinds).float(), one_hot(bonds.long(), BOND_KINDS).float()),
            rows.condition,
            rows.label,
        )


def molecules_of(graphs: Graphs, coding: GraphCoding) -> list[Molecule]:
    """Return the molecules of graphs, of probabilities the most probable ones."""
    atoms: Any = graphs.atoms.argmax(2).cpu().numpy()
    orders: Any = graphs.bonds.argmax(3).cpu().numpy()
    found = list[Molecule]()
    for kinds, bonds in zip(atoms, orders, strict=True):
        (present,) = np.nonzero(kinds != NO_ATOM)
        inside = np.triu(bonds[np.ix_(present, present)], 1)
        pairs = [(int(first), int(second), int(inside[first, second])) for first, second in np.argwhere(inside)]
        found.append(Molecule([coding.kinds[kinds[place] - 1] for place in present], pairs))
    return found


def _orders(molecule: Molecule) -> list[int]:
    """Return the sum of the orders of the bonds of each atom."""
    found = [0] * len(molecule.atoms)
    for first, second, order in molecule.bonds:
        found[first] += order
        found[second] += order
    return found
