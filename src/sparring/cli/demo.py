"""`sparring demo`"""

from pathlib import Path


def demo(*, out: Path | None = None, seed: int = 0) -> None:
    """Train on 1,797 real handwritten digits in about a minute; ends with a picture and a report.

    Parameters
    ----------
    out
        The run folder. Default: the next free one, runs/digits-001.
    seed
        Of all random numbers.
    """
    from sparring import experiment
    from sparring.cli.closing import closing_words
    from sparring.display import suitable

    run = experiment.train("digits", minutes=MINUTES, samples=SAMPLES, out=out, seed=seed, display=suitable())
    print(closing_words(run))


SAMPLES, MINUTES = 350_000, 1.45
"""Real samples to see: about a minute on two cores, and never more than 90 seconds."""
