"""The report in a browser: all of it is shown, without complaints and without any request."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest

import sparring
from sparring.data.view import View
from sparring.evaluation.result import json_schema
from sparring.metrics.extractors.classifier import train_classifier
from sparring.modalities.images.data import survey
from sparring.runs.display import Silent
from sparring.runs.folder import Run

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-default-apps"),
]
VENDOR = re.compile(r"https?://[^/]*\.(google|googleapis|gstatic)\.com/")
"""Addresses from which a browser requests updates, whatever page it shows."""
SCHEMA = Path(__file__).parents[2] / "docs" / "en" / "reference" / "scores.schema.json"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Train briefly on labelled digits, with a classifier in the cache, so that every part of the page is filled."""
    train_classifier(survey("digits").prepare(View((1, 8, 8))), seed=0)
    folder = tmp_path_factory.mktemp("page")
    return sparring.train("digits", samples=3000, out=folder / "run", display=Silent())


def opened(page: Path, folder: Path, *more: str) -> tuple[str, str]:
    """Open a page; return its content in the browser, and the messages of the browser."""
    assert BROWSER is not None
    command = [BROWSER, *QUIET, f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", "--v=0"]
    log = f"--log-net-log={folder / 'net.json'}"
    done = subprocess.run([*command, log, *more, page.as_uri()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def requested(log: Path) -> set[str]:
    """Return every address that the browser requested."""
    addresses = re.findall(r'"url":"((?:https?|wss?|ftp):[^"]*)"', log.read_text(errors="replace"))
    return {address for address in addresses if not VENDOR.match(address)}


needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")


@needs_browser
def test_a_browser_shows_the_page_without_requests(run: Run, tmp_path: Path) -> None:
    page, said = opened(run.report, tmp_path, "--dump-dom")
    assert "CONSOLE" not in said, said
    assert requested(tmp_path / "net.json") == set()
    headings = re.findall(r"<h2>([^<]*)</h2>", page)
    first = ["How good is it?", "More samples", "Was anything copied?", "Further metrics", "Class by class"]
    assert headings == [*first, "Figures and events", "What was chosen, and why", "Protocol"]
    assert page.count("<figure") == 8 and page.count('class="flag"') + page.count('class="fine"') == 1
    for question in ("Valid?", "Good?", "Diverse?", "New?"):
        assert f">{question}<" in page


@needs_browser
def test_requests_and_complaints_are_detected(run: Run, tmp_path: Path) -> None:
    """The browser complains of what the policy of the page forbids; without the policy it is a request."""
    corrupted = tmp_path / "corrupted.html"
    text = run.report.read_text().replace("<h2>", '<img src="http://127.0.0.1:9/x.png"><h2>', 1)
    corrupted.write_text(text)
    _, said = opened(corrupted, tmp_path, "--dump-dom")
    assert "CONSOLE" in said and requested(tmp_path / "net.json") == set()
    corrupted.write_text(re.sub(r"<meta http-equiv[^>]*>", "", text))
    opened(corrupted, tmp_path, "--dump-dom")
    assert requested(tmp_path / "net.json") == {"http://127.0.0.1:9/x.png"}


def test_scores_conform_to_the_schema(run: Run) -> None:
    content, schema = json.loads(run.scores.read_text()), json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(content, schema)
    assert set(content["classes"]) == set("0123456789") and len(content["memorisation"]["pairs"]) == 10
    assert content["scores"][0]["extractor"].startswith("classifier-")
    content["scores"][0]["metrics"]["frechet"]["value"] = "much"
    with pytest.raises(jsonschema.ValidationError, match="'much'"):
        jsonschema.validate(content, schema)


def test_the_schema_is_generated_from_the_model() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == json_schema(), "run `make schema`"


@needs_browser
def test_samples_in_files_have_a_page_too(run: Run, tmp_path: Path) -> None:
    model = sparring.load(run.folder)
    model.save(model.sample(120, seed=4), tmp_path / "made")
    generated, page = tmp_path / "made", tmp_path / "page.html"
    sparring.evaluate(generated, "digits", report=page, display=Silent())
    shown, said = opened(page, tmp_path, "--dump-dom")
    assert "CONSOLE" not in said and requested(tmp_path / "net.json") == set()
    assert re.findall(r"<h2>([^<]*)</h2>", shown) == [
        "How good is it?",
        "More samples",
        "Was anything copied?",
        "Further metrics",
        "Class by class",
        "Protocol",
    ]
    assert shown.count("<figure") == 5 and "made against digits" in shown
