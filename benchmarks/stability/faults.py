"""Faults injected one at a time into healthy runs on digits, with and without the watchdog.

python benchmarks/stability/faults.py --out runs/faults [--faults "rate x 100" …] [--seeds 0 1 2] [--watchdog off]
python benchmarks/stability/faults.py --out runs/faults --table

Every run has a folder FAULT-WATCHDOG-SEED under --out; finished runs are not repeated.
"""

import argparse
import json
import math
import re
import statistics
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from playing import Change, samples_of, trained
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1]))
from rounds import setting

from sparring.data.dataset import Dataset, Split
from sparring.flow import Batch, Objective, Progress, Verdict
from sparring.games.duel import Duel
from sparring.metrics.distances import frechet
from sparring.modalities.images.data import survey
from sparring.modalities.images.networks.residual import Discriminator
from sparring.modalities.images.recipes.r3gan import R3GAN
from sparring.objectives.losses import minimax
from sparring.recipe import Machine, resolve, with_fields
from sparring.storage import read_lines, write_json
from sparring.watchdog.rules import NON_FINITE, RULES

SAMPLES, COUNT = 100_000, 1500
"""Real samples seen by each run, and generated samples that are scored."""
REPAIRED_RATIO = 1.5
"""Largest multiple of the healthy score at which a run counts as repaired."""
BAD_STEP = 400
"""Step of the bad batch."""

ChangeData = Callable[[Split], Split]


@dataclass(frozen=True)
class Fault:
    """One way to break a run.

    Args:
        names: the findings that name it.
        fields: changed fields of the recipe.
        change: changes the game.
        change_data: changes the data.
    """

    names: tuple[str, ...]
    fields: dict[str, Any] = field(default_factory=dict)
    change: Change = lambda game: None
    change_data: ChangeData = lambda split: split


class WithBatchNorm(nn.Module):
    """Discriminator with batch norm before every rectifier."""

    def __init__(self, network: Discriminator) -> None:
        super().__init__()
        self.network = network
        self.norms = nn.ModuleList(nn.BatchNorm2d(step.out_channels) for step in network.steps)
        network.steps = nn.ModuleList(nn.Sequential(*pair) for pair in zip(network.steps, self.norms, strict=True))

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        verdict: Verdict = self.network(sample, condition)
        return verdict


