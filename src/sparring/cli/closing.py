"""The last lines of a run: what was trained, how good it is, and what to do next."""

import os

from sparring.runs.folder import Run


def closing_words(run: Run) -> str:
    """Return the lines for the first process of a run, and nothing for the others."""
    if os.environ.get("RANK", "0") != "0":
        return ""
    from sparring.evaluation.result import Evaluation

    record = run.record

    # Commands name the recipe only where it is the user's own: a run folder does not hold its code.
    recipe = f" --recipe {record.recipe}" if ".py:" in record.recipe else ""
    lines = [
        "",
        f"Trained {record.recipe} on {record.facts.source}: {record.facts.count:,} samples, including those held out.",
        *Evaluation.from_run(run).lines(further=False),
        f"Samples: {run.picture}",
        f"Report:  {run.report}",
        f"Next:    sparring sample {run.folder} --count 64 --out samples/{recipe}",
        f"         sparring evaluate {run.folder} --data {record.facts.source}{recipe} --all",
    ]
    return "\n".join(lines)
