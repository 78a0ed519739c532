"""A model for people: a line of text, and a fragment of HTML with samples."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sparring.data.conditions import needs_inputs
from sparring.errors import SparringError, SparringWarning
from sparring.flow import Batch
from sparring.publishing import last_name
from sparring.recipe import is_own
from sparring.rendering.exhibits import Exhibit
from sparring.rendering.fragments import fragment

if TYPE_CHECKING:
    from sparring.model import Model

SAMPLE_BYTES, MIN_SAMPLES = 2**20, 8
"""Samples that are shown: as many as fill a picture, within so many bytes, but at least so many."""
COLUMNS = 8
"""Samples in a row."""
MAX_CLASSES = 16
"""Classes that have a column each."""


def in_words(model: "Model") -> str:
    """Return one line: "Model(images/r3gan on digits: 1 × 8 × 8; 10 classes: 0, 1, 2, …; …)"."""
    return f"Model({_title(model)}: {'; '.join(f'{name}: {value}' for name, value in _details(model))})"


def as_html(model: "Model") -> str:
    """Return a fragment with samples, generated for it, and with what the model was trained on."""
    sentences, exhibits = list(model.remarks), list[Exhibit]()
    if needs_inputs(model.modality.conditions, model.view):
        sentences.append('This model takes inputs: model.apply("inputs/").')
    else:
        try:
            exhibits += _samples(model)
        except SparringError as error:
            sentences.append(str(error))
    return fragment(_title(model), sentences, exhibits=exhibits, facts=_details(model))


def _title(model: "Model") -> str:
    name = last_name(model.name) if is_own(model.name) else model.name
    return f"{name} on {last_name(model.facts.source)}"


def _details(model: "Model") -> list[tuple[str, str]]:
    found = [
        ("direction", model.direction),
        ("shape", " × ".join(map(str, model.view.shape))),
        ("classes", ", ".join(model.classes[:COLUMNS]) + ", …" * (len(model.classes) > COLUMNS)),
        ("options", ", ".join(model.condition_spec.options) if model.condition_spec is not None else ""),
        ("real samples seen", f"{int(model.history.get('samples', 0)):,}"),
        ("folder", str(model.folder or "")),
    ]
    return [(name, value) for name, value in found if value]


def _samples(model: "Model") -> Sequence[Exhibit]:
    """Render a few samples; each class has a column of its own."""
    columns = len(model.classes) if 1 < len(model.classes) <= MAX_CLASSES else COLUMNS
    most = max(MIN_SAMPLES, SAMPLE_BYTES // model.bytes_per_sample)
    count = max(1, min(most, model.modality.samples_per_picture) // columns) * columns
    with warnings.catch_warnings():
        # A few samples less than asked for are no matter here.
        warnings.simplefilter("ignore", SparringWarning)
        samples = model.sample(count)
    return model.modality.show(Batch(samples), model.facts, columns=columns)
