"""`sparring resume` in Python."""

from functools import partial
from pathlib import Path

from sparring.api.conclude import conclude
from sparring.building import blank_game
from sparring.errors import SparringError
from sparring.evaluation.quick import quick_score
from sparring.modalities import modality
from sparring.model import recipe_named
from sparring.recipe import Recipe, with_stored_fields
from sparring.runs.display import Display, Plain, Silent
from sparring.runs.folder import Run, open_run
from sparring.runs.goal import Goal
from sparring.runs.session import Session
from sparring.training import devices, distributed
from sparring.training.checkpoint import checkpoints, load_checkpoint, require_players


def resume(
    run: str | Path, *, recipe: str | Recipe | None = None, device: str | None = None, display: Display | None = None
) -> Run:
    """Continue an interrupted run from its newest intact checkpoint; the same as `sparring resume`.

    On the same CPU, a run with a budget in samples ends bit for bit as if it had never been interrupted.

    Args:
        run: the run folder.
        recipe: needed for a run of your own recipe only: its value, or file.py:Name.
        device: as for ``train``; None for the device that the run began on.
        display: shows the progress; None for plain lines.

    Returns:
        The finished run.

    Raises:
        SparringError: there is no such run, it is finished, or its data has changed.
        Interrupted: Ctrl-C or SIGTERM; the run was saved again.
    """
    # Open the run; one that has its report is finished.
    opened = open_run(run)
    record = opened.record
    target = devices.pick(device or record.device)
    world = distributed.join(target)
    display = (display or Plain()) if world.is_main else Silent()
    if opened.report.exists():
        raise SparringError(
            found=f"a finished run in {opened.folder}",
            expected="one that was interrupted",
            remedy="start a new run with `sparring train`, or evaluate this one again with `sparring evaluate`",
        )

    # Take the recipe with the recorded fields, and check that the data is the same.
    resolved = with_stored_fields(recipe_named(record.recipe, recipe), record.fields)
    game = blank_game(resolved, record.facts)
    if checkpoints(opened.checkpoints):
        # Networks of other shapes than the checkpoints are refused before memory is taken for them.
        load_checkpoint(opened.checkpoints, record.identity, partial(require_players, game))
    survey = modality(record.facts.modality).survey(record.facts.source)
    if survey.facts.fingerprint != record.facts.fingerprint:
        raise SparringError(
            found=f"other data in {record.facts.source} than when the run began",
            expected=f"the same {record.facts.count} samples",
            remedy="restore the data, or start a new run",
        )

    # Continue training.
    split = survey.prepare(resolved.view(record.facts), seed=record.seed)
    goal = Goal.parse(record.until) if record.until else None
    session = Session(opened, record, resolved, split, target, world, display, goal, quick_score, conclude)
    return session.play(resumed=True)
