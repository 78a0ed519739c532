"""Memory and time of reading a text of many lines, in each kind of units.

    python benchmarks/text_memory.py [--lines 1000000] [--tokens words characters]

A made file of lines of about 60 characters, words by Zipf's law. Each reading is a process of its own; memory is the
peak of it above that of the idle process with all libraries, for the survey and the split together.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

WORDS, WORDS_OF_A_LINE, LINES_AT_ONCE = 50_000, (6, 14), 10_000


def write(path: Path, lines: int) -> None:
    """Write the file."""
    random = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = ["".join(random.choice(letters, size)) for size in random.integers(2, 9, WORDS)]
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, lines, LINES_AT_ONCE):
            lengths = random.integers(*WORDS_OF_A_LINE, min(LINES_AT_ONCE, lines - start), endpoint=True)
            chosen = iter(((random.zipf(1.2, int(lengths.sum())) - 1) % WORDS).tolist())
            for length in lengths.tolist():
                file.write(" ".join(words[next(chosen)] for _ in range(length)) + ".\n")


def peak() -> float:
    """Return the peak memory of this process, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def survey(path: str, tokens: str) -> None:
    """Print seconds and memory of surveying and splitting a text, as JSON."""
    import torch

    from sparring.data.reading import Reading
    from sparring.data.view import View
    from sparring.modalities.text.rooms import TEXT

    torch.set_num_threads(1)
    idle, began = peak(), time.process_time()
    found = TEXT.survey(path, Reading(tokens=tokens))
    surveyed, memory = time.process_time(), peak()
    found.prepare(View(found.facts.shape, "prompt"))
    print(
        json.dumps(
            {
                "lines": found.facts.count,
                "length": found.facts.shape[0],
                "survey": surveyed - began,
                "split": time.process_time() - surveyed,
                "survey memory": memory - idle,
                "memory": peak() - idle,
            }
        )
    )


def main() -> None:
    """Write the text, read it in each kind of units, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--tokens", nargs="*", default=["words", "characters"])
    parser.add_argument("--survey", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.survey:
        survey(given.survey, given.tokens[0])
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.txt"
        write(path, given.lines)
        print(f"{given.lines:,} lines, {path.stat().st_size / 2**20:.0f} MiB\n")
        print("| units | tokens of a line at most | survey, s | split, s | memory of the survey, MiB | of both, MiB |")
        print("|---|---:|---:|---:|---:|---:|", flush=True)
        for tokens in given.tokens:
            command = [sys.executable, __file__, "--survey", str(path), "--tokens", tokens]
            one = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            memory = f"{one['survey memory']:,.0f} | {one['memory']:,.0f}"
            print(f"| {tokens} | {one['length']} | {one['survey']:.1f} | {one['split']:.1f} | {memory} |", flush=True)


if __name__ == "__main__":
    main()
