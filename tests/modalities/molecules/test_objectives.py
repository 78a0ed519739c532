"""Objectives of molecules: what they reward, and functions of the user's own."""

from pathlib import Path

import pytest

pytest.importorskip("rdkit")

import torch

from sparring.data.facts import Facts
from sparring.data.reading import Reading
from sparring.errors import SparringError
from sparring.metrics.own_score import permit_score
from sparring.modalities.molecules import data
from sparring.modalities.molecules.chemistry import druglikeness, parsed
from sparring.modalities.molecules.objectives import MoleculeObjective, ObjectiveReward
from sparring.tokens import no_prompt

SMILES = ["CCO", "CCN", "c1ccccc1", "CC(=O)O", "CCC"]


def facts(folder: Path) -> Facts:
    path = folder / "some.smi"
    path.write_text("\n".join(SMILES * 2))
    return data.survey(str(path), Reading()).facts


def scores(objective: MoleculeObjective, *texts: str, once: bool = False) -> list[float]:
    return [score for _, score in objective.scored(texts, once=once)]


def test_a_product_is_zero_where_a_factor_is() -> None:
    objective = MoleculeObjective("validity*novelty", trained=frozenset({"CCO"}))
    assert scores(objective, "OCC", "CCN", "C(C", "") == [0.0, 1.0, 0.0, 0.0]
    benzene = parsed("c1ccccc1")
    expected = druglikeness(benzene)
    assert scores(MoleculeObjective("druglikeness * validity"), "c1ccccc1") == [pytest.approx(expected)]


def test_copies_share_the_reward_however_they_are_written(tmp_path: Path) -> None:
    """Guimaraes et al. 2017, section 3: divided by the number of copies in the batch, not over several draws."""
    found = facts(tmp_path)
    objective = MoleculeObjective("validity")
    assert scores(objective, "OCC", "CCO", "CCN", "C(", once=True) == [0.5, 0.5, 1.0, 0.0]
    split = data.survey(str(tmp_path / "some.smi"), Reading())
    tokens = split.rows.tokens[[0, 5, 1]]  # CCO, CCO, CCN
    draws = torch.from_numpy(tokens.astype("int64")).repeat(2, 1, 1)
    rewards = ObjectiveReward(objective, found)(draws, no_prompt(3, draws.shape[2]))
    assert rewards.tolist() == [[0.5, 0.5, 1.0]] * 2


def test_equal_smiles_are_scored_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("calls = []\ndef size(mol):\n    calls.append(1)\n    return len(calls)\n")
    own = permit_score(f"{file}:size")
    assert scores(MoleculeObjective(own.place, own), "CCO", "CCN", "CCO", "CCN") == [1.0, 2.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return 1 / 0", "ZeroDivisionError in mine.py:score of the molecule CCO: division by zero"),
        ("return float('nan')", "nan from mine.py:score of the molecule CCO"),
        ("return None", "TypeError in mine.py:score of the molecule CCO"),
    ],
)
def test_a_function_that_fails_is_one_sentence(tmp_path: Path, body: str, words: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(f"def score(mol):\n    {body}\n")
    own = permit_score(f"{file}:score")
    with pytest.raises(SparringError) as caught:
        scores(MoleculeObjective(own.place, own), "CCO")
    assert words in str(caught.value)


def test_code_that_only_a_folder_names_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("raise SystemExit\n")
    reward = ObjectiveReward(MoleculeObjective(f"{file}:score"), facts(tmp_path))
    with pytest.raises(SparringError, match="code is never run because a folder names it"):
        reward.take_data(iter(()))


@pytest.mark.parametrize("name", ["druglikness", "validity*", "", "validity+novelty"])
def test_an_unknown_objective_is_refused(name: str) -> None:
    with pytest.raises(SparringError, match="expected one of druglikeness"):
        MoleculeObjective(name)
