"""Texts as strings, as files, and as lines in a report."""

from pathlib import Path

from torch import Tensor

from sparring.data.facts import Facts
from sparring.data.sequences.coding import coding_of
from sparring.rendering.exhibits import Text
from sparring.storage import write_bytes
from sparring.tokens import END

MAX_SHOWN = 24
"""Texts that are shown."""


def decoded(samples: Tensor, facts: Facts) -> list[str]:
    """Return the texts."""
    decode = coding_of(facts).tokeniser.decode
    return [decode(row) for row in samples.tolist()]


def lengths(samples: Tensor) -> Tensor:
    """Return the number of tokens of each text, (count,), without its end."""
    ended = (samples == END).cumsum(1) > 0
    return (~ended).sum(1)


def shown(samples: Tensor, facts: Facts) -> Text:
    """Return the first texts, a line or a paragraph each."""
    return Text(tuple(decoded(samples[:MAX_SHOWN], facts)), words=f"{min(len(samples), MAX_SHOWN)} texts")


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


def _one_line(text: str) -> str:
    """Return a text without line breaks, which bytes in place of characters may generate."""
    return text.replace("\r", " ").replace("\n", " ")
