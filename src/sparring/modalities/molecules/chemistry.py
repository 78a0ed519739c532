"""Molecules of RDKit: reading and writing them, their properties, and objectives. No other file imports RDKit."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from sys import intern
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparring.errors import missing_extra

Mol: TypeAlias = Any
"""A molecule of RDKit, ``rdkit.Chem.Mol``; an alias, so that this file can be read without the package."""

STEREO = re.compile(r"[@/\\]|\[\d")
"""Stereochemistry and isotopes in a SMILES."""
RADIUS, BITS = 2, 1024
"""Bonds around an atom, and length, of Morgan fingerprints (Rogers & Hahn 2010), as MOSES compares molecules."""
MAX_LETTERS = 2**13
"""Letters of a SMILES beyond which it is not parsed: that of 10 MB would take hours."""
LOGP_RANGE = (-2.12178879609, 6.0429063424)
"""logP that counts as 0 and as 1 (Guimaraes et al. 2017, ORGAN, and De Cao & Kipf 2018, MolGAN: their programs)."""
SA_RANGE = (5.0, 1.5)
"""SA that counts as 0 and as 1, from the same programs."""


@cache
def library() -> SimpleNamespace:
    """Return the modules of RDKit by name.

    Raises:
        SparringError: it is not installed.
    """
    try:
        from rdkit import Chem, DataStructs, rdBase
        from rdkit.Chem import QED, AllChem, Crippen, Descriptors, rdFingerprintGenerator, rdMolDescriptors
        from rdkit.Chem.Draw import rdMolDraw2D
        from rdkit.Contrib.SA_Score import sascorer
    except ImportError:
        raise missing_extra("rdkit", "molecules", "to read molecules") from None
    return SimpleNamespace(
        Chem=Chem,
        DataStructs=DataStructs,
        QED=QED,
        AllChem=AllChem,
        Crippen=Crippen,
        Descriptors=Descriptors,
        Descriptions=rdMolDescriptors,
        Draw=rdMolDraw2D,
        Accessibility=sascorer,
        quiet=rdBase.BlockLogs,
        morgan=rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS),
    )


def parsed(smiles: str) -> Mol | None:
    """Return the molecule of a SMILES; None unless it is valid.

    It is valid if RDKit parses and sanitises it (valences, aromaticity), every atom is of an element, and all atoms
    are connected; text without atoms is not.
    """
    rdkit = library()
    # RDKit takes what follows white space for a name, and skips some bytes that are not ASCII.
    if len(smiles) > MAX_LETTERS or not smiles.isascii() or not smiles.isprintable() or " " in smiles:
        return None
    with rdkit.quiet():
        mol = rdkit.Chem.MolFromSmiles(smiles)
    return mol if mol is not None and is_whole(mol) else None


def is_whole(mol: Mol) -> bool:
    """Return whether a molecule has atoms, all of them of elements and connected."""
    if mol.GetNumAtoms() == 0 or any(atom.GetAtomicNum() == 0 for atom in mol.GetAtoms()):
        return False
    return mol.GetNumBonds() >= mol.GetNumAtoms() - 1 and len(library().Chem.GetMolFrags(mol)) == 1


def canonical(mol: Mol) -> str:
    """Return the canonical SMILES without stereochemistry, by which molecules are compared."""
    return str(library().Chem.MolToSmiles(mol, isomericSmiles=False))


def written(mol: Mol) -> tuple[str, str]:
    """Return the canonical SMILES with stereochemistry and isotopes, as molecules are learned, and ``canonical``."""
    text = str(library().Chem.MolToSmiles(mol))
    return text, canonical(mol) if STEREO.search(text) else text


class Structure(NamedTuple):
    """A molecule without its hydrogens: elements with formal charges, such as C or N+, and bonds.

    Args:
        atoms: kind of each atom.
        bonds: three bytes for each bond: the numbers of its atoms, and its order from 1 to 3.
    """

    atoms: tuple[str, ...]
    bonds: bytes


NO_STRUCTURE = Structure((), b"")
"""Stands for the structure of what is no molecule."""


def structure_of(mol: Mol) -> Structure:
    """Return the kekulised structure of a molecule, without stereochemistry, isotopes and unpaired electrons.

    Bonds between atoms beyond the first 256 are left out.
    """
    rdkit = library()
    plain = rdkit.Chem.Mol(mol)
    rdkit.Chem.Kekulize(plain, clearAromaticFlags=True)
    atoms = (atom.GetSymbol() + _sign(atom.GetFormalCharge()) for atom in plain.GetAtoms())
    bonds = bytearray()
    for bond in plain.GetBonds():
        first, second = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if max(first, second) < 256:
            bonds += bytes((first, second, min(3, int(bond.GetBondTypeAsDouble()))))
    return Structure(tuple(map(intern, atoms)), bytes(bonds))


def assembled(structure: Structure) -> Mol:
    """Return a molecule that nothing has checked, with as many hydrogens as the valences leave."""
    rdkit = library()
    mol = rdkit.Chem.RWMol()
    for kind in structure.atoms:
        atom = rdkit.Chem.Atom(kind.rstrip("+-"))
        atom.SetFormalCharge(kind.count("+") - kind.count("-"))
        mol.AddAtom(atom)
    numbers = iter(structure.bonds)
    for first, second, order in zip(numbers, numbers, numbers, strict=True):
        mol.AddBond(first, second, rdkit.Chem.BondType.values[order])
    mol.UpdatePropertyCache(strict=False)
    return mol


@cache
def elements() -> frozenset[str]:
    """Return the symbols of all elements."""
    table = library().Chem.GetPeriodicTable()
    return frozenset(table.GetElementSymbol(number) for number in range(1, 119))


def _sign(charge: int) -> str:
    return ("+" if charge > 0 else "-") * abs(charge)


def properties(mol: Mol) -> Mapping[str, float]:
    """Return the properties of a molecule.

    Returns:
        ``qed``: quantitative estimate of drug-likeness, in [0, 1] (Bickerton et al. 2012); ``logp``: logarithm of the
        partition between octanol and water (Wildman & Crippen 1999); ``sa``: synthetic accessibility, from 1 for easy
        to 10 (Ertl & Schuffenhauer 2009); ``weight``: in daltons.
    """
    rdkit = library()
    with rdkit.quiet():
        return {
            "qed": float(rdkit.QED.qed(mol)),
            "logp": float(rdkit.Crippen.MolLogP(mol)),
            "sa": float(rdkit.Accessibility.calculateScore(mol)),
            "weight": float(rdkit.Descriptors.MolWt(mol)),
        }


def _scaled(value: float, bounds: tuple[float, float]) -> float:
    """Return where a value lies between what counts as 0 and what counts as 1, cut to [0, 1]."""
    lowest, highest = bounds
    return min(1.0, max(0.0, (value - lowest) / (highest - lowest)))


def druglikeness(mol: Mol) -> float:
    """Return the quantitative estimate of drug-likeness, in [0, 1] (Bickerton et al. 2012)."""
    return float(library().QED.qed(mol))


def solubility(mol: Mol) -> float:
    """Return (logP + 2.12) / 8.16 in [0, 1], which ORGAN and MolGAN call solubility: 1 for fat, 0 for water."""
    return _scaled(float(library().Crippen.MolLogP(mol)), LOGP_RANGE)


def synthesizability(mol: Mol) -> float:
    """Return (5 - SA) / 3.5 in [0, 1]: 1 for molecules that are easy to make (Ertl & Schuffenhauer 2009)."""
    return _scaled(float(library().Accessibility.calculateScore(mol)), SA_RANGE)


OBJECTIVES: Mapping[str, Callable[[Mol], float]] = MappingProxyType(
    {"druglikeness": druglikeness, "solubility": solubility, "synthesizability": synthesizability}
)
"""Name → score of a molecule in [0, 1], higher is better: the objectives of ORGAN and MolGAN."""


def internal_diversity(mols: Sequence[Mol]) -> float:
    """Return the mean Tanimoto distance of two molecules (Polykovskiy et al. 2020, MOSES, IntDiv); NaN for none.

    As there, pairs of a molecule with itself count: n of n².
    """
    rdkit, count = library(), len(mols)
    prints = [rdkit.morgan.GetFingerprint(mol) for mol in mols]
    alike = sum(sum(rdkit.DataStructs.BulkTanimotoSimilarity(one, prints[:at])) for at, one in enumerate(prints))
    return 1 - (2 * alike + count) / count**2 if count else math.nan


def fingerprints(mols: Sequence[Mol]) -> NDArray[np.float32]:
    """Return how often each molecule has the surroundings of each bit, (count, BITS)."""
    rows = [library().morgan.GetCountFingerprintAsNumPy(mol) for mol in mols]
    return np.array(rows, dtype=np.float32).reshape(len(mols), BITS)


ELEMENTS = (6, 7, 8, 9, 15, 16, 17, 35, 53)
"""Atomic numbers that are counted one by one: C, N, O, F, P, S, Cl, Br, I."""


def descriptors(mol: Mol) -> list[float]:
    """Return counts of atoms, bonds and rings, and estimates of physical properties."""
    found = library().Descriptions
    numbers = [atom.GetAtomicNum() for atom in mol.GetAtoms()]
    logp, refractivity = found.CalcCrippenDescriptors(mol)
    return [
        *(float(numbers.count(one)) for one in ELEMENTS),
        float(sum(one not in ELEMENTS for one in numbers)),
        *bond_counts(mol),
        float(found.CalcNumRings(mol)),
        float(found.CalcNumAromaticRings(mol)),
        float(found.CalcNumRotatableBonds(mol)),
        float(found.CalcNumHBD(mol)),
        float(found.CalcNumHBA(mol)),
        float(found.CalcNumSpiroAtoms(mol)),
        float(found.CalcNumBridgeheadAtoms(mol)),
        found.CalcFractionCSP3(mol),
        found.CalcTPSA(mol),
        found.CalcExactMolWt(mol),
        logp,
        refractivity,
    ]


def bond_counts(mol: Mol) -> tuple[float, float, float, float]:
    """Return the numbers of single, double, triple and aromatic bonds."""
    orders = [bond.GetBondTypeAsDouble() for bond in mol.GetBonds()]
    single, double, triple, aromatic = (float(orders.count(one)) for one in (1.0, 2.0, 3.0, 1.5))
    return single, double, triple, aromatic


def records(content: bytes, label: str | None) -> Iterator[tuple[str, str | None]]:
    """Yield the SMILES of each record of an SDF file, "" where RDKit cannot read it, and its property ``label``."""
    import io

    rdkit = library()
    with rdkit.quiet():
        for mol in rdkit.Chem.ForwardSDMolSupplier(io.BytesIO(content)):
            named = mol is not None and label is not None and mol.HasProp(label)
            yield "" if mol is None else written(mol)[0], str(mol.GetProp(label)) if named else None


def sdf(mols: Sequence[Mol], names: Sequence[str]) -> str:
    """Return an SDF file of molecules, drawn in two dimensions, with their SMILES and properties."""
    import io

    rdkit, file = library(), io.StringIO()
    with rdkit.quiet(), rdkit.Chem.SDWriter(file) as writer:
        for mol, name in zip(mols, names, strict=True):
            flat = rdkit.Chem.Mol(mol)
            rdkit.AllChem.Compute2DCoords(flat)
            flat.SetProp("_Name", name)
            flat.SetProp("SMILES", written(mol)[0])
            writer.write(flat)
    return file.getvalue()
