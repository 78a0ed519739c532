"""`sparring diagnose`: text to standard output, files on request, one sentence on standard error."""

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


def test_text_is_printed_and_files_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, picture, content = begun(tmp_path / "run"), tmp_path / "signals.png", tmp_path / "diagnosis.json"
    append_line(run / "signals.jsonl", {"step": 5, "samples": 320, "lead": 0.8})
    main(["diagnose", str(run), "--picture", str(picture), "--json", str(content)])
    printed = capsys.readouterr().out
    assert (
        "320 of 1,000 real samples were seen (32 %)" in printed
        and "the first 5 observations are not judged, and this run has 1" in printed
    )
    assert f"sparring resume {run}" in printed
    assert picture.read_bytes().startswith(b"\x89PNG") and content.read_text().startswith("{")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [([], "no recipe.json"), (["--picture", "a.png"], "no recipe.json"), (["--pictures", "a.png"], "--pictures")],
)
def test_a_folder_without_a_run_is_refused(
    options: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["diagnose", str(tmp_path), *options])
    printed = capsys.readouterr().err
    assert leaving.value.code == 2 and complaint in printed and printed.count("\n") == 1


def test_a_picture_without_signals_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["diagnose", str(begun(tmp_path / "run")), "--picture", str(tmp_path / "a.png")])
    assert leaving.value.code == 2 and "no signals" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()
