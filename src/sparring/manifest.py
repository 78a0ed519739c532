"""Manifests: size and SHA-256 of each file of a folder that is kept or published, and whose content it is.

A manifest names the run and the moment that the folder belongs to, and has a digest of its own: a folder of another
moment or of a twin run is refused as a damaged one is.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from sparring import opening, storage
from sparring.errors import SparringError
from sparring.schema import Count, Stored, require_format, validated
from sparring.storage import json_text, read_json, write_json

NAME = "manifest.json"
FORMAT = 4
"""The format that is written. Formats 2 and 3, of checkpoints alone, name neither run nor moment."""
WITHOUT_IDENTITY = (2, 3)

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""SHA-256 in hexadecimal."""


class File(Stored):
    """Size and digest of one file."""

    bytes: Count
    sha256: Digest


class Manifest(Stored):
    """Content of manifest.json.

    Args:
        format: number of the format of the folder.
        run: identity of the run; "" for a run of an earlier version.
        samples: real samples that the run had seen.
        files: name → size and digest.
        log: name of a file of the log → size and SHA-256 of what it held then; see ``Logbook.digests``.
        digest: SHA-256 of all of the above.
    """

    format: Annotated[int, Field(ge=WITHOUT_IDENTITY[0], le=FORMAT)]
    run: str = ""
    samples: Count | None = None
    files: dict[str, File]
    log: dict[str, str] = Field(default_factory=dict)
    digest: Digest


def write_manifest(
    folder: Path, names: Sequence[str], run: str, samples: int, log: Mapping[str, str] | None = None
) -> None:
    """Write the manifest of the files ``names`` of a folder, which are complete.

    Args:
        folder: the folder.
        names: names of its files.
        run: identity of the run; "" where there is none.
        samples: real samples that the run had seen.
        log: digests of the log; None where there is none.
    """
    files = {name: {"bytes": (folder / name).stat().st_size, "sha256": storage.sha256(folder / name)} for name in names}
    content = {"format": FORMAT, "run": run, "samples": samples, "files": files}
    content |= {"log": dict(log)} if log else {}
    write_json(folder / NAME, {**content, "digest": digest(content)})


def read_manifest(folder: Path, names: Sequence[str], run: str | None = None, samples: int | None = None) -> Manifest:
    """Return the manifest of a folder, after checking that it is whole and belongs to the run and the moment.

    Args:
        folder: the folder.
        names: names of the files that it must list.
        run: identity of the run; None to accept any.
        samples: real samples that the run had seen; None to accept any number.

    Raises:
        SparringError: there is no such manifest.
    """
    path = folder / NAME
    content = read_json(path)
    require_format(content, (*WITHOUT_IDENTITY, FORMAT), path)
    manifest = validated(Manifest, content, path)

    # As it was written, byte by byte. Older formats sign their files alone.
    old = manifest.format in WITHOUT_IDENTITY
    signed = content["files"] if old else {name: content[name] for name in content if name != "digest"}
    written = opening.file_bytes(path, storage.MAX_JSON_BYTES) == json_text(content).encode()
    if manifest.digest != digest(signed) or not written or set(manifest.files) != set(names):
        raise _refused(path, "another manifest than was written", f"an unchanged one of {', '.join(names)}")

    # Of this run and this moment; an older one cannot say, and belongs to runs without an identity.
    if run is not None and manifest.run != run:
        raise _refused(path, "the manifest of another run", "one of this run")
    if samples is not None and manifest.samples != samples and not old:
        raise _refused(path, f"the manifest of {manifest.samples} samples", f"one of {samples} samples")
    return manifest


def verify_file(folder: Path, name: str, wanted: File) -> None:
    """Compare one file with its line in the manifest: its size first, because that is cheap, then its digest.

    Raises:
        SparringError: it is missing, is no regular file, or differs.
    """
    path = folder / name
    if not path.is_file() or path.lstat().st_size != wanted.bytes:
        raise _refused(path, "a missing, shortened or lengthened file", f"{wanted.bytes} bytes")
    try:
        found = storage.sha256(path)
    except OSError as error:
        raise _refused(path, f"a file that cannot be read ({error.strerror})", f"{wanted.bytes} bytes") from None
    if found != wanted.sha256:
        raise _refused(path, "other content than was written", "the SHA-256 of the manifest")


def digest(content: Any) -> str:
    """Return the SHA-256 of JSON values, whatever the order of their keys, in hexadecimal."""
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _refused(path: Path, found: str, expected: str) -> SparringError:
    return SparringError(found=f"{found} at {path}", expected=expected, remedy="restore the folder from a copy")
