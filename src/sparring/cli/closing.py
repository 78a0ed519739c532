"""The last lines of a run: the verdict, what was trained, the figures, and what to do next."""

import os

from sparring.runs.folder import Run
from sparring.runs.suggestions import suggested_use, suggestion
from sparring.text import joined

NOT_JUDGED = "It was not evaluated (--judge none)."


def closing_words(run: Run, recipe: str | None = None) -> str:
    """Return the lines for the first process of a run, and nothing for the others.

    Args:
        run: that has ended.
        recipe: that the user gave, if any.
    """
    if os.environ.get("RANK", "0") != "0":
        return ""
    from sparring.api.diagnose import diagnose
    from sparring.evaluation.glossary import wrapped
    from sparring.evaluation.result import Evaluation

    record = run.record
    evaluation = Evaluation.from_run(run) if run.scores.exists() else None
    advice, *commands = diagnose(run.folder).longer or ("",)
    lines = [
        "",
        *wrapped([*(evaluation.verdict if evaluation else [NOT_JUDGED]), *([advice] if advice else [])]),
        # Commands are not wrapped, so that they can be copied.
        *(f"  {one}" for one in commands),
        "",
        f"Trained {record.recipe} on {record.facts.source}: {record.facts.count:,} samples, including those held out.",
        *(evaluation.figures(further=False) if evaluation else ()),
        f"Samples: {run.picture}",
        f"Report:  {run.report}",
        f"Next:    {suggested_use(record, run.folder, recipe)}",
        f"         {suggestion(record, 'evaluate', run.folder)}",
    ]
    return joined(lines)
