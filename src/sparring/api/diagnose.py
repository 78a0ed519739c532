"""The Python twin of `sparring diagnose`."""

from pathlib import Path

from sparring.errors import SparringError
from sparring.report.diagnosis import Diagnosis, Traces
from sparring.runs.folder import open_run
from sparring.storage import write_bytes, write_json


def diagnose(run: str | Path, *, picture: Path | None = None, json: Path | None = None) -> Diagnosis:
    """Say what happened to a run, when, why, and what to try; the same as `sparring diagnose`.

    Args:
        run: a run folder: finished, interrupted, still going, given up, or made with the watchdog off.
        picture: write the signals as a PNG file here.
        json: write the diagnosis here.

    Raises:
        SparringError: ``run`` is not a run folder, or ``picture`` is asked for where there are no signals.
    """
    traces = Traces(open_run(run))
    diagnosis = traces.diagnosis()
    if json is not None:
        write_json(json, diagnosis.as_json())
    if picture is not None:
        drawn = traces.picture()
        if drawn is None:
            raise SparringError(
                found=f"no signals in {traces.run.folder}",
                expected="looks of the watchdog in signals.jsonl, to draw them",
                remedy="leave --picture out, or train with --watchdog warn or repair",
            )
        write_bytes(picture, drawn)
    return diagnosis
