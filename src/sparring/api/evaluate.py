"""The Python twin of `sparring evaluate`."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from sparring.data.dataset import Split
from sparring.errors import SparringError
from sparring.evaluation.judging import count_for, judge_subject, require_numbers
from sparring.evaluation.result import Judgement, plain
from sparring.evaluation.subject import open_subject
from sparring.evaluation.usefulness import usefulness
from sparring.flow import Batch
from sparring.recipe import Recipe
from sparring.report.report import write_judgement
from sparring.runs.display import Display, Plain
from sparring.storage import write_json


def evaluate(
    subject: str | Path,
    data: str | Path,
    *,
    json: str | Path | None = None,
    report: str | Path | None = None,
    count: int | None = None,
    seed: int = 0,
    recipe: str | Recipe | None = None,
    useful: bool = False,
    extractors: Sequence[str] = (),
    display: Display | None = None,
) -> Judgement:
    """Judge a model, or samples that any tool made, against real data.

    Args:
        subject: a run folder, a published folder, or a folder (points: a file) of samples.
        data: the real data, as `sparring inspect` reads it. If it is what a model was trained on, the floor is
            measured with what was held out then.
        json: write everything to this file too.
        report: write a page for a person to this file, with pictures.
        count: samples to judge; None for as many as the data allows, at most 10,000.
        seed: of the samples, and of everything that is drawn at random in judging.
        recipe: only for a model of your own recipe.
        useful: measure, too, what a classifier learns from the samples; for models of labelled images. Four small
            classifiers are trained for it.
        extractors: by whose features to judge, of images "pixels", "own" (a small network trained on the real data),
            "inception" and "inception-legacy" (FID), "dinov2", each of these three with ":" and a file or folder of
            weights or without, and "file.py:function"; None for those that need no download.
        display: where progress is shown; None for plain lines.

    Raises:
        SparringError: there is nothing to judge, or it does not fit the data.
    """
    require_numbers(count, seed)
    judged, survey = open_subject(subject, data, recipe)
    model = judged.model
    if useful and model is None:
        raise SparringError(
            found=f"no model in {subject}",
            expected="a run or a published folder: files do not say which class they were made for",
            remedy="leave --useful out",
        )
    own = model is not None and survey.facts.fingerprint == model.facts.fingerprint
    apart = int(model.history.get("seed", seed)) if model is not None and own else seed
    split = survey.prepare(judged.view, seed=apart)
    # First, because it may be refused.
    found = _usefulness(judged.batch(split, count or count_for(split), seed).batch, split, seed) if useful else {}
    judgement = judge_subject(judged, split, count, seed, extractors, partial((display or Plain()).count, "judging"))
    judgement = replace(judgement, measures={**judgement.measures, **plain(found)})
    if model is not None and not own:
        remark = f"The model was trained on other data ({model.facts.source}): what is held out here is any part of "
        judgement = replace(judgement, remarks=(f"{remark}{data}.",))
    if json is not None:
        write_json(Path(json), judgement.as_json())
    if report is not None:
        samples = judged.batch(split, judgement.count, seed).batch
        write_judgement(Path(report), judged.kind, split, samples, judgement, model)
    return judgement


def _usefulness(batch: Batch, split: Split, seed: int) -> dict[str, tuple[float, float]]:
    return usefulness(batch.real, batch.label, split, seed)
