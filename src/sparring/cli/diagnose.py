"""`sparring diagnose`"""

from pathlib import Path

from sparring.cli.options import JsonOption
from sparring.text import show


def diagnose(run: Path, /, *, picture: Path | None = None, json: JsonOption = None) -> None:
    """Say what happened to a run, when and why, what was done about it, and what to do next.

    The run may be finished, interrupted, still going, given up, or trained with --watchdog off.

    Examples:
        sparring diagnose runs/photos-001 --picture signals.png

    Parameters
    ----------
    run
        A run folder.
    picture
        Draw the incidents and signals of the run into this PNG file.
    """
    from sparring.api import diagnose as api
    from sparring.cli.json_output import json_output

    with json_output(json, picture=picture) as answer:
        diagnosis = api.diagnose(run, picture=picture)
        show(diagnosis.text)
        answer(diagnosis.model_dump(mode="json"))
