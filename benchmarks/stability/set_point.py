"""Final γ and quality of samples on digits, by set point, start, rate, batch and other choices.

python benchmarks/stability/set_point.py --out runs/set-point [--seeds 0 1 2] [--choices "set point 0.8" …]

Scores are Fréchet distances in pixels of 1,500 samples to all digits. Every run has a folder; finished runs are not
repeated.
"""

import argparse
import json
import math
import re
import statistics
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from playing import samples_of, trained

sys.path.insert(0, str(Path(__file__).parents[1]))
from rounds import setting

from sparring.controls import Rule
from sparring.flow import Figures
from sparring.metrics.distances import frechet
from sparring.modalities.images.data import survey
from sparring.modalities.images.recipes import r3gan
from sparring.objectives.gamma import LEAD, SET_POINT, automatic
from sparring.objectives.losses import LOSSES
from sparring.objectives.schedules import geometric
from sparring.recipe import resolve, with_fields
from sparring.recipes import RECIPES
from sparring.storage import write_json
from sparring.training import devices

COUNT = 1500
TURN = "discriminator"
"""The turn whose lead controls γ."""


def filtered(rule: Rule, decay: float) -> Rule:
    """Return ``rule``, applied to a running mean of the lead."""
    means: list[float] = []

    def smoothed(value: float, figures: Figures) -> float:
        if figures.signals:
            return value
        now = figures.notes[TURN][LEAD]
        means[:] = [decay * mean + (1 - decay) * now for mean in means] or [now]
        return rule(value, replace(figures, notes={TURN: {LEAD: means[0]}}))

    return smoothed


def controlled(at: float, proportional: float, integral: float) -> Rule:
    """Return PI control of log γ by the difference of the lead from its set point, clipped to ±1."""
    floor = geometric(r3gan.INITIAL_GAMMA, r3gan.MIN_GAMMA_RATIO * r3gan.INITIAL_GAMMA)
    before: list[float] = []

    def rule(value: float, figures: Figures) -> float:
        if figures.signals:
            return value
        error = min(max(figures.notes[TURN][LEAD] - at, -1.0), 1.0)
        change = error - before.pop() if before else 0.0
        before.append(error)
        return max(value * math.exp(proportional * change + integral * error), floor(figures.fraction))

    return rule


@dataclass(frozen=True)
class Choice:
    """Differences from the default."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    at: float = SET_POINT
    start: float = r3gan.INITIAL_GAMMA
    rate: float = r3gan.GAMMA_RATE
    filtered: float = 0.0
    gains: tuple[float, float] | None = None
    loss: str = "relativistic"
    augmentation: float = 0.0

    def change(self, game: Any) -> None:
        """Set the loss, the rule of γ and a constant augmentation."""
        game.loss = LOSSES[self.loss]
        if game.controls["gamma"].enabled:
            game.controls["gamma"] = automatic(self.start, self.rate, r3gan.MIN_GAMMA_RATIO, at=self.at)
        if self.gains:
            game.controls["gamma"].rule = controlled(self.at, *self.gains)
        if self.filtered:
            game.controls["gamma"].rule = filtered(game.controls["gamma"].rule, self.filtered)
        if self.augmentation:
            game.controls["augmentation"].lowest = game.controls["augmentation"].value = self.augmentation


CHOICES = {
    **{f"set point {at:g}": Choice(at=at) for at in (0.72, 0.75, 0.8, 0.85, 0.9, 1.0, 1.2)},
    **{f"start {start:g}": Choice(start=start) for start in (0.01, 100.0)},
    **{f"rate {rate:g}": Choice(rate=rate) for rate in (0.002, 0.05)},
    "filtered, 0.9": Choice(filtered=0.9),
    "filtered, 0.99": Choice(filtered=0.99),
    "I control": Choice(gains=(0.0, 0.03)),
    "PI control": Choice(gains=(0.3, 0.03)),
    "PI control, filtered, 0.9": Choice(gains=(0.3, 0.03), filtered=0.9),
    **{f"γ = {gamma:g} throughout": Choice({"gamma": gamma}) for gamma in (0.1, 0.3, 1.0)},
    **{f"batch {batch}": Choice({"batch": batch}) for batch in (16, 256)},
    **{f"learning rate {rate:g}": Choice({"learning_rate": rate}) for rate in (1e-3, 1e-2)},
    **{f"{loss} loss": Choice(loss=loss) for loss in ("non_saturating", "hinge", "least_squares")},
    "without classes": Choice({"labels": False}),
    "augmented, one in two": Choice(augmentation=0.5),
}


def measured(choice: Choice, seed: int, samples: int, folder: Path) -> dict[str, float]:
    """Train, unless a finished run is there; return its score, γ and lead."""
    found = folder / "scores.json"
    if not found.exists():
        whole = survey("digits")
        recipe = with_fields(RECIPES["images/r3gan"], dict(choice.fields))
        recipe, _ = resolve(recipe, whole.facts, devices.describe(torch.device("cpu")))
        split = whole.prepare(recipe.view(whole.facts), seed=seed)
        numbers: dict[str, Any] = {"samples": samples, "seed": seed, "watchdog": "warn"}
        session, error = trained(recipe, split, folder, change=choice.change, **numbers)
        real = torch.cat([part.batch(slice(None)).real for part in (split.train, split.held_out)]).flatten(1)
        fake = samples_of(session, COUNT).clamp(-1, 1).flatten(1)
        observations = session.watchdog.history
        values = {
            "score": frechet(real.double(), fake.double()),
            "gamma": session.trainer.controls["gamma"].value if choice.fields.get("gamma") is None else None,
            "lead": observations[-1]["lead"] if observations else None,
        }
        write_json(found, {**values, "ended": error})
    content: dict[str, float] = json.loads(found.read_text())
    return content


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--choices", nargs="+", default=list(CHOICES), choices=list(CHOICES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--samples", type=int, default=100_000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    lines = ["| choice | score | γ at the end | lead at the end |", "|---|---|---|---|"]
    for name in options.choices:
        runs = []
        for seed in options.seeds:
            folder = options.out / f"{re.sub(r'[^a-z0-9.]+', '-', name.lower())}-{seed}"
            runs.append(measured(CHOICES[name], seed, options.samples, folder))
            print(name, seed, runs[-1], flush=True)
        columns = [[run[key] for run in runs if run[key] is not None] for key in ("score", "gamma", "lead")]
        cells = [f"{statistics.median(one):.3g} ({min(one):.3g} to {max(one):.3g})" if one else "" for one in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    print("\n".join(["", setting(), "", *lines]))


if __name__ == "__main__":
    main()
