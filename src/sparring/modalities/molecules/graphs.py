"""Molecules as graphs: one-hot kinds of atoms and of bonds, as networks see them.

Graphs are kekulised, so that there are three kinds of bonds, and hydrogens are implicit: an atom has as many as its
valence leaves. A kind of atoms is an element with its formal charge. Stereochemistry, isotopes and unpaired electrons
are not kept.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar, NamedTuple, final

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from torch.nn.functional import one_hot

from sparring.data.facts import Facts
from sparring.flow import Batch
from sparring.modalities.molecules.chemistry import Structure, elements
from sparring.modalities.molecules.networks.graphs import BOND_KINDS, NO_ATOM, Graphs
from sparring.randomness import RandomStream
from sparring.schema import STORED, validated

CODING = "graphs"
"""Name of a ``GraphCoding`` in ``Facts.coding``, beside the values of a ``TokenCoding``."""
FORM = "graphs"
"""Value of the option "form" of a view of graphs."""
MAX_ATOMS = 38
"""Atoms of a molecule at most, without its hydrogens."""

Kind = Annotated[str, Field(pattern=r"^[A-Z][a-z]?(\+*|-*)$", max_length=10)]
Places = Annotated[int, Field(ge=1, le=MAX_ATOMS)]


class Stored(NamedTuple):
    """Graphs as numbers of kinds, (count, places) and (count, places, places) uint8."""

    atoms: NDArray[np.uint8]
    bonds: NDArray[np.uint8]


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
    kinds: Annotated[tuple[Kind, ...], Field(max_length=200)]
    valences: tuple[Annotated[int, Field(ge=0, le=3 * MAX_ATOMS)], ...]

    def __post_init__(self) -> None:
        unknown = [kind for kind in self.kinds if kind.rstrip("+-") not in elements()]
        if unknown or len(self.kinds) != len(self.valences):
            raise ValueError(f"{', '.join(unknown) or 'kinds'} without an element or a valence")

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the atoms of one graph."""
        return self.places, 1 + len(self.kinds)

    def as_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def graph_coding_of(facts: Facts) -> GraphCoding:
    """Return the coding of the graphs of the molecules that ``facts`` describes.

    Raises:
        SparringError: it is not what this program writes.
    """
    return validated(GraphCoding, facts.coding.get(CODING), f"the coding of {facts.source}")


def fit(structures: Iterable[Structure]) -> GraphCoding:
    """Return the coding of structures that have at most ``MAX_ATOMS`` atoms; larger ones are passed over."""
    places, counts, valences = 1, Counter[str](), dict[str, int]()
    for one in structures:
        if len(one.atoms) <= MAX_ATOMS:
            places = max(places, len(one.atoms))
            counts.update(one.atoms)
            for kind, valence in zip(one.atoms, _valences(one), strict=True):
                valences[kind] = max(valences.get(kind, 0), valence)
    kinds = sorted(counts, key=lambda kind: (-counts[kind], kind))
    return GraphCoding(places, tuple(kinds), tuple(valences[kind] for kind in kinds))


def fitting(structures: Sequence[Structure], coding: GraphCoding) -> NDArray[np.bool_]:
    """Return which structures a coding can hold."""
    kinds = {*coding.kinds}
    return np.array([0 < len(one.atoms) <= coding.places and kinds.issuperset(one.atoms) for one in structures], bool)


def stored(structures: Sequence[Structure], coding: GraphCoding) -> Stored:
    """Return the graphs of structures that fit into a coding."""
    numbers = {kind: number for number, kind in enumerate(coding.kinds, 1)}
    atoms = np.zeros((len(structures), coding.places), dtype=np.uint8)
    bonds = np.zeros((len(structures), coding.places, coding.places), dtype=np.uint8)
    for row, one in enumerate(structures):
        atoms[row, : len(one.atoms)] = [numbers[kind] for kind in one.atoms]
        first, second, order = np.frombuffer(one.bonds, dtype=np.uint8).reshape(-1, 3).T
        bonds[row, first, second] = bonds[row, second, first] = order
    return Stored(atoms, bonds)


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


def structures_of(graphs: Graphs, coding: GraphCoding) -> list[Structure]:
    """Return the structures of graphs, of probabilities the most probable ones."""
    atoms: Any = graphs.atoms.argmax(2).cpu().numpy()
    orders: Any = graphs.bonds.argmax(3).cpu().numpy()
    found = list[Structure]()
    for kinds, bonds in zip(atoms, orders, strict=True):
        (present,) = np.nonzero(kinds != NO_ATOM)
        inside = np.triu(bonds[np.ix_(present, present)], 1)
        first, second = np.nonzero(inside)
        triples = np.stack([first, second, inside[first, second]], 1).astype(np.uint8)
        found.append(Structure(tuple(coding.kinds[kinds[place] - 1] for place in present), triples.tobytes()))
    return found


def _valences(structure: Structure) -> list[int]:
    """Return the sum of the orders of the bonds of each atom."""
    found, numbers = [0] * len(structure.atoms), iter(structure.bonds)
    for first, second, order in zip(numbers, numbers, numbers, strict=True):
        found[first] += order
        found[second] += order
    return found
