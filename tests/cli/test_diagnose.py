"""`sparring diagnose`: words to standard output, files where they are asked for, one sentence where it cannot."""

from pathlib import Path

import pytest

from sparring.cli import main
from sparring.data.facts import Facts
from sparring.runs.folder import Record, create, versions
from sparring.storage import append_line


def begun(folder: Path) -> Path:
    facts = Facts("ring", "points", 100, (2,), "0" * 64)
    record = Record("points/ring", {}, facts, 0, 1000, None, None, "cpu", None, versions())
    return create(folder, record).folder


def test_words_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, picture, content = begun(tmp_path / "run"), tmp_path / "signals.png", tmp_path / "diagnosis.json"
    append_line(run / "signals.jsonl", {"step": 5, "samples": 320, "lead": 0.8})
    main(["diagnose", str(run), "--picture", str(picture), "--json", str(content)])
    said = capsys.readouterr().out
    assert (
        "320 of 1,000 real samples were seen (32 %)" in said
        and "the first 5 looks are not judged, and there are only 1" in said
    )
    assert f"sparring resume {run}" in said
    assert picture.read_bytes().startswith(b"\x89PNG") and content.read_text().startswith("{")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [([], "no recipe.json"), (["--picture", "a.png"], "no recipe.json"), (["--pictures", "a.png"], "--pictures")],
)
def test_not_a_run_folder(
    options: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["diagnose", str(tmp_path), *options])
    said = capsys.readouterr().err
    assert leaving.value.code == 2 and complaint in said and said.count("\n") == 1


def test_no_picture_without_signals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["diagnose", str(begun(tmp_path / "run")), "--picture", str(tmp_path / "a.png")])
    assert leaving.value.code == 2 and "no signals" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()
