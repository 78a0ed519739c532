"""Whole runs, from data to the run folder."""

import shlex
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sparring.api.diagnose import diagnose
from sparring.api.evaluate import evaluate
from sparring.api.resume import _moved, resume
from sparring.api.sample import sample
from sparring.api.train import train
from sparring.cli.closing import closing_words
from sparring.data.reading import Reading
from sparring.errors import SparringError
from sparring.events import BudgetChanged, LogChanged, read_events
from sparring.flow import Figures, Phase, Progress
from sparring.games.duel import Duel
from sparring.manifest import digest
from sparring.recipes import RECIPES
from sparring.runs import session
from sparring.runs.display import Silent
from sparring.runs.folder import Record, Run, keep
from sparring.storage import read_json, read_lines, write_json
from sparring.training import devices
from sparring.training.checkpoint import checkpoints, load_checkpoint
from sparring.training.interruption import EXIT_CODES

pytestmark = pytest.mark.usefixtures("undrawn_figures")

SMALL: dict[str, Any] = {"samples": 640, "batch": 64, "width": 8, "latent_size": 2}


class Listener:
    """Display that records sentences and fractions."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.fractions: list[float] = []

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def step(self, progress: Progress, figures: Figures, rate: float, left: float | None, health: str) -> None:
        self.fractions.append(progress.fraction)
        assert rate > 0 and (left is None or left >= 0) and health

    def count(self, what: str, done: int, total: int) -> None:
        assert what and 0 <= done <= total

    def close(self) -> None:
        self.sentences.append("closed")


@pytest.fixture
def points(tmp_path: Path) -> Path:
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32))
    return tmp_path / "points.npy"


def test_a_run_writes_its_folder(points: Path, tmp_path: Path) -> None:
    listener = Listener()
    run = train(points, out=tmp_path / "run", seed=5, display=listener, **SMALL)
    files = {path.relative_to(run.folder).as_posix() for path in run.folder.rglob("*") if path.is_file()}
    assert {
        "recipe.json",
        "log.jsonl",
        "events.jsonl",
        "reals.png",
        "samples.png",
        "scores.json",
        "report.html",
        "model/config.json",
        "model/weights.safetensors",
        "model/README.md",
        "checkpoints/000000640/manifest.json",
    } <= files
    assert {Path(name).suffix for name in files} <= {
        ".json",
        ".jsonl",
        ".png",
        ".gif",
        ".html",
        ".safetensors",
        ".md",
        "",
    } | {suffix for name in files if name.startswith("tensorboard") for suffix in [Path(name).suffix]}
    lines = read_lines(run.folder / "log.jsonl")
    assert [line["samples"] for line in lines] == list(range(64, 641, 64))
    assert "adversarial" in lines[0]["terms"]["generator"] and "r1" in lines[0]["terms"]["discriminator"]
    assert lines[0]["samples_per_second"] > 0 and "gamma" in lines[0]["controls"]
    assert listener.fractions[-1] == 1.0
    assert listener.sentences[0].startswith("Training points/ring on 200 samples")
    assert "width = 8 (given)" in listener.sentences[0]
    record = run.record
    assert (record.seed, record.samples, record.fields["width"]) == (5, 640, 8)
    assert record.choices["gamma"]["reason"] == "the recipe's default"


def test_a_recipe_can_be_given_as_a_value(points: Path, tmp_path: Path) -> None:
    recipe = RECIPES["points/vae"].model_copy(update={"batch": 50, "width": 8})
    run = train(points, recipe=recipe, samples=100, out=tmp_path / "run", display=Silent())
    assert run.record.fields["width"] == 8


def test_a_run_ends_when_its_time_is_spent(points: Path, tmp_path: Path) -> None:
    numbers = {**SMALL, "samples": None}
    run = train(points, minutes=0.01, out=tmp_path / "run", display=Silent(), **numbers)
    state = read_json(checkpoints(run.checkpoints)[-1] / "state.json")
    assert 0.6 <= state["seconds"] < 30 and state["samples"] > 0
    assert run.record.samples is None


def test_a_run_ends_when_its_goal_is_reached(points: Path, tmp_path: Path) -> None:
    listener = Listener()
    run = train(points, until="fd<1000", out=tmp_path / "run", display=listener, **SMALL)
    assert int(checkpoints(run.checkpoints)[-1].name) < 640
    assert any(sentence.startswith("The goal fd < 1000 is reached") for sentence in listener.sentences)
    assert run.report.exists()


class Impatient(Listener):
    """Display that stops the evaluation by a signal, and remembers what was there by then."""

    def __init__(self, folder: Path, number: signal.Signals) -> None:
        super().__init__()
        self.folder, self.number, self.found = folder, number, set[str]()

    def count(self, what: str, done: int, total: int) -> None:
        self.found = {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()}
        signal.raise_signal(self.number)


@pytest.mark.parametrize("number", EXIT_CODES)
def test_model_and_samples_are_kept_where_the_evaluation_is_stopped(
    points: Path, tmp_path: Path, number: signal.Signals
) -> None:
    display = Impatient(tmp_path / "run", number)
    with pytest.raises(KeyboardInterrupt, match=r"evaluate it later with: sparring evaluate \S+run, or with") as caught:
        train(points, out=tmp_path / "run", display=display, **SMALL)
    assert vars(caught.value)["code"] == EXIT_CODES[number]
    assert {"samples.png", "model/weights.safetensors", "model/manifest.json"} <= display.found
    assert not {"scores.json", "report.html"} & display.found
    said = (
        f"Samples: {tmp_path / 'run' / 'samples.png'}; the model is ready: {tmp_path / 'run' / 'model'}; evaluating …"
    )
    assert said in display.sentences

    # It is trained, not evaluated; a resumption evaluates it, and trains no further.
    diagnosis = diagnose(tmp_path / "run")
    assert "the model was not evaluated yet" in diagnosis.state
    assert any(step.startswith("sparring resume") for step in diagnosis.next_steps)
    run = resume(tmp_path / "run", display=Silent())
    assert newest(run) == 640 and run.report.exists() and run.scores.exists()


def test_a_run_without_an_evaluation_has_pictures_and_can_be_judged_later(points: Path, tmp_path: Path) -> None:
    listener = Listener()
    run = train(points, out=tmp_path / "run", judge="none", display=listener, **SMALL)
    assert not run.scores.exists() and run.picture.exists() and "evaluating" not in listener.sentences[-2]
    page = run.report.read_text()
    verdict = page[page.index('<div class="verdict">') : page.index('<div class="pictures">')]
    assert "Not evaluated" in verdict and f"sparring resume {run.folder} --judge quick" in verdict
    assert "data:image/png" in page
    said = closing_words(run)
    assert "It was not evaluated" in said and said.endswith(f"\n         sparring evaluate {run.folder}")
    assert resume(run.folder, samples=704, display=Silent()).record.judge == "none" and not run.scores.exists()
    before = (run.model / "weights.safetensors").read_bytes()
    resume(run.folder, judge="full", display=Silent())
    assert run.record.judge == "full" and newest(run) == 704 and run.scores.exists()
    assert before == (run.model / "weights.safetensors").read_bytes()


def test_a_record_without_a_judgement_is_that_of_a_run_with_a_quick_one(template: Run) -> None:
    content = template.record.as_json()
    older = {name: value for name, value in content.items() if name not in ("judge", "digest")}
    assert Record.from_json({**older, "digest": digest(older)}, template.folder).judge == "quick"


def test_pictures_begin_before_training_and_leave_the_weights_as_they_are(
    points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sparring.api.train.conclude", lambda *_: None)
    choices = {**SMALL, "samples": 6400}
    run = train(points, out=tmp_path / "run", display=Silent(), **choices)
    marks = [0, 0.01, 0.02, *(share / 20 for share in range(1, 21))]
    assert sorted(int(path.stem) / 6400 for path in run.samples.iterdir()) == marks
    monkeypatch.setattr(session.Session, "_show", lambda *_: None)
    train(points, out=tmp_path / "blind", display=Silent(), **choices)
    assert not list((tmp_path / "blind" / "samples").iterdir())
    weights = [folder / "model" / "weights.safetensors" for folder in (run.folder, tmp_path / "blind")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_ten_samples_are_trained_on_in_small_batches_with_a_remark(tmp_path: Path) -> None:
    np.save(tmp_path / "few.npy", np.random.default_rng(0).normal(size=(10, 2)).astype(np.float32))
    listener = Listener()
    run = train(tmp_path / "few.npy", out=tmp_path / "run", samples=20, width=8, judge="none", display=listener)
    assert run.record.fields["batch"] == 10 and newest(run) == 20
    assert "10 samples: too few to learn more than copies of them" in listener.sentences[0]
    with pytest.raises(SparringError, match=r"at least a batch of 64\. Give batch=2, .* at least 100 for a model"):
        train(tmp_path / "few.npy", out=tmp_path / "other", batch=64, display=Silent())


def test_a_run_without_a_checkpoint_yet_is_still_training(points: Path, tmp_path: Path) -> None:
    """Its model is asked for in its first minute."""

    class Hasty(Listener):
        def step(self, progress: Progress, figures: Figures, rate: float, left: float | None, health: str) -> None:
            if progress.samples == 128:
                for use in (
                    lambda: sample(tmp_path / "run", out=tmp_path / "out"),
                    lambda: evaluate(tmp_path / "run", points),
                ):
                    with pytest.raises(
                        SparringError, match=r"still training and has no checkpoint yet.* within a minute"
                    ):
                        use()
                diagnosis = diagnose(tmp_path / "run")
                assert diagnosis.state.startswith("The run is still going")
                assert "The first checkpoint comes within a minute" in diagnosis.remarks[0]
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(points, out=tmp_path / "run", display=Hasty(), **SMALL)
    with pytest.raises(SparringError, match="no intact checkpoint"):
        sample(tmp_path / "run", out=tmp_path / "out")


def test_a_finished_run_is_not_trained_further(points: Path, tmp_path: Path) -> None:
    run = train(points, out=tmp_path / "run", display=Silent(), **SMALL)
    with pytest.raises(SparringError, match="a finished run"):
        resume(run.folder, display=Silent())


@pytest.mark.parametrize("until", [None, "fd<1000"])
def test_a_run_interrupted_in_its_evaluation_is_evaluated_again(
    until: str | None, points: Path, tmp_path: Path
) -> None:
    """It is not trained further, whether its budget was spent or its goal was reached."""
    run = train(points, until=until, out=tmp_path / "run", display=Silent(), **SMALL)
    before = {path: path.read_bytes() for path in run.checkpoints.rglob("*") if path.is_file()}
    run.report.unlink()
    resume(run.folder, display=Silent())
    assert run.report.exists()
    assert before == {path: path.read_bytes() for path in run.checkpoints.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run, to copy."""
    folder = tmp_path_factory.mktemp("template")
    np.save(folder / "points.npy", np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32))
    return train(folder / "points.npy", out=folder / "run", seed=1, display=Silent(), **SMALL)


