"""The last lines of a run: what was trained, how good it is, where to look, what to try next."""

import os

from sparring.runs.folder import Run


def closing_words(run: Run) -> str:
    """For the first process; nothing for the others."""
    if os.environ.get("RANK", "0") != "0":
        return ""
    from sparring.evaluation.result import Judgement

    record = run.record
    judgement = Judgement.from_run(run)
    own = f" --recipe {record.recipe}" if ".py:" in record.recipe else ""
    lines = [
        "",
        f"Trained {record.recipe} on {record.facts.source}: {record.facts.count:,} samples, those held out included.",
        *judgement.lines(),
        f"Samples: {run.picture}",
        f"Report:  {run.report}",
        f"Next:    sparring sample {run.folder} --count 64 --out samples/{own}",
        f"         sparring evaluate {run.folder} --data {record.facts.source}{own}",
    ]
    return "\n".join(lines)
