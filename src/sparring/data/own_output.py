"""Folders that this program writes: samples with a list of their files, and how to tell them from a person's data."""

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, final

from pydantic import ValidationError

from sparring import opening, storage
from sparring.arguments import option as named
from sparring.data.journal import JOURNAL, PART, UNFINISHED, InnerPath, Line, read_journal
from sparring.data.labels import listed
from sparring.errors import SparringError, writing
from sparring.schema import Stored

MARKER = ".sparring"
"""File in a folder of samples that lists what was written."""
RUN, PUBLISHED = "recipe.json", "config.json"
"""Files of a run folder and of a published model, which begin with their format and their recipe."""
PUBLISHED_FILES = frozenset({PUBLISHED, "manifest.json", "README.md", "weights.safetensors", "generator.safetensors"})
"""Files of a published model, the last one in early versions."""
RECORD_START = re.compile(rb'\s*\{\s*"format"\s*:\s*\d+\s*,\s*"recipe"\s*:')
OVERVIEW_END = re.compile(r"(-[0-9]+)?\.\w+")
"""End of the name of an overview, after its stem."""
MAX_MARKER_BYTES = 64 * 1024 * 1024
MAX_LISTED = 3
"""Files that a message names."""
MAX_LEVELS = 3
"""Folders around a file of a run, of which a checkpoint is the deepest."""


@final
class Written(Stored):
    """Content of a marker: the files of a call of `sparring sample` or `sparring apply`."""

    format: Literal[1] = 1
    files: Mapping[InnerPath, str]
    """Path → SHA-256 of each file in the folder."""
    beside: Mapping[InnerPath, str]
    """Name → SHA-256 of each file in the folder around it."""
    made: Mapping[InnerPath, str] = {}
    """Path → digest of everything that the file depends on, where a later call can tell whether it is up to date."""