@pytest.fixture
def finished(template: Run, points: Path, tmp_path: Path) -> Run:
    """A finished run on ``points``."""
    run = Run(Path(shutil.copytree(template.folder, tmp_path / "run")))
    keep(run, replace(run.record, facts=replace(run.record.facts, source=str(points))))
    return run


def newest(run: Run) -> int:
    return int(checkpoints(run.checkpoints)[-1].name)


def test_a_finished_run_continues_with_a_larger_budget(finished: Run, points: Path, tmp_path: Path) -> None:
    listener, report, model = Listener(), finished.report.read_bytes(), (finished.model / "config.json").read_bytes()
    resume(finished.folder, samples=1280, display=listener)
    assert newest(finished) == 1280 and finished.record.samples == finished.record.fields["samples"] == 1280
    assert finished.report.read_bytes() != report and (finished.model / "config.json").read_bytes() != model
    (said,) = [one for one in listener.sentences if "1,280 samples in all, instead of 640 samples" in one]
    assert "over the new budget, of which 50 % is spent. Learning rates from here on: generator 0.00" in said
    # All schedules run over the new budget, from half of it on.
    assert listener.fractions[0] == 0.55 and listener.fractions[-1] == 1.0
    (event,) = [one for one in read_events(finished.folder / "events.jsonl") if isinstance(one, BudgetChanged)]
    assert (event.samples, event.samples_before, event.samples_now) == (640, 640, 1280)
    old, new = event.rates["generator"]
    assert 0 < old < new and f"generator {new:.3g} in place of {old:.3g}" in said


