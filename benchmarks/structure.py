"""The structure and the language of the source in figures: sizes, comments, docstrings, hops from loop to formula.

    python benchmarks/structure.py [src/sparring]

Prints one row per measure. A hop is a call between the body of the training loop (``Trainer.advance``) and the line
with the formula of the loss, counted on the stack of a real step; summing up the formula is none.
"""

import argparse
import ast
import re
import statistics
import sys
import tokenize
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

OPENERS = re.compile(r"(What|How|Whether|Of|Where|Who|Why|Themselves|Itself)\b")
REDUCTIONS = ("<genexpr>", "<listcomp>", "total ")
"""Frames in which the values of a formula are summed up."""
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
WATCHING = ("watchdog", "report/diagnosis.py", "report/picture.py")
JUDGING = ("evaluation", "metrics", "report")


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def comments(path: Path) -> int:
    """Return the number of comments on lines of their own or behind code, pragmas excepted."""
    with path.open("rb") as file:
        tokens = [token for token in tokenize.tokenize(file.readline) if token.type == tokenize.COMMENT]
    return sum(not re.match(r"#\s*(noqa|type:|fmt:)", token.string) for token in tokens)


def docstrings(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [text for node in ast.walk(tree) if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node))]


def function_lengths(path: Path) -> list[int]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [(node.end_lineno or 0) - node.lineno + 1 for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]


def below(root: Path, places: Sequence[str]) -> set[Path]:
    """Return the source files in these folders, or these files."""
    return {
        path for place in places for path in ([root / place] if place.endswith(".py") else (root / place).rglob("*.py"))
    }


def hops(source: Path) -> Iterator[str]:
    """Yield the functions on the stack from the loop to the formula, in one step of points/ring."""
    sys.path.insert(0, str(source.parent.resolve()))
    import torch

    from sparring.objectives import losses

    stack: list[str] = []
    softplus = losses.softplus

    def listening(values: torch.Tensor) -> torch.Tensor:
        if not stack:
            stack.extend(f"{frame.name} ({Path(frame.filename).name})" for frame in traceback.extract_stack()[:-1])
        return softplus(values)

    losses.softplus = listening  # type: ignore[attr-defined]
    import numpy as np

    from sparring.data.dataset import Dataset
    from sparring.data.facts import Facts
    from sparring.recipes import RECIPES
    from sparring.training.plan import Plan
    from sparring.training.trainer import Trainer

    recipe = RECIPES["points/ring"]
    game = recipe.game(Facts("zeros", "points", 512, (2,), "", ()))
    points = np.zeros((512, 2), np.float32)
    Trainer(game, Dataset(points), Plan(recipe.optimisers(), recipe.batch, samples=512)).advance()
    start = next(number for number, frame in enumerate(stack) if frame.startswith("advance "))
    yield from (frame for frame in stack[start + 1 :] if not frame.startswith(REDUCTIONS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, nargs="?", default=Path(__file__).parents[1] / "src" / "sparring")
    source = parser.parse_args().source
    files = [path for path in sorted(source.rglob("*.py")) if lines_of(path)]
    sizes, lengths = [lines_of(path) for path in files], [length for path in files for length in function_lengths(path)]
    texts = [text for path in files for text in docstrings(path)]
    watching = below(source, WATCHING)
    judging = below(source, JUDGING) - watching
    called = list(hops(source))

    def spread(values: Sequence[int]) -> str:
        return f"{statistics.median(values):.0f} / {statistics.quantiles(values, n=10)[-1]:.0f} / {max(values)}"

    rows = {
        "files / lines": f"{len(files)} / {sum(sizes):,}",
        "file median / p90 / max": spread(sizes),
        "function median / p90 / max": spread(lengths),
        "comments per 100 lines": f"{100 * sum(map(comments, files)) / sum(sizes):.1f}",
        "docstrings that open with What, How, …": f"{sum(map(bool, map(OPENERS.match, texts))) / len(texts):.1%}",
        "lines of the watchdog, with diagnosis": f"{sum(map(lines_of, watching)):,}",
        "lines of evaluation, metrics and report": f"{sum(map(lines_of, judging)):,}",
        "hops from loop to formula": f"{len(called)}: {' → '.join(called)}",
    }
    for name, value in rows.items():
        print(f"{name:<42}{value}")


if __name__ == "__main__":
    main()
