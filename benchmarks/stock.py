"""Stock, 3,662 windows of 24 days × 6 channels: simple models, and runs of yours, beside real windows.

    python benchmarks/stock.py PATH/stock.csv [--seeds 3] [--rows real mixture …] [--json out.json]
    python benchmarks/stock.py PATH/stock.csv --half half.csv
    python benchmarks/stock.py PATH/stock.csv --seeds 1 --rows --run RUN … [--apart RUN-ON-HALF …]

Protocol: windows of all stretches of 24 days; every generator was trained on all of them, as in the literature (Yoon et
al. 2019), and gives as many. The days are cut into blocks of 96 in turn for learning and for tests, and windows that
cross a border are left out, so that no judge is tested on a window that overlaps one that it learned from; another seed
cuts elsewhere. "disc." and "pred." are the scores of TimeGAN, "strong" the AUC of boosted trees; "ACF", "CCF",
"spectrum" and "tails" are errors, "values" the mean agreement of single values, "context" the Fréchet distance in the
features of an encoder. For "closer", models are fitted to the blocks for learning alone: the share of their series that
are nearer to one of these windows than to one of the other half; ½ is ideal. ``--half`` writes these blocks of the
first seed as a table, from which `sparring train half.csv --columns block=entity --window 24` makes a run for
``--apart``.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rounds import setting

from sparring.data.dataset import Split
from sparring.data.facts import Facts
from sparring.flow import Batch
from sparring.metrics.distances import frechet
from sparring.metrics.sample_sets import in_memory
from sparring.modalities.series.coding import Channel, Series, SeriesCoding
from sparring.modalities.series.comparators import COMPARATORS, Fit, mixture
from sparring.modalities.series.contexts import context_of
from sparring.modalities.series.judging.closeness import closer_to_train
from sparring.modalities.series.judging.dynamics import (
    autocorrelation_error,
    cross_correlation_error,
    spectrum_error,
)
from sparring.modalities.series.judging.encoder import ContextFeatures, train_encoder
from sparring.modalities.series.judging.learning import Halves, boosted_test, discriminative, halves, predictive
from sparring.modalities.series.judging.marginals import channel_marginals, tail_error
from sparring.samples import concatenate
from sparring.storage import write_json

WINDOW, BLOCK = 24, 96
"""Days of a window, and of a block that belongs to one half."""
REAL = "real, one half against the other"


class Stock(NamedTuple):
    """Windows of the table."""

    whole: Series
    blocks: tuple[Halves, ...]
    """For each seed."""
    channels: tuple[Channel, ...]
    encoder: ContextFeatures


def stock(path: Path, seeds: int) -> Stock:
    """Read the table, and cut it for each seed."""
    with path.open(encoding="utf-8") as file:
        names = file.readline().strip().split(",")
        days = np.loadtxt(file, delimiter=",")
    knots = np.quantile(days, np.linspace(0, 1, 1001), axis=0).T
    channels = tuple(
        Channel(name, "continuous", float(values.mean()), float(values.std()), tuple(quantiles.tolist()))
        for name, values, quantiles in zip(names, days.T, knots, strict=True)
    )
    whole = windows([days])
    coding = SeriesCoding(channels, contexts=((float(WINDOW),),)).as_json()
    facts = Facts("stock", "series", len(whole.values), (WINDOW, len(channels)), "", coding=coding)
    data = in_memory(Batch(whole))
    blocks = tuple(blocks_of(days, seed * BLOCK * 2 // seeds) for seed in range(seeds))
    return Stock(whole, blocks, channels, train_encoder(Split(data, data, facts), 0))


def blocks_of(days: np.ndarray, shift: int) -> Halves:
    """Return the windows of every other block, the first of which is ``shift`` days shorter, and of those between."""
    cuts = np.arange(BLOCK - shift % BLOCK, len(days), BLOCK)
    parts = [part for part in np.split(days, cuts) if len(part) >= WINDOW]
    swapped = (shift // BLOCK) % 2
    return Halves(windows(parts[swapped::2]), windows(parts[1 - swapped :: 2]))


def write_half(path: Path, out: Path) -> None:
    """Write the days of the blocks for learning of the first seed, with the number of their block."""
    heading, *days = path.read_text(encoding="utf-8").splitlines()
    kept = [f"{at // BLOCK},{day}" for at, day in enumerate(days) if at // BLOCK % 2 == 0]
    out.write_text("\n".join([f"block,{heading}", *kept, ""]), encoding="utf-8")


def windows(parts: Sequence[np.ndarray]) -> Series:
    """Return all windows within each of some stretches of days."""
    found = [np.lib.stride_tricks.sliding_window_view(part, WINDOW, axis=0).transpose(0, 2, 1) for part in parts]
    values = torch.from_numpy(np.concatenate(found))
    count = len(values)
    lengths, nothing = torch.full((count,), WINDOW), torch.zeros(count, 0, dtype=torch.float64)
    return Series(values, torch.zeros(values.shape, dtype=torch.bool), lengths, nothing)


def judged(name: str, sides: Halves, real: Halves, data: Stock, seed: int) -> dict[str, float]:
    """Return the values of generated series, random halves of which a judge learns from and is tested on."""
    channels, is_real = data.channels, name == REAL
    both, true = concatenate([*sides]), concatenate([*real])
    return {
        "disc.": discriminative(real, sides, channels, seed),
        "pred.": predictive(sides.learn if is_real else both, real.test if is_real else data.whole, channels, seed),
        "strong": boosted_test(real, sides, channels, seed),
        "ACF": autocorrelation_error(true, both, channels),
        "CCF": cross_correlation_error(true, both, channels),
        "spectrum": spectrum_error(true, both, channels),
        "tails": tail_error(true, both, channels),
        "values": float(np.nanmean(channel_marginals(true, both, channels))),
        "context": frechet(data.encoder(true), data.encoder(both)),
    }


def measured(name: str, fit: Fit, data: Stock, seed: int, apart: Fit | None) -> dict[str, float]:
    """Fit a generator, judge as many series as there are windows, and add the seconds of both.

    Args:
        name: of the row.
        fit: fits all windows.
        data: the windows.
        seed: of the blocks, the fit and the judges.
        apart: fits the blocks for learning alone; None where nothing does.
    """
    real, began = data.blocks[seed], time.perf_counter()
    series = fit(data.whole, data.channels, seed)(len(data.whole.values), seed)
    fitted = time.perf_counter() - began
    found = judged(name, halves(series, seed), real, data, seed)
    closer = np.nan
    if apart:
        generated = apart(real.learn, data.channels, seed)(len(real.learn.values), seed)
        closer = closer_to_train(real.learn, real.test, generated, data.channels)
    return {**found, "closer": closer, "fit, s": fitted, "judge, s": time.perf_counter() - began - fitted}


def measured_real(data: Stock, seed: int) -> dict[str, float]:
    """Judge random halves of the real windows, each of which has windows for learning and for tests."""
    began = time.perf_counter()
    one, other = (halves(side, seed) for side in data.blocks[seed])
    found = judged(REAL, Halves(one[1], other[1]), Halves(one[0], other[0]), data, seed)
    return {**found, "closer": np.nan, "fit, s": np.nan, "judge, s": time.perf_counter() - began}


def simple() -> dict[str, Fit]:
    """Return the simple models by name."""
    return {**COMPARATORS, "one Gaussian": lambda *given: mixture(*given, components=1)}


def of_run(place: Path) -> Fit:
    """Return the model of a run, or a published one, as it is: it was trained on windows of this table."""
    from sparring.model import load

    model = load(place)

    def fit(series: Series, channels: Sequence[Channel], seed: int) -> Callable[[int, int], Series]:
        def sample(count: int, seed: int) -> Series:
            found: Series = model.sample(
                count, condition=context_of(Series(*(part[:count] for part in series))), seed=seed
            )
            return found

        return sample

    return fit


def table(rows: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Return a Markdown table: name → one dictionary per seed; mean ± standard deviation where there are several."""
    names = list(next(iter(rows.values()))[0])
    lines = [f"| | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
    for row, found in rows.items():
        cells = []
        for name in names:
            values, digits = [one[name] for one in found], 1 if name.endswith(", s") else 4 if name == "pred." else 3
            spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
            cells.append("" if np.isnan(values).any() else f"{np.mean(values):.{digits}f}{spread}")
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path, help="stock.csv")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", nargs="*", choices=["real", *simple()], default=["real", *simple()])
    parser.add_argument("--run", nargs="+", type=Path, default=[], help="folders of runs, or of published models")
    parser.add_argument("--half", type=Path, help="write the blocks for learning to this file, and nothing else")
    parser.add_argument("--apart", nargs="+", type=Path, default=[], help="runs on them, one for each of --run")
    parser.add_argument("--json", type=Path, help="file for all values")
    options = parser.parse_args()
    if options.half:
        write_half(options.path, options.half)
        return
    if options.apart and (options.seeds > 1 or len(options.apart) != len(options.run)):
        parser.error("--apart needs --seeds 1, and as many runs as --run")
    data = stock(options.path, options.seeds)
    fits: dict[str, tuple[Fit, Fit | None]] = {
        name: (fit, fit) for name, fit in simple().items() if name in options.rows
    }
    apart = [*map(of_run, options.apart)] or [None] * len(options.run)
    fits |= {place.name: (of_run(place), other) for place, other in zip(options.run, apart, strict=True)}
    rows = {REAL: [measured_real(data, seed) for seed in range(options.seeds)]} if "real" in options.rows else {}
    rows |= {
        name: [measured(name, fit, data, seed, other) for seed in range(options.seeds)]
        for name, (fit, other) in fits.items()
    }
    print(f"{setting()} · encoder {data.encoder.name}\n\n{table(rows)}")
    if options.json:
        known = {
            name: [{key: one[key] for key in one if one[key] == one[key]} for one in found]
            for name, found in rows.items()
        }
        write_json(options.json, known)


if __name__ == "__main__":
    main()