def test_an_extended_run_that_was_interrupted_resumes_with_its_new_budget(
    finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old report stays until training has ended, and does not make the run a finished one."""
    report = finished.report.read_bytes()

    class Stopping(Listener):
        def step(self, progress: Progress, figures: Figures, rate: float, left: float | None, health: str) -> None:
            if progress.samples == 960:
                raise KeyboardInterrupt

    monkeypatch.setattr(session, "SAVE_INTERVAL_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        resume(finished.folder, samples=1280, display=Stopping())
    assert finished.report.read_bytes() == report and 640 < newest(finished) < 960
    resume(finished.folder, display=Silent())
    assert newest(finished) == 1280 and finished.report.read_bytes() != report
    with pytest.raises(SparringError, match="a finished run"):
        resume(finished.folder, display=Silent())


def test_extending_a_run_twice_is_deterministic(finished: Run, tmp_path: Path) -> None:
    shutil.copytree(finished.folder, tmp_path / "twin")
    resume(finished.folder, samples=960, display=Silent())
    resume(tmp_path / "twin", samples=960, display=Silent())
    one, other = (load_checkpoint(folder / "checkpoints")[0] for folder in (finished.folder, tmp_path / "twin"))
    assert one.players.keys() == other.players.keys()
    assert all(torch.equal(one.players[name], other.players[name]) for name in one.players)


def test_the_command_that_a_spent_budget_suggests_trains_on(finished: Run) -> None:
    with pytest.raises(SparringError) as refused:
        resume(finished.folder, minutes=0.0001, display=Silent())
    *_, option, minutes = shlex.split(str(refused.value).split("`")[1])
    assert option == "--minutes" and 0 < float(minutes) < 0.5
    with pytest.raises(SparringError, match=r"or train 5 minutes more: sparring resume .* --minutes 5"):
        resume(finished.folder, display=Silent())


def test_minutes_replace_a_budget_in_samples(finished: Run) -> None:
    spent = read_json(checkpoints(finished.checkpoints)[-1] / "state.json")["seconds"] / 60
    resume(finished.folder, minutes=spent + 0.003, display=Silent())
    assert newest(finished) > 640
    assert (finished.record.samples, finished.record.minutes) == (None, spent + 0.003)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"samples": 640}, "a budget of 640 samples for a run that has seen 640 samples"),
        (
            {"samples": 64},
            r"a budget of 64 samples .* To train as much once more, run `sparring resume .* --samples 704`",
        ),
        (
            {"minutes": 1e-3},
            r"a budget of 0.001 minutes .* minutes= and samples= are the total, .* --minutes [0-9.]+`",
        ),
        ({"samples": 2000, "minutes": 1e-9}, "a budget of 2,000 samples or 1e-09 minutes"),
        ({"samples": 1e6}, "samples=1000000.0, but expected a whole number"),
        ({"minutes": "1"}, "minutes='1'"),
        ({}, r"a finished run .* such as samples=1280, or train"),
    ],
)
def test_a_budget_that_is_already_spent_is_refused(choices: dict[str, Any], words: str, finished: Run) -> None:
    before = {path: path.read_bytes() for path in finished.folder.rglob("*") if path.is_file()}
    with pytest.raises(SparringError, match=words):
        resume(finished.folder, display=Silent(), **choices)
    assert before == {path: path.read_bytes() for path in finished.folder.rglob("*") if path.is_file()}


def test_a_goal_that_was_reached_is_dropped_with_its_budget(points: Path, tmp_path: Path) -> None:
    run = train(points, until="fd<1000", out=tmp_path / "run", display=Silent(), **SMALL)
    listener = Listener()
    resume(run.folder, samples=640, display=listener)
    assert newest(run) == 640 and run.record.until is None
    assert any("The goal fd<1000 was reached and is dropped." in sentence for sentence in listener.sentences)


def test_a_budget_that_returns_to_an_earlier_phase_is_refused(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Duel, "phases", (Phase("warm-up", until=0.3), Phase("contest")))
    before = finished.record
    with pytest.raises(SparringError, match="fall back from its phase contest"):
        resume(finished.folder, samples=6400, display=Silent())
    assert finished.record == before


def test_data_may_move_and_its_new_place_is_kept(finished: Run, points: Path, tmp_path: Path) -> None:
    finished.report.unlink()
    (tmp_path / "elsewhere").mkdir()
    moved = points.rename(tmp_path / "elsewhere" / "my points.npy")
    with pytest.raises(SparringError, match=r"no points at .*sparring resume .*run --data PATH"):
        resume(finished.folder, display=Silent())
    resume(finished.folder, data=moved, display=Silent())
    assert finished.record.facts.source == str(moved)


def test_another_place_must_hold_the_same_data(finished: Run, tmp_path: Path) -> None:
    finished.report.unlink()
    np.save(tmp_path / "other.npy", np.zeros((200, 2), dtype=np.float32))
    before = finished.record
    with pytest.raises(SparringError, match="other data"):
        resume(finished.folder, data=tmp_path / "other.npy", display=Silent())
    assert finished.record == before


def test_a_relative_source_is_found_from_another_folder(
    points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = train(points.name, out=tmp_path / "run", display=Silent(), **SMALL)
    run.report.unlink()
    monkeypatch.chdir("/")
    resume(run.folder, display=Silent())
    assert run.report.exists() and run.record.facts.source == str(points)


def test_a_file_of_labels_moves_with_the_data_that_it_lies_in() -> None:
    moved = _moved(Reading(labels="/old/photos/labels.csv"), "/old/photos", "/new/photos")
    assert moved.labels == str(Path("/new/photos/labels.csv"))
    assert _moved(Reading(labels="/other/labels.csv"), "/old/photos", "/new").labels == "/other/labels.csv"
    assert _moved(Reading(labels=False), "/old/photos", "/new").labels is False


def test_a_resumed_run_computes_on_as_many_threads_as_it_began(finished: Run) -> None:
    """It says so if the usual number here is another one; runs of earlier versions record their number from now on."""
    assert finished.record.threads == torch.get_num_threads()
    finished.report.unlink()
    keep(finished, replace(finished.record, threads=3))
    listener = Counting()
    resume(finished.folder, samples=704, display=listener)
    assert listener.threads == {3} and finished.record.threads == 3
    assert any("Computing on 3 threads" in sentence for sentence in listener.sentences)
    keep(finished, replace(finished.record, threads=None))
    resume(finished.folder, samples=768, display=Silent())
    assert finished.record.threads == torch.get_num_threads()


class Counting(Listener):
    """Display that records the number of threads in each step."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()

    def step(self, progress: Progress, figures: Figures, rate: float, left: float | None, health: str) -> None:
        self.threads.add(torch.get_num_threads())


def test_resume_refuses_other_data(points: Path, tmp_path: Path) -> None:
    run = train(points, out=tmp_path / "run", display=Silent(), **SMALL)
    run.report.unlink()
    np.save(points, np.zeros((200, 2), dtype=np.float32))
    with pytest.raises(SparringError, match="other data"):
        resume(run.folder, display=Silent())


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"samples": 0}, "at least 1"),
        ({"minutes": float("nan")}, "above zero"),
        ({"batch": 201}, "at least a batch of 201"),
        ({"recipe": "images/dcgan"}, "images, which is what the recipe"),
        ({"colour": 3}, "colour"),
        ({"until": "good"}, "a comparison"),
        ({"device": "abacus"}, "no device"),
        ({"watchdog": "Repair"}, "one of repair, warn, off"),
        ({"judge": "quik"}, "did you mean 'quick'"),
        ({"watchdog": "off", "until": "settled"}, "Give another goal, or leave the watchdog on"),
        ({"samples": 1.5}, "samples=1.5"),
        ({"minutes": "1"}, "minutes='1'"),
        ({"minutes": float("inf")}, "minutes=inf"),
        ({"minutes": 1e300}, "minutes=1e"),
        ({"seed": 1.5}, "seed=1.5"),
        ({"seed": -1}, "seed=-1"),
        ({"micro_batch": 0}, "micro_batch=0"),
        ({"packing": 3, "micro_batch": 4}, "a multiple of 3"),
        ({"device": "meta"}, "no device 'meta'"),
        ({"until": 5}, "the goal 5"),
        ({"until": ""}, "the goal ''"),
        ({"until": "fd<1e999"}, "the goal"),
        ({"recipe": ""}, "no recipe ''"),
        ({"recipe": 3}, "no recipe '3'"),
        ({"packing": 10**7}, "packing"),
        ({"width": 10**7}, "width"),
        ({"latent_size": 10**7}, "latent_size"),
        ({"width": 65_536, "recipe": "points/vae"}, "networks that take"),
    ],
)
def test_refused_options_leave_no_run_folder(
    choices: dict[str, Any], words: str, points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "main_memory", lambda: 2**32)
    with pytest.raises(SparringError, match=words):
        train(points, out=tmp_path / "run", display=Silent(), **{**SMALL, **choices})
    assert not (tmp_path / "run").exists()


