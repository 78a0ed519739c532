"""Names of strangers: terminal escapes, shell syntax and markup in every name that is printed or written."""

import csv
import json
import os
import shutil
import struct
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import verbs
from attacks import MARK, Attack, Materials, attempt, page
from outcomes import Judgement
from PIL import Image

import sparring

ESCAPES = {
    "escape": f"\x1b[31m{MARK}",
    "title": f"\x1b]0;{MARK}\x07",
    "C1 control": f"\x9b31m{MARK}",
    "return": f"x\r{MARK}",
    "line break": f"x\n{MARK}",
    "right to left": f"\u202e{MARK}",
    "half a character": f"\udce9{MARK}",
    "tab and delete": f"x\x7f\x08{MARK}",
}
"""Names with characters that act on a terminal."""
SHELL = {
    "semicolon": f"x; touch {MARK}",
    "space": f"my {MARK} photos",
    "dollar": f"$(touch {MARK})",
    "backtick": f"`touch {MARK}`",
    "quote": f"it's {MARK}",
    "leading dash": f"-{MARK}",
    "ampersand": f"x & touch {MARK}",
}
"""Names with a meaning in a shell."""
MARKUP = {
    "HTML": f"<img src={MARK} onerror=alert(1)>",
    "script": f"<script>{MARK}",
    "Markdown": f"[{MARK}](javascript:alert(1))",
    "heading": f"x\n# {MARK}",
    "fence": f"x`\n```\n{MARK}",
}
"""Names with a meaning in a page."""
Write = Callable[[Path, str], Path]
"""(folder, name) → data in which the name stands somewhere."""


def a_file(folder: Path, name: str) -> Path:
    """Write a readable and a broken picture of that name."""
    for number in range(10):
        write_picture(folder / "d" / f"{name.replace('/', '_')}{number}.png", number)
    (folder / "d" / f"{name.replace('/', '_')}.png").write_bytes(b"broken")
    return folder / "d"


def a_class(folder: Path, name: str) -> Path:
    for number in range(20):
        write_picture(folder / "d" / (name.replace("/", "_") if number % 2 else "b") / f"{number}.png", number)
    return folder / "d"


def an_ending(folder: Path, name: str) -> Path:
    a_file(folder, "plain")
    (folder / "d" / f"x.{name.replace('/', '_')}").write_bytes(b"no picture")
    return folder / "d"


def the_folder(folder: Path, name: str) -> Path:
    a_class(folder, "a")
    return (folder / "d").rename(folder / name.replace("/", "_"))


def a_member(folder: Path, name: str) -> Path:
    a_class(folder, "a")
    with zipfile.ZipFile(folder / "x.zip", "w") as archive:
        for file in sorted((folder / "d").rglob("*.png")):
            content = file.read_bytes() if file.stem != "3" else b"broken"
            member = f"{name}/{file.name}" if file.parent.name == "a" else f"b/{file.name}"
            archive.writestr(member.encode("utf-8", "replace").decode(), content)
    return folder / "x.zip"


def an_array(folder: Path, name: str) -> Path:
    arrays = {f"images{name}": np.zeros((20, 8, 8), np.uint8), f"{name}2": np.zeros(20, np.uint8)}
    np.savez(folder / "x.npz", **{key.encode("utf-8", "replace").decode(): value for key, value in arrays.items()})
    return folder / "x.npz"


def a_label_in_an_array(folder: Path, name: str) -> Path:
    labels = np.array([name.encode("utf-8", "replace").decode(), "b"] * 10)
    np.savez(folder / "x.npz", images=_noise((20, 8, 8)), labels=labels)
    return folder / "x.npz"


def a_column(folder: Path, name: str) -> Path:
    with (folder / "x.csv").open("w", newline="", errors="replace") as file:
        csv.writer(file).writerows([(name, "y"), *([n, 20 - n] for n in range(20)), ("x", name)])
    return folder / "x.csv"


def an_idx_file(folder: Path, name: str) -> Path:
    (folder / "d").mkdir()
    header = struct.pack(">4B3I", 0, 0, 8, 3, 20, 8, 8)
    (folder / "d" / f"{name.replace('/', '_')}-images-idx3-ubyte").write_bytes(header + bytes(1280))
    return folder / "d"


def a_parquet_column(folder: Path, name: str) -> Path:
    import pyarrow as arrow
    from pyarrow import parquet

    pictures = sorted(a_class(folder, "a").rglob("*.png"))
    clean = name.encode("utf-8", "replace").decode()
    table = arrow.table({clean: [file.read_bytes() for file in pictures], f"{clean}2": [1] * len(pictures)})
    parquet.write_table(table, folder / "x.parquet")
    return folder / "x.parquet"


