"""Data that is in memory, as a file: arrays, tensors, pictures and data frames go into the cache under their content.

Everything after that, such as resuming a run or evaluating its model, works with the path of the file.
"""

import io
import json
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from sparring import opening, storage
from sparring.data.cache import cache_folder, not_writable
from sparring.data.catalogue import meant
from sparring.data.frames import PandasFrame, PolarsFrame, frame_writer
from sparring.errors import SparringError

FOLDER = "in-memory"
MAX_NAME = 200
"""Letters beyond which a text is no name of a data set: file systems refuse names of more than 255 bytes."""
"""Folder of the cache."""
ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""Time stamp of every member, so that equal pictures give equal archives."""
PNG_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})
"""Modes of Pillow that a PNG file holds; others are written as TIFF."""
CONVERTED = {"HSV": "RGB", "La": "LA", "RGBa": "RGBA"}
"""Mode that neither holds → the mode in which it is written."""
MAX_VALUES = 16_000_000
"""Numbers of a table, which take up to five times their 8 bytes while it is read."""
ACCEPTED = "a path, a name, an array, a tensor, a list of pictures, a data frame, or (samples, labels)"


def source_of(data: Any) -> str:
    """Return a path or a name as text; write anything else to a file in the cache and return its path.

    Args:
        data: a path or the name of a data set; an array or a tensor, (count, …); a list of pictures, as Pillow's
            images or as arrays; a data frame; or a pair of any of these but the last, and labels.

    Raises:
        SparringError: it is empty, or none of these.
    """
    if isinstance(data, str | Path):
        return _checked_path(data)
    if isinstance(data, PandasFrame | PolarsFrame):
        return _stored("frame.csv", frame_writer(data))
    samples, labels = data if _is_labelled(data) else (data, None)
    pictures = _pictures(samples)
    if pictures is not None:
        listed = None if labels is None else _labels(labels, len(pictures)).tolist()
        return _stored("pictures.zip", lambda file: _write_zip(file, pictures, listed))
    array = _array(samples)
    if labels is None:
        return _stored("array.npy", lambda file: np.save(file, array, allow_pickle=False))
    numbers = _labels(labels, len(array))
    return _stored("array.npz", lambda file: np.savez(file, images=array, labels=numbers))


def source_words(source: str) -> str:
    """Return the place of data as messages name it; that of data in memory, a file of the cache, tells nothing."""
    return "the data in memory" if Path(source).parent == cache_folder() / FOLDER else source


def place_of(data: Any) -> str | None:
    """Return what ``source_of`` does, or None for None."""
    return None if data is None else source_of(data)


def _checked_path(data: str | Path) -> str:
    # A Path is never the name of a data set, so one of a single part keeps the dot that pathlib drops.
    text = f"./{data}" if isinstance(data, Path) and len(data.parts) == 1 and not data.is_absolute() else str(data)
    if not text.strip() or (isinstance(data, str) and "\0" in text):
        raise SparringError(
            found=f"{text!r} as the data",
            expected="a folder, a file or the name of a data set",
            remedy="give its path; a single dot means the current folder",
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SparringError(
            found=f"the path {text}",
            expected="a name that is valid UTF-8, so that it can be recorded",
            remedy="rename the folder or the file",
        ) from None
    if isinstance(data, str) and len(text) <= MAX_NAME and not Path(text).exists():
        return meant(text)
    opening.require_data(Path(text))
    return text


def _is_labelled(data: Any) -> bool:
    """Return whether data is a pair of samples and labels: a tuple of two, unless both are pictures."""
    if not isinstance(data, tuple) or len(data) != 2:
        return False
    return not any(map(_is_picture, data)) and _dimensions(data[0]) != _dimensions(data[1])


def _dimensions(data: Any) -> int:
    """Return the number of dimensions of an array, a tensor or nested lists of them; a picture has two."""
    if isinstance(data, list | tuple):
        return 1 + (_dimensions(data[0]) if data else 0)
    return 2 if _is_picture(data) else int(np.ndim(dense(data)))


def _is_picture(one: Any) -> bool:
    """Return whether a value is an image of Pillow, which nobody has who has not imported it."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(one, module.Image)


def dense(data: Any) -> Any:
    """Return a tensor as an array; anything else as it is.

    Raises:
        SparringError: it is an array with masked values, or a tensor without values, which no array in a file has.
    """
    if isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
        raise SparringError(
            found=f"{_kind(data)}, {np.ma.getmaskarray(data).sum():,} of them masked",
            expected="an array without masked values",
            remedy="give them values, as array.filled(value) does, or leave the samples out that have them",
        )
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(data, torch.Tensor):
        return data
    try:
        tensor = data.detach().cpu().to_dense().resolve_conj().resolve_neg()
        # NumPy has no type for other small numbers with a fraction.
        small = tensor.is_floating_point() and tensor.itemsize < 4 and tensor.dtype != torch.float16
        return (tensor.float() if small else tensor).numpy()
    except (TypeError, RuntimeError):
        raise SparringError(
            found=f"a tensor ({data.dtype}, {data.layout}, on {data.device}) that holds no numbers as NumPy has them",
            expected="a dense tensor of ordinary numbers",
            remedy="convert it first, as tensor.to_dense().float() does, on a device that stores values",
        ) from None


