"""Texts as strings, as files, and as lines in a report."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sparring.data.conditions import INPUT
from sparring.data.documents import CODE, TUNES
from sparring.data.facts import Facts
from sparring.data.sequences.coding import coding_of, source_of
from sparring.data.sequences.inputs import given_texts
from sparring.flow import Batch
from sparring.rendering.exhibits import Text
from sparring.storage import write_bytes
from sparring.text import number_of
from sparring.tokens import END

MAX_SHOWN, MIN_OF_CLASS = 24, 2
"""Texts that are shown, and those of each class at least."""
SENTENCES = "text-000000.txt"
"""File of the texts that are made from sentences which are no files."""
LINE = "\n"
"""Line break, which no expression in an f-string may name in Python 3.11."""


def decoded(samples: Tensor, facts: Facts) -> list[str]:
    """Return the texts."""
    decode = coding_of(facts).tokeniser.decode
    return [decode(row) for row in samples.tolist()]


def lengths(samples: Tensor) -> Tensor:
    """Return the number of tokens of each text, (count,), without its end."""
    ended = (samples == END).cumsum(1) > 0
    return (~ended).sum(1)


def shown(batch: Batch, facts: Facts) -> Text:
    """Return the first texts, or the first of each class with its name, a line or a paragraph each."""
    rows = shown_rows(batch)
    notes = () if batch.label is None else tuple(_class_names(batch.label[rows], facts))
    return _texts(batch.real[rows], facts, notes)


def beside_nearest(batch: Batch, others: Tensor, distances: Tensor, facts: Facts) -> Text:
    """Return texts, each with its nearest training text and the share of the n-grams that both have."""
    rows = shown_rows(batch)
    names = [""] * len(rows) if batch.label is None else [f"{one} · " for one in _class_names(batch.label[rows], facts)]
    made, near = (_decoded_to_show(side[rows], facts) for side in (batch.real, others))
    shares = [f"{int(100 - 100 * distance)} % in common" for distance in distances[rows].tolist()]
    notes = [
        f"{name}nearest, {'equal' if text == other else share}:{LINE if LINE in other else ' '}{other}"
        for name, share, text, other in zip(names, shares, made, near, strict=True)
    ]
    return _texts(batch.real[rows], facts, tuple(notes))


def shown_rows(batch: Batch) -> Tensor:
    """Return the numbers of the texts that are shown, in order: the first, or the first of each class."""
    count = len(batch.real)
    if batch.label is None or count <= MAX_SHOWN:
        return torch.arange(min(count, MAX_SHOWN))
    classes = batch.label.unique()
    each = max(MIN_OF_CLASS, MAX_SHOWN // len(classes))
    firsts = [torch.nonzero(batch.label == one)[:each, 0] for one in classes]
    return torch.cat(firsts).sort().values


def _texts(samples: Tensor, facts: Facts, notes: tuple[str, ...]) -> Text:
    fixed = coding_of(facts).suffix in (*CODE, *TUNES)
    lines = tuple(_decoded_to_show(samples, facts))
    return Text(lines, words=number_of(len(lines), "text"), notes=notes, fixed=fixed)


def _decoded_to_show(samples: Tensor, facts: Facts) -> list[str]:
    return [text.expandtabs(4).strip("\n") for text in decoded(samples, facts)]


def _class_names(labels: Tensor, facts: Facts) -> list[str]:
    return [facts.classes[label] if 0 <= label < len(facts.classes) else "no class" for label in labels.tolist()]


def save(samples: Tensor, folder: Path, facts: Facts, *, first: int = 0) -> list[Path]:
    """Write texts: ``text-NNNNNN.txt`` with one on each line, or a file for each of several lines.

    They are named by the number of the first text, and of each text.
    """
    coding, texts = coding_of(facts), decoded(samples, facts)
    folder.mkdir(parents=True, exist_ok=True)
    if coding.lines:
        path = folder / f"text-{first:06d}.txt"
        write_bytes(path, "".join(f"{_one_line(text)}\n" for text in texts).encode())
        return [path]
    paths = [folder / f"{number:06d}{coding.suffix}" for number in range(first, first + len(texts))]
    for path, text in zip(paths, texts, strict=True):
        write_bytes(path, text.encode())
    return paths


def save_with_inputs(
    samples: Tensor, rows: Tensor, facts: Facts, folder: Path, options: Mapping[str, Any]
) -> list[Path]:
    """Write texts made from those of inputs, line by line: NAME.txt for each file, text-000000.txt for sentences.

    Empty lines stay empty, so that the lines of both files correspond; with several texts for each line, these follow
    one another.

    Args:
        samples: the texts, those of one line in a row.
        rows: number of the line of each text among those that are not empty, rising, (count,).
        facts: of the training data.
        folder: of the files.
        options: options of the condition, among them the inputs.
    """
    texts, made = iter(decoded(samples, facts)), torch.bincount(rows).tolist()
    each, files = iter(made), dict[str, list[str]]()
    for one in given_texts(options[INPUT], source_of(facts).columns[0]):
        lines = files.setdefault(_file_name(one.name, files), [])
        for line in one.lines:
            lines += [_one_line(next(texts)) for _ in range(next(each))] if line.strip() else [""] * max(made)
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in files.items():
        write_bytes(folder / name, "".join(f"{line}\n" for line in lines).encode())
    return [folder / name for name in files]


def _file_name(given: str, taken: Collection[str]) -> str:
    """Return the name of the file for an input file, another one for each; all sentences share one."""
    if not given:
        return SENTENCES
    stem, number = Path(given).stem, 1
    while (name := f"{stem}{f'-{number}' * (number > 1)}.txt") in taken or name == SENTENCES:
        number += 1
    return name


def _one_line(text: str) -> str:
    """Return a text without line breaks, which bytes in place of characters may generate."""
    return text.replace("\r", " ").replace("\n", " ")
