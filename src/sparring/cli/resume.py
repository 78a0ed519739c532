"""`sparring resume`."""

from pathlib import Path

from sparring.text import show


def resume(run: Path, /, *, recipe: str | None = None, device: str | None = None) -> None:
    """Continue an interrupted run exactly where its newest checkpoint was saved.

    Examples:
        sparring resume runs/photos-001

    Parameters
    ----------
    run
        The run folder.
    recipe
        Needed for a run of your own recipe only: file.py:Name again, because code named by a folder is never run.
    device
        cpu, cuda, cuda:1 or mps. Default: the device that the run began on.
    """
    from sparring.api import resume as api
    from sparring.cli.closing import closing_words
    from sparring.runs.display import default_display

    show(closing_words(api.resume(run, recipe=recipe, device=device, display=default_display())))
