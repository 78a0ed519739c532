"""Encoders in a run folder: RUN/detector/, with a description and a digest of each file.

detector/
  encoder.safetensors   weights
  detector.json         format, method, seed, run, checkpoint and training data
  manifest.json         size and SHA-256 of both
"""

import shutil
from pathlib import Path
from typing import Annotated, final

from pydantic import Field
from safetensors.torch import save
from torch import nn

from sparring.errors import writing
from sparring.manifest import Digest, read_manifest, verify_file, write_manifest
from sparring.runs.folder import Run
from sparring.schema import Count, Stored, require_format, validated
from sparring.storage import read_json, temporary_path, write_bytes, write_folder, write_json
from sparring.tensor_files import named_tensors, read_tensors, shapes_in, shapes_of
from sparring.training.checkpoint import require_shapes

FORMAT = 1
FOLDER, WEIGHTS, DESCRIPTION = "detector", "encoder.safetensors", "detector.json"


@final
class Description(Stored):
    """Content of detector.json: everything that an encoder depends on.

    Attributes:
        format: number of the format.
        method: name of the method.
        run: identity of the run; "" for runs of earlier versions.
        samples: real samples that the checkpoint had seen.
        checkpoint: digest of its manifest.
        data: fingerprint of the training data.
        seed: of the encoder.
    """

    format: Annotated[int, Field(ge=FORMAT, le=FORMAT)] = FORMAT
    method: str
    run: str
    samples: Count
    checkpoint: Digest
    data: str
    seed: Annotated[int, Field(ge=0, lt=2**63)]


def save_encoder(run: Run, description: Description, encoder: nn.Module) -> None:
    """Write an encoder atomically, in place of an earlier one.

    Raises:
        SparringError: the run folder cannot be written.
    """
    target = run.folder / FOLDER

    def fill(folder: Path) -> None:
        write_bytes(folder / WEIGHTS, save({key: one.contiguous() for key, one in encoder.state_dict().items()}))
        write_json(folder / DESCRIPTION, description.model_dump())
        write_manifest(folder, (WEIGHTS, DESCRIPTION), description.run, description.samples)

    with writing(target):
        if target.exists():
            # It is renamed first, so that half of it is never taken for a whole one.
            hidden = temporary_path(target)
            shutil.rmtree(hidden, ignore_errors=True)
            target.rename(hidden)
            shutil.rmtree(hidden, ignore_errors=True)
        write_folder(target, fill)


def described(run: Run) -> Description | None:
    """Return the description of the encoder in a run folder; None if there is none.

    Raises:
        SparringError: it is damaged.
    """
    folder = run.folder / FOLDER
    if not folder.exists():
        return None
    manifest = read_manifest(folder, (WEIGHTS, DESCRIPTION))
    for name in (WEIGHTS, DESCRIPTION):
        verify_file(folder, name, manifest.files[name])
    content = read_json(folder / DESCRIPTION)
    require_format(content, (FORMAT,), folder / DESCRIPTION)
    return validated(Description, content, folder / DESCRIPTION)


def load_encoder(run: Run, encoder: nn.Module) -> None:
    """Load the weights of the encoder that ``described`` described into one of the same sizes.

    Raises:
        SparringError: they are damaged, or of other sizes.
    """
    path = run.folder / FOLDER / WEIGHTS
    require_shapes(shapes_in(path), shapes_of(named_tensors({"": encoder})), "an encoder")
    encoder.load_state_dict(read_tensors(path))
