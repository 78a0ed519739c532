"""Detectors in run folders: used again, or trained again where they are damaged or of another checkpoint."""

import shutil
from pathlib import Path

import pytest

import sparring
from detection.detecting import Said, detect
from sparring.runs.display import Silent


def test_equal_seeds_write_equal_bytes(plane: Path) -> None:
    contents = []
    for _ in range(2):
        detect(plane, out="scores.csv", seed=3)
        weights = (plane / "detector" / "encoder.safetensors").read_bytes()
        contents.append((Path("scores.csv").read_bytes(), weights))
        shutil.rmtree(plane / "detector")
    assert contents[0] == contents[1]
    detect(plane, out="scores.csv", seed=4)
    assert Path("scores.csv").read_bytes() != contents[0][0]


def test_a_stored_detector_is_used_again(plane: Path) -> None:
    first = detect(plane)
    weights = plane / "detector" / "encoder.safetensors"
    before, said = weights.stat().st_mtime_ns, Said()
    again = detect(plane, display=said)
    assert weights.stat().st_mtime_ns == before and not said
    assert again.scores == first.scores


def test_a_damaged_detector_is_trained_again_and_this_is_said(plane: Path) -> None:
    first = detect(plane)
    weights = plane / "detector" / "encoder.safetensors"
    content = bytearray(weights.read_bytes())
    content[-5] ^= 1
    weights.write_bytes(content)
    said = Said()
    again = detect(plane, display=said)
    assert again.scores == first.scores and weights.read_bytes() != bytes(content)
    assert ["is damaged" in sentence for sentence in said] == [True]


def test_a_detector_of_another_checkpoint_is_trained_again(plane: Path) -> None:
    first = detect(plane)
    sparring.resume(plane, samples=21_000, display=Silent())
    with pytest.raises(sparring.SparringError, match=r"no detector for the newest checkpoint.*sparring detect"):
        model = sparring.load(plane)
        model.anomaly(model.sample(3))
    said = Said()
    assert detect(plane, display=said).scores != first.scores
    assert "an earlier checkpoint" in said[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("detector.json", b'{"format": 1}'),
        ("manifest.json", b"\xff\xfe"),
        ("encoder.safetensors", b"\xff\xff\xff\xff\xff\xff\xff\x7f"),
        ("encoder.safetensors", None),
    ],
)
def test_hostile_content_is_not_used(plane: Path, name: str, content: bytes | None) -> None:
    first = detect(plane)
    path = plane / "detector" / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(sparring.SparringError):
        model = sparring.load(plane)
        model.anomaly(model.sample(2))
    said = Said()
    assert detect(plane, display=said).scores == first.scores
    assert len(said) == 1 and "is damaged" in said[0]
