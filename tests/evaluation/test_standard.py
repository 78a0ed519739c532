"""The standard protocol compares all samples with all real ones, as other packages do."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import sqrtm

import sparring
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities import modality
from sparring.modalities.images.data import survey
from sparring.runs.display import Silent

FUNCTION = """
import numpy as np
MIXING = np.random.default_rng(0).standard_normal((64, 12))
def mixed(samples):
    return samples.flatten(1).numpy() @ MIXING
"""


def frechet(real: np.ndarray, fake: np.ndarray) -> float:
    """Return the Fréchet distance as common packages compute it: means, covariances and a matrix square root."""
    first, second = (np.cov(side.astype(np.float64), rowvar=False, ddof=1) for side in (real, fake))
    shift = real.mean(0, dtype=np.float64) - fake.mean(0, dtype=np.float64)
    return float(shift @ shift + np.trace(first) + np.trace(second) - 2 * np.trace(sqrtm(first @ second).real))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of 300 images and a function that extracts features."""
    folder = tmp_path_factory.mktemp("standard")
    facts = survey("digits").facts
    samples = survey("digits").prepare(View((1, 8, 8)), seed=5).train.batch(slice(0, 300)).real
    modality("images").save(samples * 0.8, facts, folder / "generated")
    (folder / "mine.py").write_text(FUNCTION)
    return folder


@pytest.mark.parametrize("seed", [0, 1])
def test_the_frechet_distance_equals_that_of_common_packages(images: Path, seed: int, tmp_path: Path) -> None:
    name = f"{images}/mine.py:mixed"
    found = sparring.evaluate(
        images / "generated",
        "digits",
        protocol="standard",
        extractors=[name],
        seed=seed,
        json=tmp_path / "scores.json",
        display=Silent(),
    )
    kind, view = modality("images"), View((1, 8, 8))
    facts = survey("digits").facts
    every = [kind.read(place, view, facts).batch(slice(None)).real for place in ("digits", str(images / "generated"))]
    mixing = np.random.default_rng(0).standard_normal((64, 12))
    real, fake = ((side.flatten(1).numpy() @ mixing).astype(np.float32) for side in every)
    (scores,) = found.scores
    assert (scores.count, scores.real_count) == (len(fake), len(real)) == (300, 1797)
    assert scores.metrics["frechet"].value == pytest.approx(frechet(real, fake), rel=1e-4)
    assert list(scores.metrics) == ["frechet"] and scores.metrics["frechet"].floor is None
    content = json.loads((tmp_path / "scores.json").read_text())
    assert content["protocol"] == "standard" and content["memorisation"] is None


def test_all_rows_of_an_array_are_compared(tmp_path: Path) -> None:
    """More samples than the other protocol evaluates, and few real ones, all of which are used."""
    random = np.random.default_rng(0)
    arrays = {"real": random.standard_normal((300, 3)), "fake": 1.5 * random.standard_normal((10_001, 3)) + 1}
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array.astype(np.float32))
    (tmp_path / "mine.py").write_text("def same(samples):\n    return samples\n")
    options = {"all": True, "extractors": [f"{tmp_path}/mine.py:same"], "display": Silent()}
    found = sparring.evaluate(tmp_path / "fake.npy", tmp_path / "real.npy", protocol="standard", **options)
    assert found.count == 10_001 and found.scores[0].real_count == 300
    assert found.scores[0].metrics["frechet"].value == pytest.approx(frechet(*arrays.values()), rel=1e-4)
    assert {"kernel", "coverage", "vendi"} <= set(found.scores[0].metrics)
    (line,) = [line for line in found.figures(further=False) if "Fréchet" in line]
    assert "±" not in line and "10,001 generated samples against 300 real ones" in " ".join(found.lines())


def test_a_model_is_compared_by_as_many_samples_as_asked_for(tmp_path: Path) -> None:
    points = tmp_path / "points.npy"
    np.save(points, np.random.default_rng(0).standard_normal((400, 2)).astype(np.float32))
    run = sparring.train(points, recipe="points/ring", samples=640, out=tmp_path / "run", display=Silent())
    page = tmp_path / "page.html"
    found = sparring.evaluate(run.folder, points, protocol="standard", count=500, report=page, display=Silent())
    assert (found.scores[0].count, found.scores[0].real_count) == (500, 400)
    assert "How good is it?" in page.read_text() and "copied" not in page.read_text()


def test_unknown_protocols_and_other_shapes_are_refused(images: Path, tmp_path: Path) -> None:
    with pytest.raises(SparringError, match="did you mean 'standard'"):
        sparring.evaluate(images / "generated", "digits", protocol="standart")  # type: ignore[arg-type]
    np.save(tmp_path / "three.npy", np.zeros((50, 3), np.float32))
    np.save(tmp_path / "two.npy", np.zeros((50, 2), np.float32))
    with pytest.raises(SparringError):
        sparring.evaluate(tmp_path / "three.npy", tmp_path / "two.npy", protocol="standard")