@pytest.fixture
def own_recipe(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "mine.py").write_text(
        "from sparring.modalities.points.recipes.vae import PointVAE\nVALUE = PointVAE(width=8, batch=50)\n"
    )
    yield f"{tmp_path / 'mine.py'}:VALUE"


def test_code_named_in_a_run_folder_is_executed_only_if_passed_explicitly(
    own_recipe: str, points: Path, tmp_path: Path
) -> None:
    from sparring.model import load

    run: Run = train(points, recipe=own_recipe, samples=100, out=tmp_path / "run", display=Silent())
    run.report.unlink()
    for call in (lambda: resume(run.folder, display=Silent()), lambda: load(run.folder)):
        with pytest.raises(SparringError, match="code is never run"):
            call()
    resume(run.folder, recipe=own_recipe, display=Silent())
    assert load(run.folder, recipe=own_recipe).sample(3).shape == (3, 2)


def test_samples_of_a_seed_do_not_depend_on_their_number(points: Path, tmp_path: Path) -> None:
    run = train(points, out=tmp_path / "run", display=Silent(), **SMALL)
    from sparring.model import load

    model = load(run.folder)
    # Processors may add up the rows of a batch in another order than those of a smaller one.
    torch.testing.assert_close(model.sample(5, seed=1), model.sample(9, seed=1)[:5], rtol=1e-5, atol=1e-6)


