"""`sparring diagnose`"""

from pathlib import Path

from sparring.text import show


def diagnose(run: Path, /, *, picture: Path | None = None, json: Path | None = None) -> None:
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
    json
        Write the diagnosis to this JSON file.
    """
    from sparring.api import diagnose as api

    show(api.diagnose(run, picture=picture, json=json).text)
