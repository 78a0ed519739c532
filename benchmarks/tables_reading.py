"""Speed and memory of reading tables: a million rows with dates, a column of 300,000 categories, and your own file.

    python benchmarks/tables_reading.py [--rows 1000000] [--categories 300000] [--file adult.csv]

Each table is surveyed in a separate process, so that peak memory is measured per table. Prints a Markdown table.
"""

import argparse
import csv
import datetime
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def write_mixed(path: Path, rows: int) -> None:
    """Write a table of moments, amounts, counts, categories, truth values, and numbers of which a fifth are missing."""
    draw, start = random.Random(0), datetime.datetime(2020, 1, 1)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["when", "amount", "count", "place", "paid", "weight"])
        for _ in range(rows):
            moment = start + datetime.timedelta(seconds=draw.randrange(10**8))
            weight = "" if draw.random() < 0.2 else f"{draw.random():.6f}"
            amount, place = f"{draw.lognormvariate(3, 1):.2f}", f"place {draw.randrange(50)}"
            writer.writerow([moment, amount, draw.randrange(100), place, draw.choice(["yes", "no"]), weight])


def write_categories(path: Path, rows: int, categories: int) -> None:
    """Write a table with a column of very many categories, each of which occurs."""
    draw = random.Random(0)
    numbers = list(range(categories)) + [draw.randrange(categories) for _ in range(max(0, rows - categories))]
    draw.shuffle(numbers)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["plane", "distance"])
        writer.writerows([f"N{number}", draw.randrange(5000)] for number in numbers)


def survey(path: str) -> None:
    """Print seconds and peak memory of surveying and splitting a table, as JSON."""
    began = time.perf_counter()
    from sparring.data.view import View
    from sparring.modalities.tables.rooms import TABLES

    loaded = time.perf_counter()
    found = TABLES.survey(path)
    surveyed = time.perf_counter()
    found.prepare(View(found.facts.shape))
    kinds = [column["kind"] for column in found.facts.details["columns"]]
    scale = 2**20 if sys.platform == "darwin" else 2**10
    print(
        json.dumps(
            {
                "rows": found.facts.count,
                "columns": len(kinds),
                "import": loaded - began,
                "survey": surveyed - loaded,
                "split": time.perf_counter() - surveyed,
                "processor": time.process_time(),
                "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale,
            }
        )
    )


def measured(path: Path) -> dict[str, float]:
    """Survey a table in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--survey", str(path)], capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    """Write the tables, survey each, and print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--categories", type=int, default=300_000)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--survey", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.survey:
        survey(given.survey)
        return
    print("| table | rows | columns | import, s | survey, s | split, s | processor, s | peak memory, MiB |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        mixed, many = Path(folder) / "mixed.csv", Path(folder) / "categories.csv"
        write_mixed(mixed, given.rows)
        write_categories(many, given.rows, given.categories)
        tables = {"dates, numbers, categories": mixed, f"{given.categories:,} categories": many}
        tables |= {given.file.name: given.file} if given.file else {}
        for name, path in tables.items():
            one = measured(path)
            seconds = " | ".join(f"{one[part]:.1f}" for part in ("import", "survey", "split", "processor"))
            print(f"| {name} | {one['rows']:,} | {one['columns']} | {seconds} | {one['memory']:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