class Removing(Listener):
    """Display that removes or moves the run folder after the third step."""

    def __init__(self, folder: Path, target: Path | None) -> None:
        super().__init__()
        self.folder, self.target = folder, target

    def step(self, progress: Progress, figures: Figures, rate: float, left: float | None, health: str) -> None:
        super().step(progress, figures, rate, left, health)
        if len(self.fractions) == 3:
            shutil.move(self.folder, self.target) if self.target else shutil.rmtree(self.folder)


@pytest.mark.parametrize("moved", [False, True])
def test_a_run_whose_folder_is_removed_or_moved_ends_at_once(moved: bool, points: Path, tmp_path: Path) -> None:
    display = Removing(tmp_path / "run", tmp_path / "moved" if moved else None)
    with pytest.raises(SparringError, match="removed or moved during the run"):
        train(points, out=tmp_path / "run", display=display, **SMALL)
    assert len(display.fractions) <= 4 and not (tmp_path / "run").exists()
    if moved:
        assert resume(tmp_path / "moved", display=Silent()).report.exists()


def test_resume_compares_shapes_before_it_builds_networks(points: Path, tmp_path: Path) -> None:
    run = train(points, out=tmp_path / "run", display=Silent(), **SMALL)
    run.report.unlink()
    record = run.record
    choices = {**record.choices, "width": {"value": 20_000, "reason": "given"}}
    write_json(run.folder / "recipe.json", replace(record, choices=choices).as_json())
    with pytest.raises(SparringError, match="of other networks"):
        resume(run.folder, display=Silent())


