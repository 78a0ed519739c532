"""`sparring detect` in Python."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sparring.api.heat_maps import HeatMaps, require_images
from sparring.api.outputs import output_path, require_writable, write_result
from sparring.api.surveying import is_gone
from sparring.arguments import checked_folder, checked_names, checked_path, option
from sparring.data.dataset import Dataset, Split
from sparring.data.in_memory import source_of
from sparring.data.labels import listed
from sparring.data.reading import DEFAULT_READING, reading_of_model
from sparring.data.source import Numbered
from sparring.data.view import View
from sparring.detection.areas import normal_classes
from sparring.detection.baselines import BASELINES, FeatureSpace
from sparring.detection.comparing import Scored, compared
from sparring.detection.detectors import F_ANOGAN, OWN, default_method, doubts, own_detector, trained_detector, using
from sparring.detection.result import Detection, better_baseline
from sparring.detection.scoring import FeatureScorer, NetworkScorer, Scorer
from sparring.detection.threshold import checked_rate
from sparring.errors import SparringError, nearest
from sparring.modalities import other_than, surveyed
from sparring.modality import Listing, ListsSamples, NamesColumns
from sparring.model import Model, load
from sparring.randomness import require_seed
from sparring.recipe import Recipe
from sparring.runs.display import Display, checked_display
from sparring.storage import write_bytes
from sparring.training.devices import pick

METHODS = (OWN, F_ANOGAN, *BASELINES)
"""Names of all methods."""
DEFAULT_RATE = 0.01
"""Rate of false alarms where none is given."""
MAX_HELD_OUT = 20_000
"""Held-out samples by which thresholds are chosen at most."""


def detect(
    run: str | Path,
    data: Any,
    *,
    false_alarms: float = DEFAULT_RATE,
    method: str | None = None,
    out: str | Path | None = None,
    json: str | Path | None = None,
    maps: str | Path | None = None,
    normal: str | Sequence[str] = (),
    labels: str | Path | None = None,
    reference: Any = None,
    seed: int = 0,
    device: str = "cpu",
    recipe: str | Recipe | None = None,
    display: Display | None = None,
) -> Detection:
    """Find the samples that are unlike the training data of a model; the same as `sparring detect`.

    Args:
        run: a run folder; a published folder for methods that need no discriminator.
        data: the samples, as ``train`` takes them: one or more.
        false_alarms: share of normal samples that may count as unusual, in (0, 1).
        method: "own" (what the game of the model says itself), "f-anogan" (an encoder beside generator and
            discriminator, which is trained once and stored in the run), "nearest" or "isolation-forest"; None for the
            first that the model has.
        out: write a table with the score of each sample to this file; beside it a picture of the most unusual images.
        json: write the result to this file.
        maps: write a heat map of each image to this folder, which is empty or holds those of an earlier call; by the
            methods "own" and "f-anogan" only.
        normal: classes of ``data`` that are normal, for areas under ROC curves; none for those of the training data.
        labels: file of the classes of images, or column of a table, for the same; None to find those of images.
        reference: normal samples by which thresholds are chosen, such as the training data, if it was moved; None for
            the training data where it was.
        seed: of the encoder, of the baselines, and of the choice of samples.
        device: device to compute on.
        recipe: needed for a model of your own recipe only: its value, or file.py:Name.
        display: shows the progress; None for a bar in terminals and notebooks, else lines.

    Raises:
        SparringError: there is no model, the samples do not fit it, it has no such method, or an output cannot be
            written, which is checked first.
    """
    # Check everything that can be checked before anything is computed.
    rate, seed, display = checked_rate(false_alarms), require_seed(seed), checked_display(display)
    require_writable({"out": out, "json": json}, data)
    given, table = checked_names("normal", normal), None if out is None else Path(out)
    folder, place = None if maps is None else checked_folder("the heat maps", maps), checked_path("the model", run)
    model, target = load(place, recipe=recipe), pick(device)
    method = _checked_method(method, model)
    if folder is not None:
        require_images(model.view.shape)
        _require_places(method)
    heat_maps = HeatMaps.at(folder, table)

    # The samples with their names and classes, and normal ones to compare them with.
    source = source_of(data)
    samples, listing = _samples(model, source, labels)
    classes = normal_classes(given, listing.classes, model.facts.classes)
    split, remarks = _normal_data(model, reference, source)

    # Score them by the method and by both baselines.
    held_out = split.held_out.subset(slice(0, MAX_HELD_OUT))
    numbers: dict[str, Any] = {"rate": rate, "seed": seed, "listing": listing, "normal": classes}
    try:
        with _scorers(model, place, method, split, seed, device=target, display=display) as (scorers, told):
            found = compared(
                scorers, samples, held_out, **numbers, on_progress=partial(display.count, "scoring by each method")
            )
            files = heat_maps.write(scorers[method], samples, found[method].scores, listing.names)
    finally:
        display.close()

    # Write the table and the result.
    files = [*([table] if table is not None else []), *files]
    remarks = [*remarks, *told, *_about(found, method, classes, listing)]
    detection = _detection(model, str(place), source, method, seed, found, listing, classes, remarks, files)
    if table is not None:
        write_bytes(output_path(table), detection.table())
    if json is not None:
        write_result(json, detection.model_dump(mode="json"))
    return detection


def _checked_method(method: str | None, model: Model) -> str:
    """Return the name of the method.

    Raises:
        SparringError: there is no such method.
    """
    if method is not None and method not in METHODS:
        raise SparringError(
            found=f"the method {method!r}",
            expected=f"one of {', '.join(METHODS)}",
            remedy=f"check the name{nearest(method, list(METHODS))}",
        )
    return method or default_method(model)


def _require_places(method: str) -> None:
    """Refuse heat maps of a method that scores whole samples.

    Raises:
        SparringError: it does.
    """
    if method in BASELINES:
        raise SparringError(
            found=f"{option('maps')} with the method {method}, which scores images as a whole",
            expected=f"a method that scores their parts: {OWN} or {F_ANOGAN}",
            remedy=f"leave {option('maps')} out, or choose another {option('method')}",
        )


@contextmanager
def _scorers(
    model: Model, place: Path, method: str, split: Split, seed: int, *, device: Any, display: Display
) -> Iterator[tuple[dict[str, Scorer], list[str]]]:
    """Give the scorers of the method, which comes first, and of the baselines while the block runs; and remarks."""
    detector = None
    if method == OWN:
        detector = own_detector(model)
    elif method == F_ANOGAN:
        fingerprint = split.facts.fingerprint
        detector = trained_detector(model, place, split.train, fingerprint, seed, device, display)
    space = FeatureSpace(split, model.modality, seed)
    scorers: dict[str, Scorer] = {
        name: FeatureScorer(space, make(space.train, seed)) for name, make in BASELINES.items()
    }
    if detector is None:
        yield {method: scorers.pop(method), **scorers}, []
        return
    with using(model, detector, device):
        remarks = doubts(model, detector, split.train, device)
        yield {method: NetworkScorer(model, detector, device), **scorers}, remarks


def _samples(model: Model, source: str, labels: str | Path | None) -> tuple[Dataset, Listing]:
    """Read the samples as the model's data was read, with their names and classes.

    Raises:
        SparringError: they are of another kind than the model's, or cannot be read.
    """
    kind = model.modality
    if other := other_than(kind, source):
        raise SparringError(
            found=f"{other.name} in {source}",
            expected=f"{kind.name}, as the model was trained on",
            remedy="give samples of the kind that the model was trained on, or another model",
        )
    samples = kind.read(source, View(model.view.shape), model.facts)
    chosen = None if labels is None else str(labels)
    if isinstance(kind, ListsSamples):
        listing = kind.listing(source, model.facts, chosen)
    elif chosen is None:
        listing = Listing(Numbered("row", len(samples) + 1)[1:])
    else:
        raise SparringError(
            found=f"{option('labels', chosen)} for {kind.name}",
            expected="images, or rows of a table",
            remedy="leave it out",
        )
    return samples, listing


def _normal_data(model: Model, reference: Any, source: str) -> tuple[Split, list[str]]:
    """Return normal samples, split as for the training, and remarks on them.

    Raises:
        SparringError: the training data is not where it was, or is no longer what it was.
    """
    facts, kind = model.facts, model.modality
    remedy = f"give its present place, or other normal samples: {option('reference', 'DATA')}"
    place = facts.source if reference is None else source_of(reference)
    if reference is None and is_gone(kind, place):
        raise SparringError(
            found=f"no {kind.name} at {place}",
            expected="the training data, by which the threshold is chosen",
            remedy=remedy,
        )
    choices = reading_of_model(facts.reading, DEFAULT_READING, same_data=reference is None)
    survey = surveyed(kind, place, choices, facts)
    is_same, remarks = survey.facts.fingerprint == facts.fingerprint, list[str]()
    if not is_same and reference is None:
        raise SparringError(
            found=f"other data in {place} than the model was trained on",
            expected="the training data, by which the threshold is chosen",
            remedy=remedy,
        )
    if not is_same:
        remarks.append(f"{place} is not the training data: it counts as normal.")
    if Path(place).resolve() == Path(source).resolve():
        remarks.append("Most of these samples were trained on: their scores are lower than those of new ones.")
    return survey.prepare(model.view, seed=int(model.history.get("seed", 0))), remarks


def _about(found: dict[str, Scored], method: str, normal: tuple[str, ...], listing: Listing) -> list[str]:
    """Return sentences about thresholds, areas and baselines."""
    results = {name: one.result for name, one in found.items()}
    remarks = results[method].threshold.remarks()
    if normal:
        remarks.append(f"Normal classes: {listed(normal)}. AUROC: 1 is perfect, 0.5 is chance.")
        remarks += [sentence for sentence in [better_baseline(results, method)] if sentence]
    elif listing.classes:
        remarks.append("Whether unusual samples are of other classes is not measured: name normal ones by --normal.")
    return remarks


def _detection(
    model: Model,
    place: str,
    source: str,
    method: str,
    seed: int,
    found: dict[str, Scored],
    listing: Listing,
    normal: tuple[str, ...],
    remarks: list[str],
    files: list[Path],
) -> Detection:
    """Return the result, with the names of the columns that contribute most to the score of each row."""
    chosen, kind = found[method], model.modality
    names = kind.column_names(model.facts) if isinstance(kind, NamesColumns) else ()
    return Detection(
        model=place,
        data=source,
        method=method,
        seed=seed,
        count=len(chosen.scores),
        methods={name: one.result for name, one in found.items()},
        normal=normal,
        remarks=tuple(remarks),
        files=tuple(map(str, files)),
        names=tuple(listing.names),
        scores=tuple(chosen.scores.tolist()),
        columns=tuple(tuple(names[column] for column in row) for row in chosen.columns) if names else (),
    )
