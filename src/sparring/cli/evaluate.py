"""`sparring evaluate`"""

from pathlib import Path


def evaluate(
    subject: Path,
    /,
    *,
    data: str,
    json: Path | None = None,
    report: Path | None = None,
    count: int | None = None,
    seed: int = 0,
    recipe: str | None = None,
    useful: bool = False,
    extractor: list[str] | None = None,
) -> None:
    """Judge a model, or a folder of samples that any tool made, against real data.

    Every score stands beside its floor: what real samples reach against other real samples, at the same number.

    Examples:
        sparring evaluate runs/digits-001 --data digits --json scores.json

    Parameters
    ----------
    subject
        A run folder, a published model, or a folder of samples.
    data
        The real data: a folder, a file or a name.
    json
        Write all scores with their protocol to this file.
    report
        Write a page for a person to this file, with pictures; it needs nothing but itself.
    count
        Samples to judge. Default: as many as the data allows, at most 10,000.
    seed
        Of the samples, and of everything that is drawn at random in judging.
    recipe
        Only for a model of your own recipe: file.py:Name again.
    useful
        Measure, too, what a classifier learns from the samples (models of labelled images; takes longer).
    extractor
        By whose features to judge, several times for several: pixels, own (a small network trained on the real data),
        inception[:weights] (FID as clean-fid resizes), inception-legacy[:weights] (FID as it was first computed),
        dinov2[:folder], or your own file.py:function. Default: own and pixels.
    """
    from sparring.api import evaluate as api
    from sparring.runs.display import default_display

    judgement = api.evaluate(
        subject,
        data,
        json=json,
        report=report,
        count=count,
        seed=seed,
        recipe=recipe,
        useful=useful,
        extractors=extractor or (),
        display=default_display(),
    )
    print("\n".join(judgement.lines()))
