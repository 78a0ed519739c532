"""`--json` of every command: strict JSON on standard output or in a file, and nothing else there."""

import inspect
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from sparring.cli import COMMANDS, main
from sparring.cli.json_output import json_output
from sparring.detection.result import Detection, MethodResult
from sparring.detection.threshold import Threshold
from sparring.runs.folder import Run
from sparring.runs.session import Interrupted
from sparring.storage import parsed_json

THRESHOLD = Threshold(value=1.0, asked=0.01, found_on=50, tested_on=50, alarms=0, low=0.0, high=0.1)
DETECTION = Detection(
    model="run",
    data="ring",
    method="nearest",
    seed=0,
    count=1,
    methods={"nearest": MethodResult(unusual=0, threshold=THRESHOLD)},
    names=("a",),
    scores=(0.5,),
)
LINES: dict[str, tuple[str, list[str]]] = {
    "train": ("train ring", ["state", "run", "samples", "seconds", "report", "scores"]),
    "resume": ("resume RUN", ["state", "run", "samples", "seconds", "report", "scores"]),
    "sample": ("sample RUN --count 4 --out made", ["count", "folder", "files", "overview", "remarks"]),
    "evaluate": ("evaluate RUN --data ring --count 100", ["scores", "metrics", "count"]),
    "compare": ("compare RUN RUN --data ring --count 100", ["first", "second"]),
    "detect": ("detect RUN ring --method nearest", ["method", "methods"]),
    "inspect": ("inspect ring", ["facts", "training"]),
    "diagnose": ("diagnose RUN", ["state", "verdict"]),
    "recipes": ("recipes points/ring", ["recipe", "fields", "config"]),
    "doctor": ("doctor", ["python", "torch"]),
}


def run(line: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    main(line.split())
    printed = capsys.readouterr()
    return printed.out, printed.err


@pytest.mark.parametrize("verb", LINES)
def test_standard_output_is_json_and_everything_else_is_on_standard_error(
    verb: str, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    # Training and detection take seconds, and their results are at hand.
    monkeypatch.setattr("sparring.api.train.train", lambda *_, **__: Run(finished))
    monkeypatch.setattr("sparring.api.resume.resume", lambda *_, **__: Run(finished))
    monkeypatch.setattr("sparring.api.detect.detect", lambda *_, **__: DETECTION)
    line, keys = LINES[verb]
    output, told = run(f"{line.replace('RUN', str(finished))} --json -", capsys)
    found: dict[str, Any] = parsed_json(output)
    assert set(keys) <= set(found), output
    assert told.strip()


def test_every_command_takes_it() -> None:
    assert set(COMMANDS) - {"completion"} == {*LINES, "demo", "apply"}
    for command in ("demo", "apply"):
        assert "json" in inspect.signature(COMMANDS[command]).parameters


def test_a_file_holds_the_same_as_standard_output(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    printed, _ = run(f"diagnose {finished} --json -", capsys)
    output, _ = run(f"diagnose {finished} --json new/er/file.json", capsys)
    assert json.loads((tmp_path / "new/er/file.json").read_text()) == json.loads(printed)
    assert output.strip()


def test_folders_of_a_file_are_made_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), json_output(str(tmp_path / "new" / "file.json")):
        assert (tmp_path / "new").is_dir()
        1 / 0
    assert not (tmp_path / "new" / "file.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--json made/x.json", "inside --out made"),
        ("--json --seed", "a file, or - for standard output"),
        ("--json sub", "a folder"),
        ("--json /dev/stdout", "a device, but expected a file, or - for standard output. Use --json -."),
    ],
)
def test_a_place_that_is_no_file_is_refused(
    words: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    with pytest.raises(SystemExit):
        run(f"sample nowhere --out made {words}", capsys)
    printed = capsys.readouterr()
    assert said in printed.err and not printed.out


def test_an_interrupted_run_is_a_result_too(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), json_output("-"):
        print("progress")
        raise Interrupted(Run(finished), Run(finished).record, 143)
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found["state"] == "interrupted" and found["samples"] > 0
    assert printed.err == "progress\n"


def test_only_the_first_of_several_processes_prints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(os.environ, "RANK", "1")
    with json_output("-") as answer:
        answer({"rank": 1})
    assert capsys.readouterr().out == ""


def test_a_closed_standard_output_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit, match="2"):
        main(["recipes", "--json", "-"])
    assert "a closed standard output" in capsys.readouterr().err


def test_a_file_of_another_command_is_replaced_and_any_other_json_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, mine = tmp_path / "recipes.json", tmp_path / "mine.json"
    mine.write_text('{"recipes": [], "software": "mine"}')
    for verb in ("recipes", "doctor"):
        main([verb, "--json", str(place)])
    assert json.loads(place.read_text())["software"] == "sparring"
    with pytest.raises(SystemExit, match="2"):
        main(["recipes", "--json", str(mine)])
    assert "which sparring has not written" in capsys.readouterr().err and "mine" in mine.read_text()


def test_names_outside_the_encoding_are_escaped_as_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    with json_output("-") as answer:
        answer({"class": "猫 é"})
    assert json.loads(stream.buffer.getvalue())["class"] == "猫 é"  # type: ignore[attr-defined]
