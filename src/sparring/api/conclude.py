"""The end of every run: an evaluation, and the report."""

import math
import time

from sparring.data.dataset import Split
from sparring.evaluation.budget import Budget
from sparring.evaluation.evaluator import Evaluator
from sparring.evaluation.quick import count_for
from sparring.evaluation.result import Evaluation
from sparring.evaluation.scores import OnProgress
from sparring.evaluation.subject import of_model
from sparring.model import Model
from sparring.report.report import write_report
from sparring.runs.folder import Run
from sparring.sampling import SAMPLES_PER_PASS
from sparring.storage import write_json

TRAINING_SHARE, MIN_SECONDS = 0.1, 20.0
"""The evaluation takes no longer than this share of the training, or this long, whichever is more."""


PICTURED = 256
"""Samples for the pictures of a report without an evaluation."""


def conclude(run: Run, model: Model, split: Split, seconds: float, on_progress: OnProgress) -> Evaluation | None:
    """Evaluate a finished run as its record says, and write scores.json, curves.png and report.html into its folder.

    Args:
        run: the run.
        model: its model.
        split: the data it was trained on.
        seconds: time that the training took.
        on_progress: called with (done, total).

    Returns:
        The evaluation; None where the record asks for none.
    """
    subject, record = of_model(model, str(run.folder)), run.record
    seed = record.seed
    if record.judge == "none":
        shown = subject.batch(split, max(PICTURED, model.modality.samples_per_picture), seed)
        write_report(run, model, split, shown.batch, None)
        return None

    # Generate no more samples than there is time for.
    on_progress(0, 1)
    budget = Budget(max(MIN_SECONDS, TRAINING_SHARE * seconds) if record.judge == "quick" else math.inf)
    began = time.monotonic()
    subject.batch(split, SAMPLES_PER_PASS, seed)
    count = budget.affordable(count_for(split), (time.monotonic() - began) / SAMPLES_PER_PASS, "samples")
    generated = subject.batch(split, count, seed)
    evaluator = Evaluator(split, seed, further=record.judge == "full", budget=budget, on_progress=on_progress)
    evaluation = evaluator.evaluate(subject, generated)
    write_json(run.scores, evaluation.model_dump(mode="json"))
    write_report(run, model, split, generated.batch, evaluation)
    on_progress(1, 1)
    return evaluation