def own_paths(names: Sequence[str], read: Callable[[int, int], bytes]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Find what this program wrote among the files of a tree; the top itself is never taken for it.

    Args:
        names: paths of the files, with "/" between parts.
        read: (position, limit) → at most ``limit`` bytes of a file.

    Returns:
        Folders, without those inside others, each with a "/" at its end; and files outside them.
    """
    folders: set[str] = set()
    files: set[str] = set()
    for position, name in enumerate(names):
        folder, slash, last = name.rpartition("/")
        if not slash or last not in (MARKER, RUN, PUBLISHED):
            continue
        try:
            content = read(position, MAX_MARKER_BYTES if last == MARKER else 1024)
        except Exception:
            # Whatever cannot be read is not recognised.
            continue
        if last == MARKER:
            written = _parsed(content)
            around = folder.rpartition("/")[0]
            files |= {f"{around}/{one}" if around else one for one in written.beside} if written else set()
        if last == MARKER or RECORD_START.match(content):
            folders.add(f"{folder}/")
    outermost = {one for one in folders if not any(one != other and one.startswith(other) for other in folders)}
    return tuple(sorted(outermost)), frozenset(files)


def folder_of(path: Path) -> Path:
    """Return the folder of the run or of the published model that a file belongs to; any other path as it is."""
    around = list(path.parents)[:MAX_LEVELS] if path.is_file() else []
    return next((folder for folder in around if any((folder / one).is_file() for one in (RUN, PUBLISHED))), path)


def check_path(path: Path) -> str:
    """Return what to do about a path that is neither a run nor a model, as an imperative."""
    try:
        if path.is_dir():
            runs = [one for one in path.iterdir() if (one / RUN).is_file()]
            newest = max(runs, key=lambda one: (one / RUN).stat().st_mtime_ns, default=None)
            return f"name one of the runs in it, such as {newest}" if newest else "check the path"
        for around in (Path("runs"), path.parent):
            runs = [one for one in around.iterdir() if (one / RUN).is_file()] if around.is_dir() else []
            found = get_close_matches(path.name, [one.name for one in runs], n=1, cutoff=0.6)
            if found and path.name:
                return f"check the path; did you mean {around / found[0]}?"
    except OSError:
        pass  # What cannot be listed gives no advice.
    return "check the path"


def require_place(folder: Path, *, option: str = "out", around: Sequence[str] = (PUBLISHED,)) -> None:
    """Refuse a folder that cannot be created or written, or that lies in a model, whose files are fixed.

    Args:
        folder: to be written; need not exist.
        option: that gives it.
        around: files that mark the folders in which it must not lie.

    Raises:
        SparringError: it is a file, a link to nothing, in a place without permission, or in a model.
    """
    problem, place = "", folder.resolve()
    try:
        if folder.is_symlink() and not folder.exists():
            problem = "a link to nothing"
        elif folder.exists() and not folder.is_dir():
            problem = "a file"
        else:
            # Only a trial tells, since permissions are not all.
            with tempfile.TemporaryFile(dir=next(one for one in (place, *place.parents) if one.exists())):
                pass
        models = (one for one in place.parents if any(RECORD_START.match(_start_of(one / name)) for name in around))
        if model := next(models, None):
            problem = f"inside the model {model.name}"
    except OSError as error:
        problem = f"where nothing can be written ({error.strerror or error})"
    if problem:
        raise SparringError(
            found=f"{named(option, folder)}, {problem}",
            expected="a folder that can be created or written",
            remedy=f"choose another folder: {named(option)}",
        )


def earlier_files(folder: Path, stem: Path | None = None, *, option: str = "out") -> list[Path]:
    """Return the files that an earlier call wrote, if only in part, after checking that there are no others.

    Args:
        folder: of the samples; need not exist.
        stem: path of the overview beside it, without extension; None where there is none.
        option: name of the option that gives the folder.

    Raises:
        SparringError: the name is too long, or there are other files, which would mix with the samples or be replaced.
    """
    if stem is not None and storage.is_name_too_long(stem.with_name(f"{stem.name}-99.png")):
        raise SparringError(
            found=f"{named(option, folder)}, whose name is too long for the overview beside it",
            expected="a folder for samples",
            remedy="choose a shorter name",
        )
    require_place(folder, option=option)
    try:
        inside = _all_files(folder) if folder.exists() else []
        around = stem.parent.iterdir() if stem is not None and stem.parent.exists() else ()
        beside = [path for path in around if stem is not None and _is_overview(path, stem)]
        marker = (folder / MARKER).read_bytes() if (folder / MARKER).is_file() else b""
    except OSError as error:
        raise SparringError(
            found=f"{folder}, which cannot be listed ({error.strerror})",
            expected="a folder for samples",
            remedy=f"choose another folder: {named(option)}",
        ) from None

    # A file that was changed since is the user's.
    written = _parsed(marker) or Written(files={}, beside={})
    done = {name: line.sha256 for name, line in read_journal(folder).items()}
    own = {folder / MARKER, folder / UNFINISHED / JOURNAL, folder / UNFINISHED / PART}
    inside = [path for path in inside if path != folder / MARKER]
    foreign = [path for path in inside if path not in own and not _is_written(path, folder, {**written.files, **done})]
    foreign += [path for path in beside if not _is_written(path, path.parent, written.beside)]
    if foreign:
        names = listed((path.name for path in foreign), MAX_LISTED)
        raise SparringError(
            found=f"files at {folder} that sparring did not write ({names})",
            expected="an empty folder, or samples of an earlier call, which are replaced",
            remedy=f"choose another folder: {named(option)}",
        )
    return [*inside, *beside]


def files_made(folder: Path) -> dict[str, Line]:
    """Return the files that finished and unfinished calls list with what they depend on, by path below the folder."""
    marker = folder / MARKER
    written = _parsed(marker.read_bytes()) if marker.is_file() else None
    found = (
        {}
        if written is None
        else {
            name: Line(file=name, sha256=written.files[name], made=written.made[name])
            for name in written.made.keys() & written.files.keys()
        }
    )
    return found | read_journal(folder)


def require_own(folder: Path) -> None:
    """Refuse a folder for a published model that holds anything but one, hidden files aside.

    Raises:
        SparringError: it does, or cannot be listed.
    """
    try:
        inside = {path.name for path in folder.iterdir() if not path.name.startswith(".")} if folder.exists() else set()
        start = _start(folder / PUBLISHED) if PUBLISHED in inside else b""
    except OSError as error:
        raise SparringError(
            found=f"{folder}, which cannot be read ({error.strerror})",
            expected="a folder for a model",
            remedy="choose another folder",
        ) from None
    if foreign := inside - PUBLISHED_FILES if RECORD_START.match(start) else inside:
        raise SparringError(
            found=f"files at {folder} that are not those of a model ({listed(foreign, MAX_LISTED)})",
            expected="an empty folder, or a model that was published before, which is replaced",
            remedy="choose another folder",
        )


def replace_own(folder: Path, earlier: Sequence[Path]) -> None:
    """Delete the files of an earlier call, as ``earlier_files`` found them, and mark the folder.

    Raises:
        SparringError: the folder cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path in earlier:
            path.unlink(missing_ok=True)
            for around in path.parents:
                if folder not in around.parents:
                    break
                with suppress(OSError):
                    around.rmdir()  # It is kept unless it is empty.
        record_own(folder, (), ())


def record_own(folder: Path, files: Sequence[Path], beside: Sequence[Path]) -> None:
    """List the files of samples in their folder."""
    inside = {path.relative_to(folder).as_posix(): storage.sha256(path) for path in files}
    around = {path.name: storage.sha256(path) for path in beside}
    mark(folder, inside, around)


def mark(
    folder: Path, files: Mapping[str, str], beside: Mapping[str, str], made: Mapping[str, str] | None = None
) -> None:
    """Write the marker of a folder; see ``Written``."""
    storage.write_json(folder / MARKER, Written(files=files, beside=beside, made=made or {}).model_dump())


def _all_files(folder: Path) -> list[Path]:
    """Return everything below a folder that is no folder, links among it.

    Raises:
        OSError: a folder cannot be listed.
    """
    found: list[Path] = []
    for path in folder.iterdir():
        found += _all_files(path) if path.is_dir() and not path.is_symlink() else [path]
    return found


def _is_written(path: Path, folder: Path, digests: Mapping[str, str]) -> bool:
    known = digests.get(path.relative_to(folder).as_posix())
    return known is not None and path.is_file() and not path.is_symlink() and known == storage.sha256(path)


def _start_of(path: Path) -> bytes:
    """Return the beginning of a file, or nothing where there is none."""
    return _start(path) if path.is_file() else b""


def _start(path: Path) -> bytes:
    with opening.reading(path) as file:
        return file.read(1024)


def _is_overview(path: Path, stem: Path) -> bool:
    """Return whether a file is called like an overview: stem.png, stem-2.png, stem.wav."""
    return path.name.startswith(stem.name) and bool(OVERVIEW_END.fullmatch(path.name[len(stem.name) :]))


def _parsed(content: bytes) -> Written | None:
    """Return what a marker lists; None if it is not of this form."""
    try:
        return Written.model_validate_json(content)
    except ValidationError:
        return None
