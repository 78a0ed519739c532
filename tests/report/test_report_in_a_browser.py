"""The page as a person gets it: a browser shows all of it, complains of nothing and asks nobody for anything."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest

import sparring
from sparring.runs.display import Silent
from sparring.runs.folder import Run

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-default-apps"),
]
ITS_MAKER = re.compile(r"https?://[^/]*\.(google|googleapis|gstatic)\.com/")
"""Whom a browser asks for updates whatever page it shows."""
SCHEMA = Path(__file__).parents[2] / "docs" / "en" / "reference" / "scores.schema.json"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A short run on labelled digits: every part of the page has something to show."""
    folder = tmp_path_factory.mktemp("page")
    return sparring.train("digits", samples=3000, out=folder / "run", display=Silent())


def opened(page: Path, folder: Path, *more: str) -> tuple[str, str]:
    """What a browser makes of the page, and what it says on the way."""
    assert BROWSER is not None
    command = [BROWSER, *QUIET, f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", "--v=0"]
    log = f"--log-net-log={folder / 'net.json'}"
    done = subprocess.run([*command, log, *more, page.as_uri()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def requested(log: Path) -> set[str]:
    """Every address that the browser turned to."""
    addresses = re.findall(r'"url":"((?:https?|wss?|ftp):[^"]*)"', log.read_text(errors="replace"))
    return {address for address in addresses if not ITS_MAKER.match(address)}


needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")


@needs_browser
def test_a_browser_shows_it_all_and_asks_nobody(run: Run, tmp_path: Path) -> None:
    page, said = opened(run.report, tmp_path, "--dump-dom")
    assert "CONSOLE" not in said, said
    assert requested(tmp_path / "net.json") == set()
    headings = re.findall(r"<h2>([^<]*)</h2>", page)
    first = ["Was anything copied?", "How good is it?", "Class by class"]
    assert headings == [*first, "Figures and events", "What was chosen, and why", "Protocol"]
    assert page.count("<figure") == 7 and page.count('class="flag"') + page.count('class="fine"') == 1
    for question in ("Valid?", "Good?", "Diverse?", "New?"):
        assert f">{question}<" in page


@needs_browser
def test_the_check_sees_a_request_and_a_complaint(run: Run, tmp_path: Path) -> None:
    """What the page's own policy forbids is complained of; without the policy it is a request."""
    spoilt = tmp_path / "spoilt.html"
    text = run.report.read_text().replace("<h2>", '<img src="http://127.0.0.1:9/x.png"><h2>', 1)
    spoilt.write_text(text)
    _, said = opened(spoilt, tmp_path, "--dump-dom")
    assert "CONSOLE" in said and requested(tmp_path / "net.json") == set()
    spoilt.write_text(re.sub(r"<meta http-equiv[^>]*>", "", text))
    opened(spoilt, tmp_path, "--dump-dom")
    assert requested(tmp_path / "net.json") == {"http://127.0.0.1:9/x.png"}


def test_scores_are_as_the_schema_says(run: Run) -> None:
    content, schema = json.loads(run.scores.read_text()), json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(content, schema)
    assert set(content["classes"]) == set("0123456789") and len(content["memorisation"]["pairs"]) == 10
    content["scores"]["classifier"]["measures"]["frechet"]["value"] = "much"
    with pytest.raises(jsonschema.ValidationError, match="'much'"):
        jsonschema.validate(content, schema)


@needs_browser
def test_files_of_any_tool_get_a_page_too(run: Run, tmp_path: Path) -> None:
    model = sparring.load(run.folder)
    model.save(model.sample(120, seed=4), tmp_path / "made")
    judged, page = tmp_path / "made", tmp_path / "page.html"
    sparring.evaluate(judged, "digits", report=page, display=Silent())
    shown, said = opened(page, tmp_path, "--dump-dom")
    assert "CONSOLE" not in said and requested(tmp_path / "net.json") == set()
    assert re.findall(r"<h2>([^<]*)</h2>", shown) == [
        "Was anything copied?",
        "How good is it?",
        "Class by class",
        "Protocol",
    ]
    assert shown.count("<figure") == 5 and "made against digits" in shown
