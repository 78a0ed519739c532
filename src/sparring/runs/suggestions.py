"""Commands that messages suggest for a run."""

from sparring.recipe import is_own
from sparring.runs.folder import Record
from sparring.text import command


def suggestion(record: Record, *words: object) -> str:
    """Return a command line to copy: ``suggestion(record, "resume", folder)``.

    It names the recipe only where it is the user's own: a run folder does not hold its code.
    """
    own = ("--recipe", record.recipe) if is_own(record.recipe) else ()
    return command("sparring", *words, *own)


def reading_options(record: Record) -> list[object]:
    """Return the options by which the data of a run is read alike: ``["--range", 0, 4095]``."""
    words: list[object] = []
    for name, value in record.facts.reading.items():
        if value is not None:
            values = value if isinstance(value, list | tuple) else [value]
            words += [f"--{name}", *("false" if one is False else one for one in values)]
    return words
