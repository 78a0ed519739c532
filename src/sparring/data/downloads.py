"""Data sets by name: a local copy, or a verified download from the address where it is published."""

import os
import urllib.error
import urllib.request
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from sparring import storage
from sparring.data.cache import cache_folder
from sparring.data.catalogue import DIGITS, Publication, PublishedFile
from sparring.errors import SparringError

TIMEOUT_SECONDS = 30.0
"""Seconds without data before a download is abandoned."""
CHUNK_BYTES = 1024 * 1024


def local_copy(name: str) -> Path | None:
    """Return the folder that holds ``name``: $SPARRING_DATA/<name>, ./data/<name>, an earlier download, or None."""
    return next((folder for folder in _candidates(name) if folder.is_dir() and any(folder.iterdir())), None)


def download(name: str, published: Publication) -> Path:
    """Download the files of ``published`` into the cache and return their folder; complete files are not fetched again.

    Raises:
        SparringError: a file cannot be downloaded, or differs from the published one.
    """
    folder = cache_folder() / "downloads" / name
    incoming = folder.with_name(f"{name}.incoming")
    try:
        incoming.mkdir(parents=True, exist_ok=True)
        for file in published.files:
            _fetch(published.home + file.name, incoming / file.name, file)
        if not folder.exists():
            incoming.rename(folder)
            storage.sync_folder(folder.parent)
    except (OSError, ValueError) as error:
        raise _not_downloaded(name, published, error) from None
    return folder


def _fetch(url: str, path: Path, file: PublishedFile) -> None:
    """Stream one file to disk, counting and hashing on the way; give it its name once it is verified."""
    if path.is_file() and path.stat().st_size == file.size and storage.sha256(path) == file.sha256:
        return

    # Plain http is allowed from a server on this machine only.
    if urlsplit(url).scheme != "https" and urlsplit(url).hostname != "127.0.0.1":
        raise ValueError(f"{url} is not https")

    # Each process writes its own partial file, so that concurrent downloads do not interfere.
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    digest, received = sha256(), 0
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response, part.open("wb") as target:
            while chunk := response.read(CHUNK_BYTES):
                received += len(chunk)
                # Abort an oversized response before it fills the disk.
                if received > file.size:
                    raise ValueError(f"{file.name} is longer than the {file.size:,} bytes that were published")
                digest.update(chunk)
                target.write(chunk)
        if digest.hexdigest() != file.sha256:
            raise ValueError(f"{file.name} is not the file that was published: its SHA-256 differs")
        # The content must be on disk before the name that promises it.
        storage.sync_file(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _candidates(name: str) -> list[Path]:
    chosen = os.environ.get("SPARRING_DATA")
    return [
        *([Path(chosen) / name] if chosen else []),
        Path("data") / name,
        cache_folder() / "downloads" / name,
    ]


def _not_downloaded(name: str, published: Publication, error: Exception) -> SparringError:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    files = published.files
    missing = files[0].name if len(files) == 1 else f"its {len(files)} files"
    return SparringError(
        found=f"no copy of {name} here, and it could not be downloaded ({cause})",
        expected=f"{missing} in ./data/{name} or $SPARRING_DATA/{name}",
        remedy=f"put them there from {published.home}, or start with {DIGITS}, which needs no download",
    )
