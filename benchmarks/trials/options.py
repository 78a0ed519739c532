"""Options with absurd values: each is one sentence, and no folder is left behind."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import verbs
from attacks import Attack, Materials, attempt
from outcomes import Judgement

import sparring

REFUSED = (
    "train ring --seed -1",
    "train ring --seed 1.5",
    "train ring --seed 1e400",
    "train ring --seed ²",
    "train ring --samples 1e400",
    "train ring --samples nan",
    "train ring --samples -5",
    "train ring --samples 1.5",
    "train ring --samples ''",
    "train ring --minutes inf",
    "train ring --minutes nan",
    "train ring --minutes -inf",
    "train ring --minutes 1e400",
    "train ring --minutes 0",
    "train ring --device meta",
    "train ring --device cuda:-1",
    "train ring --device ''",
    "train ring --device cpu:7",
    "train ring --device xpu",
    "train ring --batch 0",
    "train ring --batch -5",
    "train ring --batch 1.5",
    "train ring --batch 1000000000000000000",
    "train ring --packing 10000000",
    "train ring --packing -1",
    "train ring --packing 0",
    "train ring --width 0",
    "train ring --width -1",
    "train ring --width 10000000000",
    "train ring --latent-size -1",
    "train ring --latent-size 10000000000000",
    "train ring --gamma nan",
    "train ring --gamma inf",
    "train ring --learning-rate nan",
    "train ring --learning-rate -1",
    "train ring --learning-rate inf",
    "train ring --micro-batch -1",
    "train ring --micro-batch 1.5",
    "train ring --until fd<nan",
    "train ring --until fd<",
    "train ring --until ''",
    "train ring --watchdog ''",
    "train ring --recipe ''",
    "train ring --recipe :",
    "train ring --recipe .py:",
    "train ring --recipe /:X",
    "train ring --recipe points/ring/x",
    "train ring --average-half-life nan",
    "train ring --critics 1000000000",
    "train '' --samples 64",
    "train . --samples 64",
    "train \0 --samples 64",
    "train digits --resolution 7",
    "train digits --resolution 100000",
    "train digits --resolution 8x",
    "train digits --resolution ²",
    "train digits --resolution 8x-8",
    "train digits --resolution 1e3",
    "inspect ''",
    "inspect .",
    "inspect \0",
    "inspect ring --recipe ''",
    "inspect ring --json FILE/x",
    "inspect ring --sheet FILE/x.png",
    "inspect ring --json .",
    "sample RUN --count -1",
    "sample RUN --count 1000000000000000000",
    "sample RUN --count 1.5",
    "sample RUN --count ''",
    "sample RUN --seed -1",
    "sample RUN --seed 1.5",
    "sample RUN --seed 99999999999999999999999",
    "sample RUN --truncation nan",
    "sample RUN --truncation inf",
    "sample RUN --truncation -1",
    "sample RUN --device meta",
    "sample RUN --device ''",
    "sample RUN --device cuda",
    "sample RUN --label ²",
    "sample RUN --label ''",
    "sample RUN --out FILE",
    "sample RUN --out FILE/x",
    "sample RUN --recipe ''",
    "sample RUN --input x",
    "sample ''",
    "sample /",
    "sample FILE",
    "sample CLASSES --label ²",
    "sample CLASSES --label -1",
    "sample CLASSES --label 10",
    "sample CLASSES --label 1.5",
    "sample CLASSES --label ''",
    "sample CLASSES --label 1e400",
    "evaluate RUN --data ''",
    "evaluate RUN --data POINTS --count 1000000000000000000 --protocol x",
    "evaluate RUN --data POINTS --count -1",
    "evaluate RUN --data POINTS --count 1.5",
    "evaluate RUN --data POINTS --seed -1",
    "evaluate RUN --data POINTS --seed 1.5",
    "evaluate RUN --data POINTS --json FILE/x --count 16",
    "evaluate RUN --data POINTS --report FILE/x --count 16",
    "evaluate RUN --data POINTS --json RUN --count 16",
    "evaluate RUN --data POINTS --extractor ''",
    "evaluate RUN --data POINTS --extractor nowhere.py:f",
    "evaluate RUN --data POINTS --extractor ²",
    "evaluate '' --data POINTS",
    "evaluate RUN --data RUN",
    "compare RUN '' --data POINTS",
    "compare RUN RUN --data ''",
    "compare RUN RUN --data POINTS --count -1",
    "compare RUN RUN --data POINTS --json FILE/x --count 16",
    "diagnose ''",
    "diagnose FILE",
    "diagnose RUN --json FILE/x",
    "diagnose RUN --picture FILE/x.png",
    "resume ''",
    "resume FILE",
    "resume STOPPED --device meta",
    "resume STOPPED --device ''",
    "resume STOPPED --recipe ''",
    "apply RUN x",
    "recipes ''",
    "recipes ²",
    "recipes a/b/c",
)
"""Command lines that are refused; words in capitals stand for paths."""
CALLS = {
    "load(None)": lambda run: sparring.load(None),  # type: ignore[arg-type]
    "load(5)": lambda run: sparring.load(5),  # type: ignore[arg-type]
    "train(None)": lambda run: sparring.train(None),  # type: ignore[arg-type]
    "train minutes='1'": lambda run: sparring.train("ring", minutes="1"),  # type: ignore[arg-type]
    "train seed=1.5": lambda run: sparring.train("ring", seed=1.5),  # type: ignore[arg-type]
    "train seed=None": lambda run: sparring.train("ring", seed=None),  # type: ignore[arg-type]
    "interpolate(0, 5)": lambda run: sparring.load(run).interpolate(0, 5),
    "interpolate(2, 1.5)": lambda run: sparring.load(run).interpolate(2, 1.5),  # type: ignore[arg-type]
    "sample(10**18)": lambda run: sparring.load(run).sample(10**18),
    "sample('4')": lambda run: sparring.load(run).sample("4"),  # type: ignore[arg-type]
    "sample(1.5)": lambda run: sparring.load(run).sample(1.5),  # type: ignore[arg-type]
    "sample seed=-1": lambda run: sparring.load(run).sample(4, seed=-1),
    "sample seed=1.5": lambda run: sparring.load(run).sample(4, seed=1.5),  # type: ignore[arg-type]
    "sample truncation='1'": lambda run: sparring.load(run).sample(4, truncation="1"),  # type: ignore[arg-type]
    "inspect(None)": lambda run: sparring.inspect(None, measure=False),  # type: ignore[arg-type]
    "evaluate(None)": lambda run: sparring.evaluate(None, "ring"),  # type: ignore[arg-type]
}
"""Calls of the Python interface that are refused."""
SMALL = {"--samples": 64, "--batch": 32, "--width": 8, "--latent-size": 2}
"""Options that are added to a training run, so that one which is not refused ends soon."""


def attacks() -> Iterator[Attack]:
    """Yield every attack of this kind."""
    for line in REFUSED:
        yield Attack("option", line.replace("\0", "NUL"), partial(_line, line=line))
    for name in CALLS:
        yield Attack("argument in Python", name, partial(_call, name=name))


def _line(folder: Path, materials: Materials, line: str) -> Iterator[Judgement]:
    runs = {"RUN": "ring-finished", "STOPPED": "ring-stopped", "CLASSES": "pictures-stopped"}
    (folder / "file").write_text("a file\n")
    places = {"FILE": folder / "file", "POINTS": materials.bases.points}
    for word, name in runs.items():
        if word in line and name in materials.bases.runs:
            places[word] = folder / name
            shutil.copytree(materials.bases.runs[name], folder / name)
    words = ["" if word == "''" else word for word in line.split(" ")]
    for place, path in places.items():
        words = [word.replace(place, str(path)) if word.split("/")[0] == place else word for word in words]
    if line.startswith("train ring"):
        words += [str(word) for name, value in SMALL.items() if name not in words for word in (name, value)]
    yield attempt(folder, verbs.command, *words, refuse=True)


def _call(folder: Path, materials: Materials, name: str) -> Iterator[Judgement]:
    run = materials.bases.runs["ring-finished"]
    yield attempt(folder, verbs.call, lambda: bool(CALLS[name](run) is None), refuse=True)
