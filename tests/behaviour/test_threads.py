"""A run on pictures keeps its number of threads, so that it resumes bit for bit where the usual number is another."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sparring.api.resume import resume
from sparring.api.train import train
from sparring.flow import Figures, Progress
from sparring.runs import session
from sparring.runs.display import Display, Silent
from sparring.training import devices

CHOICES: dict[str, Any] = {
    "samples": 64,
    "recipe": "images/vae",
    "batch": 16,
    "width": 8,
    "latent_size": 4,
    "precision": "float32",
    "labels": False,
    "watchdog": "off",
}


class Stopping:
    """Display that stops a run after its second step."""

    def __init__(self) -> None:
        self.steps = 0

    def say(self, sentence: str) -> None:
        pass

    def step(self, progress: Progress, figures: Figures, rate: float, left: float | None, health: str) -> None:
        self.steps += 1
        if self.steps == 3:
            raise KeyboardInterrupt

    def count(self, what: str, done: int, total: int) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Display], Path]:
    """Train on pictures with two threads, without an evaluation at the end: ``begin("name", Silent())``."""
    pixels = np.random.default_rng(0).integers(0, 256, size=(80, 32, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", images=pixels)
    monkeypatch.setattr(session, "SAVE_INTERVAL_SECONDS", 0.0)
    for name in ("train", "resume"):
        monkeypatch.setattr(f"sparring.api.{name}.conclude", lambda *_: None)

    def run(name: str, display: Display) -> Path:
        with devices.computing_on(2):
            train(tmp_path / "images.npz", out=tmp_path / name, display=display, **CHOICES)
        return tmp_path / name

    return run


def test_pictures_resume_bit_for_bit_on_another_number_of_usual_threads(
    begin: Callable[[str, Display], Path], digest: Callable[[Path], dict[str, str]], tmp_path: Path
) -> None:
    whole = begin("whole", Silent())
    with pytest.raises(KeyboardInterrupt):
        begin("stopped", Stopping())
    assert torch.get_num_threads() == 1
    resume(tmp_path / "stopped", display=Silent())
    assert digest(tmp_path / "stopped") == digest(whole)
