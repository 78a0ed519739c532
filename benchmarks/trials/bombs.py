"""Bombs of each format, and headers that announce more than there is. They are made at run time, in a folder apart."""

import gzip
import io
import json
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import verbs
from attacks import Attack, Materials, attempt
from outcomes import Judgement
from PIL import Image

SIDE = 7900
"""Side of a picture that is just within the limit of pixels."""
INFLATED = 3 * 2**30
"""Bytes that an archive inflates to."""
COPIES = 12
"""Pictures in a folder of bombs."""
DECODING_SECONDS = 60.0
"""Time of a verb that decodes all of them."""
OPTIONS: dict[str, dict[str, Any]] = {
    "png": {}, "gif": {}, "tiff": {"compression": "tiff_adobe_deflate"}, "jpeg": {"quality": 10},
    "webp": {"lossless": True, "method": 0, "quality": 0},
}  # fmt: skip


def make(top: Path) -> None:
    """Write all bombs; the folder has some ten megabytes."""
    top.mkdir(parents=True)
    flat = Image.new("RGB", (SIDE, SIDE))
    for ending, options in OPTIONS.items():
        folder = top / ending
        folder.mkdir()
        flat.save(folder / f"00.{ending}", **options)
        for number in range(1, COPIES):
            shutil.copy(folder / f"00.{ending}", folder / f"{number:02}.{ending}")
    member = np.lib.format.magic(1, 0) + _numpy_header((INFLATED // 192, 8, 8, 3))
    _write_zip(top / "bomb.npz", "images.npy", member)
    _write_zip(top / "bomb.zip", "a.png", b"\x89PNG\r\n\x1a\n")
    for name, count in (("whole", INFLATED // 64), ("endless", 10)):
        folder = top / f"idx-{name}"
        folder.mkdir()
        header = gzip.compress(struct.pack(">4B3I", 0, 0, 8, 3, count, 8, 8))
        (folder / "train-images-idx3-ubyte.gz").write_bytes(header + gzip.compress(bytes(2**26)) * (INFLATED // 2**26))
    _write_parquet(top / "repeated.parquet", bytes(2**23), 800)
    _write_parquet(top / "pictures.parquet", (top / "png" / "00.png").read_bytes(), COPIES)
    _write_parquet(top / "archive.parquet", (top / "bomb.zip").read_bytes(), 4)


def attacks() -> Iterator[Attack]:
    """Yield every attack of this kind."""
    for name in OPTIONS:
        yield Attack("bomb", f"{COPIES} {name} pictures of {SIDE} × {SIDE}", partial(_data, name=name))
    for name in (
        "bomb.npz",
        "bomb.zip",
        "idx-whole",
        "idx-endless",
        "repeated.parquet",
        "pictures.parquet",
        "archive.parquet",
    ):
        yield Attack("bomb", name, partial(_data, name=name))
    for name, content in SIZES.items():
        yield Attack("announced size", name, partial(_announced, name=name, content=content))
    for place in ("recipe.json", "checkpoints/N/manifest.json", "checkpoints/N/state.json", "config.json"):
        for name, text in JSON.items():
            yield Attack("JSON", f"{place}: {name}", partial(_json, place=place, text=text))
    for field, value in (
        ("width", 20_000),
        ("width", 10**9),
        ("latent_size", 10**9),
        ("latent_size", 10**30),
        ("batch", 10**18),
    ):
        yield Attack("size of a model", f"{field} {value:.0e}", partial(_model, field=field, value=value))
    for name, value in {"count": 10**18, "shape": [10**9], "classes": ["x"] * 10**6}.items():
        yield Attack("size of a model", f"facts: {name}", partial(_model, fact=name, value=value))
    for length in (2**63, 2**40, 0, 100_000_000):
        yield Attack("size of a model", f"a header of {length} bytes", partial(_weights, length=length))


def _numpy_header(shape: tuple[int, ...]) -> bytes:
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return struct.pack("<H", len(text)) + text


def _picture_header(kind: str) -> bytes:
    """Return a small picture whose header announces 60,000 × 60,000 pixels."""
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, format=kind)
    data, side = bytearray(content.getvalue()), 60_000
    if kind == "PNG":
        data[16:24] = struct.pack(">II", side, side)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    elif kind == "BMP":
        data[18:26] = struct.pack("<ii", side, side)
    else:
        data[6:10] = struct.pack("<HH", side, side)
    return bytes(data)


SIZES: dict[str, Callable[[], bytes]] = {
    "x.npy": lambda: np.lib.format.magic(1, 0) + _numpy_header((10**12, 8, 8)),
    "huge.npy": lambda: np.lib.format.magic(1, 0) + _numpy_header((10**30, 8, 8)),
    "table.npy": lambda: np.lib.format.magic(1, 0) + _numpy_header((2**40, 2)),
    "train-images-idx3-ubyte": lambda: struct.pack(">4B3I", 0, 0, 8, 3, 2**32 - 1, 2**31, 8),
    "train-images-idx3-ubyte.gz": lambda: gzip.compress(struct.pack(">4B3I", 0, 0, 8, 3, 2**28, 8, 7)),
    "d/x.png": lambda: _picture_header("PNG"),
    "d/x.bmp": lambda: _picture_header("BMP"),
    "d/x.gif": lambda: _picture_header("GIF"),
    "wide.csv": lambda: b",".join([b"1"] * 500_000) + b"\n" + b",".join([b"2"] * 500_000),
    "long.csv": lambda: b"1,2\n" * 2_000_000,
}
"""Name → content of files that announce much, or are much."""


JSON: dict[str, Callable[[], str]] = {
    "many keys, one twice": lambda: "{" + ",".join(f'"{n}":1' for n in range(20_000)) + ',"19999":1}',
    "60 MB of empty lists": lambda: "[" + "[]," * 20_000_000 + "[]]",
    "60 MB of empty objects in an object": lambda: '{"format":2,"facts":[' + "{}," * 20_000_000 + "{}]}",
    "deep": lambda: "[" * 10**6,
    "one number of 100,000 digits": lambda: '{"format":' + "1" * 100_000 + "}",
}
"""Texts of JSON files by which a reader may stumble."""


def _data(folder: Path, materials: Materials, name: str) -> Iterator[Judgement]:
    # 750 megapixels are honest work, whose progress is shown.
    inspect, train = (partial(verb, seconds=DECODING_SECONDS) for verb in (verbs.inspect, verbs.train))
    yield attempt(folder, inspect, materials.bombs / name)
    yield attempt(folder, train, materials.bombs / name, *verbs.TINY_PICTURES)


def _announced(folder: Path, materials: Materials, name: str, content: Callable[[], bytes]) -> Iterator[Judgement]:
    place = folder / "data" / name
    place.parent.mkdir(parents=True)
    place.write_bytes(content())
    data = place.parent if "/" in name else place
    yield attempt(folder, verbs.inspect, data)
    yield attempt(folder, verbs.train, data)


def _json(folder: Path, materials: Materials, place: str, text: Callable[[], str]) -> Iterator[Judgement]:
    base = materials.bases.runs["ring-finished" if place == "config.json" else "ring-stopped"]
    run = folder / "run"
    shutil.copytree(base / "model" if place == "config.json" else base, run)
    file = next(iter(sorted(run.glob(place.replace("N", "*")), reverse=True)))
    with file.open("w") as opened:
        opened.write(text())
    yield attempt(folder, verbs.sample, run)
    if place != "config.json":
        yield attempt(folder, verbs.resume, run)


def _model(folder: Path, materials: Materials, value: Any, field: str = "", fact: str = "") -> Iterator[Judgement]:
    model = folder / "model"
    shutil.copytree(materials.bases.runs["ring-finished"] / "model", model)
    config = json.loads((model / "config.json").read_text())
    config["fields" if field else "facts"][field or fact] = value
    (model / "config.json").write_text(json.dumps(config))
    yield attempt(folder, verbs.sample, model)


def _weights(folder: Path, materials: Materials, length: int) -> Iterator[Judgement]:
    model = folder / "model"
    shutil.copytree(materials.bases.runs["ring-finished"] / "model", model)
    file = model / "weights.safetensors"
    file.write_bytes(struct.pack("<Q", length) + file.read_bytes()[8:])
    yield attempt(folder, verbs.sample, model)


def _write_zip(path: Path, name: str, start: bytes) -> None:
    """Write an archive with one member, ``start`` and zeros, whose compressed blocks repeat."""
    block, blocks, packer = bytes(2**26), INFLATED // 2**26, zlib.compressobj(9, zlib.DEFLATED, -15)
    head = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    middle = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = head + middle * blocks + packer.flush(zlib.Z_FINISH)
    checksum = zlib.crc32(start)
    for _ in range(blocks):
        checksum = zlib.crc32(block, checksum)
    encoded, size = name.encode(), len(start) + INFLATED
    fields = struct.pack("<HHHHHIII", 20, 0, 8, 0, 0x21, checksum, len(packed), size)
    local = b"PK\x03\x04" + fields + struct.pack("<HH", len(encoded), 0) + encoded
    directory = b"PK\x01\x02\x14\x00" + fields + struct.pack("<HHHHHII", len(encoded), 0, 0, 0, 0, 0, 0) + encoded
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(directory), len(local) + len(packed), 0)
    path.write_bytes(local + packed + directory + end)
    assert zipfile.ZipFile(path).infolist()[0].file_size == size


def _write_parquet(path: Path, value: bytes, count: int) -> None:
    """Write a column in which one large value is referred to many times."""
    import pyarrow as arrow
    from pyarrow import parquet

    numbers = arrow.array(np.zeros(count, dtype=np.int32))
    column = arrow.DictionaryArray.from_arrays(numbers, arrow.array([value], type=arrow.binary()))
    table = arrow.table({"image": column})
    parquet.write_table(table, path, store_schema=False, dictionary_pagesize_limit=2**30, row_group_size=count)
