"""`sparring train`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sparring.cli.options import (
    BackgroundOption,
    ColumnsOption,
    KeepOption,
    LabelsOption,
    PairsOption,
    ToOption,
    ValueRangeOption,
    WholeNumber,
    WindowOption,
    extra_options,
)
from sparring.text import show


def train(
    data: str,
    /,
    *,
    recipe: str | None = None,
    minutes: float | None = None,
    samples: WholeNumber | None = None,
    out: Path | None = None,
    seed: WholeNumber = 0,
    until: str | None = None,
    device: str | None = None,
    micro_batch: WholeNumber | None = None,
    watchdog: str = "repair",
    judge: str = "quick",
    watch: bool = False,
    labels: LabelsOption = None,
    range: ValueRangeOption = None,
    background: BackgroundOption = None,
    pairs: PairsOption = None,
    to: ToOption = None,
    columns: ColumnsOption = None,
    window: WindowOption = None,
    keep: KeepOption = None,
    **fields: Annotated[str, Parameter(show=False)],
) -> None:
    """Train a model on your data, evaluate it and write a report.

    Without options, every choice is made for your data and device, and printed with its reason.
    Every field of the recipe is an option, too: `sparring recipes NAME` lists them.

    Examples:
        sparring train photos/ --minutes 10

        sparring train photos/ --recipe images/dcgan --samples 500000 --width 32

        torchrun --nproc-per-node 2 -m sparring train photos/

    Parameters
    ----------
    data
        A folder, a file or the name of a data set: see `sparring inspect --help`.
    recipe
        A name from `sparring recipes`, or your own as file.py:Name. Default: chosen for the data.
    minutes
        Time budget in minutes. Schedules, such as that of the learning rate, are scaled to it.
    samples
        Budget of real samples. With --minutes too, training ends with whichever is spent first.
    out
        The run folder, which must not exist yet. Default: the next free one under runs/.
    seed
        Random seed.
    until
        Stop at this goal: a metric, as in "fd<0.4", or settled, when no further improvement is detectable.
    device
        cpu, cuda, cuda:1 or mps. Default: the best available.
    micro_batch
        Samples computed at once, to save memory. The result stays the same, except with batch norm.
    watchdog
        repair: detect training failures and apply remedies; warn: only report them; off: do neither.
    judge
        Evaluation at the end: quick: in a tenth of the training time, or 20 s; full: all metrics, without a limit;
        none: no evaluation.
    watch
        Keep a page in the run folder up to date while the run is training: watch.html, to open in a browser.
    """
    # Imported only when the command runs, so that --help does not wait for PyTorch.
    from sparring.api import train as api
    from sparring.cli.closing import closing_words
    from sparring.runs.display import default_display

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
        judge=judge,
        watch=watch,
        labels=labels,
        range=range,
        background=background,
        pairs=pairs,
        to=to,
        columns=columns,
        window=window,
        keep=keep,
        display=default_display(),
        **extra_options(fields, api.train),
    )
    show(closing_words(run, recipe))
