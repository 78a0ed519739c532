"""Molecules of RDKit: validity, equality, objectives and internal diversity, against values known from elsewhere."""

import pytest

from sparring.modalities.molecules.chemistry import (
    OBJECTIVES,
    canonical,
    internal_diversity,
    parsed,
    properties,
    sdf,
    written,
)


@pytest.mark.parametrize(
    ("smiles", "valid"),
    [
        ("CCO", True),
        ("c1ccccc1", True),
        ("C", True),
        ("", False),
        ("C1CC", False),  # A ring that does not close.
        ("C(C)(C)(C)(C)C", False),  # Five bonds of a carbon.
        ("c1cccc1", False),  # Not aromatic.
        ("CC.O", False),  # Two molecules.
        ("C*", False),  # No element.
        ("[Xx]", False),
        ("CC O", False),
        ("C" * 10_000_000, False),
        ("\N{REPLACEMENT CHARACTER}C", False),
    ],
)
def test_validity(smiles: str, valid: bool, capfd: pytest.CaptureFixture[str]) -> None:
    assert (parsed(smiles) is not None) == valid
    assert not "".join(capfd.readouterr())  # RDKit is silent.


def test_one_molecule_has_one_canonical_form() -> None:
    assert {canonical(parsed(one)) for one in ("OCC", "C(O)C", "CCO")} == {"CCO"}
    left, right = parsed("C[C@H](N)O"), parsed("C[C@@H](N)O")
    assert written(left)[0] != written(right)[0] and written(left)[1] == written(right)[1] == canonical(left)
    assert written(parsed("C1=CC=CC=C1")) == ("c1ccccc1", "c1ccccc1")
    assert written(parsed("F/C=C/[13CH3]")) == ("[13CH3]/C=C/F", "CC=CF")


def test_properties_are_those_of_the_literature() -> None:
    # Aspirin: QED 0.55 (Bickerton et al. 2012), SA 1.6, logP 1.31 (Wildman & Crippen), 180.16 daltons.
    found = properties(parsed("CC(=O)Oc1ccccc1C(=O)O"))
    assert found["qed"] == pytest.approx(0.55, abs=0.01)
    assert found["sa"] == pytest.approx(1.58, abs=0.02)
    assert found["logp"] == pytest.approx(1.31, abs=0.01)
    assert found["weight"] == pytest.approx(180.16, abs=0.01)


def test_objectives_are_scaled_as_by_organ_and_molgan() -> None:
    aspirin = parsed("CC(=O)Oc1ccccc1C(=O)O")
    scores = {name: score(aspirin) for name, score in OBJECTIVES.items()}
    assert scores["druglikeness"] == pytest.approx(0.55, abs=0.01)
    assert scores["solubility"] == pytest.approx((1.3101 + 2.12178879609) / (6.0429063424 + 2.12178879609), abs=1e-4)
    assert scores["synthesizability"] == pytest.approx((5 - 1.58) / 3.5, abs=0.01)
    # Both ends are cut: a fat of 30 carbons, and a sugar.
    assert OBJECTIVES["solubility"](parsed("C" * 30)) == 1 and OBJECTIVES["solubility"](parsed("OCC(O)C(O)C(O)CO")) == 0


def test_internal_diversity_counts_every_pair() -> None:
    one, other = parsed("CCO"), parsed("c1ccccc1")
    assert internal_diversity([one, one]) == 0
    # Nothing in common: the two pairs of different molecules of four pairs.
    assert internal_diversity([one, other]) == 0.5


def test_sdf_has_names_and_coordinates_of_each_molecule() -> None:
    found = sdf([parsed("CCO"), parsed("CN")], ["0", "7"])
    records = found.split("$$$$\n")
    assert len(records) == 3 and records[1].startswith("7\n") and "V2000" in records[0] and "CCO" in records[0]
    assert len({line[:20] for line in records[0].splitlines()[4:7]}) == 3  # Three atoms, at three places.
