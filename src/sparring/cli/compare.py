"""`sparring compare`"""

from pathlib import Path


def compare(
    first: Path,
    second: Path,
    /,
    *,
    data: str,
    json: Path | None = None,
    count: int | None = None,
    seed: int = 0,
    recipe: str | None = None,
    extractor: list[str] | None = None,
) -> None:
    """Judge two models, or folders of samples, by the same real data: which is better, where that can be told.

    Examples:
        sparring compare runs/digits-001 runs/digits-002 --data digits

    Parameters
    ----------
    first
        A run folder, a published model, or a folder of samples: A.
    second
        Another: B.
    data
        The real data: a folder, a file or a name.
    json
        Write both judgements and all differences to this file.
    count
        Samples of each. Default: as many as the data allows, at most 10,000.
    seed
        Of the samples, and of everything that is drawn at random in judging.
    recipe
        Only for models of your own recipe: file.py:Name again.
    extractor
        As for `sparring evaluate`.
    """
    from sparring.api import compare as api
    from sparring.runs.display import default_display

    extractors = extractor or ()
    comparison = api.compare(
        first,
        second,
        data,
        json=json,
        count=count,
        seed=seed,
        recipe=recipe,
        extractors=extractors,
        display=default_display(),
    )
    print("\n".join(comparison.lines()))
