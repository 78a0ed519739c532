"""The published table of Texygen (Zhu et al. 2018), from the captions that its models wrote.

    python benchmarks/texygen.py DATA [--self]

DATA holds text/coco-captions-test.txt, text/coco-captions-train.txt and text/published-samples/*.txt. BLEU is against
all 10,000 test captions; --self adds self-BLEU, which takes some minutes. The row of real captions scores training
captions in place of generated ones.
"""

import argparse
import re
from pathlib import Path

from sparring.modalities.text.bleu import bleu, self_bleu

CONTRACTED = re.compile(r"('s|'re|'ve|'ll|'d|'m|n't|')(?=\s|$)", re.IGNORECASE)
"""Endings that NLTK separates from a word."""
WORD = re.compile(r"[,;:?!()\[\]{}&\"]|\.(?=\s|$)|(?:[^\s,;:?!()\[\]{}&\".]|\.(?!\s|$))+")
MODELS = {
    "mle": "MLE",
    "seq": "SeqGAN",
    "mali": "MaliGAN",
    "rank": "RankGAN",
    "leakgan": "LeakGAN",
    "textgan": "TextGAN",
}
"""Start of the name of a file → its model."""


def words_of(path: Path) -> list[list[str]]:
    """Return the words of every line, as NLTK separates them."""
    return [words(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def words(line: str) -> list[str]:
    """Split a caption into words: signs, full stops after a word and what follows an apostrophe are words, too."""
    return WORD.findall(CONTRACTED.sub(r" \1", line))


def row(name: str, texts: list[list[str]], references: list[list[str]], *, with_self: bool) -> str:
    """Return a line of the table."""
    cells = [f"{value:.3f}" for value in bleu(texts, references).values()]
    cells += [f"{value:.3f}" for value in self_bleu(texts).values()] if with_self else []
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--self", action="store_true", dest="with_self")
    given = parser.parse_args()
    folder = given.data / "text"
    references = words_of(folder / "coco-captions-test.txt")
    for path in sorted((folder / "published-samples").glob("*.txt")):
        name = next((title for start, title in MODELS.items() if path.stem.startswith(start)), path.stem)
        print(row(name, words_of(path), references, with_self=given.with_self), flush=True)
    real = words_of(folder / "coco-captions-train.txt")
    print(row("real captions", real, references, with_self=given.with_self), flush=True)


if __name__ == "__main__":
    main()
