"""Mutations of files and folders, drawn from a seed: flipped bits, odd JSON values, exchanged files, and so on."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

DEPTH = 100_000
"""Levels of a deeply nested JSON value."""
VALUES = (
    "null", "true", "-1", "0", "1.5", "1e400", "-1e400", "NaN", "1" + "0" * 30, "1e300", '"x"', '""', '"²"',
    '"\\ud800"', '"\\u001b[2J"', '"nan"', "[]", "{}", "[[]]", '[null, "x"]', '{"x": null}', "5", '"../.."',
    "[" * DEPTH + "]" * DEPTH,
)  # fmt: skip
"""Raw JSON texts that replace a value."""
NAMES = ("²", "-1", "000000000", "9" * 30, "x", "000012640 copy", "12640", "０００", "\x1b[2Jx")
"""New names of renamed folders."""
PLACE = "@place@"

Mutation: TypeAlias = Callable[[Path, Random], None]
"""Changes the file at a path."""


def flip_a_bit(path: Path, random: Random) -> None:
    _flip(path, random, 1)


def flip_bits(path: Path, random: Random) -> None:
    _flip(path, random, 8)


def flip_a_bit_at_the_start(path: Path, random: Random) -> None:
    _flip(path, random, 1, limit=256)


def truncate(path: Path, random: Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: random.randrange(max(1, len(content)))])


def zero_a_block(path: Path, random: Random) -> None:
    content = bytearray(path.read_bytes())
    start, size = random.randrange(max(1, len(content))), random.choice((1, 16, 512, 4096))
    stop = min(len(content), start + size)
    content[start:stop] = bytes(stop - start)
    path.write_bytes(bytes(content))


def insert_bytes(path: Path, random: Random) -> None:
    content = path.read_bytes()
    start = random.randrange(len(content) + 1)
    path.write_bytes(content[:start] + random.randbytes(random.choice((1, 4, 64))) + content[start:])


def repeat_a_part(path: Path, random: Random) -> None:
    content = path.read_bytes()
    start = random.randrange(max(1, len(content)))
    stop = start + random.choice((1, 16, 256))
    path.write_bytes(content[:stop] + content[start:])


def empty(path: Path, random: Random) -> None:
    path.write_bytes(b"")


def delete(path: Path, random: Random) -> None:
    path.unlink()


def become_a_folder(path: Path, random: Random) -> None:
    path.unlink()
    path.mkdir()


def exchange(path: Path, random: Random) -> None:
    """Exchange the content of the file with that of another one of its ending, in the whole input."""
    others = [one for one in _top(path).rglob(f"*{path.suffix}") if one.is_file() and one != path]
    if others:
        other = random.choice(sorted(others))
        first, second = path.read_bytes(), other.read_bytes()
        path.write_bytes(second)
        other.write_bytes(first)


def replace_a_value(path: Path, random: Random) -> None:
    """Replace one value of a JSON file, or of a line of JSON Lines, by one of another type."""
    _edit(path, random, _replaced)


def remove_a_value(path: Path, random: Random) -> None:
    def removed(content: Any, random: Random) -> str:
        parent, key = random.choice(_places(content) or [({}, None)])
        if key is not None:
            del parent[key]
        return json.dumps(content, ensure_ascii=False)

    _edit(path, random, removed)


def repeat_a_key(path: Path, random: Random) -> None:
    def repeated(content: Any, random: Random) -> str:
        places = [(parent, key) for parent, key in _places(content) if isinstance(parent, dict)]
        if not places:
            return json.dumps(content)
        parent, key = random.choice(places)
        parent[PLACE] = 5
        return json.dumps(content, ensure_ascii=False).replace(json.dumps(PLACE), json.dumps(key))

    _edit(path, random, repeated)


def replace_the_whole(path: Path, random: Random) -> None:
    path.write_text(random.choice(VALUES), encoding="utf-8", errors="surrogatepass")


def replace_a_sealed_value(path: Path, random: Random) -> None:
    """Replace a value, and correct the manifest beside the file as a stranger would."""
    replace_a_value(path, random)
    seal(path)


def edit_a_tensor_header(path: Path, random: Random) -> None:
    """Replace a value in the header of a safetensors file, keeping the rest, and correct the manifest."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    text = _replaced(header, random).encode(errors="surrogatepass")
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + size :])
    seal(path)


def seal(path: Path) -> None:
    """Write the size and SHA-256 of a file into the manifest.json beside it, if there is one that names it."""
    manifest = path.with_name("manifest.json")
    if not manifest.is_file() or path == manifest:
        return
    content = json.loads(manifest.read_text())
    if path.name not in content.get("files", {}):
        return
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    content["files"][path.name] = {"bytes": path.stat().st_size, "sha256": digest}
    if "digest" in content:
        content["digest"] = hashlib.sha256(json.dumps(content["files"], sort_keys=True).encode()).hexdigest()
    manifest.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


