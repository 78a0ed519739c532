"""Recipes with policy gradients: they learn what an objective rewards, which is given again to go on."""

import json
from pathlib import Path

import pytest

pytest.importorskip("rdkit")

from sparring.api.resume import resume
from sparring.api.sample import sample
from sparring.api.train import train
from sparring.errors import SparringError
from sparring.modalities.molecules.chemistry import parsed
from sparring.model import load

SMILES = ["CCO", "CCN", "CCC", "CNC", "COC", "OCO", "NCN", "NCO", "CC", "CN", "CO"]
SMALL = {"embedding": 8, "width": 16, "batch": 32, "filters": 0.02, "judge": "none", "seed": 0}
RATES = {"likelihood_rate": 0.02, "learning_rate": 0.02, "likelihood_share": 0.3, "discriminator_share": 0.02}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.smi"
    path.write_text("\n".join(SMILES * 4))
    return path


def nitrogens(folder: Path) -> float:
    model = load(folder)
    mols = [parsed(text) for text in model.modality.decode(model.sample(200), model.facts)]
    return sum(mol is not None and any(one.GetSymbol() == "N" for one in mol.GetAtoms()) for mol in mols) / 200


@pytest.mark.parametrize("recipe", ["molecules/organ", "molecules/reinforce"])
def test_generators_learn_what_is_rewarded(data: Path, tmp_path: Path, recipe: str) -> None:
    """A function of the user's own rewards nitrogen, which half of the data has."""
    (tmp_path / "mine.py").write_text(
        "def nitrogen(mol):\n    return float(any(one.GetSymbol() == 'N' for one in mol.GetAtoms()))\n"
    )
    fields = {**SMALL, **RATES, "objective": f"{tmp_path / 'mine.py'}:nitrogen", "objective_weight": 0.9}
    extra = {"rollouts": 2} if recipe == "molecules/organ" else {}
    run = train(data, recipe=recipe, samples=3200, out=tmp_path / "run", **fields, **extra)
    assert nitrogens(run.folder) > 0.75


def test_an_objective_of_the_user_is_given_again(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def size(mol):\n    return 0.1 * mol.GetNumAtoms()\n")
    place, folder = f"{file}:size", tmp_path / "run"
    fields = {**SMALL, **RATES, "recipe": "molecules/reinforce", "objective": place}
    run = train(data, samples=64, out=folder, **fields)

    # Nothing runs the file, and sampling does not need it; neither is its folder published.
    file.rename(tmp_path / "moved.py")
    assert sample(folder, count=4, out=tmp_path / "s").count == 4
    published = json.loads((load(folder).save_pretrained(tmp_path / "model") / "config.json").read_text())
    assert published["fields"]["objective"] == "mine.py:size"
    with pytest.raises(SparringError, match="code is never run because a folder names it"):
        resume(folder, samples=128)
    with pytest.raises(SparringError, match="to be given beside the file"):
        train(config=folder, out=tmp_path / "other")
    again = resume(folder, samples=128, objective=f"{tmp_path / 'moved.py'}:size")
    assert again.record.fields["objective"] == f"{tmp_path / 'moved.py'}:size" and run.folder == again.folder


@pytest.mark.parametrize("objective", ["beauty", "gone.py:score"])
def test_a_bad_objective_stops_before_anything_is_written(data: Path, tmp_path: Path, objective: str) -> None:
    with pytest.raises(SparringError):
        train(data, recipe="molecules/organ", samples=64, objective=objective, out=tmp_path / "run", **SMALL)
    assert not (tmp_path / "run").exists()
