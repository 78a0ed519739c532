"""Speed of reading 10,000 PNG files of 64 × 64, against a loader that opens every file in every epoch.

    python benchmarks/reading.py [--files 10000] [--side 64]

Each reader runs in a separate process, so that peak memory is measured per reader. An epoch is every sample once, in
batches of 64, as float32 tensors in [-1, 1]. Prints a Markdown table.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BATCH = 64


def write(folder: Path, files: int, side: int) -> None:
    """Write smooth random images as PNG."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for number in range(files):
        coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        coarse.resize((side, side), Image.Resampling.BICUBIC).save(folder / f"{number:06d}.png")


def ours(folder: Path, side: int) -> list[float]:
    """Return wall and processor seconds of the first epoch, including the survey of the data, then of the second."""
    from sparring.data.sampler import EpochSampler
    from sparring.data.view import View
    from sparring.modalities.images.data import survey

    began = now()
    train = survey(str(folder)).prepare(View((3, side, side))).train
    batches = EpochSampler(len(train), BATCH, 0)
    seconds = []
    for epoch in range(2):
        for step in range(len(train) // BATCH):
            train.batch(batches.rows(epoch * (len(train) // BATCH) + step))
        seconds += [end - start for end, start in zip(now(), began, strict=True)]
        began = now()
    return seconds


def opening(folder: Path, side: int) -> list[float]:
    """Return the same seconds of a loader that opens every file with PIL in every epoch."""
    import numpy as np
    import torch
    from PIL import Image

    began = now()
    paths = sorted(folder.iterdir())
    paths = paths[: round(len(paths) * 0.9)]
    rng = np.random.default_rng(0)
    seconds = []
    for _ in range(2):
        order = rng.permutation(len(paths))
        for start in range(0, len(paths) - BATCH + 1, BATCH):
            pictures = []
            for place in order[start : start + BATCH]:
                with Image.open(paths[place]) as image:
                    pictures.append(np.asarray(image.convert("RGB").resize((side, side))))
            torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
        seconds += [end - start for end, start in zip(now(), began, strict=True)]
        began = now()
    return seconds


def now() -> tuple[float, float]:
    """Return seconds of the wall clock, and processor seconds of this process."""
    return time.perf_counter(), time.process_time()


def peak() -> float:
    """Return the peak memory of this process, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 2**20)


def measured(reader: str, folder: Path, side: int, cache: Path) -> list[float]:
    """Return wall and processor seconds of both epochs, and the peak memory (MiB) beyond that of the libraries."""
    command = [sys.executable, __file__, "--reader", reader, "--folder", str(folder), "--side", str(side)]
    environment = {**os.environ, "SPARRING_CACHE": str(cache)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    numbers: list[float] = json.loads(done.stdout)
    return numbers


def run_one(reader: str, folder: Path, side: int) -> None:
    """Run one reader in this process, and print its numbers as JSON."""
    import sklearn.datasets  # noqa: F401
    import torch

    import sparring.modalities.images.data  # noqa: F401

    torch.set_num_threads(1)
    before = peak()
    seconds = {"ours": ours, "opening": opening}[reader](folder, side)
    print(json.dumps([*seconds, peak() - before]))


def main() -> None:
    """Write the files, run the readers, print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=10_000)
    options.add_argument("--side", type=int, default=64)
    options.add_argument("--reader", choices=["ours", "opening"])
    options.add_argument("--folder", type=Path)
    arguments = options.parse_args()
    if arguments.reader:
        run_one(arguments.reader, arguments.folder, arguments.side)
        return
    with tempfile.TemporaryDirectory() as place:
        folder, cache = Path(place, "pictures"), Path(place, "cache")
        folder.mkdir()
        write(folder, arguments.files, arguments.side)
        measured("opening", folder, arguments.side, cache)  # Fill the file cache of the system.
        rows = {
            "opened every epoch": measured("opening", folder, arguments.side, cache),
            "sparring, first run": measured("ours", folder, arguments.side, cache),
            "sparring, later run": measured("ours", folder, arguments.side, cache),
        }
    base = rows["opened every epoch"]
    images = f"{arguments.files:,} PNG files, {arguments.side} × {arguments.side} RGB"
    print(f"{images}, batches of {BATCH}; ratios of processor time\n")
    print("| reader | first epoch: wall, processor (s) | ratio | second epoch | ratio | memory added (MiB) |")
    print("|---|---|---|---|---|---|")
    for name, (wall, first, later_wall, later, memory) in rows.items():
        once = f"{wall:.2f}, {first:.2f} | {base[1] / first:.1f}×"
        again = f"{later_wall:.2f}, {later:.2f} | {base[3] / later:.1f}×"
        print(f"| {name} | {once} | {again} | {memory:.0f} |")


if __name__ == "__main__":
    main()
