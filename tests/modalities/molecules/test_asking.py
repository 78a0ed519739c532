"""Asking for molecules: by properties, and in the order of an objective."""

from pathlib import Path

import pytest

pytest.importorskip("rdkit")

from sparring.api.sample import sample
from sparring.api.train import train
from sparring.errors import SparringError
from sparring.modalities.molecules.asking import bounds_of
from sparring.modalities.molecules.chemistry import druglikeness, parsed, properties
from sparring.model import load

SMILES = ["C", "CC", "CCO", "CCN", "CCC", "CCCC", "CCCCO", "CCOCC"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("molecules")
    (folder / "data.smi").write_text("\n".join(SMILES * 4))
    fields = {"embedding": 8, "width": 16, "batch": 16, "learning_rate": 0.02, "seed": 0}
    return train(
        folder / "data.smi", recipe="molecules/lstm", samples=600, out=folder / "run", judge="none", **fields
    ).folder


def lines(folder: Path) -> list[list[str]]:
    (path,) = folder.glob("*.smi")
    return [line.split("\t") for line in path.read_text().splitlines()]


def test_only_molecules_with_the_properties_are_kept(model: Path, tmp_path: Path) -> None:
    saved = sample(model, count=12, where="weight>=40,weight<60,qed>0.1", out=tmp_path / "s")
    weights = [properties(parsed(one[0]))["weight"] for one in lines(saved.folder)]
    assert len(weights) == 12 and all(40 <= one < 60 for one in weights)
    assert "Kept 12 of" in saved.remarks[0]


def test_samples_are_sorted_by_an_objective(model: Path, tmp_path: Path) -> None:
    saved = sample(model, count=20, objective="druglikeness", out=tmp_path / "s")
    scored = [(text, word) for text, word in lines(saved.folder) if word != "invalid"]
    values = [float(word) for _, word in scored]
    assert len(set(values)) > 1 and values == sorted(values, reverse=True)
    assert values == [pytest.approx(druglikeness(parsed(text)), rel=1e-5) for text, _ in scored]
    assert all(word == "invalid" for _, word in lines(saved.folder)[len(scored) :])
    same = load(model)
    texts = same.modality.decode(same.sample(20, objective="druglikeness"), same.facts)
    assert texts == [one[0] for one in lines(saved.folder)]


def test_a_function_of_the_user_sorts_samples(model: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def lightness(mol):\n    return -mol.GetNumAtoms()\n")
    saved = sample(model, count=20, objective=f"{tmp_path / 'mine.py'}:lightness", out=tmp_path / "s")
    found = [float(word) for _, word in lines(saved.folder) if word != "invalid"]
    assert found == sorted(found, reverse=True) and found[0] < 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"where": "qde>0.5"}, "did you mean 'qed'"),
        ({"where": "qed>high"}, "expected a number"),
        ({"where": "qed"}, "such as qed>=0.6,weight<150"),
        ({"objective": "novelty"}, "a model does not hold its training data"),
        ({"objective": "beauty"}, "expected one of druglikeness"),
        ({"objective": "gone.py:f"}, "no file 'gone.py'"),
    ],
)
def test_bad_options_are_refused(model: Path, tmp_path: Path, options: dict[str, str], words: str) -> None:
    with pytest.raises(SparringError) as caught:
        sample(model, count=2, out=tmp_path / "s", **options)
    assert words in str(caught.value) and not (tmp_path / "s").exists()


def test_bounds_take_several_operators() -> None:
    found = bounds_of("qed >= 0.6, logp != 1.5")
    assert [(one.name, one.number) for one in found] == [("qed", 0.6), ("logp", 1.5)]
    assert found[0].compare(0.6, 0.6) and not found[1].compare(1.5, 1.5)