def test_damage_to_signals_is_told_when_a_run_is_resumed(points: Path, tmp_path: Path) -> None:
    run = train(points, out=tmp_path / "run", display=Silent(), **{**SMALL, "samples": 64 * 200})
    run.report.unlink()
    events = run.folder / "events.jsonl"
    resume(run.folder, display=Silent())
    assert "observations changed" not in events.read_text()
    run.report.unlink()
    signals = run.folder / "signals.jsonl"
    signals.write_text(signals.read_text().replace('"spent": 0.', '"spent": 1.', 1))
    resume(run.folder, display=Silent())
    assert "observations changed" in events.read_text()


def test_damage_to_the_log_is_told_when_a_run_is_resumed(finished: Run) -> None:
    def told() -> list[str]:
        return [event.file for event in read_events(finished.folder / "events.jsonl") if isinstance(event, LogChanged)]

    # What is appended after the checkpoint, and what the resumed run writes anew, is no damage.
    resume(finished.folder, samples=2 * newest(finished), display=Silent())
    resume(finished.folder, samples=2 * newest(finished), display=Silent())
    assert told() == []

    # A digit of a loss, and an event that is missing.
    log, events = finished.folder / "log.jsonl", finished.folder / "events.jsonl"
    first, *others = log.read_text().splitlines(keepends=True)
    digit = first.index("adversarial") + len('adversarial": 0.1')
    log.write_text(first[:digit] + str(9 - int(first[digit])) + first[digit + 1 :] + "".join(others))
    resume(finished.folder, samples=2 * newest(finished), display=Silent())
    assert told() == ["log.jsonl"]
    events.write_text("".join(events.read_text().splitlines(keepends=True)[1:]))
    resume(finished.folder, samples=2 * newest(finished), display=Silent())
    assert told() == ["log.jsonl", "events.jsonl"]