def a_parquet_label(folder: Path, name: str) -> Path:
    import pyarrow as arrow
    from pyarrow import parquet

    pictures = sorted(a_class(folder, "a").rglob("*.png"))
    clean = name.encode("utf-8", "replace").decode()
    labels = [clean if number % 2 else "b" for number in range(len(pictures))]
    table = arrow.table({"image": [file.read_bytes() for file in pictures], "label": labels})
    parquet.write_table(table, folder / "x.parquet")
    return folder / "x.parquet"


def a_key_of_dataset_json(folder: Path, name: str) -> Path:
    a_file(folder, "plain")
    listed = {name: 1, "labels": [[f"plain{number}.png", name] for number in range(10)]}
    (folder / "d" / "dataset.json").write_text(json.dumps(listed))
    return folder / "d"


IN_DATA: tuple[Write, ...] = (
    a_file, a_class, an_ending, the_folder, a_member, an_array, a_label_in_an_array, a_column, an_idx_file,
    a_parquet_column, a_parquet_label, a_key_of_dataset_json,
)  # fmt: skip
"""Places of names in data."""
IN_A_RUN = {
    "recipe": lambda record, name: record.update(recipe=name),
    "device": lambda record, name: record.update(device=name),
    "until": lambda record, name: record.update(until=name),
    "source": lambda record, name: record["facts"].update(source=name),
    "modality": lambda record, name: record["facts"].update(modality=name),
    "class": lambda record, name: record["facts"].update(classes=[name, "b"]),
    "remark": lambda record, name: record["facts"].update(remarks=[name]),
    "key": lambda record, name: record.update({name: 1}),
    "field": lambda record, name: record["choices"].update({name: {"value": 1, "reason": name}}),
    "reason": lambda record, name: record["choices"]["width"].update(reason=name),
    "watchdog": lambda record, name: record.update(watchdog=name),
}
"""Places of names in recipe.json."""


def attacks() -> Iterator[Attack]:
    """Yield every attack of this kind."""
    for what, name in (ESCAPES | SHELL | MARKUP).items():
        for write in IN_DATA:
            place = write.__name__.replace("_", " ")
            yield Attack("name in data", f"{what} in {place}", partial(_data, write=write, name=name))
    for what, name in ESCAPES.items():
        for place, change in IN_A_RUN.items():
            yield Attack("name in a run", f"{what} in {place}", partial(_record, change=change, name=name))
        yield Attack("name in a run", f"{what} in events.jsonl", partial(_events, name=name))
        yield Attack("name in a run", f"{what} in config.json", partial(_config, name=name))
        yield Attack("name in a run", f"{what} in scores.json", partial(_scores, name=name))
        yield Attack("name in a run", f"{what} in the name of a checkpoint", partial(_checkpoint, name=name))
    for what, name in (ESCAPES | SHELL | MARKUP).items():
        yield Attack("name in a page", f"{what} in class and file", partial(_pages, name=name))
    for what, name in (ESCAPES | SHELL).items():
        # Suggestions stand between backticks: where such a name ends is for no program to say.
        if "`" not in name:
            yield Attack("suggested command", what, partial(_commands, name=name))


def _data(folder: Path, materials: Materials, write: Write, name: str) -> Iterator[Judgement]:
    try:
        data = write(folder, name)
    except (OSError, UnicodeError):
        return  # This system, or this format, has no such names.
    table = data.suffix == ".csv"
    yield attempt(folder, verbs.command, "inspect", data.relative_to(folder), "--json", "facts.json")
    yield attempt(
        folder, verbs.command, "train", data.relative_to(folder), *(verbs.TINY if table else verbs.TINY_PICTURES)
    )


def _record(folder: Path, materials: Materials, change: Callable[[Any, str], None], name: str) -> Iterator[Judgement]:
    run = folder / "run"
    shutil.copytree(materials.bases.runs["ring-finished"], run)
    record = json.loads((run / "recipe.json").read_text())
    change(record, name)
    (run / "recipe.json").write_text(json.dumps(record))
    yield attempt(folder, verbs.command, "sample", "run", "--count", 4)
    yield attempt(folder, verbs.command, "diagnose", "run")
    yield attempt(folder, verbs.command, "evaluate", "run", "--data", materials.bases.points, "--count", 16)
    yield attempt(folder, verbs.close, run)
    (run / "report.html").unlink()
    yield attempt(folder, verbs.command, "resume", "run")


def _events(folder: Path, materials: Materials, name: str) -> Iterator[Judgement]:
    run = folder / "run"
    shutil.copytree(materials.bases.runs["ring-stopped"], run)
    events: list[dict[str, Any]] = [
        {"kind": "finding", "finding": name, "step": 5, "explanation": name, "evidence": [name], "advice": name},
        {"kind": "remedy", "finding": name, "step": 5, "remedy": name, "rolled_back_to": None},
        {"kind": "checkpoint damaged", "complaint": name},
        {"kind": name, name: name},
        {"kind": "update skipped", "step": 5, "turn": name, "quantity": "gradient"},
    ]
    with (run / "events.jsonl").open("a") as file:
        file.writelines(json.dumps({"samples": 160, "time": 1.0, **event}) + "\n" for event in events)
    with (run / "log.jsonl").open("a") as file:
        file.write(json.dumps({"samples": 160, "terms": {name: {name: 1.0}}, name: {name: 1.0}}) + "\n")
    yield attempt(folder, verbs.command, "diagnose", "run")
    yield attempt(folder, verbs.resume_to_the_end, run)
    yield page(run / "report.html")


