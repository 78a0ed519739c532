"""`sparring train`"""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sparring.cli.options import free


def train(
    data: str,
    /,
    *,
    recipe: str | None = None,
    minutes: float | None = None,
    samples: int | None = None,
    out: Path | None = None,
    seed: int = 0,
    until: str | None = None,
    device: str | None = None,
    micro_batch: int | None = None,
    watchdog: str = "repair",
    **fields: Annotated[str, Parameter(show=False)],
) -> None:
    """Train a model on your data, judge it and write a report.

    With no option, everything follows from the data and the device, and is printed with the reason.
    Every field of the recipe is an option as well: see `sparring recipes NAME`.

    Examples:
        sparring train photos/ --minutes 10

        sparring train mnist --recipe images/dcgan --samples 500000 --width 32

        torchrun --nproc-per-node 2 -m sparring train photos/

    Parameters
    ----------
    data
        A folder, a file or a name, as `sparring inspect` reads them.
    recipe
        A name of `sparring recipes`, or your own as file.py:Name. Default: what suits the data.
    minutes
        Wall time to train for; the schedules are laid over it.
    samples
        Real samples to see. With --minutes too, whichever is spent first.
    out
        The run folder, which must not exist yet. Default: the next free one under runs/.
    seed
        Of all random numbers.
    until
        Stop when this quality is reached, such as "fd<0.4"; settled: when no further gain can be told.
    device
        cpu, cuda, cuda:1 or mps. Default: the best there is.
    micro_batch
        Samples computed at once, to save memory; the mathematics stays the same (batch norm excepted).
    watchdog
        repair: what goes wrong is named and mended; warn: only named; off: not looked for.
    """
    from sparring.api import train as api
    from sparring.cli.closing import closing_words
    from sparring.runs.display import suitable

    run = api.train(
        data,
        recipe=recipe,
        minutes=minutes,
        samples=samples,
        out=out,
        seed=seed,
        until=until,
        device=device,
        micro_batch=micro_batch,
        watchdog=watchdog,
        display=suitable(),
        **free(fields, api.train),
    )
    print(closing_words(run))