def test_an_interrupted_run_suggests_a_command_to_copy(points: Path, tmp_path: Path) -> None:
    run = train(points, out=tmp_path / "my; run", display=Silent(), **SMALL)
    words = str(session.Interrupted(run, replace(run.record, recipe="my file.py:Mine"), 130))
    line = words.removeprefix("saved; continue with: ")
    assert shlex.split(line) == ["sparring", "resume", str(run.folder), "--recipe", "my file.py:Mine"]


def test_a_game_that_is_refused_leaves_no_run_folder(
    points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Duel, "phases", (Phase("contest", until=2.0),))
    with pytest.raises(SparringError, match="ascending shares"):
        train(points, out=tmp_path / "run", display=Silent(), **SMALL)
    assert not (tmp_path / "run").exists()


def test_a_file_of_labels_is_recorded_by_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.csv").touch()
    given: list[Reading] = []

    def stop(data: str, choices: Reading, *_: object) -> None:
        given.append(choices)
        raise SparringError(found="a", expected="b", remedy="c")

    monkeypatch.setattr("sparring.api.train._resolved", stop)
    for labels in ("labels.csv", Path("labels.csv"), "false", None):
        with pytest.raises(SparringError):
            train("ring", labels=labels, out=tmp_path / "run")
    assert [one.labels for one in given] == [str(tmp_path / "labels.csv")] * 2 + [False, None]
