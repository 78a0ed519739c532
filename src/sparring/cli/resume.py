"""`sparring resume`."""

from pathlib import Path

from sparring.cli.options import JsonOption, WholeNumber
from sparring.text import show


def resume(
    run: Path,
    /,
    *,
    samples: WholeNumber | None = None,
    minutes: float | None = None,
    data: str | None = None,
    labels: str | None = None,
    pairs: str | None = None,
    to: str | None = None,
    recipe: str | None = None,
    objective: str | None = None,
    device: str | None = None,
    json: JsonOption = None,
    judge: str | None = None,
    watch: bool = False,
) -> None:
    """Continue an interrupted run exactly where its newest checkpoint was saved, or any run with a larger budget.

    Examples:
        sparring resume runs/photos-001

        sparring resume runs/photos-001 --samples 2000000

    Parameters
    ----------
    run
        The run folder.
    samples
        New budget of real samples, those already seen included; schedules then run over the new budget.
    minutes
        New time budget in minutes, those already spent included. With --samples too, whichever is spent first.
    data
        Present place of the data, if it was moved. It must be the same data.
    labels
        Present place of the file of labels, if it was moved.
    pairs
        Present place of the table of pairs, likewise.
    to
        Present place of the second domain, likewise.
    recipe
        Needed for a run of your own recipe only: file.py:Name again, because code named by a folder is never run.
    objective
        Needed for a run with an objective of your own only: file.py:function again, likewise.
    device
        cpu, cuda, cuda:1 or mps. Default: the device that the run began on.
    judge
        Evaluation at the end, as for `sparring train`; it also evaluates a finished run again. Default: as the run
        began.
    watch
        As for `sparring train`. A page that is there already is kept up to date in any case.
    """
    from sparring.api import resume as api
    from sparring.cli.closing import closing_words
    from sparring.cli.json_output import json_output, run_result
    from sparring.runs.display import default_display

    with json_output(json) as answer:
        resumed = api.resume(
            run,
            samples=samples,
            minutes=minutes,
            data=data,
            labels=labels,
            pairs=pairs,
            to=to,
            recipe=recipe,
            objective=objective,
            device=device,
            judge=judge,
            watch=watch,
            display=default_display(),
        )
        show(closing_words(resumed, recipe))
        answer(run_result(resumed, "finished"))