def _pictures(samples: Any) -> list[Any] | None:
    """Return a list of pictures, each an image of Pillow; None if they are no such list, or arrays of one shape."""
    if not isinstance(samples, list | tuple) or not samples:
        return None
    plain = [dense(one) for one in samples]
    if not any(_is_picture(one) for one in plain):
        arrays = [one for one in plain if isinstance(one, np.ndarray)]
        if len(arrays) < len(plain) or len({(one.shape, one.dtype) for one in arrays}) == 1:
            return None
    return [one if _is_picture(one) else _picture_of(one) for one in plain]


def _picture_of(one: Any) -> Any:
    """Convert an array, (height, width) or with 3 or 4 channels last, to an image of Pillow."""
    from PIL import Image

    if not isinstance(one, np.ndarray) or one.dtype != np.uint8 or not (one.ndim == 2 or one.shape[2:] in ((3,), (4,))):
        found = f"an array of {one.dtype} and shape {one.shape}" if isinstance(one, np.ndarray) else _kind(one)
        raise SparringError(
            found=f"{found} in a list of pictures",
            expected="images of Pillow, or uint8 arrays (height, width) or (height, width, 3)",
            remedy="convert it to one of these",
        )
    return Image.fromarray(np.ascontiguousarray(one))


def _array(samples: Any, kinds: str = "biuf") -> NDArray[Any]:
    """Return samples as one array.

    Args:
        samples: an array, a tensor or a list.
        kinds: NumPy's codes of the types that are accepted: by default those of numbers.

    Raises:
        SparringError: they are not, or there are none.
    """
    plain = [dense(one) for one in samples] if isinstance(samples, list | tuple) else dense(samples)
    try:
        if not isinstance(plain, list | np.ndarray):
            raise ValueError("neither")
        array = np.asarray(plain)
    except (ValueError, TypeError, OverflowError):
        raise _refused(_kind(samples)) from None
    if array.dtype.kind not in kinds or array.ndim == 0:
        raise _refused(_kind(samples))
    if array.size == 0:
        raise _refused(f"no samples: {_kind(samples)}")
    return array


def _labels(labels: Any, count: int) -> NDArray[Any]:
    """Return one label for each sample: numbers, text, or one-hot rows.

    Raises:
        SparringError: there is another number of them.
    """
    values = _array(labels, "biufSU")
    if len(values) != count:
        raise SparringError(
            found=f"{len(values):,} labels for {count:,} samples",
            expected="one label for each sample",
            remedy="give (samples, labels) of one length",
        )
    return values


def _write_zip(file: IO[bytes], pictures: Sequence[Any], labels: list[Any] | None) -> None:
    """Write pictures into an archive without compressing them again, with their labels as dataset.json."""
    names = []
    with zipfile.ZipFile(file, "w") as archive:
        for number, picture in enumerate(pictures):
            form = "PNG" if CONVERTED.get(picture.mode, picture.mode) in PNG_MODES else "TIFF"
            names.append(f"{number:06d}.{form.lower()}")
            archive.writestr(zipfile.ZipInfo(names[-1], ZIP_DATE), _encoded(picture, form, number))
        if labels is not None:
            table = json.dumps({"labels": [list(pair) for pair in zip(names, labels, strict=True)]})
            archive.writestr(zipfile.ZipInfo("dataset.json", ZIP_DATE), table)


def _encoded(picture: Any, form: str, number: int) -> bytes:
    """Return a picture as the content of a file.

    Raises:
        SparringError: it has no pixels, or cannot be read or written.
    """
    encoded = io.BytesIO()
    try:
        converted = CONVERTED.get(picture.mode)
        (picture.convert(converted) if converted else picture).save(encoded, format=form)
    except Exception as error:
        # Pictures that were opened are decoded now; decoders of damaged files fail in many ways.
        size = f"mode {picture.mode} and {picture.width} × {picture.height} pixels"
        raise SparringError(
            found=f"picture {number} of the list, of {size}, which cannot be saved as {form} ({error})",
            expected="pictures that can be written to files",
            remedy="convert it, as picture.convert('RGB') does, or leave it out",
        ) from None
    return encoded.getvalue()


def _stored(name: str, write: Callable[[IO[bytes]], object]) -> str:
    """Write a file whose name contains the digest of its content, unless it is there, and return its path.

    Raises:
        SparringError: the cache cannot be written.
    """
    folder = cache_folder() / FOLDER
    temporary = storage.temporary_path(folder / name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            write(file)
        digest = storage.sha256(temporary)
        path = folder / f"{Path(name).stem}-{digest[:12]}{Path(name).suffix}"
        # An intact file keeps its time stamp, by which a survey of it is found again.
        if not (path.is_file() and storage.sha256(path) == digest):
            temporary.replace(path)
    except OSError as error:
        raise not_writable(error) from None
    finally:
        temporary.unlink(missing_ok=True)
    return str(path)


def _kind(data: Any) -> str:
    """Return a noun phrase for the type of a value."""
    if isinstance(data, np.ndarray):
        return f"an array of {data.dtype} and shape {data.shape}"
    if isinstance(data, list | tuple):
        return f"a {type(data).__name__} of {len(data)} values" + (f" ({type(data[0]).__name__}, …)" if data else "")
    return "None" if data is None else f"a value of type {type(data).__name__}"


def _refused(found: str) -> SparringError:
    return SparringError(found=f"{found} as the data", expected=ACCEPTED, remedy="convert it, or save it to a file")
