"""Every recipe for text learns a small language: words of two syllables that begin and end alike."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparring
from sparring.runs.display import Silent

SYLLABLES = ("ba", "ne", "ku")
LANGUAGE = {one + two + one for one in SYLLABLES for two in SYLLABLES if one != two}
BUDGETS: dict[str, dict[str, Any]] = {
    "text/lstm": {"samples": 12_000, "width": 32, "embedding": 16, "learning_rate": 0.01},
    "text/transformer": {"samples": 12_000, "width": 32, "blocks": 1, "learning_rate": 0.01},
    "text/seqgan": {
        "samples": 12_000,
        "likelihood_share": 0.4,
        "rollouts": 4,
        "filters": 0.1,
        "discriminator_turns": 3,
    },
    "text/relgan": {"samples": 20_000, "head_size": 16, "representations": 4, "filters": 16, "likelihood_share": 0.5},
    "text/textgan": {"samples": 20_000, "width": 32, "embedding": 16, "filters": 16, "likelihood_rate": 0.01},
    "text/scratchgan": {"samples": 120_000, "batch": 64, "width": 32, "embedding": 16, "learning_rate": 0.005},
}
"""Recipe → fields with which it learns in seconds."""


SLOW = ("text/relgan", "text/scratchgan")


@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.slow] * (one in SLOW)) for one in BUDGETS])
def test_recipes_for_text_learn(name: str, tmp_path: Path) -> None:
    words = sorted(LANGUAGE)
    rows = np.random.default_rng(0).integers(0, len(words), 1000)
    (tmp_path / "words.txt").write_text("".join(f"{words[row]}\n" for row in rows))
    fields = {"recipe": name, "watchdog": "warn", "judge": "none", "display": Silent(), **BUDGETS[name]}
    run = sparring.train(tmp_path / "words.txt", out=tmp_path / "run", tokens="characters", **fields)
    model = sparring.load(run.folder)
    made = model.modality.decode(model.sample(200, seed=1), model.facts)
    share = sum(text in LANGUAGE for text in made) / len(made)
    assert share > 0.8 and len(LANGUAGE & set(made)) >= 3, (share, made[:5])
