"""`sparring demo`"""

from pathlib import Path


def demo(*, out: Path | None = None, seed: int = 0) -> None:
    """Train on 1,797 real handwritten digits in about 90 seconds; ends with a picture and a report.

    Parameters
    ----------
    out
        The run folder. Default: the next free one, runs/digits-001.
    seed
        Of all random numbers.
    """
    from sparring.api import train as api
    from sparring.cli.closing import closing_words
    from sparring.runs.display import suitable

    run = api.train("digits", minutes=MINUTES, samples=SAMPLES, out=out, seed=seed, display=suitable())
    print(closing_words(run))


SAMPLES, MINUTES = 350_000, 1.45
"""Real samples to see, about 84 seconds on one core, and the wall time at which it ends in any case."""
