"""Molecules as graphs and back, beside their SMILES."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.molecules.chemistry import Structure, assembled, canonical, parsed, structure_of
from sparring.modalities.molecules.data import survey
from sparring.modalities.molecules.features import identity
from sparring.modalities.molecules.forms import smiles_of, smiles_of_all
from sparring.modalities.molecules.graphs import FORM, MAX_ATOMS, Graphs, fit, graph_coding_of, structures_of
from sparring.modalities.molecules.rooms import MOLECULES

SOME = (
    "C", "CC", "C#N", "CC(C)(C)O", "c1ccccc1", "O=Cn1cn[nH]c1=O", "c1noc2c1C1CC2O1", "N#CC1(C#N)C2CNC21",
    "[NH3+]CC([O-])=O", "C[N+](C)(C)CC([O-])=O", "OC1C2C3OC1C23", "FC(F)(F)C1=CN=CO1", "Cn1nnnc1C#N", "C1CC2CC3C1C23",
)  # fmt: skip
"""Small molecules: rings, aromatic ones, triple bonds, charges."""
GRAPHS = View((0, 0), options={"form": FORM})


def file_of(folder: Path, *smiles: str) -> str:
    (folder / "molecules.smi").write_text("".join(f"{one}\n" for one in smiles))
    return str(folder / "molecules.smi")


def test_molecules_survive_the_way_to_graphs_and_back(tmp_path: Path) -> None:
    found = survey(file_of(tmp_path, *SOME))
    graphs, coding = found.whole(GRAPHS), graph_coding_of(found.facts)
    assert coding.places == 9 and set(coding.kinds) == {"C", "N", "O", "F", "N+", "O-"}
    assert dict(zip(coding.kinds, coding.valences, strict=True))["N+"] == 4
    assert graphs.shapes == (coding.shape, (9, 9, 4))
    assert list(map(identity, smiles_of_all(graphs, found.facts))) == list(map(identity, SOME))
    assert graphs.samples.bonds.dtype == graphs.samples.atoms.dtype == np.uint8


def test_graphs_and_smiles_are_split_alike(tmp_path: Path) -> None:
    found = survey(file_of(tmp_path, *SOME))
    sides = [found.prepare(view, seed=3) for view in (GRAPHS, View(found.facts.shape))]
    graphs, smiles = (set(map(identity, smiles_of_all(split.held_out, split.facts))) for split in sides)
    assert graphs == smiles and len(graphs) == 1


@pytest.mark.parametrize(
    ("structure", "text"),
    [
        (Structure(("C",) * 6, bytes((0, 1, 1, 0, 2, 1, 0, 3, 1, 0, 4, 1, 0, 5, 1))), "CC(C)(C)(C)C"),
        (Structure(("C", "O"), b""), "C.O"),
        (Structure((), b""), ""),
    ],
    ids=["too many bonds", "not connected", "no atoms"],
)
def test_what_is_no_molecule_is_written_as_it_is(structure: Structure, text: str) -> None:
    """Nothing is corrected: neither valences nor connections."""
    assert canonical(assembled(structure)) == text and parsed(text) is None


def test_molecules_that_are_too_large_for_graphs_are_left_out_with_a_remark(tmp_path: Path) -> None:
    found = survey(file_of(tmp_path, "C" * (MAX_ATOMS + 1), *SOME))
    assert f"1 molecule of more than {MAX_ATOMS} atoms is left out by recipes on graphs." in found.facts.remarks
    assert len(found.whole(GRAPHS)) == len(SOME) and len(found.whole(View(found.facts.shape))) == len(SOME) + 1
    split = found.prepare(GRAPHS)
    assert len(split.train) + len(split.held_out) == len(SOME)


def test_other_molecules_get_the_coding_of_the_training_data(tmp_path: Path) -> None:
    trained = survey(file_of(tmp_path, "CCO", "CCC", "CC#N")).facts
    other = survey(file_of(tmp_path, "CCCC", "OCC", "CCF", "CO"), like=trained)
    assert graph_coding_of(other.facts) == graph_coding_of(trained)
    assert smiles_of_all(other.whole(GRAPHS), trained) == ["CCO", "CO"]
    with pytest.raises(SparringError, match="molecules of at most 3 atoms, of the kinds C, N, O"):
        survey(file_of(tmp_path, "CCCC", "CCF", "CCCCC"), like=trained).whole(GRAPHS)


def test_kinds_of_a_received_folder_are_elements(tmp_path: Path) -> None:
    facts = survey(file_of(tmp_path, *SOME)).facts
    for kinds, valences in ((["Xx"], [4]), (["C", "N"], [4]), (["C+-"], [4])):
        changed = replace(facts, coding={**facts.coding, "graphs": {"places": 2, "kinds": kinds, "valences": valences}})
        with pytest.raises(SparringError, match="the coding of"):
            graph_coding_of(changed)


def test_graphs_are_shown_and_saved_as_molecules(tmp_path: Path) -> None:
    found = survey(file_of(tmp_path, *SOME))
    batch = found.whole(GRAPHS).batch(slice(0, 5))
    facts: Facts = found.facts
    assert isinstance(batch.real, Graphs) and MOLECULES.decode(batch.real, facts) == smiles_of(batch.real, facts)
    (exhibit,) = MOLECULES.show(batch, facts, columns=3)
    assert exhibit.pixels.ndim == 3 if hasattr(exhibit, "pixels") else exhibit
    files = MOLECULES.save(batch.real, facts, tmp_path / "out")
    assert {path.suffix for path in files} == {".smi", ".sdf"}
    assert len(files[0].read_text().splitlines()) == 5
    assert MOLECULES.cheap_features(batch.real, facts).shape[0] == 5
    assert MOLECULES.extra_signals(batch.real, batch.real, facts) == {"valid": 1.0, "repeated": 0.0}


def test_the_most_probable_graph_is_decoded(tmp_path: Path) -> None:
    found = survey(file_of(tmp_path, *SOME))
    coding, graphs = graph_coding_of(found.facts), found.whole(GRAPHS).batch(slice(0, len(SOME))).real
    blurred = Graphs(*(0.6 * part + 0.4 / part.shape[-1] for part in graphs))
    assert structures_of(blurred, coding) == structures_of(graphs, coding)
    assert fit(structures_of(graphs, coding)) == fit([structure_of(parsed(one)) for one in SOME]) == coding
