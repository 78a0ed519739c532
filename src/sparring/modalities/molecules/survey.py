"""Molecules that were read once: their tokens, and facts about them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np

from sparring.arguments import option
from sparring.data.documents import Column, Documents
from sparring.data.facts import Facts
from sparring.data.reading import Reading
from sparring.data.sequences import PROMPT
from sparring.data.sequences.coding import TokenCoding, coding_of
from sparring.data.sequences.rows import encoded, fingerprint, like_classes, spread
from sparring.data.words import SMILES as UNITS
from sparring.data.words import fit
from sparring.errors import SparringError, shown
from sparring.modalities.molecules.chemistry import NO_STRUCTURE, Structure, parsed, structure_of, written
from sparring.modalities.molecules.graph_survey import MoleculeSurvey, left_out
from sparring.modalities.molecules.graphs import CODING
from sparring.modalities.molecules.graphs import fit as fit_graphs
from sparring.modalities.molecules.sources import smiles_in
from sparring.text import number_of
from sparring.tokens import SPECIAL, UNKNOWN

COLUMN_KIND = "smiles"
"""Kind of the column of a table that holds the molecules."""
MAX_LENGTH = 256
"""Tokens of a molecule at most, unless a length is given."""
MIN_MOLECULES = 3
"""Different molecules from which one can train."""
MAX_NAMED = 5
"""Texts without a molecule that a remark names."""

ELEMENT = re.compile(r"\[?\d*([A-Z][a-z]?|se|as|te|[a-z])")
"""Start of an atom in SMILES: an isotope, and the element, in lower case where it is aromatic."""


@final
@dataclass(frozen=True)
class Molecules:
    """Molecules that were parsed.

    Args:
        found: canonical SMILES with stereochemistry; those that are no molecule as they were written.
        identities: canonical SMILES without stereochemistry of each; "" for those that are no molecule.
        structures: of each, without atoms for those that are no molecule.
    """

    found: Documents
    identities: Sequence[str]
    structures: Sequence[Structure]


def survey_molecules(source: str, reading: Reading, like: Facts | None, *, all_rows: bool = False) -> MoleculeSurvey:
    """Read molecules; see ``sources`` for the files.

    Args:
        source: the path.
        reading: choices of the user.
        like: facts of other molecules, whose tokeniser and length these get.
        all_rows: whether texts that are no molecule are kept, as for samples that are judged.

    Raises:
        SparringError: there are too few, or a choice does not fit.
    """
    raw = smiles_in(Path(source), _chosen_columns(reading), with_labels=reading.labels is not False)
    every = _parsed(raw)
    molecules = every if all_rows else _valid(every, raw, source)
    if like is None:
        molecules, coding = _coded(molecules, reading, source)
    else:
        coding = coding_of(like)
        molecules = _fitting(molecules, coding, all_rows=all_rows)
    found = molecules.found
    rows = replace(encoded(found, coding), remarks=())
    rows, classes = like_classes(rows, found.classes, like)
    facts = Facts(
        source=source,
        modality="molecules",
        count=len(rows.tokens),
        shape=(coding.length,),
        fingerprint=fingerprint(rows, coding),
        classes=classes,
        offers=(PROMPT,),
        coding={**coding.as_json(), CODING: fit_graphs(molecules.structures).as_json()}
        if like is None
        else like.coding,
        details=_details(molecules, coding, every.identities.count("")),
        remarks=(*found.remarks, *left_out(molecules.structures)),
        reading=reading.as_json(),
    )
    return MoleculeSurvey(facts, rows, molecules.structures)


def _chosen_columns(reading: Reading) -> Column:
    """Return the columns of molecules and of their classes.

    Raises:
        SparringError: a column is of another kind, or two are of molecules.
    """
    columns = reading.columns or {}
    other = next((name for name, kind in columns.items() if kind != COLUMN_KIND), "")
    if other or len(columns) > 1:
        raise SparringError(
            found=f"the column {other!r} of the kind {columns[other]!r}" if other else "two columns of molecules",
            expected=f"one column of the kind {COLUMN_KIND!r}",
            remedy=f"give {option('columns', f'NAME={COLUMN_KIND}')}, and {option('labels', 'NAME')} for classes; or "
            f"{option('recipe', 'tables/masked')} to read a table",
        )
    labels = reading.labels if isinstance(reading.labels, str) else None
    return Column(next(iter(columns), None), labels)


def _parsed(raw: Documents) -> Molecules:
    """Parse texts, and write each molecule in its canonical form."""
    texts, identities, structures = list[str](), list[str](), list[Structure]()
    for text in raw.texts:
        mol = parsed(text)
        own, identity = (text, "") if mol is None else written(mol)
        texts.append(own)
        identities.append(identity)
        structures.append(NO_STRUCTURE if mol is None else structure_of(mol))
    return Molecules(replace(raw, texts=texts), identities, structures)


def _kept(molecules: Molecules, rows: Sequence[int], remark: str) -> Molecules:
    """Return some molecules, and say why others are left out."""
    found = molecules.found
    kept = replace(
        found,
        texts=[found.texts[row] for row in rows],
        names=[found.names[row] for row in rows],
        labels=None if found.labels is None else found.labels[np.array(rows, dtype=np.int64)],
        remarks=(*found.remarks, remark),
    )
    return Molecules(kept, [molecules.identities[row] for row in rows], [molecules.structures[row] for row in rows])


def _valid(molecules: Molecules, raw: Documents, source: str) -> Molecules:
    """Leave out texts that are no molecule.

    Raises:
        SparringError: all are.
    """
    wrong = [row for row, one in enumerate(molecules.identities) if not one]
    if not wrong:
        return molecules
    some = ", ".join(f"{raw.names[row]} ({shown(raw.texts[row])})" for row in wrong[:MAX_NAMED])
    more = f" and {len(wrong) - MAX_NAMED:,} more" if len(wrong) > MAX_NAMED else ""
    if len(wrong) == len(raw.texts):
        raise SparringError(
            found=f"no molecule in {source}: RDKit can read none of {some}{more}",
            expected="SMILES such as CCO, each one connected molecule",
            remedy="check the file, or the column",
        )
    remark = f"Left out {number_of(len(wrong), 'text')}, no molecule or several: {some}{more}."
    return _kept(molecules, [row for row, one in enumerate(molecules.identities) if one], remark)


def _fitting(molecules: Molecules, coding: TokenCoding, *, all_rows: bool) -> Molecules:
    """Leave out molecules that the tokens of a model cannot write, or say that they will count as none.

    Raises:
        SparringError: all would be left out.
    """
    found, encode = molecules.found, coding.tokeniser.encode
    tokens = [encode(text) for text in found.texts]
    other = [row for row, some in enumerate(tokens) if UNKNOWN in some or len(some) > coding.length]
    other = [row for row in other if molecules.identities[row]]
    if not other:
        return molecules
    several = f"{number_of(len(other), 'molecule')} of {len(tokens):,} with atoms that the training data of the model "
    several += f"lacks, or of more than its {coding.length} tokens, such as {shown(found.texts[other[0]])}"
    if all_rows:
        return replace(molecules, found=replace(found, remarks=(*found.remarks, f"Counted as invalid: {several}.")))
    left = sorted({*range(len(tokens))} - {*other})
    if not left:
        raise SparringError(found=several, expected="molecules that the model can write", remedy="give other data")
    return _kept(molecules, left, f"Left out {several}.")


def _coded(molecules: Molecules, reading: Reading, source: str) -> tuple[Molecules, TokenCoding]:
    """Choose the vocabulary and the length, and leave out molecules that are longer.

    Raises:
        SparringError: there are too few molecules.
    """
    sizes = [len(UNITS.findall(text)) for text in molecules.found.texts]
    length = reading.window or min(max(sizes), MAX_LENGTH)
    inside = [row for row, size in enumerate(sizes) if size <= length]
    if len(inside) < len(sizes):
        longer = f"Left out {number_of(len(sizes) - len(inside), 'molecule')} of more than {length} tokens."
        molecules = _kept(molecules, inside, f"{longer} --window gives another number.")
        sizes = [sizes[row] for row in inside]
    distinct = len(set(molecules.identities))
    if distinct < MIN_MOLECULES:
        raise SparringError(
            found=f"{number_of(distinct, 'different molecule')} in {source}",
            expected=f"at least {MIN_MOLECULES}",
            remedy="give more molecules",
        )
    has_end = min(sizes) < length
    coding = TokenCoding(
        tokeniser=fit("smiles", molecules.found.texts),
        length=length,
        has_end=has_end,
        mean_tokens=float(np.mean([min(size + has_end, length) for size in sizes])),
        suffix=".smi",
    )
    return molecules, coding


def _details(molecules: Molecules, coding: TokenCoding, wrong: int) -> dict[str, Any]:
    """Return what `sparring inspect` says of molecules."""
    atoms = [len(one.atoms) for one in molecules.structures if one.atoms]
    valid = [one for one in molecules.identities if one]
    repeated = len(valid) - len(set(valid))
    elements = Counter[str]()
    for text in valid:
        elements.update({_element(unit) for unit in UNITS.findall(text)})
    shares = [f"{name} in {100 * number / len(valid):.3g} %" for name, number in elements.most_common() if name]
    return {
        "elements": ", ".join(shares[:12]) + (f" and {len(shares) - 12} more" if len(shares) > 12 else ""),
        "atoms of a molecule": spread(atoms or [0]),
        "tokens": f"{coding.tokeniser.size - SPECIAL:,} different, at most {coding.length} a molecule",
        "molecules that occur twice": f"{repeated:,} of {len(valid):,}" if repeated else "none",
        "texts that are no molecule, or several": f"{wrong:,}" if wrong else "none",
    }


def _element(unit: str) -> str:
    """Return the element of a unit of SMILES; "" for bonds and rings."""
    found = ELEMENT.match(unit)
    return found[1].capitalize() if found else ""
