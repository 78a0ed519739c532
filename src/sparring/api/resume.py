"""The Python twin of `sparring resume`."""

from pathlib import Path

from sparring.api.conclude import conclude
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


def resume(
    run: str | Path, *, recipe: str | Recipe | None = None, device: str | None = None, display: Display | None = None
) -> Run:
    """Go on with an interrupted run where its newest whole checkpoint stands; the same as `sparring resume`.

    On the same CPU the result is, bit for bit, that of a run that was never interrupted (with a budget in samples).

    Raises:
        SparringError: there is no such run, it is finished, or its data is not what it was.
        Interrupted: Ctrl-C or SIGTERM; the run was saved again.
    """
    opened = open_run(run)
    record = opened.record
    place = devices.pick(device or record.device)
    world = distributed.join(place)
    display = (display or Plain()) if world.is_main else Silent()
    if opened.report.exists():
        raise SparringError(
            found=f"a finished run in {opened.folder}",
            expected="one that was interrupted",
            remedy="begin a new run with `sparring train`, or judge this one again with `sparring evaluate`",
        )
    resolved = with_stored_fields(recipe_named(record.recipe, recipe), record.fields)
    survey = modality(record.facts.modality).survey(record.facts.source)
    if survey.facts.fingerprint != record.facts.fingerprint:
        raise SparringError(
            found=f"other data in {record.facts.source} than when the run began",
            expected=f"the {record.facts.count} samples of then",
            remedy="put the data back, or begin a new run",
        )
    split = survey.prepare(resolved.view(record.facts), seed=record.seed)
    goal = Goal.parse(record.until) if record.until else None
    session = Session(opened, record, resolved, split, place, world, display, goal, quick_score, conclude)
    return session.play(resumed=True)
