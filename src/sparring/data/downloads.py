"""Published data sets by name: a copy that is already here, or a download from its home with a pinned SHA-256.

Where the checksums come from: each SHA-256 is that of the file as published, taken from several independent projects
that state it alike; none of the files was downloaded to compute it anew. A file that differs is refused, never used.
"""

import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import final
from urllib.parse import urlsplit

from sparring import storage
from sparring.data.cache import cache_folder
from sparring.errors import SparringError

TIMEOUT = 30.0
"""Seconds without an answer before a download is given up."""
CHUNK = 1024 * 1024

OnProgress = Callable[[int, int], None]
"""Called with (done, total) as work goes on."""


@final
@dataclass(frozen=True)
class Published:
    """One file at its home."""

    name: str
    size: int
    sha256: str


@final
@dataclass(frozen=True)
class Known:
    """A published data set.

    Args:
        home: the address of the folder its files lie in.
        files: every file that is kept.
        classes: names of its labels, in order.
        terms: what its authors ask.
    """

    home: str
    files: tuple[Published, ...]
    classes: tuple[str, ...]
    terms: str


KNOWN = {
    "mnist": Known(
        home="https://ossci-datasets.s3.amazonaws.com/mnist/",
        files=(
            Published(
                "train-images-idx3-ubyte.gz",
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            Published(
                "train-labels-idx1-ubyte.gz",
                28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            Published(
                "t10k-images-idx3-ubyte.gz",
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            Published(
                "t10k-labels-idx1-ubyte.gz",
                4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
        classes=tuple("0123456789"),
        terms="CC BY-SA 3.0",
    ),
    "fashion-mnist": Known(
        home="https://fashion-mnist.s3.eu-central-1.amazonaws.com/",
        files=(
            Published(
                "train-images-idx3-ubyte.gz",
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            Published(
                "train-labels-idx1-ubyte.gz",
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            Published(
                "t10k-images-idx3-ubyte.gz",
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            Published(
                "t10k-labels-idx1-ubyte.gz",
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ),
        classes=(
            "T-shirt/top",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ),
        terms="MIT",
    ),
    "cifar10": Known(
        home="https://www.cs.toronto.edu/~kriz/",
        files=(
            Published(
                "cifar-10-binary.tar.gz",
                170_052_171,
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ),
        ),
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        terms="research use",
    ),
}


def local_copy(name: str) -> Path | None:
    """The folder that holds ``name``: $SPARRING_DATA/<name>, ./data/<name>, or an earlier download."""
    return next((folder for folder in _places(name) if folder.is_dir() and any(folder.iterdir())), None)


def download(name: str, known: Known, on_progress: OnProgress | None = None) -> Path:
    """Fetch every file of ``known`` into the cache; a file that is whole already is not fetched again.

    Raises:
        SparringError: a file cannot be fetched, or is not the one that was published.
    """
    folder = cache_folder() / "downloads" / name
    incoming = folder.with_name(f"{name}.incoming")
    try:
        incoming.mkdir(parents=True, exist_ok=True)
        for file in known.files:
            _fetch(known.home + file.name, incoming / file.name, file, on_progress)
        if not folder.exists():
            incoming.rename(folder)
            storage.sync_folder(folder.parent)
    except (OSError, ValueError) as error:
        raise _unreachable(name, known, error) from None
    return folder


def _fetch(url: str, path: Path, file: Published, on_progress: OnProgress | None) -> None:
    """Stream one file to ``.part``, counting and hashing on the way; rename it when it proves to be the right one."""
    if path.is_file() and path.stat().st_size == file.size and storage.sha256(path) == file.sha256:
        return
    if urlsplit(url).scheme != "https" and urlsplit(url).hostname != "127.0.0.1":
        raise ValueError(f"{url} is not https")
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    digest, received = sha256(), 0
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer, part.open("wb") as target:
            while piece := answer.read(CHUNK):
                received += len(piece)
                if received > file.size:
                    raise ValueError(f"{file.name} is longer than the {file.size:,} bytes that were published")
                digest.update(piece)
                target.write(piece)
                if on_progress:
                    on_progress(received, file.size)
        if digest.hexdigest() != file.sha256:
            raise ValueError(f"{file.name} is not the file that was published: its SHA-256 differs")
        storage.sync_file(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _places(name: str) -> list[Path]:
    chosen = os.environ.get("SPARRING_DATA")
    return [
        *([Path(chosen) / name] if chosen else []),
        Path("data") / name,
        cache_folder() / "downloads" / name,
    ]


def _unreachable(name: str, known: Known, error: Exception) -> SparringError:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    names = ", ".join(file.name for file in known.files)
    return SparringError(
        found=f"no copy of {name} here, and it could not be downloaded ({cause})",
        expected=f"{names} in $SPARRING_DATA/{name} or ./data/{name}",
        remedy=f"download them from {known.home} and put them there",
    )
