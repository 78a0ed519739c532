"""StackedMNIST: three digits, one per channel, in a thousand combinations; number of them among 26,000 samples.

SPARRING_DATA=FOLDER_OF_MNIST python benchmarks/stability/stacked.py --out runs/stacked [--minutes 120] [--seeds 0]
                                                                     [--contestants default "dcgan of 2014" …]

Protocol (Metz et al. 2017, section 3.3; Lin et al. 2018, section 4.2): no labels, 26,000 samples, the digit of each
channel by a classifier trained on MNIST, KL divergence of the shares of combinations from 1/1000 each, in nats; that of
a perfect sampler is about 0.019. The numbers of weights are printed, because the difficulty depends on the
discriminator. Interrupted runs are resumed.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from rounds import setting

import sparring
from sparring.data.view import View
from sparring.metrics.extractors.classifier import accuracy, train_classifier
from sparring.modalities.images.data import survey
from sparring.modalities.images.stacked import digits_of, stacked_modes
from sparring.recipe import Recipe
from sparring.runs.display import Plain
from sparring.runs.folder import Run
from sparring.storage import write_json
from sparring.training.checkpoint import load_checkpoint

SAMPLES, SAMPLING_BATCH = 26_000, 1_000
DCGAN = {"labels": False, "resolution": 32}
CONTESTANTS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "default": ("images/r3gan", {"labels": False}),
    "dcgan of 2014": ("images/dcgan", DCGAN | {"watchdog": "off"}),
    "dcgan of 2014, packs of 2": ("images/dcgan", DCGAN | {"watchdog": "off", "packing": 2}),
    "dcgan of 2014, watched": ("images/dcgan", DCGAN),
}


def measured(name: str, minutes: float, seed: int, folder: Path) -> dict[str, Any]:
    """Train, unless a finished run is there; return the combinations among 26,000 samples, and facts of the run."""
    found = folder / "stacked.json"
    if not found.exists():
        run = finished(name, minutes, seed, folder)
        model = sparring.load(run.folder)
        digits = survey("mnist").prepare(View((1, *model.view.shape[1:])))
        classifier = train_classifier(digits, seed=0)
        parts = [model.sample(SAMPLING_BATCH, seed=1 + start) for start in range(SAMPLES // SAMPLING_BATCH)]
        modes = stacked_modes(torch.cat([digits_of(part, classifier.predict) for part in parts]))
        snapshot, _, _ = load_checkpoint(run.checkpoints)
        values = {
            "modes": modes.modes,
            "kl": modes.kl,
            "samples": snapshot.state["samples"],
            "classifier": accuracy(classifier.predict, digits.held_out),
            "weights": weights(model.recipe, model.facts),
        }
        write_json(found, values)
    content: dict[str, Any] = json.loads(found.read_text())
    return content


def finished(name: str, minutes: float, seed: int, folder: Path) -> Run:
    """Start the run in ``folder``, resume it, or return it if it is finished."""
    display = Plain(every=60)
    if not (folder / "recipe.json").exists():
        recipe, fields = CONTESTANTS[name]
        return sparring.train(
            "stacked-mnist", recipe=recipe, minutes=minutes, seed=seed, out=folder, display=display, **fields
        )
    run = Run(folder)
    return run if run.report.exists() else sparring.resume(folder, display=display)


def weights(recipe: Recipe, facts: Any) -> dict[str, int]:
    """Return the number of weights of each player."""
    players = recipe.game(facts).players
    return {name: sum(weight.numel() for weight in player.parameters()) for name, player in players.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--contestants", nargs="+", default=list(CONTESTANTS), choices=list(CONTESTANTS))
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    lines = ["| networks | weights | minutes | seed | samples seen | modes | KL |", "|---|---|---|---|---|---|---|"]
    for name in options.contestants:
        for seed in options.seeds:
            folder = options.out / f"{name.replace(',', '').replace(' ', '-')}-{options.minutes:g}-{seed}"
            one = measured(name, options.minutes, seed, folder)
            sizes = ", ".join(f"{player} {count:,}" for player, count in one["weights"].items())
            cells = [name, sizes, f"{options.minutes:g}", seed, f"{one['samples']:,}", one["modes"], f"{one['kl']:.4f}"]
            lines.append(f"| {' | '.join(map(str, cells))} |")
            print(f"{lines[-1]} classifier {one['classifier']:.1%}", flush=True)
    print("\n".join(["", setting(), "", *lines]))


if __name__ == "__main__":
    main()
