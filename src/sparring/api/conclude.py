"""The end of every run: a quick evaluation, and the report."""

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


def conclude(run: Run, model: Model, split: Split, seconds: float, on_progress: OnProgress) -> Evaluation:
    """Evaluate a finished run, and write scores.json, samples.png, curves.png and report.html into its folder.

    Args:
        run: the run.
        model: its model.
        split: the data it was trained on.
        seconds: time that the training took.
        on_progress: called with (done, total).
    """
    budget = Budget(max(MIN_SECONDS, TRAINING_SHARE * seconds))
    subject, seed = of_model(model, str(run.folder)), run.record.seed
    began = time.monotonic()
    subject.batch(split, SAMPLES_PER_PASS, seed)
    count = budget.affordable(count_for(split), (time.monotonic() - began) / SAMPLES_PER_PASS, "samples")
    generated = subject.batch(split, count, seed)
    evaluator = Evaluator(split, seed, further=False, budget=budget, on_progress=on_progress)
    evaluation = evaluator.evaluate(subject, generated)
    write_json(run.scores, evaluation.model_dump(mode="json"))
    write_report(run, model, split, generated.batch, evaluation)
    return evaluation
