"""`sparring resume`"""

from pathlib import Path


def resume(run: Path, /, *, recipe: str | None = None, device: str | None = None) -> None:
    """Go on with an interrupted run, exactly where its newest checkpoint stands.

    Examples:
        sparring resume runs/photos-001

    Parameters
    ----------
    run
        The run folder.
    recipe
        Only for a run of your own recipe: file.py:Name again. Code is never run because a folder names it.
    device
        cpu, cuda, cuda:1 or mps. Default: what the run began on.
    """
    from sparring.api import resume as api
    from sparring.cli.closing import closing_words
    from sparring.runs.display import suitable

    print(closing_words(api.resume(run, recipe=recipe, device=device, display=suitable())))
