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


PAIRS: dict[str, dict[str, Any]] = {
    "text/translate": {"samples": 8_000, "batch": 32},
    "text/translate-gan": {"samples": 16_000, "filters": 8, "judged": 0.5, "likelihood_share": 0.7},
}
"""Recipe for pairs → fields with which it learns in seconds."""


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] * (one != "text/translate")) for one in PAIRS]
)
def test_recipes_for_pairs_learn_to_write_new_strings_backwards(name: str, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    strings = sorted({"".join(random.choice(list("abcdef"), random.integers(2, 5))) for _ in range(900)})
    new, known = strings[::10], sorted(set(strings) - set(strings[::10]))
    (tmp_path / "pairs.tsv").write_text("".join(f"{one}\t{one[::-1].upper()}\n" for one in known))
    fields = {"width": 32, "dropout": 0.0, "smoothing": 0.0, "learning_rate": 0.015, "judge": "none", **PAIRS[name]}
    run = sparring.train(
        tmp_path / "pairs.tsv",
        columns="column 1=source,column 2=text",
        recipe=name,
        out=tmp_path / "run",
        watchdog="warn",
        display=Silent(),
        **fields,
    )
    model = sparring.load(run.folder)
    made = model.modality.decode(model.apply(new), model.facts)
    share = sum(text == one[::-1].upper() for one, text in zip(new, made, strict=True)) / len(new)
    assert share > 0.9, (share, made[:5])
