"""The Python twin of `sparring diagnose`."""

from pathlib import Path

from sparring.api.outputs import output_path, require_writable, write_result
from sparring.arguments import checked_path
from sparring.errors import SparringError
from sparring.report.diagnosis import Diagnosis, RunHistory
from sparring.runs.folder import open_run
from sparring.storage import write_bytes


def diagnose(run: str | Path, *, picture: str | Path | None = None, json: str | Path | None = None) -> Diagnosis:
    """Diagnose a run: what happened, when and why, what the watchdog did about it, and what to do next.

    Args:
        run: a run folder: finished, interrupted, still going, given up, or trained with the watchdog off.
        picture: write the signals to this PNG file.
        json: write the diagnosis to this JSON file; ``Diagnosis.model_json_schema()`` is its schema.

    Raises:
        SparringError: ``run`` is not a run folder, or a ``picture`` is requested and there are no signals, or an output
            cannot be written.
    """
    require_writable({"picture": picture, "json": json})
    history = RunHistory(open_run(checked_path("the run", run)))
    diagnosis = history.diagnosis(pictured=picture is not None)
    if json is not None:
        write_result(json, diagnosis.model_dump(mode="json"))

    # A run without observations of the watchdog has nothing to draw.
    if picture is not None:
        content = history.picture()
        if content is None:
            raise SparringError(
                found=f"no signals in {history.run.folder}",
                expected="observations of the watchdog in signals.jsonl",
                remedy="train with the watchdog on, as it is by default, or do not ask for a picture"
                if history.record.watchdog == "off"
                else "train longer: this run has not reached its first observation; or do not ask for a picture",
            )
        write_bytes(output_path(picture), content)
    return diagnosis
