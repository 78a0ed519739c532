"""`sparring demo`."""

from pathlib import Path

from sparring.cli.options import JsonOption, WholeNumber
from sparring.text import show

DEMO_SAMPLES = 350_000
"""Budget in real samples: about 84 seconds on one core."""
DEMO_MINUTES = 1.45
"""Budget of wall time, for slower machines."""


def demo(*, out: Path | None = None, seed: WholeNumber = 0, json: JsonOption = None) -> None:
    """Train on 1,797 images of handwritten digits for about 90 seconds, then write samples and a report.

    The images are real ones that come with scikit-learn: nothing is downloaded.

    Parameters
    ----------
    out
        The run folder. Default: the next free one under runs/.
    seed
        Random seed.
    """
    from sparring.api import train as api
    from sparring.cli.closing import closing_words
    from sparring.cli.json_output import json_output, run_result
    from sparring.data.catalogue import DIGITS
    from sparring.runs.display import default_display

    with json_output(json) as answer:
        display = default_display()
        run = api.train(DIGITS, minutes=DEMO_MINUTES, samples=DEMO_SAMPLES, out=out, seed=seed, display=display)
        show(closing_words(run))
        answer(run_result(run, "finished"))