SEALED = (replace_a_sealed_value, edit_a_tensor_header)
"""Mutations that correct the manifest, so that nobody can tell: another result is what the stranger meant."""


def is_sealed(path: Path) -> bool:
    """Return whether the manifest beside a file names it."""
    manifest = path.with_name("manifest.json")
    return manifest.is_file() and f'"{path.name}"' in manifest.read_text(errors="replace")


def rename_the_folder(path: Path, random: Random) -> None:
    target = path.parent.with_name(random.choice(NAMES))
    if path.parent != _top(path) and not target.exists():
        path.parent.rename(target)


def copy_from(twin: Path) -> Mutation:
    """Return the mutation that replaces a file by that of the same place in another input."""

    def copy_the_file_of_a_twin(path: Path, random: Random) -> None:
        other = _counterpart(path, _top(path), twin)
        if other is not None:
            shutil.copyfile(other, path)

    return copy_the_file_of_a_twin


def copy_folder_from(twin: Path) -> Mutation:
    """Return the mutation that replaces the folder around a file by that of another input."""

    def copy_the_folder_of_a_twin(path: Path, random: Random) -> None:
        other = _counterpart(path, _top(path), twin)
        if other is not None and path.parent != _top(path):
            shutil.rmtree(path.parent)
            shutil.copytree(other.parent, path.parent)

    return copy_the_folder_of_a_twin


def become_another_moment(path: Path, random: Random) -> None:
    """Replace the folder around a file by another one of its kind, under its own name."""
    others = sorted(one for one in path.parent.parent.iterdir() if one.is_dir() and one != path.parent)
    if path.parent != _top(path) and others:
        shutil.rmtree(path.parent)
        shutil.copytree(random.choice(others), path.parent)


BYTES: tuple[Mutation, ...] = (
    flip_a_bit, flip_bits, flip_a_bit_at_the_start, truncate, zero_a_block, insert_bytes, repeat_a_part, empty, delete,
    become_a_folder, exchange,
)  # fmt: skip
"""Mutations of any file."""
JSON: tuple[Mutation, ...] = (replace_a_value, replace_a_value, remove_a_value, repeat_a_key, replace_the_whole)
"""Further mutations of JSON files."""


def mutations_of(path: Path, top: Path, twin: Path | None = None) -> Sequence[Mutation]:
    """Return the mutations that fit a file of the input ``top``; ``twin`` is another input of the same layout."""
    found = list(BYTES)
    if path.suffix in (".json", ".jsonl"):
        found += JSON
        found += [replace_a_sealed_value] if path.name != "manifest.json" and path.suffix == ".json" else []
    if path.suffix == ".safetensors":
        found += [edit_a_tensor_header]
    if twin is not None and _counterpart(path, top, twin) is not None:
        found += [copy_from(twin)]
    if path.with_name("manifest.json").is_file():
        found += [rename_the_folder, become_another_moment] + ([copy_folder_from(twin)] if twin is not None else [])
    return found


def _flip(path: Path, random: Random, count: int, limit: int | None = None) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(count if content else 0):
        content[random.randrange(min(len(content), limit or len(content)))] ^= 1 << random.randrange(8)
    path.write_bytes(bytes(content))


def _edit(path: Path, random: Random, change: Callable[[Any, Random], str]) -> None:
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix != ".jsonl":
        path.write_text(change(json.loads(text), random) + "\n", encoding="utf-8", errors="surrogatepass")
        return
    lines = text.splitlines()
    if lines:
        number = random.randrange(len(lines))
        lines[number] = change(json.loads(lines[number]), random)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogatepass")


def _replaced(content: Any, random: Random) -> str:
    places = _places(content)
    if not places:
        return random.choice(VALUES)
    parent, key = random.choice(places)
    parent[key] = PLACE
    return json.dumps(content, ensure_ascii=False).replace(json.dumps(PLACE), random.choice(VALUES))


def _places(content: Any) -> list[tuple[Any, Any]]:
    """Return every place of a JSON value as (its object or list, key)."""
    found: list[tuple[Any, Any]] = []
    pairs = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in pairs:
        found += [(content, key), *_places(value)]
    return found


def _top(path: Path) -> Path:
    """Return the input that a file lies in: the first folder below one called ``input``, or the file itself."""
    parts = path.parts
    return Path(*parts[: parts.index("input") + 2])


def _counterpart(path: Path, top: Path, twin: Path) -> Path | None:
    """Return the file of ``twin`` in the place of ``path``; numbers of checkpoints may differ."""
    relative = path.relative_to(top)
    if (twin / relative).is_file():
        return twin / relative
    pattern = "/".join("*" if part.isdigit() else part for part in relative.parts)
    return next(iter(sorted(twin.glob(pattern))), None) if relative.parts else None
