"""`sparring train`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sparring.cli.options import (
    BackgroundOption,
    ColumnsOption,
    JsonOption,
    KeepOption,
    LabelsOption,
    PairsOption,
    TokensOption,
    ToOption,
    ValueRangeOption,
    WholeNumber,
    WindowOption,
    extra_options,
    given_options,
)
from sparring.text import show


def train(
    data: str | None = None,
    /,
    *,
    config: Path | None = None,
    recipe: str | None = None,
    minutes: float | None = None,
    samples: WholeNumber | None = None,
    out: Path | None = None,
    continued: Annotated[bool, Parameter(name="--continue", negative=())] = False,
    seed: WholeNumber | None = None,
    until: str | None = None,
    device: str | None = None,
    micro_batch: WholeNumber | None = None,
    watchdog: str | None = None,
    judge: str | None = None,
    watch: bool = False,
    json: JsonOption = None,
    labels: LabelsOption = None,
    range: ValueRangeOption = None,
    background: BackgroundOption = None,
    pairs: PairsOption = None,
    to: ToOption = None,
    columns: ColumnsOption = None,
    window: WindowOption = None,
    tokens: TokensOption = None,
    keep: KeepOption = None,
    **fields: Annotated[str, Parameter(show=False)],
) -> None:
    """Train a model on your data, evaluate it and write a report.

    Without options, every choice is made for your data and device, and printed with its reason.
    Every field of the recipe is an option, too: `sparring recipes NAME` lists them.

    Examples:
        sparring train photos/ --minutes 10

        sparring train photos/ --recipe images/dcgan --samples 500000 --width 32

        sparring train photos/ --out runs/photos --continue

        torchrun --nproc-per-node 2 -m sparring train photos/

    Parameters
    ----------
    data
        A folder, a file or the name of a data set: see `sparring inspect --help`.
    config
        JSON file with options by their names, or an earlier run; options that are typed win over it.
    recipe
        A name from `sparring recipes`, or your own as file.py:Name. Default: chosen for the data.
    minutes
        Time budget in minutes. Schedules, such as that of the learning rate, are scaled to it.
    samples
        Budget of real samples. With --minutes too, training ends with whichever is spent first.
    out
        The run folder, which must not exist yet. Default: the next free one under runs/.
    continued
        Go on with the run in --out if there is one, and do nothing if it is finished: the same line can be repeated.
    seed
        Random seed. Default: 0.
    until
        Stop at this goal: a metric, as in "fd<0.4", or settled, when no further improvement is detectable.
    device
        cpu, cuda, cuda:1 or mps. Default: the best available.
    micro_batch
        Samples computed at once, to save memory. The result stays the same, except with batch norm.
    watchdog
        repair: detect training failures and apply remedies; warn: only report them; off: do neither. Default: repair.
    judge
        Evaluation at the end: quick: in a tenth of the training time, or 20 s; full: all metrics, without a limit;
        none: no evaluation. Default: quick.
    watch
        Keep a page in the run folder up to date while the run is training: watch.html, to open in a browser.
    """
    # Imported only when the command runs, so that --help does not wait for PyTorch.
    from sparring.api import train as api
    from sparring.api.config import with_config
    from sparring.api.continuing import is_finished_run
    from sparring.cli.closing import closing_words
    from sparring.cli.json_output import json_output, run_result
    from sparring.runs.display import default_display

    options = given_options(
        data=data,
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
        watch=watch or None,
        labels=labels,
        range=range,
        background=background,
        pairs=pairs,
        to=to,
        columns=columns,
        window=window,
        tokens=tokens,
        keep=keep,
        **extra_options(fields, api.train),
    )
    with json_output(json, data) as answer:
        display = default_display()
        if config is not None:
            options = with_config(config, options, api.CONFIG_OPTIONS, display)
        was_finished = continued and is_finished_run(options.get("out"))
        run = api.train(continued=continued, display=display, **options)
        if not was_finished:
            show(closing_words(run, recipe))
        answer(run_result(run, "finished"))