def _config(folder: Path, materials: Materials, name: str) -> Iterator[Judgement]:
    model = folder / "model"
    shutil.copytree(materials.bases.runs["ring-finished"] / "model", model)
    for change in (("recipe",), ("facts", "modality"), ("facts", "classes", 0), ("fields", name), ("history", "seed")):
        config = json.loads((materials.bases.runs["ring-finished"] / "model" / "config.json").read_text())
        config["facts"]["classes"] = ["a", "b"]
        place = config
        for key in change[:-1]:
            place = place[key]
        place[change[-1]] = name
        (model / "config.json").write_text(json.dumps(config))
        yield attempt(folder, verbs.command, "sample", "model", "--count", 4)
        yield attempt(folder, verbs.command, "sample", "model", "--count", 4, "--label", name)


def _scores(folder: Path, materials: Materials, name: str) -> Iterator[Judgement]:
    run = folder / "run"
    shutil.copytree(materials.bases.runs["ring-finished"], run)
    text = (run / "scores.json").read_text()
    scores = json.loads(text)
    scores |= {key: name for key, value in scores.items() if isinstance(value, str)}
    scores |= {key: [name] for key, value in scores.items() if isinstance(value, list) and key == "remarks"}
    (run / "scores.json").write_text(json.dumps(scores))
    yield attempt(folder, verbs.close, run)
    yield attempt(folder, verbs.command, "diagnose", "run")


def _checkpoint(folder: Path, materials: Materials, name: str) -> Iterator[Judgement]:
    run = folder / "run"
    shutil.copytree(materials.bases.runs["ring-stopped"], run)
    newest = sorted((run / "checkpoints").iterdir())[-1]
    shutil.copytree(newest, newest.with_name(name))
    (newest / "state.json").rename(newest / name)
    yield attempt(folder, verbs.command, "sample", "run", "--count", 4)
    yield attempt(folder, verbs.resume, run)


def _pages(folder: Path, materials: Materials, name: str) -> Iterator[Judgement]:
    """Train on classes and files of that name, then write every page."""
    data = a_class(folder, name)
    for file in sorted(data.rglob("*.png"))[:3]:
        file.rename(file.with_name(f"{name.replace('/', '_')}{file.name}"))
    data = data.rename(folder / name.replace("/", "_"))
    yield attempt(folder, verbs.command, "train", f"./{data.name}", "--out", "run", *verbs.TINY_PICTURES)
    words = ("--data", f"./{data.name}", "--extractor", "pixels", "--protocol", "standard", "--count", 12)
    yield attempt(folder, partial(verbs.command, seconds=60.0), "evaluate", "run", *words, "--report", "page.html")
    yield page(folder / "page.html")
    yield attempt(folder, verbs.call, lambda: bool(sparring.load(folder / "run").save_pretrained(folder / "model")))
    yield page(folder / "model" / "README.md")


def _commands(folder: Path, materials: Materials, name: str) -> Iterator[Judgement]:
    """Let every command be suggested that names a run or data of that name."""
    clean = name.replace("/", "_")
    data, run = folder / f"{clean}.npy", folder / clean
    shutil.copy(materials.bases.points, data)
    shutil.copytree(materials.bases.runs["ring-finished"], run)
    record = json.loads((run / "recipe.json").read_text())
    record["facts"]["source"] = os.fsencode(data).decode(errors="replace")
    (run / "recipe.json").write_text(json.dumps(record))
    yield attempt(folder, verbs.printed_close, run)
    yield attempt(folder, verbs.command, "train", f"./{data.name}", "--out", f"./{run.name}", *verbs.TINY)
    yield attempt(folder, verbs.command, "sample", f"./{run.name}", "--recipe", f"{clean}.py:X")
    yield attempt(folder, verbs.command, "resume", f"./{run.name}")
    (run / "report.html").unlink(missing_ok=True)
    record["recipe"] = f"{clean}.py:Mine"
    (run / "recipe.json").write_text(json.dumps(record))
    yield attempt(folder, verbs.command, "sample", f"./{run.name}")
    yield attempt(folder, verbs.command, "resume", f"./{run.name}")
    yield attempt(folder, verbs.command, "diagnose", f"./{run.name}")
    yield attempt(folder, verbs.command, "train", f"./{data.name}", "--recipe", f"{clean}.py:X", "--out", "other")


def write_picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(_noise((8, 8, 3), seed)).save(path, format="PNG")


def _noise(shape: tuple[int, ...], seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
