"""`sparring diagnose`"""

from pathlib import Path


def diagnose(run: Path, /, *, picture: Path | None = None, json: Path | None = None) -> None:
    """Say what happened to a run, when, why, what was done, whether it helped, and what to try.

    Any run folder will do: finished, interrupted, still going, given up, or trained with --watchdog off.

    Examples:
        sparring diagnose runs/photos-001 --picture signals.png

    Parameters
    ----------
    run
        A run folder.
    picture
        Draw the signals, and what happened, into this PNG file.
    json
        Write the diagnosis to this file.
    """
    from sparring.api import diagnose as api

    print(api.diagnose(run, picture=picture, json=json).words())