class Overflowing(nn.Module):
    """Discriminator whose logits overflow beyond ±2.2, a thousand times their initial size, as in float16."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        logits, features = self.network(sample, condition)
        return Verdict([(logit * 30_000).half().float() / 30_000 for logit in logits], features)


def batch_norm(game: Duel) -> None:
    game.players["discriminator"] = WithBatchNorm(game.players["discriminator"])  # type: ignore[arg-type]


def overflow(game: Duel) -> None:
    game.players["discriminator"] = Overflowing(game.players["discriminator"])


def initialised(deviation: float) -> Change:
    def change(game: Duel) -> None:
        for player in game.players.values():
            for weight in player.parameters():
                nn.init.normal_(weight, std=deviation) if deviation else nn.init.zeros_(weight)

    return change


def saturating(game: Duel) -> None:
    game.loss = minimax


def transposed(game: Duel) -> None:
    """Let a transposed convolution of kernel 3 and stride 2 draw the pixels, which overlap unevenly."""
    generator: Any = game.players["generator"]
    draw = generator.draw
    layer = nn.ConvTranspose2d(draw.in_channels, draw.out_channels, 3, 2, padding=1, output_padding=1)
    generator.draw = nn.Sequential(nn.AvgPool2d(2), layer)


def one_bad_batch(game: Duel) -> None:
    healthy = game.generator_objective

    def objective(batch: Batch, progress: Progress) -> Objective:
        found = healthy(batch, progress)
        factor = float("nan") if progress.step == BAD_STEP else 1.0
        return found._replace(terms={name: term * factor for name, term in found.terms.items()})

    game.generator_objective = objective  # type: ignore[method-assign]


def only(count: int) -> ChangeData:
    return lambda split: replace(split, train=_rows(split.train, np.arange(count)))


def duplicated(split: Split) -> Split:
    few = len(split.train) // 10
    return replace(split, train=_rows(split.train, np.arange(len(split.train)) % few))


def one_class(split: Split) -> Split:
    assert split.train.labels is not None
    return replace(split, train=_rows(split.train, np.flatnonzero(split.train.labels == 3)))


def wrong_range(split: Split) -> Split:
    """Keep values of 0 to 255 instead of scaling them to [-1, 1]."""
    parts = (replace(part, samples=part.samples.astype(np.float32)) for part in (split.train, split.held_out))
    return Split(*parts, split.facts)


def _rows(dataset: Dataset, rows: "np.ndarray[Any, Any]") -> Dataset:
    return dataset.subset(rows)


DATA = "unhealthy data"
FAULTS = {
    "healthy": Fault(()),
    "rate x 100": Fault(("divergence",), {"learning_rate": 0.3}),
    "rate / 100": Fault(("stagnation",), {"learning_rate": 3e-5}),
    "no penalty": Fault(("imbalance", "mode collapse", "divergence"), {"penalty": "none"}),
    "gamma x 100": Fault(("weak discriminator",), {"gamma": 30.0}),
    "gamma / 100": Fault(("imbalance",), {"gamma": 0.003}),
    "batch norm": Fault(("imbalance", "oscillation", "divergence"), change=batch_norm),
    "overflow": Fault(("non-finite numbers",), change=overflow),
    "50 images": Fault(("discriminator overfitting", "memorisation", DATA), {"batch": 16}, change_data=only(50)),
    "duplicates": Fault((DATA,), change_data=duplicated),
    "one class": Fault((DATA,), change_data=one_class),
    "transposed": Fault(("checkerboard",), change=transposed),
    "N(0, 0.02)": Fault(("vanishing gradient", "stagnation"), change=initialised(0.02)),
    "zeros": Fault(("vanishing gradient", "stagnation"), change=initialised(0.0)),
    "discriminator x 10": Fault(("imbalance", "discriminator overfitting"), {"discriminator_width": 100}),
    "discriminator / 10": Fault(("imbalance", "weak discriminator"), {"discriminator_width": 10}),
    "saturating": Fault(("vanishing gradient", "imbalance"), change=saturating),
    "one bad batch": Fault(("non-finite numbers",), change=one_bad_batch),
    "wrong range": Fault((DATA,), change_data=wrong_range),
}


def run(fault: Fault, seed: int, watchdog: str, folder: Path) -> None:
    """Train with a fault, and write the score into the run folder."""
    whole = survey("digits")
    machine = Machine("cpu", 2**34, 1, bfloat16=False)
    recipe, _ = resolve(with_fields(R3GAN(), fault.fields), whole.facts, machine)
    healthy = whole.prepare(recipe.view(whole.facts), seed=seed)
    session, error = trained(
        recipe,
        fault.change_data(healthy),
        folder,
        samples=SAMPLES,
        seed=seed,
        watchdog=watchdog,
        change=fault.change,
    )
    real = torch.cat([part.batch(slice(None)).real for part in (healthy.train, healthy.held_out)])
    write_json(folder / "score.json", {"score": score(samples_of(session, COUNT), real), "ended": error})


def score(samples: Tensor, real: Tensor) -> float | None:
    """Return the Fréchet distance in pixels to all healthy digits; None if samples are not finite."""
    if not samples.isfinite().all():
        return None
    return frechet(real.flatten(1).double(), samples.clamp(-1, 1).flatten(1).double())


@dataclass(frozen=True)
class Outcome:
    """Outcome of one run: its score, and its findings in order."""

    score: float
    found: tuple[str, ...]


def events(folder: Path) -> list[dict[str, Any]]:
    """Return the events of a run."""
    file = folder / "events.jsonl"
    return read_lines(file) if file.exists() else []


def outcome(folder: Path) -> Outcome:
    """Read the outcome from a run folder; a run without finite samples has an infinite score."""
    score = json.loads((folder / "score.json").read_text())["score"]
    reported = [event for event in events(folder) if event["kind"] in ("finding", "update skipped")]
    names = [str(event.get("finding", NON_FINITE)) for event in reported]
    return Outcome(math.inf if score is None else score, tuple(dict.fromkeys(names)))


def place(out: Path, fault: str, watchdog: str, seed: int) -> Path:
    """Return the folder of a run."""
    return out / f"{re.sub(r'[^a-z0-9]+', '-', fault.lower())}-{watchdog}-{seed}"


def table(out: Path) -> list[str]:
    """Return a row for each fault: scores without and with the watchdog, and findings."""

    def outcomes(fault: str, watchdog: str) -> list[Outcome]:
        folders = [place(out, fault, watchdog, seed) for seed in range(100)]
        return [outcome(folder) for folder in folders if (folder / "score.json").exists()]

    healthy = statistics.median(one.score for one in outcomes("healthy", "off") + outcomes("healthy", "repair"))
    lines = [
        f"Healthy: {healthy:.3f}; repaired means at most {REPAIRED_RATIO:g} times that.",
        "",
        "| fault | without | harmful | with | detected | named | first named as | repaired |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, fault in FAULTS.items():
        # Median scores without and with the watchdog, and the first finding of each run.
        without, repaired = outcomes(name, "off"), outcomes(name, "repair")
        if not repaired:
            continue
        limit = REPAIRED_RATIO * healthy
        scores = [statistics.median(one.score for one in side) if side else math.nan for side in (without, repaired)]
        first = Counter(one.found[0] if one.found else "nothing" for one in repaired)
        named = sum(bool(one.found) and one.found[0] in fault.names for one in repaired)

        # A run is detected if it has a finding, and named if the first one names its fault.
        cells = [
            name,
            f"{scores[0]:.3g}",
            "yes" if scores[0] > limit else "no",
            f"{scores[1]:.3g}",
            f"{sum(bool(one.found) for one in repaired)} of {len(repaired)}",
            f"{named} of {len(repaired)}" if fault.names else "–",
            ", ".join(f"{word} {count}" for word, count in first.most_common()),
            f"{sum(one.score <= limit for one in repaired)} of {len(repaired)}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def evidence(out: Path) -> list[str]:
    """Return a row for each signal of the rules: its number of mentions in right findings, and in others."""
    mentions: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for name, fault in FAULTS.items():
        for seed in range(100):
            for event in [one for one in events(place(out, name, "repair", seed)) if one["kind"] == "finding"]:
                right = event["finding"] in fault.names
                mentions[right].update(re.split(r" [-\d]", sentence)[0] for sentence in event["evidence"])
    signals = {criterion.signal for rule in RULES for criterion in (*rule.criteria, *rule.any_of)}
    lines = ["| signal | in findings that name the fault | in others |", "|---|---|---|"]
    for signal in sorted(signals, key=lambda one: (-mentions[True][one], mentions[False][one], one)):
        lines.append(f"| {signal} | {mentions[True][signal]} | {mentions[False][signal]} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--faults", nargs="+", default=list(FAULTS), choices=list(FAULTS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--watchdog", nargs="+", default=["repair", "off"], choices=["repair", "warn", "off"])
    parser.add_argument("--table", action="store_true", help="only read finished runs")
    options = parser.parse_args()
    if options.table:
        print("\n".join([setting(), "", *table(options.out), "", *evidence(options.out)]))
        return
    torch.set_num_threads(1)
    for name in options.faults:
        for watchdog in options.watchdog:
            for seed in options.seeds:
                folder = place(options.out, name, watchdog, seed)
                if not (folder / "score.json").exists():
                    run(FAULTS[name], seed, watchdog, folder)
                found = json.loads((folder / "score.json").read_text())
                print(name, watchdog, seed, found, flush=True)


if __name__ == "__main__":
    main()
