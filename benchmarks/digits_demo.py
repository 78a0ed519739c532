"""Quality of the demo, in the metrics that its targets are stated in.

    python benchmarks/digits_demo.py [--seeds 0 1 2]

Trains exactly what `sparring demo` trains, then measures, over 1,800 samples:

- agreement of a support vector machine, fitted on all real digits, with the class that a sample is conditioned on;
- Fréchet distance on raw pixels in [-1, 1] to all 1,797 real digits, and between two halves of the real digits;
- number of classes among the predictions;
- nearest-neighbour distances in pixels to the training digits, of the samples and of the held-out digits.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import numpy as np
import torch
from rounds import setting
from sklearn.svm import SVC

import sparring
from sparring.cli.demo import DEMO_MINUTES, DEMO_SAMPLES
from sparring.data.view import View
from sparring.events import Finished, read_events
from sparring.metrics.distances import frechet
from sparring.modalities.images.data import survey
from sparring.runs.display import Plain
from sparring.storage import read_json


def measured(run: sparring.Run, seed: int) -> dict[str, float]:
    """Return the metrics of one run."""
    # Real digits with their labels, and samples of the classes in turn.
    split = survey("digits").prepare(View((1, 8, 8)), seed=seed)
    train, held_out = (part.batch(slice(None)) for part in (split.train, split.held_out))
    real = torch.cat([train.real, held_out.real]).flatten(1)
    labels = torch.cat([train.label, held_out.label])
    fake = sparring.load(run.folder).sample(1800, seed=1).flatten(1)
    conditions = torch.arange(1800) % 10

    # Predicted classes of the samples, two halves of the real digits, and distances to the nearest training digits.
    classifier = SVC(gamma="scale").fit(real.numpy(), labels.numpy())
    predicted = classifier.predict(fake.numpy())
    halves = torch.from_numpy(np.random.default_rng(0).permutation(len(real)))
    half = len(real) // 2
    nearest = [
        torch.cdist(part, train.real.flatten(1)).amin(1).median().item() for part in (fake, held_out.real.flatten(1))
    ]
    (finished,) = [event for event in read_events(run.folder / "events.jsonl") if isinstance(event, Finished)]
    return {
        "training s": finished.seconds,
        "agreement": float((predicted == conditions.numpy()).mean()),
        "Fréchet": frechet(real, fake),
        "real halves": frechet(real[halves[:half]], real[halves[half:]]),
        "classes": float(len(set(predicted.tolist()))),
        "nearest, samples": nearest[0],
        "nearest, held out": nearest[1],
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--samples", type=int, default=DEMO_SAMPLES)
    parser.add_argument("--minutes", type=float, default=DEMO_MINUTES)
    parser.add_argument("--field", action="append", default=[], help="NAME=VALUE of the recipe")
    options = parser.parse_args()
    fields = dict(field.split("=") for field in options.field)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in options.seeds:
            out = Path(folder) / str(seed)
            run = sparring.train(
                "digits",
                samples=options.samples,
                minutes=options.minutes,
                out=out,
                seed=seed,
                display=Plain(every=30),
                **fields,
            )
            assert read_json(run.scores)
            rows.append(measured(run, seed))
    print(f"{setting()}\n\n| seed | {' | '.join(rows[0])} |\n|---|{'---:|' * len(rows[0])}")
    for seed, row in zip(options.seeds, rows, strict=True):
        print(f"| {seed} | {' | '.join(f'{value:.3f}' for value in row.values())} |")
    print(f"| median | {' | '.join(f'{statistics.median(row[name] for row in rows):.3f}' for name in rows[0])} |")


if __name__ == "__main__":
    main()
