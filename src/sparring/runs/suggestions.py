"""Commands that messages suggest for a run."""

from sparring.runs.folder import Record
from sparring.text import command


def suggestion(record: Record, *words: object) -> str:
    """Return a command line to copy: ``suggestion(record, "resume", folder)``.

    It names the recipe only where it is the user's own: a run folder does not hold its code.
    """
    own = ("--recipe", record.recipe) if ".py:" in record.recipe else ()
    return command("sparring", *words, *own)
