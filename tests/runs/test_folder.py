"""Run folders are created once, locked, and read back."""

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from sparring.data.facts import Facts
from sparring.data.reading import Reading
from sparring.errors import SparringError
from sparring.manifest import digest
from sparring.modalities.series.coding import SeriesCoding
from sparring.publishing import Config, History
from sparring.runs.folder import Record, create, locked, new_folder, new_identity, open_run, versions
from sparring.storage import read_json, write_json

FACTS = Facts("ring", "points", 100, (2,), "0" * 64, details={"scale": 1.0}, remarks=("A remark.",))


def record(**choices: Any) -> Record:
    values: dict[str, Any] = {
        "recipe": "points/ring",
        "choices": {"batch": {"value": 64, "reason": "given"}},
        "facts": FACTS,
        "seed": 3,
        "samples": 1000,
        "minutes": None,
        "until": "fd<1",
        "device": "cpu",
        "micro_batch": None,
        "versions": versions(),
    }
    return Record(**{**values, **choices})


def test_records_round_trip(tmp_path: Path) -> None:
    run = create(tmp_path / "runs" / "ring-001", record())
    assert open_run(run.folder).record == record()
    assert run.record.fields == {"batch": 64}
    assert run.checkpoints.is_dir() and run.samples.is_dir()


def test_another_format_is_refused(tmp_path: Path) -> None:
    run = create(tmp_path / "run", record())
    write_json(run.folder / "recipe.json", {**read_json(run.folder / "recipe.json"), "format": 4})
    with pytest.raises(SparringError, match="another format"):
        run.record


def test_runs_are_never_overwritten(tmp_path: Path) -> None:
    create(tmp_path / "run", record())
    with pytest.raises(SparringError, match=r"a run at .* never overwritten.* or continue it with `sparring resume "):
        new_folder(tmp_path / "run", "ring")
    with pytest.raises(SparringError, match="never overwritten"):
        create(tmp_path / "run", record(seed=4))
    assert open_run(tmp_path / "run").record.seed == 3
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").touch()
    for path in (tmp_path / "photos", tmp_path / "photos" / "a.png"):
        with pytest.raises(SparringError, match=r"(a file|files) at .* never overwritten") as refused:
            new_folder(path, "ring")
        assert "resume" not in str(refused.value)


def test_an_empty_folder_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert new_folder(tmp_path / "run", "ring") == tmp_path / "run"
    assert create(tmp_path / "run", record()).record.seed == 3


@pytest.mark.parametrize(
    ("source", "name"),
    [("ring", "ring"), ("my photos/", "my-photos"), ("/", "run"), ("a/b.npy", "b"), ("v1.2", "v1-2"), ("фото", "фото")],
)
def test_new_folders_are_named_after_the_source_and_numbered(
    source: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my photos").mkdir()
    (tmp_path / "a").mkdir()
    (tmp_path / "v1.2").mkdir()
    (tmp_path / "a" / "b.npy").touch()
    assert new_folder(None, source) == Path("runs") / f"{name}-001"
    (tmp_path / "runs" / f"{name}-001").mkdir(parents=True)
    assert new_folder(None, source) == Path("runs") / f"{name}-002"


@pytest.mark.parametrize("length", [200, 240, 245, 250, 255, 300])
def test_a_name_that_cannot_be_written_is_refused_before_the_data_is_read(length: int, tmp_path: Path) -> None:
    out = tmp_path / ("n" * length)
    try:
        new_folder(out, "ring")
    except SparringError as error:
        assert length > 240 and "whose name is too long" in str(error)
    else:
        create(out, record())


def test_the_name_of_a_run_is_shorter_than_that_of_its_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ("ф" * 120)).mkdir()
    assert create(new_folder(None, "ф" * 120), record()).folder.name == f"{'ф' * 50}-001"


def test_a_run_has_one_trainer_at_a_time(tmp_path: Path) -> None:
    run = create(tmp_path / "run", record())
    with locked(run), pytest.raises(SparringError, match="another process"), locked(run):
        pass
    with locked(run):
        pass


def test_temporaries_of_ended_processes_are_removed(tmp_path: Path) -> None:
    ended = os.fork()
    if ended == 0:
        os._exit(0)
    os.waitpid(ended, 0)
    run = create(tmp_path / "run", record())
    run.model.mkdir()
    leftovers = [folder / f".x.{ended}.tmp" for folder in (run.folder, run.checkpoints, run.samples, run.model)]
    for path in leftovers:
        path.touch()
    with locked(run):
        assert not any(path.exists() for path in leftovers)


