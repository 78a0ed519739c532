"""Molecules from files to samples: what is claimed, read, left out, written, drawn and measured."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import sparring
from sparring.api.sample import sample
from sparring.data.reading import reading
from sparring.data.sequences.coding import coding_of
from sparring.data.words import fit
from sparring.errors import SparringError, SparringWarning
from sparring.flow import Batch
from sparring.metrics.sample_sets import Repeat, SampleSet, Subset, in_memory
from sparring.modalities import modality, modality_of
from sparring.modalities.molecules import sources
from sparring.modalities.molecules.chemistry import parsed, sdf
from sparring.modalities.molecules.drawing import molecule_grid
from sparring.modalities.molecules.features import FAR, Descriptors, cheap_features, extra_signals
from sparring.modalities.molecules.forms import smiles_of
from sparring.modalities.molecules.metrics import measure
from sparring.modalities.molecules.rooms import MOLECULES
from sparring.modalities.molecules.survey import survey_molecules
from sparring.rendering.exhibits import is_overview
from sparring.runs.display import Silent

SMALL: dict[str, Any] = {"recipe": "molecules/lstm", "width": 16, "embedding": 8, "batch": 16, "display": Silent()}
CHAINS = [f"{'C' * one}{atom}{'C' * two}" for one in range(1, 6) for two in range(6) for atom in "NO"]
"""Ethers, amines and alcohols, each once or twice."""


@pytest.fixture
def chains(tmp_path: Path) -> Path:
    path = tmp_path / "chains.smi"
    path.write_text("".join(f"{smiles} name {number}\n" for number, smiles in enumerate(CHAINS)))
    return path


def survey(path: Path, **choices: Any) -> Any:
    return survey_molecules(str(path), reading(**choices), None)


@pytest.mark.parametrize(
    ("name", "content", "claimed"),
    [
        ("a.smi", "CCO\n", "molecules"),
        ("a.sdf", "", "molecules"),
        ("a.csv", "smiles\nCCO\nCCN\nCCC\n", "molecules"),
        ("a.csv", "id,SMILES,gap\n1,CCO,0.1\n2,CCN,0.2\n3,CC[nH]C,0.3\n", "molecules"),
        ("a.tsv", "name\tsmiles\nx\tCCO\ny\tCCN\n", "molecules"),
        ("a.jsonl", '{"smiles": "CCO"}\n{"smiles": "CC"}\n', "molecules"),
        # A few substances that are measured again and again, words under the heading, and no such heading.
        ("a.csv", "smiles,dose\nCCO,1\nCCO,2\nCCO,3\nCCN,1\nCCN,2\nCCN,3\n", "tables"),
        ("a.csv", "smiles,dose\nyes,1\nno,2\nlook at it,3\n", "tables"),
        ("a.csv", "formula,dose\nCCO,1\nCCN,2\nCCC,3\n", "tables"),
        ("a.txt", "CCO\nCCN\n", "text"),
    ],
)
def test_sources_are_told_from_tables_and_texts(name: str, content: str, claimed: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    assert modality_of(str(tmp_path / name)).name == claimed
    assert modality_of(str(tmp_path / name), reading(columns="x=continuous")).name == claimed


def test_any_column_can_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("formula,kind\nCCO,a\nCCN,b\nCCC,a\n")
    choices = {"columns": "formula=smiles", "labels": "kind"}
    assert modality_of(str(tmp_path / "a.csv"), reading(**choices)).name == "molecules"
    found = survey(tmp_path / "a.csv", **choices)
    assert found.facts.classes == ("a", "b") and found.rows.labels.tolist() == [0, 1, 0]
    with pytest.raises(SparringError, match="the column 'kind' of the kind 'category'"):
        survey(tmp_path / "a.csv", columns="kind=category")


def test_units_of_smiles_lose_nothing() -> None:
    texts = ["C[C@@H](N)Cl", "BrC%12CC%12", "c1cc[nH]c1", "C[", "]%1(\n", "[13CH3-]C#N"]
    tokeniser = fit("smiles", texts)
    assert [tokeniser.decode(tokeniser.encode(text)) for text in texts] == texts
    assert {"[C@@H]", "Cl", "Br", "%12", "[nH]", "[13CH3-]"} <= set(tokeniser.vocabulary)


def test_what_is_no_molecule_is_named_by_line_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.smi"
    path.write_text("smiles name\nCCO a\nC1CC b\nOCC c\nCC.O salt\n\nC[Xx]C d\nCN\nCCC\n")
    found = survey(path)
    assert [smiles_of(torch.from_numpy(found.rows.tokens), found.facts)] == [["CCO", "CCO", "CN", "CCC"]]
    (remark,) = [one for one in found.facts.remarks if "no molecule" in one]
    assert "line 3 ('C1CC'), line 5 ('CC.O'), line 7 ('C[Xx]C')" in remark
    assert found.facts.details["molecules that occur twice"] == "1 of 4"
    assert found.facts.details["elements"].startswith("C in 100 %, O in 50 %")
    assert found.facts.details["atoms of a molecule"] == "2 to 3, half of them at most 3"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("CCO\nCN\n", "2 different molecules"),
        ("CCO\nOCC\nC(C)O\n", "1 different molecule in"),
        ("hello\nworld\n", "RDKit can read none of line 1"),
        ("\n", "no text"),
    ],
)
def test_too_few_molecules_are_refused(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.smi").write_text(content)
    with pytest.raises(SparringError, match=said):
        survey(tmp_path / "a.smi")


def test_elements_are_counted_by_molecule(tmp_path: Path) -> None:
    (tmp_path / "a.smi").write_text("c1cc[nH]c1\nCCl\n[13CH3][Se]C\nc1cc[se]c1\n")
    found = survey(tmp_path / "a.smi").facts.details["elements"]
    assert found == "C in 100 %, Se in 50 %, N in 25 %, Cl in 25 %"


def test_long_molecules_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.smi").write_text("CCCCCCCC\nCN\nCO\nCC\n")
    found = survey(tmp_path / "a.smi", window=4)
    assert found.facts.count == 3 and found.facts.shape == (4,)
    assert any("Left out 1 molecule of more than 4 tokens" in one for one in found.facts.remarks)


def test_three_molecules_are_enough(tmp_path: Path) -> None:
    (tmp_path / "a.smi").write_text("CCO\nCN\nCCC\n")
    run = sparring.train(tmp_path / "a.smi", out=tmp_path / "run", samples=8, judge="none", **SMALL | {"batch": 2})
    assert len(sparring.load(run.folder).frame(4)["smiles"]) == 4


def test_a_model_writes_molecules_that_it_can_be_judged_by(chains: Path, tmp_path: Path) -> None:
    run = sparring.train(chains, out=tmp_path / "run", samples=64, judge="none", **SMALL)
    assert (run.folder / "samples.svg").read_text().startswith("<?xml")
    written = sample(run.folder, count=30, out=tmp_path / "made", display=Silent())
    assert [path.name for path in written.files] == ["molecules-000000.smi", "molecules-000000.sdf"]
    assert [path.name for path in written.overview] == ["made-grid.png", "made-grid.svg"]
    lines = written.files[0].read_text().splitlines()
    valid = [line for line in lines if parsed(line)]
    assert len(lines) == 30 and all(line.endswith("\tinvalid") for line in lines if line not in valid)
    assert written.files[1].read_text().count("$$$$") == len(valid)

    # Another call replaces its own files, and all samples in the folder are judged, also those that are no molecule.
    sample(run.folder, count=40, out=tmp_path / "made", display=Silent())
    lines = (tmp_path / "made" / "molecules-000000.smi").read_text().splitlines()
    found = sparring.evaluate(tmp_path / "made", chains, count=40, display=Silent())
    share = sum(parsed(line) is not None for line in lines) / 40
    assert found.metrics["validity"].value == pytest.approx(share, abs=0.03)
    assert found.scores[0].extractor == "descriptors"


def test_files_of_records_are_read_with_their_properties(tmp_path: Path) -> None:
    content = sdf([parsed(one) for one in ("CCO", "CN", "CCC")], ["0", "1", "2"])
    damaged = content.replace("  1  2  1  0\n", "  1  9  1  0\n", 1)
    kinds = iter("aba")
    (tmp_path / "a.sdf").write_text(
        "".join(
            part.replace("M  END\n", f"M  END\n>  <kind>\n{next(kinds)}\n\n") + "$$$$\n"
            for part in content.split("$$$$\n")[:3]
        )
    )
    found = survey(tmp_path / "a.sdf", labels="kind")
    assert smiles_of(found.rows.tokens, found.facts) == ["CCO", "CN", "CCC"] and found.rows.labels.tolist() == [0, 1, 0]
    (tmp_path / "b.sdf").write_text(damaged + content)
    assert "record 1" in survey(tmp_path / "b.sdf").facts.remarks[0]


def encoded(texts: list[str], facts: Any) -> torch.Tensor:
    coding = coding_of(facts)
    rows = torch.zeros(len(texts), coding.length, dtype=torch.int64)
    for row, text in zip(rows, texts, strict=True):
        numbers = coding.tokeniser.encode(text)
        row[: len(numbers)] = torch.tensor(numbers, dtype=torch.int64)
    return rows


def test_shares_have_the_denominators_of_molgan(chains: Path) -> None:
    found = survey(chains)
    split = found.prepare(MOLECULES.view_of(found.facts, found.facts))
    train = smiles_of(torch.from_numpy(split.train.samples), split.facts)
    # Three of eight are no molecule; of the five valid ones three differ, and two, the same new one, are new.
    made = [train[0], train[0], train[1], "NCN", "NCN", "C(C", "", "N)"]
    fake = SampleSet(in_memory(Batch(encoded(made, split.facts))))
    real = SampleSet(split.held_out)
    sides = [Subset(one, torch.arange(len(one))) for one in (real, fake, real, real)]
    values, floor = measure(split, 0)(Repeat(*sides, seed=0))
    assert values["validity"] == 5 / 8 and values["uniqueness"] == 3 / 5 and values["novelty"] == 2 / 5
    assert floor["validity"] == 1 and floor["weight_distance"] == 0 and values["weight_distance"] > 1
    assert 0 < values["internal_diversity"] < 1


def test_what_is_no_molecule_is_far_from_every_one(chains: Path) -> None:
    found = survey(chains)
    split = found.prepare(MOLECULES.view_of(found.facts, found.facts))
    made = Descriptors(split, 0)(encoded(["CCO", "C(C", ")", "CCCOC"], split.facts))
    assert torch.equal(made[1], made[2]) and made.isfinite().all()
    assert torch.cdist(made[1:2], made[[0, 3]]).min() >= FAR
    real = encoded(["CCO", "CC("], split.facts)
    assert cheap_features(real, split.facts)[:, [0, 2, -1]].tolist() == [[2, 1, 3], [2, 0, 3]]
    signals = extra_signals(real, encoded(["CCO", "OCC", "CN", "C("], split.facts), split.facts)
    assert signals == {"valid": 0.75, "repeated": pytest.approx(1 / 3)}


def test_drawings_show_molecules_and_cross_out_others() -> None:
    found = molecule_grid(["CCO", "C(C", "", "CN<"], 2)
    image = Image.open(io.BytesIO(found.file)).convert("RGB")
    assert image.width == image.height == 380 and is_overview(found.file) and is_overview(found.vector)
    red = np.asarray(image)[..., 0].astype(int) - np.asarray(image)[..., 1] > 60
    crossed = [bool(red[y + 90 : y + 100, x + 90 : x + 100].any()) for y in (0, 190) for x in (0, 190)]
    assert crossed == [False, True, True, True] and "3 of which" in found.words
    assert found.vector.count(b"<line") == 6 and b"CN&lt;" in found.vector


def test_molecules_of_another_tool_keep_those_that_are_none(chains: Path, tmp_path: Path) -> None:
    found = survey(chains)
    (tmp_path / "other.smi").write_text("OCC\nC1\n\tinvalid\nCCBr\n")
    with pytest.warns(SparringWarning, match="Counted as invalid: 1 molecule of 4 with atoms that the training data"):
        data = MOLECULES.read(str(tmp_path / "other.smi"), MOLECULES.view_of(found.facts, found.facts), found.facts)
    texts = smiles_of(torch.from_numpy(data.samples), found.facts)
    assert texts[0] == "CCO" and texts[2] == "" and len(texts) == 4
    other = survey_molecules(str(tmp_path / "other.smi"), reading(), found.facts)
    assert smiles_of(other.rows.tokens, other.facts) == ["CCO"] and "Left out 1 molecule" in other.facts.remarks[1]
    assert sources.claims(str(tmp_path)) == 2 and modality("molecules") is MOLECULES
