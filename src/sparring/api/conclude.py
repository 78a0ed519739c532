"""The end of every run: it is judged, and the report is written."""

from sparring.data.dataset import Split
from sparring.data.downloads import OnProgress
from sparring.evaluation.judging import judge_subject
from sparring.evaluation.result import Judgement
from sparring.evaluation.subject import of_model
from sparring.model import Model
from sparring.report.report import write_report
from sparring.runs.folder import Run
from sparring.storage import write_json


def conclude(run: Run, model: Model, split: Split, on_progress: OnProgress | None = None) -> Judgement:
    """Judge a finished run and write scores.json, samples.png, curves.png and report.html into its folder."""
    subject, seed = of_model(model, str(run.folder)), run.record.seed
    judgement = judge_subject(subject, split, None, seed, (), on_progress)
    write_json(run.scores, judgement.as_json())
    write_report(run, model, split, subject.batch(split, judgement.count, seed).batch, judgement)
    return judgement