def test_a_folder_without_a_record_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(SparringError, match=r"no recipe\.json"):
        open_run(tmp_path)


def test_versions_name_python_the_system_and_packages() -> None:
    assert {"python", "torch", "sparring", "system"} <= set(versions())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", "x"),
        ("seed", -1),
        ("seed", 2**63),
        ("seed", True),
        ("until", 5),
        ("samples", 0),
        ("samples", "1000"),
        ("minutes", -1.0),
        ("device", 3),
        ("micro_batch", 0),
        ("versions", []),
        ("watchdog", "sleeps"),
        ("choices", {"batch": 64}),
        ("choices", {"batch": {"value": 64}}),
        ("recipe", None),
        ("more", 1),
        ("facts", 3),
        ("facts", {**FACTS.as_json(), "count": "100"}),
        ("facts", {**FACTS.as_json(), "shape": [0]}),
        ("facts", {**FACTS.as_json(), "classes": [1]}),
    ],
)
@pytest.mark.parametrize("number", [2, 3])
def test_a_wrong_value_in_a_record_is_refused_by_its_name(number: int, field: str, value: Any, tmp_path: Path) -> None:
    """With the digest that belongs to it, and in a format that has none."""
    run = create(tmp_path / "run", record())
    content = {**read_json(run.folder / "recipe.json"), "format": number, field: value}
    del content["digest"]
    write_json(run.folder / "recipe.json", {**content, **({"digest": digest(content)} if number == 3 else {})})
    with pytest.raises(SparringError, match=r"recipe\.json") as caught:
        run.record
    assert field in str(caught.value) or field == "facts"


def test_a_changed_value_in_a_record_is_refused(tmp_path: Path) -> None:
    run = create(tmp_path / "run", record())
    write_json(run.folder / "recipe.json", {**read_json(run.folder / "recipe.json"), "seed": 4})
    with pytest.raises(SparringError, match="changed since"):
        run.record


def test_records_of_earlier_formats_are_read(tmp_path: Path) -> None:
    run = create(tmp_path / "run", record())
    content = {**read_json(run.folder / "recipe.json"), "format": 2}
    del content["digest"], content["identity"]
    write_json(run.folder / "recipe.json", content)
    assert run.record == record() and run.record.identity == ""


def test_every_new_run_has_an_identity_of_its_own() -> None:
    assert len({new_identity() for _ in range(20)}) == 20 and len(new_identity()) == 32


@pytest.mark.parametrize("place", ["log.jsonl", "good", "model", "lock", "checkpoints/7", "samples/1.png"])
def test_a_run_with_a_link_is_refused_before_anything_is_written(place: str, tmp_path: Path) -> None:
    """Appending through log.jsonl, pruning below good/ and publishing into model/ would change files elsewhere."""
    run = create(tmp_path / "run", record())
    outside = tmp_path / "outside"
    (outside / "000000001").mkdir(parents=True)
    (run.folder / place).symlink_to(outside)
    with pytest.raises(SparringError, match="a link at"):
        open_run(run.folder)
    assert [path.name for path in outside.iterdir()] == ["000000001"]


def test_a_lock_that_is_a_pipe_or_a_link_is_not_opened(tmp_path: Path) -> None:
    run = create(tmp_path / "run", record())
    (run.folder / "lock").symlink_to(tmp_path / "outside")
    with pytest.raises(SparringError, match="a link at"), locked(run):
        pass
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("name", ["signals.jsonl", "report.html"])
def test_a_folder_in_place_of_a_file_is_refused_before_anything_changes(name: str, tmp_path: Path) -> None:
    run = create(tmp_path / "run", record())
    (run.folder / name).mkdir()
    with pytest.raises(SparringError, match="a file of that name"):
        open_run(run.folder)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_of_the_run_folder_names_every_field(language: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / language / "reference" / "run-folder.md").read_text(encoding="utf-8")
    written = {field.name for one in (Record, Config, Facts) for field in fields(one)}
    written |= {*History.__annotations__, *Reading.model_fields}
    # The keys of Facts.coding.
    written |= {"ranges", "center", "scale", "origin", "columns", "rules"} | {one.name for one in fields(SeriesCoding)}
    assert not [name for name in written if f"`{name}`" not in page]


def test_a_run_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SparringError, match="file/run, where nothing can be written"):
        create(tmp_path / "file" / "run", record())
